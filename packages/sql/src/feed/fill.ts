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

/** Decimals of 16 bytes; DuckDB takes as few as the precision needs: the low ones, as they are little-endian. */
export function fillDecimal(precision: number): Fill {
  const Words = precision > 9 ? BigInt64Array : precision > 4 ? Int32Array : Int16Array;
  return (vector, column, start, count) => {
    if (column.layout !== 'fixed') return mismatch('fixed', column);
    const { width } = column;
    const bytes = aligned(column.bytes.subarray(start * width, (start + count) * width));
    if (precision > 18) {
      copyBytes(vector, bytes);
    } else {
      const all = new Words(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / Words.BYTES_PER_ELEMENT);
      const out = new Words(scratch(count * Words.BYTES_PER_ELEMENT), 0, count) as BigInt64Array;
      const step = width / Words.BYTES_PER_ELEMENT;
      for (let i = 0; i < count; i++) out[i] = all[i * step] as bigint;
      copyBytes(vector, out);
    }
    fillValidity(vector, column, start, count);
  };
}

const shared = new ArrayBuffer(256 * 1024);

/** Memory to put a vector's values together in before they are copied into it: making some for each is a lot of garbage. */
function scratch(bytes: number): ArrayBuffer {
  return bytes <= shared.byteLength ? shared : new ArrayBuffer(bytes);
}

/** The same bytes where typed arrays of any width can lie over them. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
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

export const fillVariable: Fill = (vector, column, start, count) => {
  if (column.layout !== 'variable') return mismatch('variable', column);
  const offsets = column.offsets.subarray(start, start + count + 1);
  fillStrings(vector, offsets, column.bytes);
  fillValidity(vector, column, start, count);
};

export const fillFixedBytes: Fill = (vector, column, start, count) => {
  if (column.layout !== 'fixed') return mismatch('fixed', column);
  const { width, bytes } = column;
  fillStrings(
    vector,
    Int32Array.from({ length: count + 1 }, (_, i) => (start + i) * width),
    bytes,
  );
  fillValidity(vector, column, start, count);
};

/** Variants as one blob: metadata, then value. */
export const fillVariant: Fill = (vector, column, start, count) => {
  if (column.layout !== 'struct') return mismatch('struct', column);
  const [metadata, value] = column.children;
  if (metadata?.layout !== 'variable' || value?.layout !== 'variable') return mismatch('two binaries', column);
  const pieces: Uint8Array[] = [];
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) {
    const [first, second] = [bytesAt(metadata, start + i), bytesAt(value, start + i)];
    pieces.push(first, second);
    offsets[i + 1] = offsets[i]! + first.length + second.length;
  }
  const bytes = new Uint8Array(offsets[count]!);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  fillStrings(vector, offsets, bytes);
  fillValidity(vector, column, start, count);
};

function bytesAt({ bytes, offsets }: Extract<Column, { layout: 'variable' }>, row: number): Uint8Array {
  return bytes.subarray(offsets[row], offsets[row + 1]);
}

/** Of DuckDB's `string_t`: a length, then the bytes, or if they are more than these, four of them and their address. */
const STRING_BYTES = 16;
const INLINE_BYTES = 12;

/**
 * Strings and blobs; row i has the bytes from `offsets[i]` to `offsets[i + 1]`. The bytes of all rows are handed over as
 * one string, which DuckDB copies to where the vector keeps its strings; the rows then point into that copy.
 */
function fillStrings(vector: duckdb.Vector, offsets: Int32Array, bytes: Uint8Array): void {
  const count = offsets.length - 1;
  const first = offsets[0]!;
  // What strings of a few bytes don't use of their places must be zero: they are compared as a whole.
  const words = new Uint32Array(scratch(count * STRING_BYTES), 0, count * 4).fill(0);
  const inline = new Uint8Array(words.buffer);
  const size = offsets[count]! - first;
  const [low, high] = size > INLINE_BYTES ? addressOfCopy(vector, bytes.subarray(first, first + size)) : [0, 0];
  for (let i = 0; i < count; i++) {
    const from = offsets[i]!;
    const length = offsets[i + 1]! - from;
    words[i * 4] = length;
    const at = i * STRING_BYTES + 4;
    for (let byte = 0, end = length > INLINE_BYTES ? 4 : length; byte < end; byte++)
      inline[at + byte] = bytes[from + byte]!;
    if (length > INLINE_BYTES) {
      const address = low + from - first;
      words[i * 4 + 2] = address;
      words[i * 4 + 3] = address > 0xffff_ffff ? high + 1 : high;
    }
  }
  copyBytes(vector, words);
}

function addressOfCopy(vector: duckdb.Vector, bytes: Uint8Array): readonly [low: number, high: number] {
  duckdb.vector_assign_string_element_len(vector, 0, bytes);
  const string = duckdb.vector_get_data(vector, STRING_BYTES);
  const view = new DataView(string.buffer, string.byteOffset, STRING_BYTES);
  if (view.getUint32(0, true) !== bytes.length) throw new TypeError('a column of text holds bytes that are no text');
  return [view.getUint32(8, true), view.getUint32(12, true)];
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
