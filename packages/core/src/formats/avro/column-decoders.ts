import { bitmapSize, setBit } from '../../columns/column.ts';
import type { Column, NumberArray } from '../../columns/column.ts';
import { INITIAL_CAPACITY, ValidityBuilder, grown, grownCapacity, grownOffsets } from '../../columns/growable.ts';
import { DECIMAL_WIDTH } from '../../columns/layout.ts';
import type { SourceType } from '../../columns/source-type.ts';
import { invalidData, unsupported } from '../../errors.ts';
import { areUtf8 } from '../utf8-values.ts';
import type { AvroReader } from './avro-reader.ts';
import { isEmpty, type AvroType } from './avro-schema.ts';
import type { AvroFileField } from './file-fields.ts';
import { skipper, type Skipper } from './skip-values.ts';
import { avroLeafType, type AvroLeaf } from './source-types.ts';

/** Collects one field's values, row by row as a file has them, into a column. */
export interface ColumnDecoder {
  /** An estimate of what the column takes in memory so far. */
  readonly bytes: number;
  /** Decodes the next value. */
  decode(reader: AvroReader): void;
  appendNull(): void;
  /** The column so far; the decoder starts again, empty. */
  finish(): Column;
}

/** What the decoders of a file share. */
export interface DecoderContext {
  /** Indexes of the fields to decode. */
  readonly wanted: ReadonlySet<number>;
  readonly location: string;
  /** A decoder to take in place of the usual one of a field; null for the usual one. */
  readonly special?: (field: AvroFileField) => ColumnDecoder | null;
}

/** Decodes the records of a file, or of a field: the wanted fields, in their order, are its columns. */
export class RecordDecoder {
  readonly columns: readonly ColumnDecoder[];
  readonly #steps: readonly (ColumnDecoder | Skipper)[];

  constructor(fields: readonly AvroFileField[], context: DecoderContext) {
    this.#steps = fields.map((field) =>
      context.wanted.has(field.index) ? columnDecoder(field, context) : fieldSkipper(field),
    );
    this.columns = this.#steps.filter((step): step is ColumnDecoder => typeof step !== 'function');
  }

  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, 0);
  }

  decode(reader: AvroReader): void {
    for (const step of this.#steps) {
      if (typeof step === 'function') step(reader);
      else step.decode(reader);
    }
  }

  finish(): readonly Column[] {
    return this.columns.map((column) => column.finish());
  }
}

function fieldSkipper({ type, branches }: AvroFileField): Skipper {
  const skip = skipper(type);
  if (branches === null) return skip;
  return (reader) => {
    if (branches[reader.readBranch(branches.length)]) skip(reader);
  };
}

function columnDecoder(field: AvroFileField, context: DecoderContext): ColumnDecoder {
  const special = context.special?.(field);
  if (special) return special;
  const { shape } = field;
  switch (shape.kind) {
    case 'leaf':
      return leafDecoder(field, context);
    case 'struct':
      return new StructDecoder(field, new RecordDecoder(shape.fields, context));
    case 'list': {
      const items = columnDecoder(shape.element, context);
      return new ListDecoder(field, items, minimumSize(field.type));
    }
    case 'map': {
      const entries = new StructDecoder(REQUIRED, new RecordDecoder([shape.key, shape.value], context));
      return new ListDecoder(field, entries, 1);
    }
  }
}

/** An item of an array that may be empty can come in any number. */
function minimumSize(type: AvroType): number {
  return type.kind === 'array' && isEmpty(type.items) ? 0 : 1;
}

function leafDecoder(field: AvroFileField, { location }: DecoderContext): ColumnDecoder {
  if (field.type.kind === 'union') {
    throw unsupported(
      `The column '${field.name}' of the data file ${location} is a union of several Avro types, which no Iceberg type can hold.`,
      { path: location },
    );
  }
  const leaf = field.type as AvroLeaf;
  const type = avroLeafType(leaf);
  switch (type.kind) {
    case 'decimal':
      return new FixedDecoder(field, DECIMAL_WIDTH, decimalReader(leaf, location));
    case 'fixed':
      return new FixedDecoder(field, type.width, (reader, bytes, at) => bytes.set(reader.readFixed(type.width), at));
    case 'utf8':
      return new VariableDecoder(field, leaf.kind === 'enum' ? symbolReader(leaf.symbols) : readBytes, location);
    case 'binary':
      return new VariableDecoder(field, readBytes, null);
    case 'null':
      return new NothingDecoder();
    case 'bool':
      return new BitsDecoder(field);
    default:
      return numbersDecoder(field, leaf.kind, type);
  }
}

function numbersDecoder(field: AvroFileField, kind: AvroLeaf['kind'], type: SourceType): ColumnDecoder {
  if (kind === 'long') return new LongDecoder(field);
  if (kind === 'int') return new NumbersDecoder(field, Int32Array, (reader) => reader.readInt());
  return type.kind === 'float' && type.bits === 32
    ? new NumbersDecoder(field, Float32Array, (reader) => reader.readFloat())
    : new NumbersDecoder(field, Float64Array, (reader) => reader.readDouble());
}

