import { itemType, structChildren } from '../columns/child-types.ts';
import { columnReader } from '../columns/column-reader.ts';
import { isValid } from '../columns/column.ts';
import type {
  Column,
  FixedColumn,
  ListColumn,
  NumbersColumn,
  StructColumn,
  VariableColumn,
} from '../columns/column.ts';
import type { IcebergType } from '../spec/types.ts';
import { Variant } from '../spec/variant.ts';

/** A growing list of 32-bit words. */
export class Words {
  #buffer = new Int32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Starts with the words so far; what comes after them is anything. Not to be kept: the next ones may overwrite it. */
  get buffer(): Int32Array {
    return this.#buffer;
  }

  clear(): void {
    this.#length = 0;
  }

  push(word: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = word;
  }

  /** Four bytes a word; those of the last one are filled up with zeros. */
  pushBytes(bytes: Uint8Array, from: number, to: number): void {
    if (this.#length + (to - from) / 4 + 1 > this.#buffer.length) this.#grow((to - from) / 4 + 1);
    let i = from;
    let length = this.#length;
    for (; i + 4 <= to; i += 4) {
      this.#buffer[length++] = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    }
    if (i < to) {
      let tail = 0;
      for (let shift = 0; i < to; shift += 8) tail |= bytes[i++]! << shift;
      this.#buffer[length++] = tail;
    }
    this.#length = length;
  }

  /** Takes the words from a place on away. */
  cut(start: number): Int32Array {
    const taken = this.#buffer.slice(start, this.#length);
    this.#length = start;
    return taken;
  }

  pushAll(words: Int32Array): void {
    for (const word of words) this.push(word);
  }

  #grow(more: number): void {
    const larger = new Int32Array(2 * this.#length + Math.ceil(more));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Writes the value in a row of a column. */
export type WordWriter = (row: number, words: Words) => void;

const NULL = 0;
const VALUE = 1;

/**
 * Writes values so that they are the same words exactly if they are equal, and no value begins with another: nulls are
 * equal to each other, so are NaNs; -0 and +0 are not; maps are equal whatever the order of their keys, variants
 * whatever the bytes that say the same.
 */
export function wordWriter(type: IcebergType, column: Column): WordWriter {
  const write = valueWriter(type, column);
  return (row, words) => {
    if (isValid(column, row)) {
      words.push(VALUE);
      write(row, words);
    } else words.push(NULL);
  };
}

function valueWriter(type: IcebergType, column: Column): WordWriter {
  switch (column.layout) {
    case 'nothing':
      return () => undefined;
    case 'bits':
      return (row, words) => words.push((column.bits[row >> 3]! >> (row & 7)) & 1);
    case 'numbers':
      return numbersWriter(column);
    case 'fixed':
      return fixedWriter(column);
    case 'variable':
      return variableWriter(column);
    case 'struct':
      return type.kind === 'variant' ? variantWriter(column) : structWriter(type, column);
    case 'list':
      return type.kind === 'map' ? mapWriter(type, column) : listWriter(type, column);
  }
}

function numbersWriter({ values }: NumbersColumn): WordWriter {
  const source = new Int32Array(values.buffer, values.byteOffset, values.byteLength >> 2);
  const isFloat = values instanceof Float32Array || values instanceof Float64Array;
  const writeNumber: WordWriter =
    values.BYTES_PER_ELEMENT === 4
      ? (row, words) => words.push(source[row]!)
      : (row, words) => {
          words.push(source[2 * row]!);
          words.push(source[2 * row + 1]!);
        };
  if (!isFloat) return writeNumber;
  return (row, words) => {
    if (!Number.isNaN(values[row])) return writeNumber(row, words);
    for (let i = 0; i < values.BYTES_PER_ELEMENT; i += 4) words.push(NAN);
  };
}

/** The upper bits of one NaN of many. */
const NAN = 0x7fc00000;

function fixedWriter({ bytes, width }: FixedColumn): WordWriter {
  return (row, words) => words.pushBytes(bytes, row * width, (row + 1) * width);
}

function variableWriter({ bytes, offsets }: VariableColumn): WordWriter {
  return (row, words) => {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    words.push(to - from);
    words.pushBytes(bytes, from, to);
  };
}

function structWriter(type: IcebergType, { children }: StructColumn): WordWriter {
  const types = structChildren(type);
  const writers = children.map((child, i) => wordWriter(types[i]!, child));
  return (row, words) => {
    for (const write of writers) write(row, words);
  };
}

/** Equal variants may differ in their dictionaries: they are encoded anew. */
function variantWriter(column: StructColumn): WordWriter {
  const read = columnReader({ kind: 'variant' }, { ...column, validity: null });
  return (row, words) => {
    const { metadata, value } = Variant.fromNode((read(row) as Variant).toNode());
    for (const bytes of [metadata, value]) {
      words.push(bytes.length);
      words.pushBytes(bytes, 0, bytes.length);
    }
  };
}

function listWriter(type: IcebergType, { offsets, items }: ListColumn): WordWriter {
  const write = wordWriter(itemType(type), items);
  return (row, words) => {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    words.push(to - from);
    for (let item = from; item < to; item++) write(item, words);
  };
}

function mapWriter(type: IcebergType, { offsets, items }: ListColumn): WordWriter {
  const write = wordWriter(itemType(type), items);
  return (row, words) => {
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    words.push(to - from);
    const start = words.length;
    const entries: Int32Array[] = [];
    for (let item = from; item < to; item++) {
      write(item, words);
      entries.push(words.cut(start));
    }
    for (const entry of entries.toSorted(compareWords)) words.pushAll(entry);
  };
}

/** Any order will do. */
function compareWords(a: Int32Array, b: Int32Array): number {
  if (a.length !== b.length) return a.length - b.length;
  const i = a.findIndex((word, at) => word !== b[at]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}
