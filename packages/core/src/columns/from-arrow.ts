import { invalidArgument } from '../errors.ts';
import { allValid, getBit, sliceBits } from './column.ts';
import type { Column, NumberArray } from './column.ts';
import { concatColumns } from './concat.ts';
import { DECIMAL_WIDTH } from './layout.ts';
import type { SourceField, SourceType, TimeUnit } from './source-type.ts';
import { takeRows } from './take.ts';

/**
 * Arrow data as this module sees it: by shape, so that any version or copy of apache-arrow will do. Only what is read
 * here is named.
 */
export interface ArrowDataLike {
  readonly type: ArrowTypeLike;
  readonly length: number;
  readonly offset: number;
  readonly children: readonly ArrowDataLike[];
  readonly values?: ArrayBufferView | undefined;
  readonly valueOffsets?: Int32Array | BigInt64Array | undefined;
  readonly nullBitmap?: Uint8Array | undefined;
  readonly nullCount: number;
  readonly dictionary?: { readonly data: readonly ArrowDataLike[] } | undefined;
  readonly variadicBuffers?: readonly Uint8Array[] | undefined;
}

export interface ArrowTypeLike {
  readonly typeId: number;
  readonly children?: readonly ArrowFieldLike[] | null;
  readonly bitWidth?: number;
  readonly isSigned?: boolean;
  readonly precision?: number;
  readonly scale?: number;
  readonly unit?: number;
  readonly timezone?: string | null;
  readonly byteWidth?: number;
  readonly listSize?: number;
  readonly dictionary?: ArrowTypeLike;
}

export interface ArrowFieldLike {
  readonly name: string;
  readonly nullable: boolean;
  readonly type: ArrowTypeLike;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Arrow's type codes, the same in every version. */
const TYPE = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  list: 12,
  struct: 13,
  fixedSizeBinary: 15,
  fixedSizeList: 16,
  map: 17,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  binaryView: 23,
  utf8View: 24,
  dictionary: -1,
} as const;

const UNITS: readonly TimeUnit[] = ['s', 'ms', 'us', 'ns'];

/** Describes an Arrow field in the library's terms. INVALID_ARGUMENT for types that no Iceberg type can hold. */
export function sourceField(field: ArrowFieldLike): SourceField {
  const id = field.metadata?.get('PARQUET:field_id');
  const extension = field.metadata?.get('ARROW:extension:name');
  return {
    name: field.name,
    nullable: field.nullable,
    id: id === undefined ? null : Number(id),
    type: sourceType(field.type, field.name),
    ...(extension !== undefined && { extension }),
  };
}

function sourceType(type: ArrowTypeLike, name: string): SourceType {
  const child = (i: number): SourceField => sourceField(type.children![i]!);
  switch (type.typeId) {
    case TYPE.null:
      return { kind: 'null' };
    case TYPE.bool:
      return { kind: 'bool' };
    case TYPE.int:
      return { kind: 'int', bits: type.bitWidth as 8 | 16 | 32 | 64, signed: type.isSigned === true };
    case TYPE.float:
      // Halves are widened when their column is read.
      return { kind: 'float', bits: type.precision === 2 ? 64 : 32 };
    case TYPE.utf8:
    case TYPE.largeUtf8:
    case TYPE.utf8View:
      return { kind: 'utf8' };
    case TYPE.binary:
    case TYPE.largeBinary:
    case TYPE.binaryView:
      return { kind: 'binary' };
    case TYPE.decimal:
      return { kind: 'decimal', precision: type.precision!, scale: type.scale! };
    case TYPE.date:
      return { kind: 'date', unit: type.unit === 0 ? 'day' : 'ms' };
    case TYPE.time:
      return { kind: 'time', unit: UNITS[type.unit!]! };
    case TYPE.timestamp:
      return { kind: 'timestamp', unit: UNITS[type.unit!]!, zoned: Boolean(type.timezone) };
    case TYPE.fixedSizeBinary:
      return { kind: 'fixed', width: type.byteWidth! };
    case TYPE.struct:
      return { kind: 'struct', fields: type.children!.map((_, i) => child(i)) };
    case TYPE.list:
    case TYPE.largeList:
    case TYPE.fixedSizeList:
      return { kind: 'list', item: child(0) };
    case TYPE.map: {
      const [key, value] = type.children![0]!.type.children!;
      return { kind: 'map', key: sourceField(key!), value: sourceField(value!) };
    }
    case TYPE.dictionary:
      return sourceType(type.dictionary!, name);
    default:
      throw invalidArgument(`The Arrow column '${name}' is of a type that no Iceberg type can hold (${String(type)}).`);
  }
}

