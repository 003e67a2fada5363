import { invalidArgument, invalidData } from '../errors.ts';
import { typeToText } from './type-text.ts';
import type { IcebergType, PrimitiveKind, PrimitiveType, TypeKind } from './types.ts';
import type { Value } from './values.ts';
import type { Variant } from './variant.ts';

export type Comparator = (a: Value, b: Value) => number;

const COMPARATORS: { readonly [K in PrimitiveKind]: Comparator | null } = {
  boolean: (a, b) => Number(a) - Number(b),
  int: byOperator,
  long: byOperator,
  float: (a, b) => compareFloats(a as number, b as number),
  double: (a, b) => compareFloats(a as number, b as number),
  decimal: byOperator,
  date: byOperator,
  time: byOperator,
  timestamp: byOperator,
  timestamptz: byOperator,
  timestamp_ns: byOperator,
  timestamptz_ns: byOperator,
  string: (a, b) => compareStrings(a as string, b as string),
  // Lower-case hexadecimal text sorts as the unsigned big-endian number that it spells.
  uuid: byOperator,
  fixed: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  binary: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  unknown: () => 0,
  variant: null,
  geometry: null,
  geography: null,
};

/**
 * The order of a type's values, none of them null: strings by their UTF-8 bytes, floats with -0 before +0 and NaN last
 * (spec: "Sorting"). INVALID_ARGUMENT for types without an order.
 */
export function compareValues(type: PrimitiveType): Comparator {
  const comparator = COMPARATORS[type.kind];
  if (!comparator) throw invalidArgument(`Values of type ${typeToText(type)} have no order.`);
  return comparator;
}

/** The order of tuples of values of these types: by one after the other, nulls first. */
export function compareTuples(types: readonly PrimitiveType[]): (a: readonly Value[], b: readonly Value[]) => number {
  const comparators = types.map(compareValues);
  return (a, b) => {
    for (const [i, compare] of comparators.entries()) {
      const [left, right] = [a[i] ?? null, b[i] ?? null];
      if (left === null && right === null) continue;
      if (left === null || right === null) return left === null ? -1 : 1;
      const order = compare(left, right);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/**
 * Whether two values, nulls included, are the same value of the type: NaN equals NaN, -0 and +0 differ. Maps are equal
 * when their pairs are, in order; geometries and variants when their bytes are.
 */
export function valuesEqual(type: IcebergType, a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  const equal = EQUALITY[type.kind] as (type: IcebergType, a: Value, b: Value) => boolean;
  return equal(type, a, b);
}

type Equality = { readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>, a: Value, b: Value) => boolean };

const identical = (_: unknown, a: Value, b: Value): boolean => a === b;
const sameNumber = (_: unknown, a: Value, b: Value): boolean => Object.is(a, b);
const sameBytes = (_: unknown, a: Value, b: Value): boolean => compareBytes(a as Uint8Array, b as Uint8Array) === 0;

const EQUALITY: Equality = {
  boolean: identical,
  int: identical,
  long: identical,
  float: sameNumber,
  double: sameNumber,
  decimal: identical,
  date: identical,
  time: identical,
  timestamp: identical,
  timestamptz: identical,
  timestamp_ns: identical,
  timestamptz_ns: identical,
  string: identical,
  uuid: identical,
  fixed: sameBytes,
  binary: sameBytes,
  geometry: sameBytes,
  geography: sameBytes,
  unknown: () => true,
  variant: (_, a, b) => {
    const [left, right] = [a as Variant, b as Variant];
    return compareBytes(left.metadata, right.metadata) === 0 && compareBytes(left.value, right.value) === 0;
  },
  struct: ({ fields }, a, b) => fields.every((field, i) => valuesEqual(field.type, valueAt(a, i), valueAt(b, i))),
  list: ({ element }, a, b) => sameItems(a, b, (left, right) => valuesEqual(element, left, right)),
  map: ({ key, value }, a, b) =>
    sameItems(
      a,
      b,
      (left, right) =>
        valuesEqual(key, valueAt(left, 0), valueAt(right, 0)) &&
        valuesEqual(value, valueAt(left, 1), valueAt(right, 1)),
    ),
};

function sameItems(a: Value, b: Value, equal: (a: Value, b: Value) => boolean): boolean {
  const [left, right] = [a as readonly Value[], b as readonly Value[]];
  return left.length === right.length && left.every((item, i) => equal(item, right[i]!));
}

function valueAt(value: Value, index: number): Value {
  if (!Array.isArray(value)) throw invalidData('A struct or map entry is not an array of values.');
  return (value as readonly Value[])[index] ?? null;
}

function byOperator(a: Value, b: Value): number {
  // Both sides are numbers, bigints or strings of the same type.
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/**
 * Orders strings as their UTF-8 bytes do, that is by code point. UTF-16 order, the language's own, differs where a
 * surrogate meets a character from U+E000 on.
 */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, which spell the characters above U+FFFF, above all other units. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Orders bytes as unsigned numbers, a prefix before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
