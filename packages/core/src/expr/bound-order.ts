import { compareBytes, type Comparator } from '../spec/compare-values.ts';
import { bytesToValue, valueToBytes } from '../spec/single-value.ts';
import { isPrimitive, type PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { applyTransform, preservesOrder } from '../transforms/transforms.ts';
import type { BoundTerm } from './bound-expression.ts';
import { narrowLong, readDouble, readFloat, readInt, readLong } from './bound-numbers.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import { sqlOrder } from './value-order.ts';

/**
 * How bounds of a term's ordinary values are read and compared with its literals. Bounds are undefined when unknown.
 * What is compared needn't be the type's `Value`: planning reads many bounds, and must not make a bigint of each.
 */
export interface BoundOrder {
  lower(statistics: ColumnStatistics): Value | undefined;
  upper(statistics: ColumnStatistics): Value | undefined;
  /** The form of a literal that bounds can be compared with. */
  literal(value: Value): Value;
  readonly compare: Comparator;
}

export function boundOrder(term: BoundTerm): BoundOrder {
  const source = term.field.type;
  if (!isPrimitive(source))
    return { lower: () => undefined, upper: () => undefined, literal: (value) => value, compare: () => 0 };
  return term.transform ? transformedOrder(term, source) : columnOrder(source);
}

function columnOrder(type: PrimitiveType): BoundOrder {
  const { read, literal, compare } = readerOf(type);
  return {
    lower: ({ lowerBound }) => readBound(lowerBound, read),
    upper: ({ upperBound }) => readBound(upperBound, read),
    literal,
    compare,
  };
}

/** Bounds of f(x) are f of the bounds of x, if f keeps the order. */
function transformedOrder(term: BoundTerm, source: PrimitiveType): BoundOrder {
  const { transform, type } = term;
  const apply = applyTransform(transform!, source);
  // Integers near their smallest wrap around when they are truncated. `bind` makes ranges of such terms anyway.
  const wraps = transform!.kind === 'truncate' && (type.kind === 'int' || type.kind === 'long');
  const isOrdered = preservesOrder(transform!) && !wraps;
  const compareSource = sqlOrder(source);
  const read = (bytes: Uint8Array): Value | undefined => bytesToValue(source, bytes);

  const bound = (statistics: ColumnStatistics, side: 'lowerBound' | 'upperBound'): Value | undefined => {
    const value = readBound(statistics[side], read);
    if (value === undefined) return undefined;
    if (isOrdered) return apply(value);
    // Without an order of its own a transform still maps a column of one value to one result.
    const other = readBound(statistics[side === 'lowerBound' ? 'upperBound' : 'lowerBound'], read);
    return other !== undefined && compareSource(value, other) === 0 ? apply(value) : undefined;
  };
  return {
    lower: (statistics) => bound(statistics, 'lowerBound'),
    upper: (statistics) => bound(statistics, 'upperBound'),
    literal: (value) => value,
    compare: sqlOrder(type),
  };
}

interface BoundReader {
  readonly read: (bytes: Uint8Array) => Value | undefined;
  readonly literal: (value: Value) => Value;
  readonly compare: Comparator;
}

function readerOf(type: PrimitiveType): BoundReader {
  const compare = sqlOrder(type);
  const same = (value: Value): Value => value;
  switch (type.kind) {
    // By the bytes of the binary form. For strings this is the spec's order, and exact for bounds that a writer has cut
    // in the middle of a character, which are no text any more.
    case 'string':
    case 'uuid':
    case 'fixed':
    case 'binary':
      return {
        read: (bytes) => bytes,
        literal: (value) => valueToBytes(type, value),
        compare: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
      };
    case 'int':
    case 'date':
      return { read: readInt, literal: same, compare };
    // JavaScript compares numbers and bigints with each other, exactly.
    case 'long':
      return { read: readLong, literal: narrowLong, compare };
    case 'time':
    case 'timestamptz':
    case 'timestamptz_ns':
      return { read: (bytes) => (bytes.length === 8 ? readLong(bytes) : undefined), literal: narrowLong, compare };
    case 'timestamp':
    case 'timestamp_ns':
      // Four bytes are the days of a column that was a date before.
      return {
        read: (bytes) => (bytes.length === 8 ? readLong(bytes) : bytesToValue(type, bytes)),
        literal: narrowLong,
        compare,
      };
    case 'float':
      return { read: readFloat, literal: same, compare };
    case 'double':
      return { read: readDouble, literal: same, compare };
    default:
      return { read: (bytes) => bytesToValue(type, bytes), literal: same, compare };
  }
}

/** A bound that can't be read is no bound; the rows are still right without it. */
function readBound(bytes: Uint8Array | null, read: (bytes: Uint8Array) => Value | undefined): Value | undefined {
  if (bytes === null) return undefined;
  try {
    const value = read(bytes);
    // NaN says nothing: some writers let the first value of a column spoil its bounds.
    return Number.isNaN(value) ? undefined : value;
  } catch {
    return undefined;
  }
}