/** An Arrow array as a column in plain layout: dictionaries decoded, offsets 32 bits wide and from 0, views laid out. */
export function sourceColumn(data: ArrowDataLike): Column {
  const { length, type } = data;
  if (type.typeId === TYPE.null) return { layout: 'nothing', length, validity: null };
  if (type.typeId === TYPE.dictionary) return decodeDictionary(data);
  const validity = validityOf(data);
  switch (type.typeId) {
    case TYPE.bool:
      return { layout: 'bits', length, validity, bits: sliceBits(bytesOf(data.values), data.offset, length) };
    case TYPE.fixedSizeBinary:
      return {
        layout: 'fixed',
        length,
        validity,
        width: type.byteWidth!,
        bytes: bytesOf(data.values).subarray(0, length * type.byteWidth!),
      };
    case TYPE.decimal:
      return {
        layout: 'fixed',
        length,
        validity,
        width: DECIMAL_WIDTH,
        bytes: decimal128(bytesOf(data.values), (type.bitWidth ?? 128) / 8, length),
      };
    case TYPE.utf8:
    case TYPE.largeUtf8:
    case TYPE.binary:
    case TYPE.largeBinary: {
      const { offsets, from } = offsetsOf(data);
      return {
        layout: 'variable',
        length,
        validity,
        offsets,
        bytes: bytesOf(data.values).subarray(from, from + offsets[length]!),
      };
    }
    case TYPE.utf8View:
    case TYPE.binaryView:
      return { ...layOutViews(data, validity), validity };
    case TYPE.struct:
      return {
        layout: 'struct',
        length,
        validity,
        children: data.children.map((child) => itemsOf(sourceColumn(child), 0, length)),
      };
    case TYPE.list:
    case TYPE.largeList:
    case TYPE.map: {
      const { offsets, from } = offsetsOf(data);
      return {
        layout: 'list',
        length,
        validity,
        offsets,
        items: itemsOf(sourceColumn(data.children[0]!), from, offsets[length]!),
      };
    }
    case TYPE.fixedSizeList: {
      const size = type.listSize!;
      const offsets = Int32Array.from({ length: length + 1 }, (_, i) => i * size);
      return {
        layout: 'list',
        length,
        validity,
        offsets,
        items: itemsOf(sourceColumn(data.children[0]!), 0, length * size),
      };
    }
    default:
      return { layout: 'numbers', length, validity, values: numbersOf(data) };
  }
}

function validityOf(data: ArrowDataLike): Uint8Array | null {
  const bitmap = data.nullBitmap;
  if (bitmap === undefined || bitmap === null || bitmap.length === 0 || data.nullCount === 0) return null;
  return sliceBits(bitmap, data.offset, data.length);
}

