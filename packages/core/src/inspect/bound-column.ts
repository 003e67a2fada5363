import { columnBuilder } from '../columns/builder.ts';
import { isValid } from '../columns/column.ts';
import type { Column, VariableColumn } from '../columns/column.ts';
import { layoutOf, newNumberArray } from '../columns/layout.ts';
import { areUtf8 } from '../formats/utf8-values.ts';
import { bytesToValue } from '../spec/single-value.ts';
import type { PrimitiveKind, PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/**
 * Bounds in their binary form (spec: appendix D, "Binary single-value serialization") as values of the column's type.
 * A bound that can't be one is null: the rest of the row is still worth seeing, and its bytes are in `lower_bounds`.
 */
export function boundColumn(type: PrimitiveType, bounds: VariableColumn): Column {
  return asTheyAre(type, bounds) ?? decoded(type, bounds);
}

/** Without a value per row: text and bytes are what they are, and so are numbers of full width. */
function asTheyAre(type: PrimitiveType, bounds: VariableColumn): Column | null {
  if (type.kind === 'binary') return bounds;
  if (type.kind === 'string') return areUtf8(bounds.bytes, bounds.offsets) ? bounds : null;
  const layout = layoutOf(type);
  if (layout.layout !== 'numbers') return null;
  const values = newNumberArray(layout.array, bounds.length);
  const target = new Uint8Array(values.buffer);
  const width = values.BYTES_PER_ELEMENT;
  const { offsets, bytes, length, validity } = bounds;
  for (let row = 0; row < length; row++) {
    const start = offsets[row]!;
    const size = offsets[row + 1]! - start;
    if (size === width) for (let i = 0; i < width; i++) target[row * width + i] = bytes[start + i]!;
    // From before the column was promoted, or no number at all.
    else if (isValid(bounds, row)) return null;
  }
  return { layout: 'numbers', length, validity, values };
}

function decoded(type: PrimitiveType, bounds: VariableColumn): Column {
  const builder = columnBuilder(type);
  const read = READERS[type.kind] ?? ((bytes) => bytesToValue(type, bytes));
  for (let row = 0; row < bounds.length; row++) {
    builder.append(isValid(bounds, row) ? valueOrNull(read, bounds, row) : null);
  }
  return builder.finish();
}

type ReadBound = (bytes: Uint8Array) => Value;

function valueOrNull(read: ReadBound, { bytes, offsets }: VariableColumn, row: number): Value {
  try {
    return read(bytes.subarray(offsets[row], offsets[row + 1]));
  } catch {
    return null;
  }
}

const lossyText = new TextDecoder('utf-8', { ignoreBOM: true });

const READERS: { readonly [K in PrimitiveKind]?: ReadBound } = {
  // A writer has cut it in the middle of a character.
  string: (bytes) => lossyText.decode(bytes),
  geometry: pointToWkb,
  geography: pointToWkb,
};

const WKB_HEADER_BYTES = 5;
/** By the number of coordinates: XY, XYZ, and XYZM, whose Z is NaN if there is none (spec: "Bound Serialization"). */
const WKB_TYPES: Readonly<Record<number, number>> = { 2: 1, 3: 1001, 4: 3001 };

/** A bound of geometries is a point: its coordinates as doubles. */
function pointToWkb(bytes: Uint8Array): Value {
  const coordinates = bytes.length / 8;
  const type = WKB_TYPES[coordinates];
  if (type === undefined) return null;
  const point = new Uint8Array(WKB_HEADER_BYTES + bytes.length);
  const view = new DataView(point.buffer);
  view.setUint8(0, 1);
  view.setUint32(1, type, true);
  point.set(bytes, WKB_HEADER_BYTES);
  const withoutZ = coordinates === 4 && Number.isNaN(view.getFloat64(WKB_HEADER_BYTES + 16, true));
  if (!withoutZ) return point;
  view.setUint32(1, 2001, true);
  point.copyWithin(WKB_HEADER_BYTES + 16, WKB_HEADER_BYTES + 24);
  return point.slice(0, WKB_HEADER_BYTES + 24);
}
