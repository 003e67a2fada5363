import { invalidData } from '../../errors.ts';

/**
 * Thrift's compact protocol, in which Parquet keeps its footer, read into and written from a plain tree. The tree keeps
 * every field, known or not, so that a footer can be changed in one place and written back otherwise equal.
 */
export interface ThriftField {
  readonly id: number;
  readonly type: ThriftType;
  readonly value: ThriftValue;
}

export type ThriftStruct = readonly ThriftField[];

export interface ThriftList {
  readonly elementType: ThriftType;
  readonly items: readonly ThriftValue[];
}

export interface ThriftMap {
  readonly keyType: ThriftType;
  readonly valueType: ThriftType;
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
}

/** 64-bit integers are numbers where a double holds them exactly. */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftStruct | ThriftList | ThriftMap;

/** Wire types; a boolean is always TRUE here, its value says which. */
export type ThriftType = 1 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12;

export const THRIFT = {
  bool: 1,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

const FALSE = 2;
const MAX_DEPTH = 64;

/** Reads one struct and tells where it ended. INVALID_DATA for bytes that aren't one. */
export function readThrift(bytes: Uint8Array, start = 0): { readonly struct: ThriftStruct; readonly end: number } {
  const reader = new Reader(bytes, start);
  const struct = reader.struct(0);
  return { struct, end: reader.position };
}

class Reader {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  struct(depth: number): ThriftStruct {
    if (depth > MAX_DEPTH) throw broken('it is nested too deeply');
    const fields: ThriftField[] = [];
    let id = 0;
    for (;;) {
      const header = this.#byte();
      if (header === 0) return fields;
      const delta = header >> 4;
      id = delta === 0 ? this.#zigzag32() : id + delta;
      const wireType = header & 0x0f;
      if (wireType === THRIFT.bool || wireType === FALSE) {
        fields.push({ id, type: THRIFT.bool, value: wireType === THRIFT.bool });
      } else {
        const type = knownType(wireType);
        fields.push({ id, type, value: this.#value(type, depth) });
      }
    }
  }

  #value(type: ThriftType, depth: number): ThriftValue {
    switch (type) {
      case THRIFT.bool:
        return this.#byte() === THRIFT.bool;
      case THRIFT.i8:
        return (this.#byte() << 24) >> 24;
      case THRIFT.i16:
      case THRIFT.i32:
        return this.#zigzag32();
      case THRIFT.i64:
        return this.#zigzag64();
      case THRIFT.double:
        return new DataView(this.#take(8).slice().buffer).getFloat64(0, true);
      case THRIFT.binary:
        return this.#take(this.#count());
      case THRIFT.list:
      case THRIFT.set:
        return this.#list(depth + 1);
      case THRIFT.map:
        return this.#map(depth + 1);
      case THRIFT.struct:
        return this.struct(depth + 1);
    }
  }

  #list(depth: number): ThriftList {
    if (depth > MAX_DEPTH) throw broken('it is nested too deeply');
    const header = this.#byte();
    const short = header >> 4;
    const elementType = elementTypeOf(header & 0x0f);
    const count = short === 15 ? this.#count() : short;
    const items: ThriftValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.#value(elementType, depth));
    return { elementType, items };
  }

  #map(depth: number): ThriftMap {
    if (depth > MAX_DEPTH) throw broken('it is nested too deeply');
    const count = this.#count();
    if (count === 0) return { keyType: THRIFT.binary, valueType: THRIFT.binary, entries: [] };
    const types = this.#byte();
    const [keyType, valueType] = [elementTypeOf(types >> 4), elementTypeOf(types & 0x0f)];
    const entries: (readonly [ThriftValue, ThriftValue])[] = [];
    for (let i = 0; i < count; i++) entries.push([this.#value(keyType, depth), this.#value(valueType, depth)]);
    return { keyType, valueType, entries };
  }

  #byte(): number {
    const byte = this.#bytes[this.position++];
    if (byte === undefined) throw broken('it ends too early');
    return byte;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.position) throw broken('it ends too early');
    this.position += length;
    return this.#bytes.subarray(this.position - length, this.position);
  }

  /** A length or count: everything counted takes a byte at least, so none can exceed what is left. */
  #count(): number {
    const count = this.#varint32();
    if (count > this.#bytes.length - this.position) throw broken('it ends too early');
    return count;
  }

  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw broken('a number is too long');
  }

  #zigzag32(): number {
    const value = this.#varint32();
    return (value >>> 1) ^ -(value & 1);
  }

  #zigzag64(): number | bigint {
    let low = 0;
    let factor = 1;
    // 7 groups of 7 bits are exact in a double; what is longer goes through a bigint.
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      low += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const long = BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
        const number = Number(long);
        return Number.isSafeInteger(number) ? number : long;
      }
    }
    throw broken('a number is too long');
  }
}

