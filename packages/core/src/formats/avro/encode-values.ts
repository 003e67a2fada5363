import { uuidToBytes } from '../../spec/bytes-text.ts';
import { invalidArgument } from '../../errors.ts';
import { childFields } from '../../spec/schema-fields.ts';
import { typeToText } from '../../spec/type-text.ts';
import type { IcebergType, NestedField, StructType, TypeKind } from '../../spec/types.ts';
import type { Value } from '../../spec/values.ts';
import type { Variant } from '../../spec/variant.ts';
import type { AvroWriter } from './avro-writer.ts';
import { decimalBytes } from './iceberg-schema.ts';

/** Appends one value, not null. Whole numbers may come as number or bigint, whichever the caller has. */
export type ValueEncoder = (out: AvroWriter, value: Value) => void;

/** Encodes values of a type as the schema of `toAvroSchema` says. */
export function valueEncoder(type: IcebergType): ValueEncoder {
  const make = ENCODERS[type.kind] as (type: IcebergType) => ValueEncoder;
  return make(type);
}

type Encoders = { readonly [K in TypeKind]: (type: Extract<IcebergType, { kind: K }>) => ValueEncoder };

const integer = (): ValueEncoder => (out, value) => out.writeInteger(value as number | bigint);
const bytes = (): ValueEncoder => (out, value) => out.writeBytes(value as Uint8Array);

const ENCODERS: Encoders = {
  boolean: () => (out, value) => out.writeBoolean(value as boolean),
  int: integer,
  long: integer,
  float: () => (out, value) => out.writeFloat(value as number),
  double: () => (out, value) => out.writeDouble(value as number),
  date: integer,
  time: integer,
  timestamp: integer,
  timestamptz: integer,
  timestamp_ns: integer,
  timestamptz_ns: integer,
  string: () => (out, value) => out.writeString(value as string),
  uuid: () => (out, value) => out.writeFixed(uuidToBytes(value as string)),
  binary: bytes,
  geometry: bytes,
  geography: bytes,
  fixed: (type) => (out, value) => {
    const fixed = value as Uint8Array;
    if (fixed.length !== type.length) throw doesNotFit(type, `${fixed.length} bytes`);
    out.writeFixed(fixed);
  },
  decimal: (type) => {
    const length = decimalBytes(type.precision);
    return (out, value) =>
      out.writeFixed(decimalToFixed(value as bigint, length) ?? fail(doesNotFit(type, String(value))));
  },
  unknown: () => () => undefined,
  variant: () => (out, value) => {
    const variant = value as Variant;
    out.writeBytes(variant.metadata);
    out.writeBytes(variant.value);
  },
  struct: structEncoder,
  list: ({ element, elementRequired }) => blockEncoder(slotEncoder(element, elementRequired)),
  map: (type) => blockEncoder(structEncoder({ kind: 'struct', fields: childFields(type) })),
};

function structEncoder(type: StructType): ValueEncoder {
  const slots = type.fields.map((field) => fieldEncoder(field));
  return (out, value) => {
    const values = value as readonly Value[];
    for (let i = 0; i < slots.length; i++) slots[i]!(out, values[i] ?? null);
  };
}

function fieldEncoder(field: NestedField): ValueEncoder {
  const encode = slotEncoder(field.type, field.required);
  if (!field.required) return encode;
  return (out, value) => {
    if (value === null) throw invalidArgument(`A required value is missing: '${field.name}'.`);
    encode(out, value);
  };
}

/** A value that may be null is a union of null and its type; `unknown` is always null and needs none. */
function slotEncoder(type: IcebergType, required: boolean): ValueEncoder {
  const encode = valueEncoder(type);
  if (required || type.kind === 'unknown') return encode;
  return (out, value) => {
    out.writeInteger(value === null ? 0 : 1);
    if (value !== null) encode(out, value);
  };
}

function blockEncoder(encode: ValueEncoder): ValueEncoder {
  return (out, value) => {
    const items = value as readonly Value[];
    if (items.length > 0) out.writeInteger(items.length);
    for (const item of items) encode(out, item);
    out.writeInteger(0);
  };
}

/** Big-endian two's complement of a fixed length; null if the value needs more. */
function decimalToFixed(unscaled: bigint, length: number): Uint8Array | null {
  if (BigInt.asIntN(8 * length, unscaled) !== unscaled) return null;
  const fixed = new Uint8Array(length);
  for (let i = length - 1, rest = unscaled; i >= 0; i--, rest >>= 8n) fixed[i] = Number(rest & 0xffn);
  return fixed;
}

function doesNotFit(type: IcebergType, what: string): Error {
  return invalidArgument(`${what} can't be written as ${typeToText(type)}.`);
}

function fail(error: Error): never {
  throw error;
}
