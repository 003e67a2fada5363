import { uuidToBytes } from '../spec/bytes-text.ts';
import type { IcebergType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { Variant } from '../spec/variant.ts';
import { bitmapSize, setBit } from './column.ts';
import type { Column, NumberArray } from './column.ts';
import { itemType, structChildren } from './child-types.ts';
import { viewOf, writeDecimal } from './decimals.ts';
import { layoutOf, newNumberArray } from './layout.ts';

/** Collects values (`spec/values.ts`) into a column. */
export interface ColumnBuilder {
  readonly length: number;
  /** An estimate of what the column takes in memory so far. */
  readonly bytes: number;
  append(value: Value): void;
  /** The column so far; the builder starts again, empty. */
  finish(): Column;
}

export function columnBuilder(type: IcebergType): ColumnBuilder {
  const layout = layoutOf(type);
  switch (layout.layout) {
    case 'bits':
      return new BitsBuilder();
    case 'numbers':
      return new NumbersBuilder(layout.array);
    case 'fixed':
      return new FixedBuilder(layout.width, FIXED_WRITERS[type.kind] ?? writeBytes);
    case 'variable':
      return new VariableBuilder(type.kind === 'string' ? (value) => utf8.encode(value as string) : (value) => value as Uint8Array);
    case 'struct':
      return new StructBuilder(structChildren(type), type.kind === 'variant' ? variantParts : (value) => value as readonly Value[]);
    case 'list':
      return new ListBuilder(itemType(type));
    case 'nothing':
      return new NothingBuilder();
  }
}

const utf8 = new TextEncoder();
const INITIAL_CAPACITY = 64;

function variantParts(value: Value): readonly Value[] {
  const variant = value as Variant;
  return [variant.metadata, variant.value];
}

type FixedWriter = (bytes: Uint8Array, at: number, value: Value) => void;

const writeBytes: FixedWriter = (bytes, at, value) => bytes.set(value as Uint8Array, at);

const FIXED_WRITERS: { readonly [K in TypeKind]?: FixedWriter } = {
  uuid: (bytes, at, value) => bytes.set(uuidToBytes(value as string), at),
  decimal: (bytes, at, value) => writeDecimal(viewOf(bytes.subarray(at)), 0, value as bigint),
};

function grownCapacity(needed: number, capacity: number): number {
  return Math.max(needed, capacity * 2, INITIAL_CAPACITY);
}

function grown(bytes: Uint8Array, needed: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const larger = new Uint8Array(grownCapacity(needed, bytes.length));
  larger.set(bytes);
  return larger;
}

/** Which rows are not null; no bitmap is made while none is. */
class ValidityBuilder {
  length = 0;
  #nulls = 0;
  #bits: Uint8Array = new Uint8Array(INITIAL_CAPACITY);

  append(valid: boolean): void {
    this.#bits = grown(this.#bits, bitmapSize(this.length + 1));
    if (valid) setBit(this.#bits, this.length);
    else this.#nulls++;
    this.length++;
  }

  finish(): Uint8Array | null {
    const validity = this.#nulls === 0 ? null : this.#bits.slice(0, bitmapSize(this.length));
    this.#bits = new Uint8Array(INITIAL_CAPACITY);
    this.length = 0;
    this.#nulls = 0;
    return validity;
  }
}

abstract class BaseBuilder implements ColumnBuilder {
  protected readonly validity: ValidityBuilder = new ValidityBuilder();

  get length(): number {
    return this.validity.length;
  }

  append(value: Value): void {
    const row = this.validity.length;
    this.validity.append(value !== null);
    this.put(row, value);
  }

  abstract get bytes(): number;
  abstract finish(): Column;
  protected abstract put(row: number, value: Value): void;
}

class BitsBuilder extends BaseBuilder {
  #bits: Uint8Array = new Uint8Array(INITIAL_CAPACITY);

  get bytes(): number {
    return this.length / 4;
  }

  protected put(row: number, value: Value): void {
    this.#bits = grown(this.#bits, bitmapSize(row + 1));
    if (value === true) setBit(this.#bits, row);
  }

  finish(): Column {
    const length = this.length;
    const bits = this.#bits.slice(0, bitmapSize(length));
    this.#bits = new Uint8Array(INITIAL_CAPACITY);
    return { layout: 'bits', length, validity: this.validity.finish(), bits };
  }
}

class NumbersBuilder extends BaseBuilder {
  readonly #array: Parameters<typeof newNumberArray>[0];
  #values: NumberArray;

  constructor(array: Parameters<typeof newNumberArray>[0]) {
    super();
    this.#array = array;
    this.#values = newNumberArray(array, INITIAL_CAPACITY);
  }

  get bytes(): number {
    return this.length * this.#values.BYTES_PER_ELEMENT;
  }

  protected put(row: number, value: Value): void {
    if (row >= this.#values.length) {
      const larger = newNumberArray(this.#array, grownCapacity(row + 1, this.#values.length));
      (larger as Float64Array).set(this.#values as Float64Array);
      this.#values = larger;
    }
    if (value !== null) this.#values[row] = value as number;
  }

  finish(): Column {
    const length = this.length;
    const values = this.#values.slice(0, length);
    this.#values = newNumberArray(this.#array, INITIAL_CAPACITY);
    return { layout: 'numbers', length, validity: this.validity.finish(), values };
  }
}

class FixedBuilder extends BaseBuilder {
  readonly #width: number;
  readonly #write: FixedWriter;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(width: number, write: FixedWriter) {
    super();
    this.#width = width;
    this.#write = write;
  }

  get bytes(): number {
    return this.length * this.#width;
  }

  protected put(row: number, value: Value): void {
    this.#bytes = grown(this.#bytes, (row + 1) * this.#width);
    if (value !== null) this.#write(this.#bytes, row * this.#width, value);
  }

  finish(): Column {
    const length = this.length;
    const bytes = this.#bytes.slice(0, length * this.#width);
    this.#bytes = new Uint8Array(0);
    return { layout: 'fixed', length, validity: this.validity.finish(), width: this.#width, bytes };
  }
}

class VariableBuilder extends BaseBuilder {
  readonly #encode: (value: Value) => Uint8Array;
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  constructor(encode: (value: Value) => Uint8Array) {
    super();
    this.#encode = encode;
  }

  get bytes(): number {
    return this.length * 4 + this.#end;
  }

  protected put(row: number, value: Value): void {
    if (value !== null) {
      const encoded = this.#encode(value);
      this.#bytes = grown(this.#bytes, this.#end + encoded.length);
      this.#bytes.set(encoded, this.#end);
      this.#end += encoded.length;
    }
    this.#offsets = grownOffsets(this.#offsets, row + 2);
    this.#offsets[row + 1] = this.#end;
  }

  finish(): Column {
    const length = this.length;
    const column: Column = {
      layout: 'variable',
      length,
      validity: this.validity.finish(),
      offsets: this.#offsets.slice(0, length + 1),
      bytes: this.#bytes.slice(0, this.#end),
    };
    this.#offsets = new Int32Array(INITIAL_CAPACITY);
    this.#bytes = new Uint8Array(0);
    this.#end = 0;
    return column;
  }
}

function grownOffsets(offsets: Int32Array, needed: number): Int32Array {
  if (needed <= offsets.length) return offsets;
  const larger = new Int32Array(grownCapacity(needed, offsets.length));
  larger.set(offsets);
  return larger;
}

class StructBuilder extends BaseBuilder {
  readonly #children: readonly ColumnBuilder[];
  readonly #parts: (value: Value) => readonly Value[];

  constructor(types: readonly IcebergType[], parts: (value: Value) => readonly Value[]) {
    super();
    this.#children = types.map((type) => columnBuilder(type));
    this.#parts = parts;
  }

  get bytes(): number {
    return this.#children.reduce((sum, child) => sum + child.bytes, this.length / 8);
  }

  protected put(_: number, value: Value): void {
    const parts = value === null ? [] : this.#parts(value);
    for (let i = 0; i < this.#children.length; i++) this.#children[i]!.append(parts[i] ?? null);
  }

  finish(): Column {
    const length = this.length;
    return { layout: 'struct', length, validity: this.validity.finish(), children: this.#children.map((child) => child.finish()) };
  }
}

class ListBuilder extends BaseBuilder {
  readonly #items: ColumnBuilder;
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);

  constructor(item: IcebergType) {
    super();
    this.#items = columnBuilder(item);
  }

  get bytes(): number {
    return this.length * 4 + this.#items.bytes;
  }

  protected put(row: number, value: Value): void {
    // A map's pairs are just what its entries' struct builder takes.
    if (value !== null) for (const item of value as readonly Value[]) this.#items.append(item);
    this.#offsets = grownOffsets(this.#offsets, row + 2);
    this.#offsets[row + 1] = this.#items.length;
  }

  finish(): Column {
    const length = this.length;
    const offsets = this.#offsets.slice(0, length + 1);
    this.#offsets = new Int32Array(INITIAL_CAPACITY);
    return { layout: 'list', length, validity: this.validity.finish(), offsets, items: this.#items.finish() };
  }
}

class NothingBuilder extends BaseBuilder {
  get bytes(): number {
    return 0;
  }

  protected put(): void {
    // Every row is null.
  }

  finish(): Column {
    const length = this.length;
    this.validity.finish();
    return { layout: 'nothing', length, validity: null };
  }
}