function knownType(wireType: number): ThriftType {
  if (wireType >= THRIFT.i8 && wireType <= THRIFT.struct) return wireType as ThriftType;
  throw broken(`it holds a field of the unknown type ${wireType}`);
}

/** In collections both codes stand for "boolean". */
function elementTypeOf(wireType: number): ThriftType {
  return wireType === THRIFT.bool || wireType === FALSE ? THRIFT.bool : knownType(wireType);
}

function broken(why: string): Error {
  return invalidData(`The metadata of a Parquet file can't be read: ${why}.`);
}

/** The bytes of one struct. */
export function writeThrift(struct: ThriftStruct): Uint8Array {
  const writer = new Writer();
  writer.struct(struct);
  return writer.finish();
}

class Writer {
  #bytes: Uint8Array = new Uint8Array(1024);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  struct(fields: ThriftStruct): void {
    let previous = 0;
    for (const field of fields) {
      const wireType = field.type === THRIFT.bool && field.value === false ? FALSE : field.type;
      const delta = field.id - previous;
      if (delta > 0 && delta <= 15) this.#byte((delta << 4) | wireType);
      else {
        this.#byte(wireType);
        this.#zigzag(field.id);
      }
      previous = field.id;
      if (field.type !== THRIFT.bool) this.#value(field.type, field.value);
    }
    this.#byte(0);
  }

  #value(type: ThriftType, value: ThriftValue): void {
    switch (type) {
      case THRIFT.bool:
        return this.#byte(value === true ? THRIFT.bool : FALSE);
      case THRIFT.i8:
        return this.#byte((value as number) & 0xff);
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        return this.#zigzag(value as number | bigint);
      case THRIFT.double: {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setFloat64(0, value as number, true);
        return this.#append(bytes);
      }
      case THRIFT.binary: {
        this.#varint((value as Uint8Array).length);
        return this.#append(value as Uint8Array);
      }
      case THRIFT.list:
      case THRIFT.set:
        return this.#list(value as ThriftList);
      case THRIFT.map:
        return this.#map(value as ThriftMap);
      case THRIFT.struct:
        return this.struct(value as ThriftStruct);
    }
  }

  #list({ elementType, items }: ThriftList): void {
    this.#byte((Math.min(items.length, 15) << 4) | elementType);
    if (items.length >= 15) this.#varint(items.length);
    for (const item of items) this.#value(elementType, item);
  }

  #map({ keyType, valueType, entries }: ThriftMap): void {
    this.#varint(entries.length);
    if (entries.length === 0) return;
    this.#byte((keyType << 4) | valueType);
    for (const [key, value] of entries) {
      this.#value(keyType, key);
      this.#value(valueType, value);
    }
  }

  #byte(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = byte;
  }

  #append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + needed));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
  }

  #zigzag(value: number | bigint): void {
    if (typeof value === 'number' && Math.abs(value) < 2 ** 51) {
      return this.#varint(value >= 0 ? value * 2 : -value * 2 - 1);
    }
    const long = BigInt(value);
    let rest = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
    while (rest >= 0x80n) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }
}

/** A field's value, or undefined if the struct lacks it or it has another type. */
export function fieldOf(struct: ThriftStruct, id: number, type: ThriftType): ThriftValue | undefined {
  for (const field of struct) if (field.id === id) return field.type === type ? field.value : undefined;
  return undefined;
}

/** The struct with some fields set (or, with null, left out), in the order of their ids. */
export function withFields(
  struct: ThriftStruct,
  fields: readonly (ThriftField | { readonly id: number; readonly value: null })[],
): ThriftStruct {
  const changed = new Set(fields.map((field) => field.id));
  const added = fields.filter((field): field is ThriftField => field.value !== null);
  return [...struct.filter((field) => !changed.has(field.id)), ...added].toSorted((a, b) => a.id - b.id);
}

export const i32 = (id: number, value: number): ThriftField => ({ id, type: THRIFT.i32, value });
export const i64 = (id: number, value: number): ThriftField => ({ id, type: THRIFT.i64, value });
export const bool = (id: number, value: boolean): ThriftField => ({ id, type: THRIFT.bool, value });
export const structField = (id: number, value: ThriftStruct): ThriftField => ({ id, type: THRIFT.struct, value });
export const binary = (id: number, value: Uint8Array): ThriftField => ({ id, type: THRIFT.binary, value });
export const text = (id: number, value: string): ThriftField => binary(id, new TextEncoder().encode(value));
export const textList = (id: number, items: readonly string[]): ThriftField => ({
  id,
  type: THRIFT.list,
  value: { elementType: THRIFT.binary, items: items.map((item) => new TextEncoder().encode(item)) },
});
export const structList = (id: number, items: readonly ThriftStruct[]): ThriftField => ({
  id,
  type: THRIFT.list,
  value: { elementType: THRIFT.struct, items },
});
