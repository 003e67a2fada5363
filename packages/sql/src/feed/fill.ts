import duckdb from '@duckdb/node-bindings';
import type { Column } from '@lh/core/engine';

/** Writes rows `start` to `start + count` of a column into a vector, from its first row on. */
export type Fill = (vector: duckdb.Vector, column: Column, start: number, count: number) => void;

/** Values that have the same bytes on both sides. */
export const fillNumbers: Fill = (vector, column, start, count) => {
  if (column.layout !== 'numbers') return mismatch('numbers', column);
  copyArray(vector, column.values, start, count);
  fillValidity(vector, column, start, count);
};

/** Units that DuckDB doesn't have: `convert` gives the value in its own. */
export function fillConverted(
  array: new (length: number) => Int32Array | BigInt64Array | Float32Array,
  convert: (value: number | bigint) => number | bigint,
): Fill {
  return (vector, column, start, count) => {
    if (column.layout !== 'numbers') return mismatch('numbers', column);
    const out = new array(count) as Record<number, number | bigint> & ArrayBufferView & ArrayLike<number | bigint>;
    for (let i = 0; i < count; i++) if (isSet(column.validity, start + i)) out[i] = convert(column.values[start + i]!);
    copyBytes(vector, out);
    fillValidity(vector, column, start, count);
  };
}

export const fillBits: Fill = (vector, column, start, count) => {
  if (column.layout !== 'bits') return mismatch('bits', column);
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (column.bits[(start + i) >> 3]! >> ((start + i) & 7)) & 1;
  copyBytes(vector, out);
  fillValidity(vector, column, start, count);
};

/** Decimals of 16 bytes; DuckDB takes as few as the precision needs. */
export function fillDecimal(precision: number): Fill {
  const width = precision > 18 ? 16 : precision > 9 ? 8 : precision > 4 ? 4 : 2;
  return (vector, column, start, count) => {
    if (column.layout !== 'fixed') return mismatch('fixed', column);
    const out = new Uint8Array(count * width);
    for (let i = 0; i < count; i++) {
      const at = (start + i) * column.width;
      // Two's complement, little-endian: the low bytes are the narrower number.
      out.set(column.bytes.subarray(at, at + width), i * width);
    }
    copyBytes(vector, out);
    fillValidity(vector, column, start, count);
  };
}

/** DuckDB stores a UUID as a little-endian number with its top bit flipped. */
export const fillUuid: Fill = (vector, column, start, count) => {
  if (column.layout !== 'fixed') return mismatch('fixed', column);
  const out = new Uint8Array(count * 16);
  for (let i = 0; i < count; i++) {
    const at = (start + i) * 16;
    for (let byte = 0; byte < 16; byte++) out[i * 16 + 15 - byte] = column.bytes[at + byte]!;
    out[i * 16 + 15]! ^= 0x80;
  }
  copyBytes(vector, out);
  fillValidity(vector, column, start, count);
};

/** Strings and blobs: short ones are written in place, longer ones are handed over one by one. */
export const fillVariable: Fill = (vector, column, start, count) => {
  if (column.layout !== 'variable') return mismatch('variable', column);
  const { offsets, bytes } = column;
  fillStrings(vector, column, start, count, (row) => bytes.subarray(offsets[row], offsets[row + 1]));
};

export const fillFixedBytes: Fill = (vector, column, start, count) => {
  if (column.layout !== 'fixed') return mismatch('fixed', column);
  const { width, bytes } = column;
  fillStrings(vector, column, start, count, (row) => bytes.subarray(row * width, (row + 1) * width));
};

/** Variants as one blob: metadata, then value. */
export const fillVariant: Fill = (vector, column, start, count) => {
  if (column.layout !== 'struct') return mismatch('struct', column);
  const [metadata, value] = column.children;
  if (metadata?.layout !== 'variable' || value?.layout !== 'variable') return mismatch('two binaries', column);
  fillStrings(vector, column, start, count, (row) => {
    const [first, second] = [bytesAt(metadata, row), bytesAt(value, row)];
    const both = new Uint8Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  });
};

function bytesAt({ bytes, offsets }: Extract<Column, { layout: 'variable' }>, row: number): Uint8Array {
  return bytes.subarray(offsets[row], offsets[row + 1]);
}

const INLINE_BYTES = 12;

function fillStrings(
  vector: duckdb.Vector,
  column: Column,
  start: number,
  count: number,
  bytesOf: (row: number) => Uint8Array,
): void {
  const structs = new Uint8Array(count * 16);
  const words = new Uint32Array(structs.buffer);
  const long: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!isSet(column.validity, start + i)) continue;
    const bytes = bytesOf(start + i);
    if (bytes.length > INLINE_BYTES) {
      long.push(i);
      continue;
    }
    words[i * 4] = bytes.length;
    structs.set(bytes, i * 16 + 4);
  }
  copyBytes(vector, structs);
  for (const i of long) duckdb.vector_assign_string_element_len(vector, i, bytesOf(start + i));
  fillValidity(vector, column, start, count);
}

export function fillStruct(children: readonly Fill[]): Fill {
  return (vector, column, start, count) => {
    if (column.layout !== 'struct') return mismatch('struct', column);
    children.forEach((fill, i) => fill(duckdb.struct_vector_get_child(vector, i), column.children[i]!, start, count));
    fillValidity(vector, column, start, count);
  };
}

/** Lists, and maps, whose items are structs of key and value. */
export function fillList(item: Fill): Fill {
  return (vector, column, start, count) => {
    if (column.layout !== 'list') return mismatch('list', column);
    const first = column.offsets[start]!;
    const total = column.offsets[start + count]! - first;
    const entries = new BigUint64Array(count * 2);
    for (let i = 0; i < count; i++) {
      entries[i * 2] = BigInt(column.offsets[start + i]! - first);
      entries[i * 2 + 1] = BigInt(column.offsets[start + i + 1]! - column.offsets[start + i]!);
    }
    duckdb.list_vector_reserve(vector, total);
    duckdb.list_vector_set_size(vector, total);
    if (total > 0) item(duckdb.list_vector_get_child(vector), column.items, first, total);
    copyBytes(vector, entries);
    fillValidity(vector, column, start, count);
  };
}

/** A column in which every row is null, whatever its layout. */
export const fillNulls: Fill = (vector, _, __, count) => {
  duckdb.vector_ensure_validity_writable(vector);
  const bits = new Uint8Array(Math.ceil(count / 64) * 8);
  duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bits.byteLength);
};

function fillValidity(vector: duckdb.Vector, column: Column, start: number, count: number): void {
  if (column.validity === null) return;
  const bits = new Uint8Array(Math.ceil(count / 64) * 8);
  if (start % 8 === 0) {
    bits.set(column.validity.subarray(start / 8, Math.ceil((start + count) / 8)));
  } else {
    for (let i = 0; i < count; i++) if (isSet(column.validity, start + i)) bits[i >> 3]! |= 1 << (i & 7);
  }
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bits.byteLength);
}

function isSet(validity: Uint8Array | null, row: number): boolean {
  return validity === null || ((validity[row >> 3]! >> (row & 7)) & 1) === 1;
}

function copyArray(
  vector: duckdb.Vector,
  values: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number },
  start: number,
  count: number,
): void {
  const width = values.BYTES_PER_ELEMENT;
  duckdb.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset + start * width, count * width);
}

function copyBytes(vector: duckdb.Vector, bytes: ArrayBufferView): void {
  duckdb.copy_data_to_vector(vector, 0, bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

function mismatch(expected: string, column: Column): never {
  throw new TypeError(`a column of ${expected} is laid out as ${column.layout}`);
}
