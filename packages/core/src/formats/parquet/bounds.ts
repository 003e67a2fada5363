import { isLong } from '../../spec/integers.ts';
import { valueToBytes } from '../../spec/single-value.ts';
import { bytesToBigint } from '../../spec/twos-complement.ts';
import type { DecimalType, IcebergType, TypeKind } from '../../spec/types.ts';
import type { Value } from '../../spec/values.ts';
import type { ParquetStatistics } from './footer.ts';
import type { ParquetNode, PhysicalType } from './parquet-schema.ts';

export interface ColumnBounds {
  /** Single-value binary form of the Iceberg type; null when unknown. */
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

const UNKNOWN: ColumnBounds = { lower: null, upper: null };

/**
 * A column chunk's minimum and maximum as bounds of an Iceberg type, which the column may have been promoted to since.
 * Unknown wherever the file's own order of values is not the type's.
 */
export function boundsOf(leaf: ParquetNode, statistics: ParquetStatistics, type: IcebergType): ColumnBounds {
  if (statistics.min === null || statistics.max === null || !isOrderKnown(leaf, statistics)) return UNKNOWN;
  const bound = (bytes: Uint8Array, side: Side): Uint8Array | null => {
    const value = (READERS[type.kind] as BoundReader<IcebergType> | null)?.(leaf, bytes, type, side);
    if (value === undefined || value === null) return null;
    return value instanceof Uint8Array ? value : valueToBytes(type, value);
  };
  const [lower, upper] = [bound(statistics.min, 'lower'), bound(statistics.max, 'upper')];
  return lower === null || upper === null ? UNKNOWN : { lower, upper };
}

const SIGNED: ReadonlySet<PhysicalType> = new Set(['BOOLEAN', 'INT32', 'INT64', 'FLOAT', 'DOUBLE']);

function isOrderKnown({ physical, logical }: ParquetNode, statistics: ParquetStatistics): boolean {
  if (logical?.kind === 'int' && !logical.signed) return false;
  // Before min_value and max_value, writers disagreed on whether bytes are signed.
  return !statistics.legacyOrder || SIGNED.has(physical!);
}

type Side = 'lower' | 'upper';
/** Undefined where the leaf doesn't hold such values. Types whose binary form is the file's own return the bytes. */
type BoundReader<T> = (leaf: ParquetNode, bytes: Uint8Array, type: T, side: Side) => Value | undefined;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function int32(leaf: ParquetNode, bytes: Uint8Array): number | undefined {
  return leaf.physical === 'INT32' && bytes.length === 4 ? viewOf(bytes).getInt32(0, true) : undefined;
}

function int64(leaf: ParquetNode, bytes: Uint8Array): bigint | undefined {
  if (leaf.physical === 'INT64' && bytes.length === 8) return viewOf(bytes).getBigInt64(0, true);
  const small = int32(leaf, bytes);
  return small === undefined ? undefined : BigInt(small);
}

function floating(leaf: ParquetNode, bytes: Uint8Array, side: Side): number | undefined {
  let value: number | undefined;
  if (leaf.physical === 'FLOAT' && bytes.length === 4) value = viewOf(bytes).getFloat32(0, true);
  if (leaf.physical === 'DOUBLE' && bytes.length === 8) value = viewOf(bytes).getFloat64(0, true);
  if (value === undefined || Number.isNaN(value)) return undefined;
  // A zero may stand for either zero (parquet.thrift, on statistics of floats), and -0 sorts before +0.
  return value === 0 ? (side === 'lower' ? -0 : 0) : value;
}

const UNIT_NANOS = { ms: 1_000_000n, us: 1000n, ns: 1n } as const;
const NANOS_PER_DAY = 86_400_000_000_000n;

/** Times in another unit than the type's are read by flooring, which keeps the order. */
function inUnit(count: bigint, fromNanos: bigint, toNanos: bigint): bigint | undefined {
  const nanos = count * fromNanos;
  const rest = ((nanos % toNanos) + toNanos) % toNanos;
  const value = (nanos - rest) / toNanos;
  return isLong(value) ? value : undefined;
}

function timestamp(toNanos: bigint): BoundReader<unknown> {
  return (leaf, bytes) => {
    const count = int64(leaf, bytes);
    if (count === undefined) return undefined;
    if (leaf.logical?.kind === 'timestamp') return inUnit(count, UNIT_NANOS[leaf.logical.unit], toNanos);
    return leaf.logical?.kind === 'date' ? inUnit(count, NANOS_PER_DAY, toNanos) : undefined;
  };
}

function decimal(leaf: ParquetNode, bytes: Uint8Array, type: DecimalType): bigint | undefined {
  if (leaf.logical?.kind !== 'decimal' || leaf.logical.scale !== type.scale) return undefined;
  if (leaf.physical === 'INT32' || leaf.physical === 'INT64') return int64(leaf, bytes);
  return bytes.length > 0 && bytes.length <= 16 ? bytesToBigint(bytes) : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Some writers cut text anywhere; a bound that isn't text any more is no bound. */
function text(leaf: ParquetNode, bytes: Uint8Array): Uint8Array | undefined {
  if (leaf.physical !== 'BYTE_ARRAY') return undefined;
  try {
    utf8.decode(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

const fixedBytes = (leaf: ParquetNode, bytes: Uint8Array): Uint8Array | undefined =>
  leaf.physical === 'FIXED_LEN_BYTE_ARRAY' ? bytes : undefined;

const READERS: { readonly [K in TypeKind]: BoundReader<Extract<IcebergType, { kind: K }>> | null } = {
  boolean: (leaf, bytes) => (leaf.physical === 'BOOLEAN' && bytes.length === 1 ? bytes[0] !== 0 : undefined),
  int: int32,
  date: int32,
  long: int64,
  float: (leaf, bytes, _, side) => (leaf.physical === 'FLOAT' ? floating(leaf, bytes, side) : undefined),
  double: (leaf, bytes, _, side) => floating(leaf, bytes, side),
  decimal,
  time: (leaf, bytes) => {
    const count = int64(leaf, bytes);
    return count === undefined || leaf.logical?.kind !== 'time'
      ? undefined
      : inUnit(count, UNIT_NANOS[leaf.logical.unit], 1000n);
  },
  timestamp: timestamp(1000n),
  timestamptz: timestamp(1000n),
  timestamp_ns: timestamp(1n),
  timestamptz_ns: timestamp(1n),
  string: text,
  uuid: fixedBytes,
  fixed: fixedBytes,
  binary: (leaf, bytes) => (leaf.physical === 'BYTE_ARRAY' ? bytes : undefined),
  // WKB and variants have no order of their bytes.
  geometry: null,
  geography: null,
  variant: null,
  unknown: null,
  struct: null,
  list: null,
  map: null,
};
