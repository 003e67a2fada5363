import type { PrimitiveType, SimpleKind } from '../../spec/types.ts';
import type { ParquetNode, PhysicalType } from './parquet-schema.ts';

/**
 * The Iceberg type that a leaf's values are stored as (spec: Appendix A, "Parquet"), whoever wrote them; null where
 * there is none that every reader agrees on: unsigned 64-bit integers, intervals, half floats, times of day in
 * nanoseconds.
 */
export function icebergTypeOf(leaf: ParquetNode): PrimitiveType | null {
  if (leaf.physical === null) return null;
  return leaf.logical?.kind === 'null' ? { kind: 'unknown' } : TYPES[leaf.physical](leaf);
}

/** For messages: `long`, or `INT64 with the annotation uint64` where no Iceberg type says it. */
export function parquetTypeText(leaf: ParquetNode, typeText: (type: PrimitiveType) => string): string {
  const type = icebergTypeOf(leaf);
  if (type !== null) return typeText(type);
  const { logical, physical } = leaf;
  const annotation = logical === null ? '' : ` with the annotation ${annotationText(logical)}`;
  return `${physical}${annotation}`;
}

function annotationText(logical: NonNullable<ParquetNode['logical']>): string {
  if (logical.kind === 'int' && 'bits' in logical) return `${logical.signed ? '' : 'u'}int${logical.bits}`;
  return 'unit' in logical ? `${logical.kind}(${logical.unit})` : logical.kind;
}

type TypeOf = (leaf: ParquetNode) => PrimitiveType | null;

/** Of a physical type without annotation; an annotation that it doesn't go with means something else. */
const plain =
  (kind: SimpleKind): TypeOf =>
  ({ logical }) =>
    logical === null ? { kind } : null;

const TYPES: Readonly<Record<PhysicalType, TypeOf>> = {
  BOOLEAN: plain('boolean'),
  INT32: int32,
  INT64: int64,
  // Old writers' timestamps, which are instants.
  INT96: plain('timestamptz'),
  FLOAT: plain('float'),
  DOUBLE: plain('double'),
  BYTE_ARRAY: byteArray,
  FIXED_LEN_BYTE_ARRAY: fixedBytes,
};

function int32({ logical }: ParquetNode): PrimitiveType | null {
  switch (logical?.kind) {
    case undefined:
      return { kind: 'int' };
    case 'int':
      return { kind: logical.signed || logical.bits < 32 ? 'int' : 'long' };
    case 'date':
      return { kind: 'date' };
    case 'time':
      return logical.unit === 'ms' ? { kind: 'time' } : null;
    case 'decimal':
      return decimal(logical);
    default:
      return null;
  }
}

function int64({ logical }: ParquetNode): PrimitiveType | null {
  switch (logical?.kind) {
    case undefined:
      return { kind: 'long' };
    case 'int':
      return logical.signed ? { kind: 'long' } : null;
    case 'time':
      return logical.unit === 'us' ? { kind: 'time' } : null;
    case 'timestamp':
      return { kind: `${logical.utc ? 'timestamptz' : 'timestamp'}${logical.unit === 'ns' ? '_ns' : ''}` };
    case 'decimal':
      return decimal(logical);
    default:
      return null;
  }
}

function byteArray({ logical }: ParquetNode): PrimitiveType | null {
  switch (logical?.kind) {
    case undefined:
    case 'bson':
      return { kind: 'binary' };
    case 'string':
    case 'enum':
    case 'json':
      return { kind: 'string' };
    case 'decimal':
      return decimal(logical);
    case 'geometry':
    case 'geography':
      return logical;
    default:
      return null;
  }
}

function fixedBytes({ logical, typeLength }: ParquetNode): PrimitiveType | null {
  switch (logical?.kind) {
    case undefined:
      return typeLength === null ? null : { kind: 'fixed', length: typeLength };
    case 'uuid':
      return { kind: 'uuid' };
    case 'decimal':
      return decimal(logical);
    default:
      return null;
  }
}

const MAX_PRECISION = 38;

function decimal({ precision, scale }: { readonly precision: number; readonly scale: number }): PrimitiveType | null {
  return precision >= 1 && precision <= MAX_PRECISION ? { kind: 'decimal', precision, scale } : null;
}
