import { columnBuilder } from '../columns/builder.ts';
import { bitmapSize, setBit } from '../columns/column.ts';
import type { Column, VariableColumn } from '../columns/column.ts';
import { layoutOf, newNumberArray } from '../columns/layout.ts';
import { takeRows } from '../columns/take.ts';
import { areUtf8 } from '../formats/utf8-values.ts';
import { fitsPrecision } from '../spec/decimal-text.ts';
import { bytesToValue } from '../spec/single-value.ts';
import type { PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/**
 * Bounds in their binary form (spec: appendix D, "Binary single-value serialization") as values of the column's type,
 * those of the given rows; -1 stands for no bound. A bound that can't be a value is null: the rest of its file is still
 * worth seeing, and its bytes are in `lower_bounds`.
 */
export function boundColumn(type: PrimitiveType, bounds: VariableColumn, rows: Int32Array): Column {
  return textOrBytes(type, bounds, rows) ?? numbers(type, bounds, rows) ?? decoded(type, bounds, rows);
}

function textOrBytes(type: PrimitiveType, bounds: VariableColumn, rows: Int32Array): Column | null {
  if (type.kind !== 'binary' && type.kind !== 'string') return null;
  const taken = takeRows(bounds, rows) as VariableColumn;
  return type.kind === 'binary' || areUtf8(taken.bytes, taken.offsets) ? taken : null;
}

/** Numbers of full width are copied, without a value per row. */
function numbers(type: PrimitiveType, { offsets, bytes }: VariableColumn, rows: Int32Array): Column | null {
  const layout = layoutOf(type);
  if (layout.layout !== 'numbers') return null;
  const { length } = rows;
  const values = newNumberArray(layout.array, length);
  const target = new Uint8Array(values.buffer);
  const width = values.BYTES_PER_ELEMENT;
  const validity = new Uint8Array(bitmapSize(length));
  let nulls = 0;
  for (let row = 0; row < length; row++) {
    const from = rows[row]!;
    if (from < 0) {
      nulls++;
      continue;
    }
    const start = offsets[from]!;
    // From before the column was promoted, or no number at all.
    if (offsets[from + 1]! - start !== width) return null;
    for (let i = 0; i < width; i++) target[row * width + i] = bytes[start + i]!;
    setBit(validity, row);
  }
  return { layout: 'numbers', length, validity: nulls === 0 ? null : validity, values };
}

function decoded(type: PrimitiveType, { offsets, bytes }: VariableColumn, rows: Int32Array): Column {
  const builder = columnBuilder(type);
  const read = readerOf(type);
  for (const row of rows) {
    builder.append(row < 0 ? null : valueOrNull(read, bytes.subarray(offsets[row], offsets[row + 1])));
  }
  return builder.finish();
}

type ReadBound = (bound: Uint8Array) => Value;

function valueOrNull(read: ReadBound, bound: Uint8Array): Value {
  try {
    return read(bound);
  } catch {
    return null;
  }
}

const lossyText = new TextDecoder('utf-8', { ignoreBOM: true });

function readerOf(type: PrimitiveType): ReadBound {
  switch (type.kind) {
    // A writer has cut it in the middle of a character.
    case 'string':
      return (bound) => lossyText.decode(bound);
    // What a column of the type can't hold is no value of it.
    case 'fixed':
      return (bound) => (bound.length === type.length ? bound : null);
    case 'decimal':
      return (bound) => {
        const value = bytesToValue(type, bound) as bigint;
        return fitsPrecision(value, type.precision) ? value : null;
      };
    case 'geometry':
    case 'geography':
      return pointToWkb;
    default:
      return (bound) => bytesToValue(type, bound);
  }
}

const WKB_HEADER_BYTES = 5;
/** By the number of coordinates: XY, XYZ, and XYZM, whose Z is NaN if there is none (spec: "Bound Serialization"). */
const WKB_TYPES: Readonly<Record<number, number>> = { 2: 1, 3: 1001, 4: 3001 };
const WKB_XYM = 2001;

/** A bound of geometries is a point: its coordinates as doubles. */
function pointToWkb(bound: Uint8Array): Value {
  const coordinates = bound.length / 8;
  const type = WKB_TYPES[coordinates];
  if (type === undefined) return null;
  const point = new Uint8Array(WKB_HEADER_BYTES + bound.length);
  const view = new DataView(point.buffer);
  view.setUint8(0, 1);
  view.setUint32(1, type, true);
  point.set(bound, WKB_HEADER_BYTES);
  const z = WKB_HEADER_BYTES + 16;
  if (coordinates < 4 || !Number.isNaN(view.getFloat64(z, true))) return point;
  view.setUint32(1, WKB_XYM, true);
  point.copyWithin(z, z + 8);
  return point.slice(0, z + 8);
}
