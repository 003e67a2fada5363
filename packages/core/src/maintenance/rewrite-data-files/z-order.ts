import { columnReader } from '../../columns/column-reader.ts';
import { isValid } from '../../columns/column.ts';
import type { Column, ColumnBatch } from '../../columns/column.ts';
import { findColumn } from '../../columns/find-column.ts';
import type { IcebergType, StructType } from '../../spec/types.ts';
import { Z_ORDER_BITS, Z_ORDER_BYTES, zOrderForm } from './z-order-types.ts';

/**
 * The rows of a batch along a curve that keeps together what is alike in several columns: by a key of the bits of all
 * columns in turn, the highest first. A value's bits say where it is between the least and the greatest of its column,
 * so that columns of any range count alike. Nulls come first, NaN last.
 */
export function zOrder(batch: ColumnBatch, schema: StructType, columns: readonly number[]): Int32Array {
  const bits = Math.floor(Z_ORDER_BITS / columns.length);
  const ranks = columns.map((id) => {
    const { field, find } = findColumn(schema, id)!;
    return ranksOf(magnitudes(field.type, find(batch)), bits);
  });
  const keys = interleave(ranks, bits, batch.length);
  const rows = Int32Array.from({ length: batch.length }, (_, row) => row);
  return rows.toSorted((a, b) => keys.high[a]! - keys.high[b]! || keys.low[a]! - keys.low[b]! || a - b);
}

/** Values as numbers of the same order; -Infinity for null, so that it comes first. */
function magnitudes(type: IcebergType, column: Column): Float64Array {
  if (zOrderForm(type) === 'bytes') return byteMagnitudes(column);
  const read = columnReader(type, column);
  return Float64Array.from({ length: column.length }, (_, row) => {
    const value = read(row);
    return value === null ? Number.NEGATIVE_INFINITY : Number(value);
  });
}

function byteMagnitudes(column: Column): Float64Array {
  const bytesOf = (row: number): Uint8Array | null => (isValid(column, row) ? bytesAt(column, row) : null);
  const prefix = commonPrefix(column.length, bytesOf);
  return Float64Array.from({ length: column.length }, (_, row) => {
    const bytes = bytesOf(row);
    if (bytes === null) return Number.NEGATIVE_INFINITY;
    let magnitude = 0;
    for (let i = prefix; i < prefix + Z_ORDER_BYTES; i++) magnitude = magnitude * 256 + (bytes[i] ?? 0);
    return magnitude;
  });
}

function bytesAt(column: Column, row: number): Uint8Array {
  if (column.layout === 'fixed') return column.bytes.subarray(row * column.width, (row + 1) * column.width);
  const { bytes, offsets } = column as Extract<Column, { layout: 'variable' }>;
  return bytes.subarray(offsets[row], offsets[row + 1]);
}

/** How many bytes all values begin with. */
function commonPrefix(length: number, bytesOf: (row: number) => Uint8Array | null): number {
  let first: Uint8Array | null = null;
  let prefix = 0;
  for (let row = 0; row < length; row++) {
    const bytes = bytesOf(row);
    if (bytes === null) continue;
    if (first === null) {
      first = bytes;
      prefix = bytes.length;
      continue;
    }
    let same = 0;
    while (same < prefix && first[same] === bytes[same]) same++;
    prefix = same;
  }
  return prefix;
}

/** Where each value is between the least and the greatest finite one, in so many bits. */
function ranksOf(values: Float64Array, bits: number): Uint32Array {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const top = 2 ** bits - 1;
  // Halves, as the difference of two doubles may be infinite.
  const range = max / 2 - min / 2;
  const rank = (value: number): number => {
    if (Number.isNaN(value) || value === Number.POSITIVE_INFINITY) return top;
    if (value === Number.NEGATIVE_INFINITY || range === 0) return 0;
    return Math.floor(((value / 2 - min / 2) / range) * top);
  };
  return Uint32Array.from(values, rank);
}

/** Numbers of `bits` bits each become one of all their bits in turn, in an upper and a lower part of 32. */
function interleave(
  ranks: readonly Uint32Array[],
  bits: number,
  length: number,
): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const high = new Uint32Array(length);
  const low = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    let [upper, lower] = [0, 0];
    for (let bit = bits - 1; bit >= 0; bit--) {
      for (const column of ranks) {
        upper = (upper << 1) | (lower >>> 31);
        lower = (lower << 1) | ((column[row]! >>> bit) & 1);
      }
    }
    high[row] = upper;
    low[row] = lower;
  }
  return { high, low };
}