function bytesOf(view: ArrayBufferView | undefined): Uint8Array {
  return view === undefined ? new Uint8Array() : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Arrow's `Data` already cuts value buffers (not bitmaps) at its offset. */
function numbersOf(data: ArrowDataLike): NumberArray {
  const values = data.values as NumberArray | Uint16Array;
  if (data.type.typeId === TYPE.float && data.type.precision === 0)
    return widenHalves(values as Uint16Array, data.length);
  return values.length === data.length ? values : values.subarray(0, data.length);
}

function widenHalves(values: Uint16Array, length: number): Float32Array {
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const half = values[i]!;
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0x1f) out[i] = fraction === 0 ? sign * Infinity : NaN;
    else out[i] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

function offsetsOf(data: ArrowDataLike): { readonly offsets: Int32Array; readonly from: number } {
  const { valueOffsets, length } = data;
  if (valueOffsets === undefined || length === 0) return { offsets: new Int32Array(length + 1), from: 0 };
  const from = Number(valueOffsets[0]);
  if (from === 0 && valueOffsets instanceof Int32Array) return { offsets: valueOffsets.subarray(0, length + 1), from };
  // The lower halves of long offsets are enough for what one batch can hold, and spare a bigint per value.
  const long =
    valueOffsets instanceof Int32Array
      ? null
      : new Int32Array(valueOffsets.buffer, valueOffsets.byteOffset, 2 * (length + 1));
  const source = long ?? (valueOffsets as Int32Array);
  const step = long ? 2 : 1;
  const offsets = new Int32Array(length + 1);
  for (let i = 1; i <= length; i++) offsets[i] = source[step * i]! - from;
  return { offsets, from };
}

function itemsOf(items: Column, from: number, length: number): Column {
  if (from === 0 && items.length === length) return items;
  return takeRows(
    items,
    Int32Array.from({ length }, (_, i) => from + i),
  );
}

/** Decimals of 32, 64 or 256 bits as ones of 128; what 256 bits hold beyond that no Iceberg decimal can. */
function decimal128(bytes: Uint8Array, width: number, length: number): Uint8Array {
  if (width === DECIMAL_WIDTH) return bytes.subarray(0, length * DECIMAL_WIDTH);
  const out = new Uint8Array(length * DECIMAL_WIDTH);
  const shared = Math.min(width, DECIMAL_WIDTH);
  for (let i = 0; i < length; i++) {
    const value = bytes.subarray(i * width, (i + 1) * width);
    out.set(value.subarray(0, shared), i * DECIMAL_WIDTH);
    if (width < DECIMAL_WIDTH && value[width - 1]! >= 0x80)
      out.fill(0xff, i * DECIMAL_WIDTH + width, (i + 1) * DECIMAL_WIDTH);
  }
  return out;
}

function decodeDictionary(data: ArrowDataLike): Column {
  const validity = validityOf(data) ?? allValid(data.length);
  const indices = numbersOf({ ...pick(data), type: { typeId: TYPE.int } });
  const rows = new Int32Array(data.length);
  for (let i = 0; i < rows.length; i++) rows[i] = getBit(validity, i) ? Number(indices[i]) : -1;
  const chunks = data.dictionary?.data ?? [];
  if (chunks.length === 0) throw invalidArgument('An Arrow column refers to a dictionary that is missing.');
  return takeRows(concatColumns(chunks.map((chunk) => sourceColumn(chunk))), rows);
}

function pick(data: ArrowDataLike): ArrowDataLike {
  // Getters of Arrow's classes aren't copied by a spread.
  const { length, offset, children, values, nullCount } = data;
  return { type: data.type, length, offset, children, values, nullCount };
}

const VIEW_WIDTH = 16;
const INLINE_LENGTH = 12;

/** Views keep short values in place and point at others: all are copied to one run of bytes. */
function layOutViews(data: ArrowDataLike, validity: Uint8Array | null): Extract<Column, { layout: 'variable' }> {
  const { length } = data;
  const views = bytesOf(data.values);
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
  const sizeOf = (i: number): number =>
    validity === null || getBit(validity, i) ? view.getInt32(i * VIEW_WIDTH, true) : 0;
  const offsets = new Int32Array(length + 1);
  for (let i = 0; i < length; i++) offsets[i + 1] = offsets[i]! + sizeOf(i);
  const bytes = new Uint8Array(offsets[length]!);
  for (let i = 0; i < length; i++) {
    const size = sizeOf(i);
    const at = i * VIEW_WIDTH;
    const inline = size <= INLINE_LENGTH;
    const source = inline ? views : data.variadicBuffers![view.getInt32(at + 8, true)]!;
    const from = inline ? at + 4 : view.getInt32(at + 12, true);
    bytes.set(source.subarray(from, from + size), offsets[i]);
  }
  return { layout: 'variable', length, validity, offsets, bytes };
}
