import { invalidArgument, invalidData } from '../errors.ts';
import { MICROS_PER_DAY, NANOS_PER_DAY } from './datetime-text.ts';
import { bytesToHex, bytesToUuid, uuidToBytes } from './bytes-text.ts';
import { isLong } from './integers.ts';
import { bigintToBytes, bytesToBigint } from './twos-complement.ts';
import { typeToText } from './type-text.ts';
import type { IcebergType, TypeKind } from './types.ts';
import type { Value } from './values.ts';

interface BinaryCodec<T> {
  readonly write: (value: Value, type: T) => Uint8Array;
  /** Undefined if the bytes can't be a value of the type. */
  readonly read: (bytes: Uint8Array, type: T) => Value | undefined;
}

/**
 * The binary form of a single value, not null (spec: appendix D, "Binary single-value serialization"). Geometries are
 * their WKB; bounds of geometries are points in a form of their own and don't come through here. INVALID_ARGUMENT for
 * types without such a form.
 */
export function valueToBytes(type: IcebergType, value: Value): Uint8Array {
  return codecOf(type).write(value, type);
}

/**
 * Reads the binary form of a single value. Bounds that were written before a column was promoted are taken as well:
 * 4-byte ints as long, 4-byte floats as double, a date as timestamp (spec: "Schema Evolution"). INVALID_DATA for bytes
 * that can't be a value of the type.
 */
export function bytesToValue(type: IcebergType, bytes: Uint8Array): Value {
  const value = codecOf(type).read(bytes, type);
  if (value === undefined) {
    throw invalidData(
      `${bytes.length} bytes (${bytesToHex(bytes.subarray(0, 20))}) are not a single value of type ${typeToText(type)}.`,
    );
  }
  return value;
}

function codecOf(type: IcebergType): BinaryCodec<IcebergType> {
  const codec = CODECS[type.kind] as BinaryCodec<IcebergType> | null;
  if (!codec) throw invalidArgument(`Values of type ${typeToText(type)} have no single-value binary form.`);
  return codec;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function written(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(viewOf(bytes));
  return bytes;
}

const readInt = (bytes: Uint8Array): number | undefined =>
  bytes.length === 4 ? viewOf(bytes).getInt32(0, true) : undefined;

const readLong = (bytes: Uint8Array): bigint | undefined =>
  bytes.length === 8 ? viewOf(bytes).getBigInt64(0, true) : undefined;

const int: BinaryCodec<unknown> = {
  write: (value) => written(4, (view) => view.setInt32(0, value as number, true)),
  read: readInt,
};

const long: BinaryCodec<unknown> = {
  write: (value) => written(8, (view) => view.setBigInt64(0, value as bigint, true)),
  read: readLong,
};

/** Timestamps without a zone take the days of a column that was a date before; those with one are never promoted to. */
function timestampCodec(unitsPerDay: bigint): BinaryCodec<unknown> {
  return {
    write: long.write,
    read: (bytes) => {
      const days = readInt(bytes);
      if (days === undefined) return readLong(bytes);
      const value = BigInt(days) * unitsPerDay;
      return isLong(value) ? value : undefined;
    },
  };
}

const raw: BinaryCodec<unknown> = { write: (value) => value as Uint8Array, read: (bytes) => bytes };

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const CODECS: { readonly [K in TypeKind]: BinaryCodec<Extract<IcebergType, { kind: K }>> | null } = {
  boolean: {
    write: (value) => Uint8Array.of(value ? 1 : 0),
    read: (bytes) => (bytes.length === 1 ? bytes[0] !== 0 : undefined),
  },
  int,
  long: { write: long.write, read: (bytes) => (bytes.length === 4 ? BigInt(readInt(bytes)!) : readLong(bytes)) },
  float: {
    write: (value) => written(4, (view) => view.setFloat32(0, value as number, true)),
    read: (bytes) => (bytes.length === 4 ? viewOf(bytes).getFloat32(0, true) : undefined),
  },
  double: {
    write: (value) => written(8, (view) => view.setFloat64(0, value as number, true)),
    read: (bytes) => {
      if (bytes.length === 4) return viewOf(bytes).getFloat32(0, true);
      return bytes.length === 8 ? viewOf(bytes).getFloat64(0, true) : undefined;
    },
  },
  decimal: {
    write: (value) => bigintToBytes(value as bigint),
    // Some writers pad to the width of the precision; 38 digits take 16 bytes.
    read: (bytes) => (bytes.length >= 1 && bytes.length <= 16 ? bytesToBigint(bytes) : undefined),
  },
  date: int,
  time: long,
  timestamp: timestampCodec(MICROS_PER_DAY),
  timestamptz: long,
  timestamp_ns: timestampCodec(NANOS_PER_DAY),
  timestamptz_ns: long,
  string: { write: (value) => utf8Encoder.encode(value as string), read: decodeUtf8 },
  uuid: {
    write: (value) => uuidToBytes(value as string),
    read: (bytes) => (bytes.length === 16 ? bytesToUuid(bytes) : undefined),
  },
  fixed: raw,
  binary: raw,
  geometry: raw,
  geography: raw,
  unknown: null,
  variant: null,
  struct: null,
  list: null,
  map: null,
};
