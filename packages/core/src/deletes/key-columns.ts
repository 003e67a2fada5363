import { bitmapSize, getBit } from '../columns/column.ts';
import type { Column, FixedColumn, NumbersColumn, VariableColumn } from '../columns/column.ts';
import { invalidData } from '../errors.ts';
import { mixBlock } from '../transforms/murmur3.ts';

/**
 * One column of a key, as equality deletes compare it (spec: "Equality Delete Files"): null equals null, NaN equals NaN,
 * -0 and +0 differ. Two values are equal exactly if their bytes are, and then their hashes are, too.
 */
export interface KeyColumn {
  /** Mixes the values of some rows into the hashes of their keys so far. */
  hash(rows: Int32Array, hashes: Int32Array): void;
  /** The most bytes that `write` takes for a row. */
  size(row: number): number;
  /** Writes a row's value, so that no other begins with it; gives the place after it. */
  write(row: number, bytes: Uint8Array, at: number): number;
}

export function keyColumn(column: Column): KeyColumn {
  switch (column.layout) {
    case 'bits':
      return nullable(column, bitsKey(column.bits));
    case 'numbers':
      return nullable(column, wordsKey(column));
    case 'fixed':
      return nullable(column, fixedKey(column));
    case 'variable':
      return nullable(column, variableKey(column));
    case 'nothing':
      return nullable({ validity: new Uint8Array(bitmapSize(column.length)) }, NO_VALUES);
    case 'struct':
    case 'list':
      throw invalidData('An equality delete is on a column of a nested type, which has no equality.');
  }
}

const NULL_HASH = 0x6e756c6c;
const NULL_MARK = 0;
const VALUE_MARK = 1;

/** How values that aren't null are hashed and written. */
interface ValueKey {
  /** Mixes a value into the hash of its key so far. */
  hash(row: number, hash: number): number;
  /** The same of many at once, if that is faster. */
  hashAll?(rows: Int32Array, hashes: Int32Array): void;
  size(row: number): number;
  write(row: number, bytes: Uint8Array, at: number): number;
}

function nullable({ validity }: Pick<Column, 'validity'>, values: ValueKey): KeyColumn {
  const isNull = (row: number): boolean => validity !== null && !getBit(validity, row);
  return {
    hash: (rows, hashes) => {
      if (validity === null && values.hashAll) return values.hashAll(rows, hashes);
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        hashes[i] = isNull(row) ? mixBlock(hashes[i]!, NULL_HASH) : values.hash(row, hashes[i]!);
      }
    },
    size: (row) => 1 + values.size(row),
    write: (row, bytes, at) => {
      bytes[at] = isNull(row) ? NULL_MARK : VALUE_MARK;
      return bytes[at] === NULL_MARK ? at + 1 : values.write(row, bytes, at + 1);
    },
  };
}

/** Of a column that has none. */
const NO_VALUES: ValueKey = { hash: (_, hash) => hash, size: () => 0, write: (_, __, at) => at };

function bitsKey(bits: Uint8Array): ValueKey {
  return {
    hash: (row, hash) => mixBlock(hash, getBit(bits, row) ? 1 : 0),
    size: () => 1,
    write: (row, bytes, at) => {
      bytes[at] = getBit(bits, row) ? 1 : 0;
      return at + 1;
    },
  };
}

/** Numbers of four or eight bytes, as one or two words. */
function wordsKey(column: NumbersColumn): ValueKey {
  const words = wordsOf(column);
  const perValue = column.values.BYTES_PER_ELEMENT / 4;
  const write: ValueKey['write'] = (row, bytes, at) => {
    let to = at;
    for (let i = row * perValue; i < (row + 1) * perValue; i++) {
      const word = words[i]!;
      bytes[to] = word;
      bytes[to + 1] = word >> 8;
      bytes[to + 2] = word >> 16;
      bytes[to + 3] = word >> 24;
      to += 4;
    }
    return to;
  };
  const hash: ValueKey['hash'] =
    perValue === 1
      ? (row, before) => mixBlock(before, words[row]!)
      : (row, before) => mixBlock(mixBlock(before, words[2 * row]!), words[2 * row + 1]!);
  const hashAll = perValue === 1 ? hashOneWord : hashTwoWords;
  return { hash, hashAll: (rows, hashes) => hashAll(words, rows, hashes), size: () => 4 * perValue, write };
}

function hashOneWord(words: Int32Array, rows: Int32Array, hashes: Int32Array): void {
  for (let i = 0; i < rows.length; i++) hashes[i] = mixBlock(hashes[i]!, words[rows[i]!]!);
}

function hashTwoWords(words: Int32Array, rows: Int32Array, hashes: Int32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const at = 2 * rows[i]!;
    hashes[i] = mixBlock(mixBlock(hashes[i]!, words[at]!), words[at + 1]!);
  }
}

function wordsOf({ values, length }: NumbersColumn): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
  if (values instanceof Float64Array) return withOneNaN(values, words, length, NAN_64);
  if (values instanceof Float32Array) return withOneNaN(values, words, length, NAN_32);
  return words;
}

/** The words of NaN, little-endian; there are others that mean NaN too. */
const NAN_32 = [0x7fc00000];
const NAN_64 = [0, 0x7ff80000];

function withOneNaN(
  values: Float32Array | Float64Array,
  words: Int32Array,
  length: number,
  nan: readonly number[],
): Int32Array {
  let canonical = words;
  for (let row = 0; row < length; row++) {
    if (!Number.isNaN(values[row])) continue;
    if (canonical === words) canonical = words.slice();
    canonical.set(nan, row * nan.length);
  }
  return canonical;
}

function fixedKey({ bytes: source, width }: FixedColumn): ValueKey {
  return {
    hash: (row, hash) => hashBytes(source, row * width, (row + 1) * width, hash),
    size: () => width,
    write: (row, bytes, at) => copy(source, row * width, (row + 1) * width, bytes, at),
  };
}

/** Lengths go before the bytes, so that the columns of a key can't run into each other. */
function variableKey({ bytes: source, offsets }: VariableColumn): ValueKey {
  return {
    hash: (row, hash) => {
      const [from, to] = [offsets[row]!, offsets[row + 1]!];
      return hashBytes(source, from, to, mixBlock(hash, to - from));
    },
    size: (row) => 4 + offsets[row + 1]! - offsets[row]!,
    write: (row, bytes, at) => {
      const [from, to] = [offsets[row]!, offsets[row + 1]!];
      const length = to - from;
      bytes[at] = length;
      bytes[at + 1] = length >> 8;
      bytes[at + 2] = length >> 16;
      bytes[at + 3] = length >> 24;
      return copy(source, from, to, bytes, at + 4);
    },
  };
}

function hashBytes(bytes: Uint8Array, from: number, to: number, before: number): number {
  let hash = before;
  let i = from;
  for (; i + 4 <= to; i += 4) {
    hash = mixBlock(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  if (i === to) return hash;
  let tail = 0;
  for (; i < to; i++) tail = (tail << 8) | bytes[i]!;
  return mixBlock(hash, tail);
}

/** Below this, copying byte by byte is faster than a call. */
const SHORT_VALUE = 32;

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  const length = to - from;
  if (length < SHORT_VALUE) for (let i = 0; i < length; i++) target[at + i] = source[from + i]!;
  else target.set(source.subarray(from, to), at);
  return at + length;
}