/** Where a value comes without a union before it. */
const REQUIRED = { branches: null } as const;

abstract class BaseDecoder implements ColumnDecoder {
  protected readonly validity: ValidityBuilder = new ValidityBuilder();
  readonly #branches: readonly boolean[] | null;

  constructor({ branches }: Pick<AvroFileField, 'branches'>) {
    this.#branches = branches;
  }

  decode(reader: AvroReader): void {
    const branches = this.#branches;
    if (branches !== null && !branches[reader.readBranch(branches.length)]) {
      this.appendNull();
      return;
    }
    const row = this.validity.length;
    this.validity.append(true);
    this.put(row, reader);
  }

  appendNull(): void {
    const row = this.validity.length;
    this.validity.append(false);
    this.put(row, null);
  }

  abstract get bytes(): number;
  abstract finish(): Column;
  /** Fills a row: from the reader, or with anything if it is null. */
  protected abstract put(row: number, reader: AvroReader | null): void;
}

class BitsDecoder extends BaseDecoder {
  #bits: Uint8Array = new Uint8Array(INITIAL_CAPACITY);

  get bytes(): number {
    return this.validity.length / 4;
  }

  protected put(row: number, reader: AvroReader | null): void {
    this.#bits = grown(this.#bits, bitmapSize(row + 1));
    if (reader?.readBoolean() === true) setBit(this.#bits, row);
  }

  finish(): Column {
    const { length } = this.validity;
    const bits = this.#bits.slice(0, bitmapSize(length));
    this.#bits = new Uint8Array(INITIAL_CAPACITY);
    return { layout: 'bits', length, validity: this.validity.finish(), bits };
  }
}

type SmallArray = Int32Array | Float32Array | Float64Array;

class NumbersDecoder extends BaseDecoder {
  readonly #array: new (length: number) => SmallArray;
  readonly #read: (reader: AvroReader) => number;
  #values: SmallArray;

  constructor(field: AvroFileField, array: new (length: number) => SmallArray, read: (reader: AvroReader) => number) {
    super(field);
    this.#array = array;
    this.#read = read;
    this.#values = new array(INITIAL_CAPACITY);
  }

  get bytes(): number {
    return this.validity.length * this.#values.BYTES_PER_ELEMENT;
  }

  protected put(row: number, reader: AvroReader | null): void {
    if (row >= this.#values.length) {
      const larger = new this.#array(grownCapacity(row + 1, this.#values.length));
      larger.set(this.#values);
      this.#values = larger;
    }
    if (reader !== null) this.#values[row] = this.#read(reader);
  }

  finish(): Column {
    const { length } = this.validity;
    const values: NumberArray = this.#values.slice(0, length);
    this.#values = new this.#array(INITIAL_CAPACITY);
    return { layout: 'numbers', length, validity: this.validity.finish(), values };
  }
}

/** Longs are put together from halves, which spares a bigint per value. */
class LongDecoder extends BaseDecoder {
  #halves: Int32Array = new Int32Array(2 * INITIAL_CAPACITY);

  get bytes(): number {
    return this.validity.length * 8;
  }

