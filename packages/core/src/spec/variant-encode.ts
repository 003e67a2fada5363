import { invalidData } from '../errors.ts';
import { uuidToBytes } from './bytes-text.ts';
import { compareStrings } from './compare-values.ts';
import { concatBytes } from './concat-bytes.ts';
import type { VariantNode } from './variant-node.ts';

const VERSION = 0x01;
const SORTED = 0x10;
const SHORT_STRING_LIMIT = 64;

const utf8 = new TextEncoder();

/** Writes Parquet's "Variant Binary Encoding", with a sorted dictionary of the field names. */
export function encodeVariantNode(node: VariantNode): { readonly metadata: Uint8Array; readonly value: Uint8Array } {
  const names = new Set<string>();
  collectNames(node, names);
  const sorted = [...names].toSorted(compareStrings);
  const ids = new Map(sorted.map((name, id) => [name, id]));
  return { metadata: encodeVariantMetadata(sorted), value: encodeNode(node, ids) };
}

function collectNames(node: VariantNode, names: Set<string>): void {
  if (node.type === 'array') for (const item of node.items) collectNames(item, names);
  if (node.type === 'object') {
    for (const [name, field] of node.fields) {
      names.add(name);
      collectNames(field, names);
    }
  }
}

/** The dictionary of field names, which are known by their places in it from then on. */
export function encodeVariantMetadata(names: readonly string[]): Uint8Array {
  const strings = names.map((name) => utf8.encode(name));
  const offsets = offsetsOf(strings);
  const size = bytesFor(Math.max(offsets.at(-1)!, names.length));
  const isSorted = names.every((name, i) => i === 0 || compareStrings(names[i - 1]!, name) < 0);
  const header = VERSION | (isSorted ? SORTED : 0) | ((size - 1) << 6);
  return concatBytes([
    Uint8Array.of(header),
    unsigned(names.length, size),
    ...offsets.map((offset) => unsigned(offset, size)),
    ...strings,
  ]);
}

/** Where field names are in the dictionary. */
export type VariantIds = ReadonlyMap<string, number>;

/** The value's bytes, for a dictionary that is there already. */
export function encodeNode(node: VariantNode, ids: VariantIds): Uint8Array {
  if (node.type === 'array') return encodeVariantArray(node.items.map((item) => encodeNode(item, ids)));
  if (node.type === 'object') {
    return encodeVariantObject(
      Array.from(node.fields, ([name, field]) => [name, encodeNode(field, ids)]),
      ids,
    );
  }
  const encode = PRIMITIVES[node.type] as (node: VariantNode) => Uint8Array;
  return encode(node);
}

/** An object of fields that are encoded already, in any order. */
export function encodeVariantObject(fields: readonly (readonly [string, Uint8Array])[], ids: VariantIds): Uint8Array {
  const sorted = fields.toSorted(([a], [b]) => compareStrings(a, b));
  const fieldIds = sorted.map(([name]) => ids.get(name) ?? missingName(name));
  const values = sorted.map(([, value]) => value);
  const offsets = offsetsOf(values);
  const offsetSize = bytesFor(offsets.at(-1)!);
  const idSize = bytesFor(fieldIds.reduce((highest, id) => Math.max(highest, id), 0));
  const large = values.length > 0xff;
  const header = (((large ? 1 : 0) << 4) | ((idSize - 1) << 2) | (offsetSize - 1)) << 2;
  return concatBytes([
    Uint8Array.of(header | 2),
    unsigned(values.length, large ? 4 : 1),
    ...fieldIds.map((id) => unsigned(id, idSize)),
    ...offsets.map((offset) => unsigned(offset, offsetSize)),
    ...values,
  ]);
}

function missingName(name: string): never {
  throw invalidData(`A variant's dictionary lacks the field name '${name}'.`);
}

/** An array of items that are encoded already. */
export function encodeVariantArray(values: readonly Uint8Array[]): Uint8Array {
  const offsets = offsetsOf(values);
  const offsetSize = bytesFor(offsets.at(-1)!);
  const large = values.length > 0xff;
  const header = (((large ? 1 : 0) << 2) | (offsetSize - 1)) << 2;
  return concatBytes([
    Uint8Array.of(header | 3),
    unsigned(values.length, large ? 4 : 1),
    ...offsets.map((offset) => unsigned(offset, offsetSize)),
    ...values,
  ]);
}

type PrimitiveNode = Exclude<VariantNode, { type: 'array' | 'object' }>;
type Encoders = {
  readonly [K in PrimitiveNode['type']]: (node: PrimitiveNode & { readonly type: K }) => Uint8Array;
};

const long =
  (id: number) =>
  ({ value }: { readonly value: bigint }): Uint8Array =>
    primitive(id, 8, (view) => view.setBigInt64(1, value, true));

const decimal =
  (id: number, size: number) =>
  ({ unscaled, scale }: { readonly unscaled: bigint; readonly scale: number }): Uint8Array =>
    primitive(id, 1 + size, (view) => {
      view.setUint8(1, scale);
      for (let i = 0; i < size; i++) view.setUint8(2 + i, Number((unscaled >> BigInt(8 * i)) & 0xffn));
    });

/** The type ids of the encoding's table "Variant basic types". */
const PRIMITIVES: Encoders = {
  null: () => primitive(0, 0, () => {}),
  boolean: ({ value }) => primitive(value ? 1 : 2, 0, () => {}),
  int8: ({ value }) => primitive(3, 1, (view) => view.setInt8(1, value)),
  int16: ({ value }) => primitive(4, 2, (view) => view.setInt16(1, value, true)),
  int32: ({ value }) => primitive(5, 4, (view) => view.setInt32(1, value, true)),
  int64: long(6),
  double: ({ value }) => primitive(7, 8, (view) => view.setFloat64(1, value, true)),
  decimal4: decimal(8, 4),
  decimal8: decimal(9, 8),
  decimal16: decimal(10, 16),
  date: ({ value }) => primitive(11, 4, (view) => view.setInt32(1, value, true)),
  timestamptz: long(12),
  timestamp: long(13),
  float: ({ value }) => primitive(14, 4, (view) => view.setFloat32(1, value, true)),
  binary: ({ value }) => concatBytes([Uint8Array.of(15 << 2), unsigned(value.length, 4), value]),
  string: ({ value }) => encodeVariantText(utf8.encode(value)),
  time: long(17),
  timestamptz_ns: long(18),
  timestamp_ns: long(19),
  uuid: ({ value }) => concatBytes([Uint8Array.of(20 << 2), uuidToBytes(value)]),
};

/** A string, given as UTF-8. */
export function encodeVariantText(text: Uint8Array): Uint8Array {
  return text.length < SHORT_STRING_LIMIT
    ? concatBytes([Uint8Array.of((text.length << 2) | 1), text])
    : concatBytes([Uint8Array.of(16 << 2), unsigned(text.length, 4), text]);
}

function primitive(id: number, size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(1 + size);
  bytes[0] = id << 2;
  write(new DataView(bytes.buffer));
  return bytes;
}

/** Where each part starts, and after them where the last one ends. */
function offsetsOf(parts: readonly Uint8Array[]): readonly number[] {
  const offsets = [0];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.length);
  return offsets;
}

function bytesFor(value: number): number {
  return value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xff_ffff ? 3 : 4;
}

function unsigned(value: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
}
