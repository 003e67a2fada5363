import { invalidData } from '../../errors.ts';
import { sliceBits } from '../../columns/column.ts';
import type { Column, NumberArray } from '../../columns/column.ts';
import type { SourceField, SourceType, TimeUnit } from '../../columns/source-type.ts';

/**
 * Copies Arrow data out of WebAssembly memory through Arrow's C data interface: every buffer is copied once, into
 * memory of its own. (The other way out, an IPC stream, costs three times as much.) Pointers are 32 bits wide.
 */
export interface ImportedBatch {
  readonly length: number;
  readonly fields: readonly SourceField[];
  readonly columns: readonly Column[];
}

/** Offsets of the members of `struct ArrowSchema` and `struct ArrowArray`. */
const SCHEMA = { format: 0, name: 4, metadata: 8, flags: 16, childCount: 24, children: 32 } as const;
const ARRAY = { length: 0, offset: 16, bufferCount: 24, childCount: 32, buffers: 40, children: 44 } as const;
const NULLABLE_FLAG = 2n;
const FIELD_ID_KEY = 'PARQUET:field_id';
const EXTENSION_KEY = 'ARROW:extension:name';

const utf8 = new TextDecoder();

/** Imports a record batch: a struct array whose children are the columns. */
export function importBatch(memory: ArrayBufferLike, schemaAddress: number, arrayAddress: number): ImportedBatch {
  const source = new Memory(memory);
  const field = importField(source, schemaAddress);
  if (field.type.kind !== 'struct') throw invalidData('A Parquet file did not decode to columns.');
  const length = source.long(arrayAddress + ARRAY.length);
  const fields = field.type.fields;
  const columns = fields.map((child, i) =>
    importColumn(source, child, source.pointer(source.pointer(arrayAddress + ARRAY.children) + 4 * i), 0, length),
  );
  return { length, fields, columns };
}

class Memory {
  readonly buffer: ArrayBufferLike;
  readonly view: DataView;
  readonly bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  pointer(address: number): number {
    return this.view.getUint32(address, true);
  }

  long(address: number): number {
    return Number(this.view.getBigInt64(address, true));
  }

  text(address: number): string {
    return utf8.decode(this.bytes.subarray(address, this.bytes.indexOf(0, address)));
  }

  copy(address: number, length: number): Uint8Array {
    return this.bytes.slice(address, address + length);
  }
}

function importField(memory: Memory, address: number): SourceField {
  const metadata = importMetadata(memory, memory.pointer(address + SCHEMA.metadata));
  const childCount = memory.long(address + SCHEMA.childCount);
  const childList = memory.pointer(address + SCHEMA.children);
  const children = Array.from({ length: childCount }, (_, i) => importField(memory, memory.pointer(childList + 4 * i)));
  const id = metadata.get(FIELD_ID_KEY);
  const extension = metadata.get(EXTENSION_KEY);
  return {
    name: memory.text(memory.pointer(address + SCHEMA.name)),
    nullable: (memory.view.getBigInt64(address + SCHEMA.flags, true) & NULLABLE_FLAG) !== 0n,
    id: id === undefined ? null : Number(id),
    type: typeOfFormat(memory.text(memory.pointer(address + SCHEMA.format)), children),
    ...(extension !== undefined && { extension }),
  };
}

function importMetadata(memory: Memory, address: number): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  if (address === 0) return pairs;
  let at = address + 4;
  const text = (): string => {
    const length = memory.view.getInt32(at, true);
    at += 4 + length;
    return utf8.decode(memory.bytes.subarray(at - length, at));
  };
  for (let rest = memory.view.getInt32(address, true); rest > 0; rest--) {
    const key = text();
    pairs.set(key, text());
  }
  return pairs;
}

const SIMPLE_FORMATS: Readonly<Record<string, SourceType>> = {
  n: { kind: 'null' },
  b: { kind: 'bool' },
  c: { kind: 'int', bits: 8, signed: true },
  C: { kind: 'int', bits: 8, signed: false },
  s: { kind: 'int', bits: 16, signed: true },
  S: { kind: 'int', bits: 16, signed: false },
  i: { kind: 'int', bits: 32, signed: true },
  I: { kind: 'int', bits: 32, signed: false },
  l: { kind: 'int', bits: 64, signed: true },
  L: { kind: 'int', bits: 64, signed: false },
  f: { kind: 'float', bits: 32 },
  g: { kind: 'float', bits: 64 },
  u: { kind: 'utf8' },
  z: { kind: 'binary' },
  tdD: { kind: 'date', unit: 'day' },
  tdm: { kind: 'date', unit: 'ms' },
};

const UNITS: Readonly<Record<string, TimeUnit>> = { s: 's', m: 'ms', u: 'us', n: 'ns' };

