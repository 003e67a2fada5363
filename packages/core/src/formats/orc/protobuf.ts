import { invalidData } from '../../errors.ts';

/** A protobuf message by its fields' numbers; a field that comes several times has several values. */
export type ProtoMessage = ReadonlyMap<number, readonly ProtoValue[]>;

/** 64-bit integers are numbers where a double holds them exactly. */
export type ProtoValue = number | bigint | Uint8Array;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const utf8 = new TextDecoder();

/** INVALID_DATA for bytes that are no message. */
export function readProto(bytes: Uint8Array): ProtoMessage {
  const fields = new Map<number, ProtoValue[]>();
  const cursor = new Cursor(bytes);
  while (cursor.position < bytes.length) {
    const key = Number(cursor.varint());
    const values = fields.get(key >>> 3);
    const value = cursor.value(key & 7);
    if (values) values.push(value);
    else fields.set(key >>> 3, [value]);
  }
  return fields;
}

class Cursor {
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  value(wireType: number): ProtoValue {
    switch (wireType) {
      case WIRE.varint:
        return this.varint();
      case WIRE.bytes:
        return this.#take(Number(this.varint()));
      case WIRE.fixed64:
        return this.#take(8);
      case WIRE.fixed32:
        return this.#take(4);
      default:
        throw broken(`a field is of the unknown wire type ${wireType}`);
    }
  }

  varint(): number | bigint {
    let low = 0;
    for (let i = 0, factor = 1; i < 7; i++, factor *= 128) {
      const byte = this.#byte();
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    throw broken('a number is too long');
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
}

function broken(why: string): Error {
  return invalidData(`The metadata of an ORC file can't be read: ${why}.`);
}

/** A whole number that a double holds; `otherwise` if the field is missing. */
export function protoNumber(message: ProtoMessage, field: number, otherwise = 0): number {
  const value = message.get(field)?.at(-1);
  if (value === undefined) return otherwise;
  if (typeof value !== 'number') throw broken(`its field ${field} is out of range`);
  return value;
}

export function protoBytes(message: ProtoMessage, field: number): readonly Uint8Array[] {
  return (message.get(field) ?? []).map((value) => {
    if (value instanceof Uint8Array) return value;
    throw broken(`its field ${field} is a number`);
  });
}

export function protoTexts(message: ProtoMessage, field: number): readonly string[] {
  return protoBytes(message, field).map((bytes) => utf8.decode(bytes));
}

export function protoMessages(message: ProtoMessage, field: number): readonly ProtoMessage[] {
  return protoBytes(message, field).map(readProto);
}

/** Repeated numbers, packed into one value or not. */
export function protoNumbers(message: ProtoMessage, field: number): readonly number[] {
  return (message.get(field) ?? []).flatMap((value) => {
    if (!(value instanceof Uint8Array)) return [Number(value)];
    const cursor = new Cursor(value);
    const numbers: number[] = [];
    while (cursor.position < value.length) numbers.push(Number(cursor.varint()));
    return numbers;
  });
}
