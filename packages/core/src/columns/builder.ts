import type { IcebergType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { Variant } from '../spec/variant.ts';
import { bitmapSize, setBit } from './column.ts';
import type { Column, NumberArray } from './column.ts';
import { itemType, structChildren } from './child-types.ts';
import { viewOf, writeDecimal } from './decimals.ts';
import { INITIAL_CAPACITY, ValidityBuilder, grown, grownCapacity, grownOffsets } from './growable.ts';
import { UUID_WIDTH, layoutOf, newNumberArray } from './layout.ts';

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
      return new VariableBuilder(type.kind === 'string' ? writeText : writeRaw);
    case 'struct':
      return new StructBuilder(
        structChildren(type),
        type.kind === 'variant' ? variantParts : (value) => value as readonly Value[],
      );
    case 'list':
      return new ListBuilder(itemType(type));
    case 'nothing':
      return new NothingBuilder();
  }
}

function variantParts(value: Value): readonly Value[] {
  const variant = value as Variant;
  return [variant.metadata, variant.value];
}

/** Writes a value of fixed width to its row. `view` is of the same bytes. */
type FixedWriter = (bytes: Uint8Array, view: DataView, row: number, value: Value, width: number) => void;

const writeBytes: FixedWriter = (bytes, _, row, value, width) => bytes.set(value as Uint8Array, row * width);

const FIXED_WRITERS: { readonly [K in TypeKind]?: FixedWriter } = {
  uuid: (bytes, _, row, value) => writeUuid(bytes, row * UUID_WIDTH, value as string),
  decimal: (_bytes, view, row, value) => writeDecimal(view, row, value as bigint),
};

/** Text of pairs of hexadecimal digits, with hyphens in between. */
function writeUuid(bytes: Uint8Array, at: number, uuid: string): void {
  let end = at;
  for (let i = 0; i < uuid.length; i++) {
    const digit = uuid.charCodeAt(i);
    if (digit === HYPHEN) continue;
    bytes[end++] = (hexDigit(digit) << 4) | hexDigit(uuid.charCodeAt(++i));
  }
}

const HYPHEN = 0x2d;

/** Digits come before letters; the low four bits of 'a' are 1. */
function hexDigit(code: number): number {
  return code < 0x40 ? code & 0x0f : (code & 0x0f) + 9;
}

/** Appends a value's bytes to a buffer, at `end` of it, and returns the new end. `reserve` gives the buffer room. */
type VariableWriter = (value: Value, end: number, reserve: (bytes: number) => Uint8Array) => number;

const writeRaw: VariableWriter = (value, end, reserve) => {
  const bytes = value as Uint8Array;
  reserve(bytes.length).set(bytes, end);
  return end + bytes.length;
};

const utf8 = new TextEncoder();
/** Short ASCII text is encoded faster here than by a call into the platform. */
const SHORT_TEXT = 32;
/** A UTF-16 unit never takes more bytes of UTF-8 than this. */
const MAX_BYTES_PER_UNIT = 3;

const writeText: VariableWriter = (value, end, reserve) => {
  const text = value as string;
  const bytes = reserve(text.length * MAX_BYTES_PER_UNIT);
  if (text.length <= SHORT_TEXT) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      bytes[end + i] = unit;
    }
    if (i === text.length) return end + i;
  }
  return end + utf8.encodeInto(text, bytes.subarray(end)).written;
};

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
  #view: DataView = viewOf(this.#bytes);

  constructor(width: number, write: FixedWriter) {
    super();
    this.#width = width;
    this.#write = write;
  }

  get bytes(): number {
    return this.length * this.#width;
  }

  protected put(row: number, value: Value): void {
    if ((row + 1) * this.#width > this.#bytes.length) {
      this.#bytes = grown(this.#bytes, (row + 1) * this.#width);
      this.#view = viewOf(this.#bytes);
    }
    if (value !== null) this.#write(this.#bytes, this.#view, row, value, this.#width);
  }

  finish(): Column {
    const length = this.length;
    const bytes = this.#bytes.slice(0, length * this.#width);
    this.#bytes = new Uint8Array(0);
    return { layout: 'fixed', length, validity: this.validity.finish(), width: this.#width, bytes };
  }
}

class VariableBuilder extends BaseBuilder {
  readonly #write: VariableWriter;
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  readonly #reserve = (bytes: number): Uint8Array => {
    this.#bytes = grown(this.#bytes, this.#end + bytes);
    return this.#bytes;
  };

  constructor(write: VariableWriter) {
    super();
    this.#write = write;
  }

  get bytes(): number {
    return this.length * 4 + this.#end;
  }

  protected put(row: number, value: Value): void {
    if (value !== null) this.#end = this.#write(value, this.#end, this.#reserve);
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
    return {
      layout: 'struct',
      length,
      validity: this.validity.finish(),
      children: this.#children.map((child) => child.finish()),
    };
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