/** From the format string of Arrow's C data interface. The decoder was given no Arrow schema, so views and dictionaries never come. */
function typeOfFormat(format: string, children: readonly SourceField[]): SourceType {
  const simple = SIMPLE_FORMATS[format];
  if (simple) return simple;
  const [, kind, unit, zone] = /^t([ts])([smun])(?::(.*))?$/.exec(format) ?? [];
  if (kind === 't') return { kind: 'time', unit: UNITS[unit!]! };
  if (kind === 's') return { kind: 'timestamp', unit: UNITS[unit!]!, zoned: zone !== undefined && zone !== '' };
  if (format.startsWith('w:')) return { kind: 'fixed', width: Number(format.slice(2)) };
  if (format.startsWith('d:')) {
    const [precision, scale, bits = 128] = format.slice(2).split(',').map(Number);
    if (bits === 128) return { kind: 'decimal', precision: precision!, scale: scale! };
  }
  if (format === '+s') return { kind: 'struct', fields: children };
  if (format === '+l') return { kind: 'list', item: children[0]! };
  if (format === '+m' && children[0]!.type.kind === 'struct') {
    const [key, value] = children[0]!.type.fields;
    return { kind: 'map', key: key!, value: value! };
  }
  throw invalidData(
    `A Parquet file has a column of a type that Iceberg has no reading for (Arrow format '${format}').`,
  );
}

/** Rows `start` to `start + length` of an array, which may itself begin at an offset of its buffers. */
function importColumn(memory: Memory, field: SourceField, address: number, start: number, length: number): Column {
  const first = memory.long(address + ARRAY.offset) + start;
  const bufferList = memory.pointer(address + ARRAY.buffers);
  const buffer = (i: number): number => memory.pointer(bufferList + 4 * i);
  const childList = memory.pointer(address + ARRAY.children);
  const child = (i: number): number => memory.pointer(childList + 4 * i);
  const { type } = field;
  if (type.kind === 'null') return { layout: 'nothing', length, validity: null };
  const validityAddress = memory.long(address + ARRAY.bufferCount) > 0 ? buffer(0) : 0;
  const validity = validityAddress === 0 ? null : copyBits(memory, validityAddress, first, length);
  switch (type.kind) {
    case 'bool':
      return { layout: 'bits', length, validity, bits: copyBits(memory, buffer(1), first, length) };
    case 'fixed':
    case 'decimal': {
      const width = type.kind === 'fixed' ? type.width : 16;
      return {
        layout: 'fixed',
        length,
        validity,
        width,
        bytes: memory.copy(buffer(1) + first * width, length * width),
      };
    }
    case 'utf8':
    case 'binary': {
      const { offsets, from } = copyOffsets(memory, buffer(1), first, length);
      return { layout: 'variable', length, validity, offsets, bytes: memory.copy(buffer(2) + from, offsets[length]!) };
    }
    case 'struct':
      return {
        layout: 'struct',
        length,
        validity,
        children: type.fields.map((one, i) => importColumn(memory, one, child(i), first, length)),
      };
    case 'list': {
      const { offsets, from } = copyOffsets(memory, buffer(1), first, length);
      return {
        layout: 'list',
        length,
        validity,
        offsets,
        items: importColumn(memory, type.item, child(0), from, offsets[length]!),
      };
    }
    case 'map': {
      const { offsets, from } = copyOffsets(memory, buffer(1), first, length);
      const entries: SourceField = {
        name: 'entries',
        nullable: false,
        id: null,
        type: { kind: 'struct', fields: [type.key, type.value] },
      };
      return {
        layout: 'list',
        length,
        validity,
        offsets,
        items: importColumn(memory, entries, child(0), from, offsets[length]!),
      };
    }
    case 'int':
    case 'float':
    case 'date':
    case 'time':
    case 'timestamp':
      return {
        layout: 'numbers',
        length,
        validity,
        values: copyNumbers(memory, numberArrayOf(type), buffer(1), first, length),
      };
  }
}

function copyBits(memory: Memory, address: number, first: number, length: number): Uint8Array {
  const size = (first + length + 7) >> 3;
  return sliceBits(memory.bytes.subarray(address, address + size), first, length);
}

function copyOffsets(
  memory: Memory,
  address: number,
  first: number,
  length: number,
): { readonly offsets: Int32Array; readonly from: number } {
  // Arrow lets the offsets of an empty array be absent.
  if (length === 0) return { offsets: new Int32Array(1), from: 0 };
  const offsets = copyNumbers(memory, Int32Array, address, first, length + 1) as Int32Array;
  const from = offsets[0]!;
  if (from !== 0) for (let i = 0; i <= length; i++) offsets[i]! -= from;
  return { offsets, from };
}

interface NumberArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): NumberArray;
}

function copyNumbers(
  memory: Memory,
  array: NumberArrayConstructor,
  address: number,
  first: number,
  length: number,
): NumberArray {
  const size = array.BYTES_PER_ELEMENT;
  return new array(memory.copy(address + first * size, length * size).buffer as ArrayBuffer);
}

type NumberType = Extract<SourceType, { kind: 'int' | 'float' | 'date' | 'time' | 'timestamp' }>;

/** The array that holds a type's values, as Arrow lays them out. */
export function numberArrayOf(type: NumberType): NumberArrayConstructor {
  switch (type.kind) {
    case 'int':
      return INT_ARRAYS[`${type.signed ? 'i' : 'u'}${type.bits}`];
    case 'float':
      return type.bits === 32 ? Float32Array : Float64Array;
    case 'date':
      return type.unit === 'day' ? Int32Array : BigInt64Array;
    case 'time':
      return type.unit === 's' || type.unit === 'ms' ? Int32Array : BigInt64Array;
    case 'timestamp':
      return BigInt64Array;
  }
}

const INT_ARRAYS = {
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
} as const;
