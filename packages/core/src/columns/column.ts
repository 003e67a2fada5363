import { invalidData } from '../errors.ts';

/**
 * The columnar form in which rows travel inside the library: Arrow's layouts without its variants. Every buffer starts
 * at row 0, validity is a bitmap (LSB first, 1 = not null) or null when no row is null, and which layout a column has
 * follows from its Iceberg type alone:
 *
 * | layout | types |
 * | --- | --- |
 * | bits | boolean |
 * | numbers | int, date (Int32Array); long, time, timestamps (BigInt64Array); float; double |
 * | fixed | uuid (16), fixed(n), decimal (16: two's complement, little-endian, as Arrow's Decimal128) |
 * | variable | string (UTF-8), binary, geometry, geography |
 * | struct | struct; variant (metadata, value) |
 * | list | list; map (its items are structs of key and value) |
 * | nothing | unknown: every row is null |
 */
export type Column =
  | BitsColumn
  | NumbersColumn
  | FixedColumn
  | VariableColumn
  | StructColumn
  | ListColumn
  | NothingColumn;

interface ColumnBase {
  readonly length: number;
  readonly validity: Uint8Array | null;
}

export interface BitsColumn extends ColumnBase {
  readonly layout: 'bits';
  readonly bits: Uint8Array;
}

export type NumberArray =
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  // The rest comes from outside only, and is cast before anything else sees it.
  | Int8Array
  | Int16Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

export interface NumbersColumn extends ColumnBase {
  readonly layout: 'numbers';
  readonly values: NumberArray;
}

export interface FixedColumn extends ColumnBase {
  readonly layout: 'fixed';
  /** Bytes per value. */
  readonly width: number;
  readonly bytes: Uint8Array;
}

export interface VariableColumn extends ColumnBase {
  readonly layout: 'variable';
  /** Row i's bytes are those from offsets[i] to offsets[i + 1]. */
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

export interface StructColumn extends ColumnBase {
  readonly layout: 'struct';
  readonly children: readonly Column[];
}

export interface ListColumn extends ColumnBase {
  readonly layout: 'list';
  readonly offsets: Int32Array;
  readonly items: Column;
}

export interface NothingColumn extends ColumnBase {
  readonly layout: 'nothing';
}

/** Columns of equal length, in the order of a schema's fields. */
export interface ColumnBatch {
  readonly length: number;
  readonly columns: readonly Column[];
}

export function isValid(column: Column, row: number): boolean {
  if (column.layout === 'nothing') return false;
  return column.validity === null || getBit(column.validity, row);
}

export function getBit(bits: Uint8Array, index: number): boolean {
  return (bits[index >> 3]! & (1 << (index & 7))) !== 0;
}

export function setBit(bits: Uint8Array, index: number): void {
  bits[index >> 3]! |= 1 << (index & 7);
}

export function bitmapSize(length: number): number {
  return (length + 7) >> 3;
}

/** `length` bits from bit `offset` on, moved to bit 0. Bits past the end are zero. */
export function sliceBits(bits: Uint8Array, offset: number, length: number): Uint8Array {
  const size = bitmapSize(length);
  const start = offset >> 3;
  const shift = offset & 7;
  if (bits.length < (offset + length + 7) >> 3) throw invalidData('A bitmap is shorter than its column.');
  const out = bits.slice(start, start + size);
  if (shift !== 0) {
    for (let i = 0; i < size; i++) out[i] = (bits[start + i]! >> shift) | ((bits[start + i + 1] ?? 0) << (8 - shift));
  }
  clearTail(out, length);
  return out;
}

function clearTail(bits: Uint8Array, length: number): void {
  if (length & 7) bits[bits.length - 1]! &= (1 << (length & 7)) - 1;
}

/** A bitmap that says that every row is valid, for code that needs one in any case. */
export function allValid(length: number): Uint8Array {
  const bits = new Uint8Array(bitmapSize(length)).fill(0xff);
  clearTail(bits, length);
  return bits;
}

/** Rows where both are valid; null stands for "all". */
export function intersectValidity(a: Uint8Array | null, b: Uint8Array | null, length: number): Uint8Array | null {
  if (a === null) return b;
  if (b === null) return a;
  const out = new Uint8Array(bitmapSize(length));
  for (let i = 0; i < out.length; i++) out[i] = a[i]! & b[i]!;
  return out;
}

/** What the column holds in memory, in bytes: an estimate, as buffers may be shared. */
export function columnBytes(column: Column): number {
  const validity = column.validity?.length ?? 0;
  switch (column.layout) {
    case 'bits':
      return validity + column.bits.length;
    case 'numbers':
      return validity + column.values.byteLength;
    case 'fixed':
      return validity + column.length * column.width;
    case 'variable':
      return validity + column.offsets.byteLength + (column.offsets[column.length]! - column.offsets[0]!);
    case 'struct':
      return column.children.reduce((sum, child) => sum + columnBytes(child), validity);
    case 'list':
      return validity + column.offsets.byteLength + columnBytes(column.items);
    case 'nothing':
      return 0;
  }
}

export function batchBytes(batch: ColumnBatch): number {
  return batch.columns.reduce((sum, column) => sum + columnBytes(column), 0);
}