  protected put(row: number, reader: AvroReader | null): void {
    this.#halves = grownOffsets(this.#halves, 2 * (row + 1));
    reader?.readLongInto(this.#halves, row);
  }

  finish(): Column {
    const { length } = this.validity;
    const values = new BigInt64Array(this.#halves.slice(0, 2 * length).buffer);
    this.#halves = new Int32Array(2 * INITIAL_CAPACITY);
    return { layout: 'numbers', length, validity: this.validity.finish(), values };
  }
}

/** Puts the next value, of a fixed width, to a place in a buffer. */
type FixedReader = (reader: AvroReader, bytes: Uint8Array, at: number) => void;

class FixedDecoder extends BaseDecoder {
  readonly #width: number;
  readonly #read: FixedReader;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(field: AvroFileField, width: number, read: FixedReader) {
    super(field);
    this.#width = width;
    this.#read = read;
  }

  get bytes(): number {
    return this.validity.length * this.#width;
  }

  protected put(row: number, reader: AvroReader | null): void {
    this.#bytes = grown(this.#bytes, (row + 1) * this.#width);
    if (reader !== null) this.#read(reader, this.#bytes, row * this.#width);
  }

  finish(): Column {
    const { length } = this.validity;
    const bytes = this.#bytes.slice(0, length * this.#width);
    this.#bytes = new Uint8Array(0);
    return { layout: 'fixed', length, validity: this.validity.finish(), width: this.#width, bytes };
  }
}

/** Avro's decimals are big-endian two's complement of any length, Arrow's little-endian of 16 bytes. */
function decimalReader(type: AvroLeaf, location: string): FixedReader {
  const next = type.kind === 'fixed' ? (reader: AvroReader) => reader.readFixed(type.size) : readBytes;
  return (reader, bytes, at) => {
    const value = next(reader);
    const sign = (value[0] ?? 0) >= 0x80 ? 0xff : 0;
    const extra = value.length - DECIMAL_WIDTH;
    for (let i = 0; i < DECIMAL_WIDTH; i++) bytes[at + i] = value[value.length - 1 - i] ?? sign;
    const isLost =
      extra > 0 && (value.subarray(0, extra).some((byte) => byte !== sign) || (bytes[at + 15]! ^ sign) >= 0x80);
    if (isLost)
      throw invalidData(`The data file ${location} holds a decimal of more than 38 digits.`, { path: location });
  };
}

const readBytes = (reader: AvroReader): Uint8Array => reader.readBytes();

function symbolReader(symbols: readonly string[]): (reader: AvroReader) => Uint8Array {
  const encoded = symbols.map((symbol) => new TextEncoder().encode(symbol));
  return (reader) => {
    const i = reader.readInt();
    const symbol = encoded[i];
    if (symbol === undefined) throw reader.invalid(`${i} is no symbol of an enum of ${encoded.length}`);
    return symbol;
  };
}

class VariableDecoder extends BaseDecoder {
  readonly #read: (reader: AvroReader) => Uint8Array;
  /** For text, which has to be UTF-8: where it is from. */
  readonly #textOf: string | null;
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;

  constructor(field: AvroFileField, read: (reader: AvroReader) => Uint8Array, textOf: string | null) {
    super(field);
    this.#read = read;
    this.#textOf = textOf;
  }

  get bytes(): number {
    return this.validity.length * 4 + this.#end;
  }

  protected put(row: number, reader: AvroReader | null): void {
    if (reader !== null) {
      const value = this.#read(reader);
      this.#bytes = grown(this.#bytes, this.#end + value.length);
      this.#bytes.set(value, this.#end);
      this.#end += value.length;
    }
    this.#offsets = grownOffsets(this.#offsets, row + 2);
    this.#offsets[row + 1] = this.#end;
  }

  finish(): Column {
    const { length } = this.validity;
    const offsets = this.#offsets.slice(0, length + 1);
    const bytes = this.#bytes.slice(0, this.#end);
    if (this.#textOf !== null && !areUtf8(bytes, offsets)) {
      throw invalidData(`The data file ${this.#textOf} holds text that is not UTF-8.`, { path: this.#textOf });
    }
    this.#offsets = new Int32Array(INITIAL_CAPACITY);
    this.#bytes = new Uint8Array(0);
    this.#end = 0;
    return { layout: 'variable', length, validity: this.validity.finish(), offsets, bytes };
  }
}

class StructDecoder extends BaseDecoder {
  readonly #record: RecordDecoder;

  constructor(field: Pick<AvroFileField, 'branches'>, record: RecordDecoder) {
    super(field);
    this.#record = record;
  }

  get bytes(): number {
    return this.#record.bytes + this.validity.length / 8;
  }

  protected put(_: number, reader: AvroReader | null): void {
    if (reader !== null) this.#record.decode(reader);
    else for (const column of this.#record.columns) column.appendNull();
  }

  finish(): Column {
    const { length } = this.validity;
    return { layout: 'struct', length, validity: this.validity.finish(), children: this.#record.finish() };
  }
}

/** Items that take no bytes may be more than bytes are left; this many at once are believed. */
const MAX_EMPTY_ITEMS = 1 << 16;
/** There are nothing like so many in a batch of a sound file. */
const MAX_ITEMS = 1 << 26;

class ListDecoder extends BaseDecoder {
  readonly #items: ColumnDecoder;
  readonly #mostEmptyItems: number;
  #offsets: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #end = 0;

  constructor(field: AvroFileField, items: ColumnDecoder, itemSize: number) {
    super(field);
    this.#items = items;
    this.#mostEmptyItems = itemSize === 0 ? MAX_EMPTY_ITEMS : 0;
  }

  get bytes(): number {
    return this.#items.bytes + this.validity.length * 4;
  }

  protected put(row: number, reader: AvroReader | null): void {
    if (reader !== null) this.#decodeItems(reader);
    this.#offsets = grownOffsets(this.#offsets, row + 2);
    this.#offsets[row + 1] = this.#end;
  }

  #decodeItems(reader: AvroReader): void {
    const most = this.#mostEmptyItems;
    for (let count = reader.readBlockCount(most); count > 0; count = reader.readBlockCount(most)) {
      this.#end += count;
      if (this.#end > MAX_ITEMS) throw reader.invalid(`a batch has ${this.#end} items`);
      for (let i = 0; i < count; i++) this.#items.decode(reader);
    }
  }

  finish(): Column {
    const { length } = this.validity;
    const offsets = this.#offsets.slice(0, length + 1);
    this.#offsets = new Int32Array(INITIAL_CAPACITY);
    this.#end = 0;
    return { layout: 'list', length, validity: this.validity.finish(), offsets, items: this.#items.finish() };
  }
}

class NothingDecoder implements ColumnDecoder {
  readonly bytes = 0;
  #length = 0;

  decode(): void {
    this.#length++;
  }

  appendNull(): void {
    this.#length++;
  }

  finish(): Column {
    const length = this.#length;
    this.#length = 0;
    return { layout: 'nothing', length, validity: null };
  }
}
