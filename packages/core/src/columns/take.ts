import { bitmapSize, getBit, setBit } from './column.ts';
import type { Column, ColumnBatch, NumberArray } from './column.ts';

/** The given rows of a column, in the given order. -1 stands for a null row. */
export function takeRows(column: Column, rows: Int32Array): Column {
  const length = rows.length;
  if (column.layout === 'nothing') return { layout: 'nothing', length, validity: null };
  const validity = takeValidity(column.validity, rows);
  switch (column.layout) {
    case 'bits': {
      const bits = new Uint8Array(bitmapSize(length));
      for (let i = 0; i < length; i++) if (rows[i]! >= 0 && getBit(column.bits, rows[i]!)) setBit(bits, i);
      return { layout: 'bits', length, validity, bits };
    }
    case 'numbers':
      return { layout: 'numbers', length, validity, values: takeNumbers(column.values, rows) };
    case 'fixed': {
      const { width } = column;
      const bytes = new Uint8Array(length * width);
      for (let i = 0; i < length; i++) {
        const from = rows[i]! * width;
        if (from >= 0) for (let j = 0; j < width; j++) bytes[i * width + j] = column.bytes[from + j]!;
      }
      return { layout: 'fixed', length, validity, width, bytes };
    }
    case 'variable': {
      const offsets = takeOffsets(column.offsets, rows);
      return {
        layout: 'variable',
        length,
        validity,
        offsets,
        bytes: takeBytes(column.offsets, column.bytes, rows, offsets),
      };
    }
    case 'struct':
      return { layout: 'struct', length, validity, children: column.children.map((child) => takeRows(child, rows)) };
    case 'list': {
      const offsets = takeOffsets(column.offsets, rows);
      const items = new Int32Array(offsets[length]!);
      for (let i = 0; i < length; i++) {
        const from = rows[i]! < 0 ? 0 : column.offsets[rows[i]!]!;
        for (let to = offsets[i]!; to < offsets[i + 1]!; to++) items[to] = from + to - offsets[i]!;
      }
      return { layout: 'list', length, validity, offsets, items: takeRows(column.items, items) };
    }
  }
}

export function takeBatch(batch: ColumnBatch, rows: Int32Array): ColumnBatch {
  return { length: rows.length, columns: batch.columns.map((column) => takeRows(column, rows)) };
}

function takeValidity(validity: Uint8Array | null, rows: Int32Array): Uint8Array | null {
  let nulls = 0;
  const out = new Uint8Array(bitmapSize(rows.length));
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= 0 && (validity === null || getBit(validity, row))) setBit(out, i);
    else nulls++;
  }
  return nulls === 0 ? null : out;
}

function takeNumbers(values: NumberArray, rows: Int32Array): NumberArray {
  if (values instanceof BigInt64Array) return takeLongs(values, rows);
  const out = new (values.constructor as new (length: number) => NumberArray)(rows.length);
  // One loop serves all arrays: number or bigint, source and target hold the same.
  const source = values as Float64Array;
  const target = out as Float64Array;
  for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) target[i] = source[rows[i]!]!;
  return out;
}

/** By halves, which spares a bigint per value. */
function takeLongs(values: BigInt64Array, rows: Int32Array): BigInt64Array {
  const out = new BigInt64Array(rows.length);
  const source = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const target = new Int32Array(out.buffer);
  for (let i = 0; i < rows.length; i++) {
    const from = 2 * rows[i]!;
    if (from < 0) continue;
    target[2 * i] = source[from]!;
    target[2 * i + 1] = source[from + 1]!;
  }
  return out;
}

function takeOffsets(offsets: Int32Array, rows: Int32Array): Int32Array {
  const out = new Int32Array(rows.length + 1);
  let end = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= 0) end += offsets[row + 1]! - offsets[row]!;
    out[i + 1] = end;
  }
  return out;
}

/** Below this, copying byte by byte is faster than a call. */
const SHORT_COPY = 32;

function takeBytes(fromOffsets: Int32Array, bytes: Uint8Array, rows: Int32Array, offsets: Int32Array): Uint8Array {
  const out = new Uint8Array(offsets[rows.length]!);
  for (let i = 0; i < rows.length;) {
    const first = rows[i]!;
    const start = i++;
    if (first < 0) continue;
    // The values of rows that follow each other do so, too.
    while (i < rows.length && rows[i] === first + i - start) i++;
    const from = fromOffsets[first]!;
    const to = offsets[start]!;
    const size = offsets[i]! - to;
    if (size < SHORT_COPY) for (let j = 0; j < size; j++) out[to + j] = bytes[from + j]!;
    else out.set(bytes.subarray(from, from + size), to);
  }
  return out;
}
