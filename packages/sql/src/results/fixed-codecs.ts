import duckdb from '@duckdb/node-bindings';
import { makeData } from 'apache-arrow';
import type { Data, DataType } from 'apache-arrow';
import type { ColumnCodec, ColumnCopier, RowOptions, ValueReader } from './codec.ts';
import { ValidityBuilder, isValid } from './validity.ts';

type TypedArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
}

/** Reads one value of a buffer; never called for nulls. */
export type ReadValue<A> = (values: A, row: number, options: RowOptions) => unknown;

/** The validity of a vector; null if it has no nulls. */
export function vectorValidity(vector: duckdb.Vector, size: number): Uint8Array | null {
  return duckdb.vector_get_validity(vector, Math.ceil(size / 64) * 8) ?? null;
}

/** Types whose values have the same bytes in DuckDB and in Arrow. */
export function fixedCodec<A extends TypedArray>(
  arrowType: DataType,
  arrayType: {
    readonly BYTES_PER_ELEMENT: number;
    new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  },
  read: ReadValue<A>,
  elementsPerValue = 1,
): ColumnCodec {
  const width = arrayType.BYTES_PER_ELEMENT * elementsPerValue;
  return {
    arrowType,
    copier: (capacity) => new FixedCopier(arrowType, arrayType, width, capacity),
    reader: (data, options) => readerOf(data, (row) => read(data.values as A, row, options)),
  };
}

/** Shifts rows by the data's offset where it is a slice, and gives null for nulls. */
export function readerOf(data: Data, read: ValueReader): ValueReader {
  const { nullBitmap } = data;
  if (data.nullCount === 0) return read;
  return (row) => (isValid(nullBitmap, row) ? read(row) : null);
}

class FixedCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #arrayType: TypedArrayConstructor;
  readonly #width: number;
  readonly #validity: ValidityBuilder;
  #bytes: Uint8Array;
  #rows = 0;
  #source: Uint8Array = new Uint8Array(0);
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, arrayType: TypedArrayConstructor, width: number, capacity: number) {
    this.#type = type;
    this.#arrayType = arrayType;
    this.#width = width;
    this.#validity = new ValidityBuilder(capacity);
    this.#bytes = new Uint8Array(capacity * width);
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#source = duckdb.vector_get_data(vector, size * this.#width);
    this.#sourceValidity = vectorValidity(vector, size);
  }

  copy(from: number, count: number): void {
    const width = this.#width;
    const end = (this.#rows + count) * width;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(this.#source.subarray(from * width, (from + count) * width), this.#rows * width);
    this.#validity.append(this.#sourceValidity, from, count);
    this.#rows += count;
  }

  finish(): Data {
    const elements = (this.#rows * this.#width) / this.#arrayType.BYTES_PER_ELEMENT;
    const values = new this.#arrayType(this.#bytes.buffer, this.#bytes.byteOffset, elements);
    return fixedData(this.#type, this.#rows, values, this.#validity.finish());
  }
}

/** `makeData` infers its arguments from the type; here the type is known at run time only. */
export function fixedData(type: DataType, length: number, data: unknown, nullBitmap: Uint8Array | null): Data {
  return makeData({ type, length, data, nullBitmap, nullCount: nullBitmap ? -1 : 0 } as never);
}

/** Booleans are bytes in DuckDB, bits in Arrow. */
export function booleanCodec(arrowType: DataType): ColumnCodec {
  return {
    arrowType,
    copier: (capacity) => new BooleanCopier(arrowType, capacity),
    reader: (data) => {
      const bits = data.values as Uint8Array;
      return readerOf(data, (row) => ((bits[row >> 3]! >> (row & 7)) & 1) === 1);
    },
  };
}

class BooleanCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #validity: ValidityBuilder;
  #bits: Uint8Array;
  #rows = 0;
  #source: Uint8Array = new Uint8Array(0);
  #sourceValidity: Uint8Array | null = null;

  constructor(type: DataType, capacity: number) {
    this.#type = type;
    this.#validity = new ValidityBuilder(capacity);
    this.#bits = new Uint8Array(Math.ceil(capacity / 8));
  }

  open(vector: duckdb.Vector, size: number): void {
    this.#source = duckdb.vector_get_data(vector, size);
    this.#sourceValidity = vectorValidity(vector, size);
  }

  copy(from: number, count: number): void {
    const needed = Math.ceil((this.#rows + count) / 8);
    if (needed > this.#bits.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    for (let i = 0; i < count; i++) {
      const row = this.#rows + i;
      if (this.#source[from + i] !== 0) this.#bits[row >> 3]! |= 1 << (row & 7);
    }
    this.#validity.append(this.#sourceValidity, from, count);
    this.#rows += count;
  }

  finish(): Data {
    return fixedData(
      this.#type,
      this.#rows,
      this.#bits.subarray(0, Math.ceil(this.#rows / 8)),
      this.#validity.finish(),
    );
  }
}

/** Values that DuckDB holds in fewer or other bytes than Arrow: each is written anew, `words` 32-bit words long. */
export function rewrittenCodec(
  arrowType: DataType,
  sourceWidth: number,
  words: number,
  write: (source: DataView, sourceOffset: number, target: Uint32Array, at: number) => void,
  read: ReadValue<Uint32Array>,
): ColumnCodec {
  return {
    arrowType,
    copier: (capacity) => new RewritingCopier(arrowType, sourceWidth, words, write, capacity),
    reader: (data, options) => {
      const values = data.values as Uint8Array | Uint32Array;
      const asWords = new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
      return readerOf(data, (row) => read(asWords, row, options));
    },
  };
}

class RewritingCopier implements ColumnCopier {
  readonly #type: DataType;
  readonly #sourceWidth: number;
  readonly #words: number;
  readonly #write: (source: DataView, sourceOffset: number, target: Uint32Array, at: number) => void;
  readonly #validity: ValidityBuilder;
  #target: Uint32Array;
  #rows = 0;
  #source: DataView = new DataView(new ArrayBuffer(0));
  #sourceValidity: Uint8Array | null = null;

  constructor(
    type: DataType,
    sourceWidth: number,
    words: number,
    write: (source: DataView, sourceOffset: number, target: Uint32Array, at: number) => void,
    capacity: number,
  ) {
    this.#type = type;
    this.#sourceWidth = sourceWidth;
    this.#words = words;
    this.#write = write;
    this.#validity = new ValidityBuilder(capacity);
    this.#target = new Uint32Array(capacity * words);
  }

  open(vector: duckdb.Vector, size: number): void {
    const bytes = duckdb.vector_get_data(vector, size * this.#sourceWidth);
    this.#source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#sourceValidity = vectorValidity(vector, size);
  }

  copy(from: number, count: number): void {
    const needed = (this.#rows + count) * this.#words;
    if (needed > this.#target.length) {
      const grown = new Uint32Array(Math.max(needed, this.#target.length * 2));
      grown.set(this.#target);
      this.#target = grown;
    }
    for (let i = 0; i < count; i++) {
      this.#write(this.#source, (from + i) * this.#sourceWidth, this.#target, (this.#rows + i) * this.#words);
    }
    this.#validity.append(this.#sourceValidity, from, count);
    this.#rows += count;
  }

  finish(): Data {
    const words = this.#target.subarray(0, this.#rows * this.#words);
    // Arrow's fixed-size binary wants bytes, its decimals 32-bit words.
    const values =
      this.#type.ArrayType === Uint8Array ? new Uint8Array(words.buffer, words.byteOffset, words.byteLength) : words;
    return fixedData(this.#type, this.#rows, values, this.#validity.finish());
  }
}
