import type { PrimitiveKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { floorDivide } from './floor.ts';

type Truncate = (value: Value, width: number) => Value;

/**
 * Truncation by type (spec: "Truncate Transform Details"); null for types that can't be truncated. Integers within
 * `width` of their type's minimum wrap around, as they do in Java: partition values must be the same for all engines.
 */
const TRUNCATIONS: { readonly [K in PrimitiveKind]: Truncate | null } = {
  int: (value, width) => truncateInt(value as number, width),
  long: (value, width) => BigInt.asIntN(64, truncateBigint(value as bigint, width)),
  decimal: (value, width) => truncateBigint(value as bigint, width),
  string: (value, width) => truncateString(value as string, width),
  binary: (value, width) => (value as Uint8Array).subarray(0, width),
  boolean: null,
  float: null,
  double: null,
  date: null,
  time: null,
  timestamp: null,
  timestamptz: null,
  timestamp_ns: null,
  timestamptz_ns: null,
  uuid: null,
  fixed: null,
  unknown: null,
  variant: null,
  geometry: null,
  geography: null,
};

/** Truncates a non-null value of the type; null if the type can't be truncated. */
export function truncateFunction(kind: PrimitiveKind): Truncate | null {
  return TRUNCATIONS[kind];
}

function truncateInt(value: number, width: number): number {
  return (value - (((value % width) + width) % width)) | 0;
}

function truncateBigint(value: bigint, width: number): bigint {
  const step = BigInt(width);
  return floorDivide(value, step) * step;
}

/** The first `length` code points. */
export function truncateString(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = 0;
  for (let count = 0; count < length && end < text.length; count++) end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/** Code points in a string, counted no further than `limit` + 1. */
export function codePointCount(text: string, limit: number = Infinity): number {
  let count = 0;
  for (let i = 0; i < text.length && count <= limit; count++) i += text.codePointAt(i)! > 0xffff ? 2 : 1;
  return count;
}
