import { uuidToBytes } from '../spec/bytes-text.ts';
import { bigintToBytes } from '../spec/twos-complement.ts';
import type { PrimitiveKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { hashBytes, hashInt, hashLong } from './murmur3.ts';
import { floorDivide } from './floor.ts';

const utf8 = new TextEncoder();

/** Long enough for most partition values; longer strings get a buffer of their own. */
const shared = new Uint8Array(256);

function hashString(text: string): number {
  // Each UTF-16 unit takes three bytes of UTF-8 at most.
  if (3 * text.length > shared.length) return hashBytes(utf8.encode(text));
  return hashBytes(shared, utf8.encodeInto(text, shared).written);
}

const hash64 = (value: Value): number => hashLong(value as bigint);
/** Nanoseconds hash as the microsecond they lie in, so that both precisions share buckets (spec: appendix B, note 3). */
const hashNanos = (value: Value): number => hashLong(floorDivide(value as bigint, 1000n));
const hash32 = (value: Value): number => hashInt(value as number);
const hashRaw = (value: Value): number => hashBytes(value as Uint8Array);

/** The hash of each type's values (spec: appendix B); null for types that can't be bucketed. */
const HASHES: { readonly [K in PrimitiveKind]: ((value: Value) => number) | null } = {
  int: hash32,
  long: hash64,
  decimal: (value) => hashBytes(bigintToBytes(value as bigint)),
  date: hash32,
  time: hash64,
  timestamp: hash64,
  timestamptz: hash64,
  timestamp_ns: hashNanos,
  timestamptz_ns: hashNanos,
  string: (value) => hashString(value as string),
  uuid: (value) => hashBytes(uuidToBytes(value as string)),
  fixed: hashRaw,
  binary: hashRaw,
  boolean: null,
  float: null,
  double: null,
  unknown: null,
  variant: null,
  geometry: null,
  geography: null,
};

/** The 32-bit hash of a non-null value of the type; null if the type can't be bucketed. */
export function hashFunction(kind: PrimitiveKind): ((value: Value) => number) | null {
  return HASHES[kind];
}

/** Maps a hash to a bucket: the sign bit is dropped first (spec: "Bucket Transform Details"). */
export function bucketOf(hash: number, buckets: number): number {
  return (hash & 0x7fff_ffff) % buckets;
}
