import { invalidData } from '../errors.ts';
import { bytesToUuid } from './bytes-text.ts';
import { bytesToBigint } from './twos-complement.ts';
import { MAX_VARIANT_DEPTH } from './variant-node.ts';
import type { VariantNode } from './variant-node.ts';

const VARIANT_VERSION = 1;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads Parquet's "Variant Binary Encoding". INVALID_DATA if the bytes are broken. */
export function decodeVariant(metadata: Uint8Array, value: Uint8Array): VariantNode {
  return decodeVariantValue(decodeVariantMetadata(metadata), value);
}

/** A value whose dictionary has been read. */
export function decodeVariantValue(names: readonly string[], value: Uint8Array): VariantNode {
  return withTypedErrors(() => new Decoder(names, value).node(0, 0));
}

/** The dictionary of field names. INVALID_DATA if the bytes are broken. */
export function decodeVariantMetadata(metadata: Uint8Array): readonly string[] {
  return withTypedErrors(() => decodeMetadata(metadata));
}

function withTypedErrors<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    // Reading past the end and invalid UTF-8 surface as the platform's own errors.
    if (error instanceof RangeError || error instanceof TypeError) {
      throw invalidData('A variant ends too early or holds invalid text.', undefined, error);
    }
    throw error;
  }
}

function decodeMetadata(bytes: Uint8Array): readonly string[] {
  const cursor = new Cursor(bytes);
  const header = cursor.unsigned(0, 1);
  if ((header & 0x0f) !== VARIANT_VERSION) throw invalidData(`A variant has the unknown version ${header & 0x0f}.`);
  const offsetSize = (header >> 6) + 1;
  const count = cursor.unsigned(1, offsetSize);
  const offsetsAt = 1 + offsetSize;
  const stringsAt = offsetsAt + (count + 1) * offsetSize;
  if (stringsAt > bytes.length) throw invalidData('A variant has more field names than bytes.');
  return Array.from({ length: count }, (_, i) => {
    const start = cursor.unsigned(offsetsAt + i * offsetSize, offsetSize);
    const end = cursor.unsigned(offsetsAt + (i + 1) * offsetSize, offsetSize);
    return utf8.decode(cursor.slice(stringsAt + start, end - start));
  });
}

class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A little-endian number of 1 to 4 bytes. */
  unsigned(at: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.view.getUint8(at + i);
    return value;
  }

  slice(at: number, length: number): Uint8Array {
    if (length < 0 || at + length > this.bytes.length) throw new RangeError('past the end');
    return this.bytes.subarray(at, at + length);
  }
}

class Decoder extends Cursor {
  readonly #names: readonly string[];
  /** Every value takes a byte at least, so more values than bytes means that offsets point at shared ones. */
  #budget: number;

  constructor(names: readonly string[], bytes: Uint8Array) {
    super(bytes);
    this.#names = names;
    this.#budget = bytes.length;
  }

  node(at: number, depth: number): VariantNode {
    if (depth > MAX_VARIANT_DEPTH) throw invalidData(`A variant is nested more than ${MAX_VARIANT_DEPTH} levels deep.`);
    if (--this.#budget < 0) throw invalidData('A variant holds more values than bytes.');
    const byte = this.view.getUint8(at);
    const header = byte >> 2;
    switch (byte & 0x03) {
      case 0:
        return this.#primitive(header, at + 1);
      case 1:
        return { type: 'string', value: utf8.decode(this.slice(at + 1, header)) };
      case 2:
        return this.#object(header, at + 1, depth);
      default:
        return this.#array(header, at + 1, depth);
    }
  }

  #primitive(id: number, at: number): VariantNode {
    const read = PRIMITIVES[id];
    if (!read) throw invalidData(`A variant has the unknown primitive type ${id}.`);
    return read(this, at);
  }

  #object(header: number, at: number, depth: number): VariantNode {
    const offsetSize = (header & 0x03) + 1;
    const idSize = ((header >> 2) & 0x03) + 1;
    const countSize = header & 0x10 ? 4 : 1;
    const count = this.unsigned(at, countSize);
    const idsAt = at + countSize;
    const offsetsAt = idsAt + count * idSize;
    const valuesAt = offsetsAt + (count + 1) * offsetSize;
    if (valuesAt > this.bytes.length) throw new RangeError('past the end');
    const fields = new Map<string, VariantNode>();
    for (let i = 0; i < count; i++) {
      const name = this.#names[this.unsigned(idsAt + i * idSize, idSize)];
      if (name === undefined) throw invalidData('A variant names a field that its dictionary lacks.');
      fields.set(name, this.node(valuesAt + this.unsigned(offsetsAt + i * offsetSize, offsetSize), depth + 1));
    }
    return { type: 'object', fields };
  }

  #array(header: number, at: number, depth: number): VariantNode {
    const offsetSize = (header & 0x03) + 1;
    const countSize = header & 0x04 ? 4 : 1;
    const count = this.unsigned(at, countSize);
    const offsetsAt = at + countSize;
    const valuesAt = offsetsAt + (count + 1) * offsetSize;
    if (valuesAt > this.bytes.length) throw new RangeError('past the end');
    return {
      type: 'array',
      items: Array.from({ length: count }, (_, i) =>
        this.node(valuesAt + this.unsigned(offsetsAt + i * offsetSize, offsetSize), depth + 1),
      ),
    };
  }
}

type PrimitiveReader = (cursor: Cursor, at: number) => VariantNode;

function decimalReader(type: 'decimal4' | 'decimal8' | 'decimal16', size: number): PrimitiveReader {
  return (cursor, at) => ({
    type,
    scale: cursor.unsigned(at, 1),
    unscaled: bytesToBigint(cursor.slice(at + 1, size).toReversed()),
  });
}

function longReader(
  type: 'time' | 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns' | 'int64',
): PrimitiveReader {
  return (cursor, at) => ({ type, value: cursor.view.getBigInt64(at, true) });
}

/** By the type id of the encoding's table "Variant basic types". */
const PRIMITIVES: readonly PrimitiveReader[] = [
  () => ({ type: 'null' }),
  () => ({ type: 'boolean', value: true }),
  () => ({ type: 'boolean', value: false }),
  ({ view }, at) => ({ type: 'int8', value: view.getInt8(at) }),
  ({ view }, at) => ({ type: 'int16', value: view.getInt16(at, true) }),
  ({ view }, at) => ({ type: 'int32', value: view.getInt32(at, true) }),
  longReader('int64'),
  ({ view }, at) => ({ type: 'double', value: view.getFloat64(at, true) }),
  decimalReader('decimal4', 4),
  decimalReader('decimal8', 8),
  decimalReader('decimal16', 16),
  ({ view }, at) => ({ type: 'date', value: view.getInt32(at, true) }),
  longReader('timestamptz'),
  longReader('timestamp'),
  ({ view }, at) => ({ type: 'float', value: view.getFloat32(at, true) }),
  (cursor, at) => ({ type: 'binary', value: cursor.slice(at + 4, cursor.unsigned(at, 4)) }),
  (cursor, at) => ({ type: 'string', value: utf8.decode(cursor.slice(at + 4, cursor.unsigned(at, 4))) }),
  longReader('time'),
  longReader('timestamptz_ns'),
  longReader('timestamp_ns'),
  (cursor, at) => ({ type: 'uuid', value: bytesToUuid(cursor.slice(at, 16)) }),
];
