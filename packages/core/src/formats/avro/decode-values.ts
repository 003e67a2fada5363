import { bytesToUuid, isUuid } from '../../spec/bytes-text.ts';
import { invalidData } from '../../errors.ts';
import { elementField, keyField, valueField } from '../../spec/schema-fields.ts';
import { bytesToBigint } from '../../spec/twos-complement.ts';
import { typeToText } from '../../spec/type-text.ts';
import type { IcebergType, ListType, MapType, PrimitiveKind, PrimitiveType, StructType } from '../../spec/types.ts';
import type { Value } from '../../spec/values.ts';
import { Variant } from '../../spec/variant.ts';
import type { AvroReader } from './avro-reader.ts';
import type { AvroType } from './avro-schema.ts';
import { skipper, type Skipper } from './skip-values.ts';

/** Decodes one value as the reader stands before it. What it gives shares no memory with the reader's bytes. */
export type ValueDecoder = (reader: AvroReader) => Value;

/**
 * A decoder of values that were written as `avro` and are to be read as `type`. Struct fields are matched by field id
 * (spec: "Column Projection"): what the type lacks is skipped, what the file lacks is the field's initial default, or
 * null even if the field is required, because old writers left out fields that are required today. Types may have been
 * promoted since. INVALID_DATA if the one can't be read as the other.
 */
export function valueDecoder(avro: AvroType, type: IcebergType, location: string): ValueDecoder {
  if (avro.kind === 'union') return unionDecoder(avro.branches, type, location);
  if (avro.kind === 'null') return () => null;
  const decoder = notNullDecoder(avro, type, location);
  if (!decoder) {
    throw invalidData(`${location} has Avro's ${avro.kind} where ${typeToText(type)} is expected.`, { location });
  }
  return decoder;
}

function unionDecoder(branches: readonly AvroType[], type: IcebergType, location: string): ValueDecoder {
  const decoders = branches.map((branch) => valueDecoder(branch, type, location));
  return (reader) => decoders[reader.readBranch(decoders.length)]!(reader);
}

function notNullDecoder(avro: AvroType, type: IcebergType, location: string): ValueDecoder | null {
  switch (type.kind) {
    case 'struct':
      return avro.kind === 'record' ? structDecoder(avro, type, location) : null;
    case 'list':
      return listDecoder(avro, type, location);
    case 'map':
      return mapDecoder(avro, type, location);
    default:
      return primitiveDecoder(avro, type);
  }
}

function structDecoder(avro: AvroType & { kind: 'record' }, type: StructType, location: string): ValueDecoder {
  const defaults = type.fields.map((field) => field.initialDefault ?? null);
  const steps = avro.fields.map((field): { slot: number; decode: ValueDecoder } | Skipper => {
    const slot = field.fieldId === null ? -1 : type.fields.findIndex(({ id }) => id === field.fieldId);
    if (slot < 0) return skipper(field.type);
    return { slot, decode: valueDecoder(field.type, type.fields[slot]!.type, location) };
  });
  return (reader) => {
    const values = [...defaults];
    for (const step of steps) {
      if (typeof step === 'function') step(reader);
      else values[step.slot] = step.decode(reader);
    }
    return values;
  };
}

function listDecoder(avro: AvroType, type: ListType, location: string): ValueDecoder | null {
  if (avro.kind !== 'array') return null;
  const decode = valueDecoder(avro.items, elementField(type).type, location);
  return blockDecoder(decode);
}

/** A map is an array of pairs, or Avro's own map where its keys are text (spec: appendix A). */
function mapDecoder(avro: AvroType, type: MapType, location: string): ValueDecoder | null {
  if (avro.kind === 'array') {
    const pair: StructType = { kind: 'struct', fields: [keyField(type), valueField(type)] };
    return blockDecoder(valueDecoder(avro.items, pair, location));
  }
  if (avro.kind !== 'map' || type.key.kind !== 'string') return null;
  const decodeValue = valueDecoder(avro.values, type.value, location);
  return blockDecoder((reader) => [reader.readString(), decodeValue(reader)]);
}

function blockDecoder(decode: ValueDecoder): ValueDecoder {
  return (reader) => {
    const items: Value[] = [];
    for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) {
      for (let i = 0; i < count; i++) items.push(decode(reader));
    }
    return items;
  };
}

/** The Avro types that values of a type may have been written as; promotions included (spec: "Schema Evolution"). */
type PrimitiveDecoders = {
  readonly [K in PrimitiveKind]: (avro: AvroType, type: Extract<PrimitiveType, { kind: K }>) => ValueDecoder | null;
};

function primitiveDecoder(avro: AvroType, type: PrimitiveType): ValueDecoder | null {
  const make = PRIMITIVES[type.kind] as (avro: AvroType, type: PrimitiveType) => ValueDecoder | null;
  return make(avro, type);
}

const readInt: ValueDecoder = (reader) => reader.readInt();
const readLong: ValueDecoder = (reader) => reader.readLong();

/** An int that was written as a long is accepted if it is in range: some writers have no 32-bit integers. */
const int = ({ kind }: AvroType): ValueDecoder | null => (kind === 'int' || kind === 'long' ? readInt : null);
const long = ({ kind }: AvroType): ValueDecoder | null => (kind === 'int' || kind === 'long' ? readLong : null);

function bytes(avro: AvroType): ValueDecoder | null {
  if (avro.kind === 'bytes') return (reader) => reader.readBytes().slice();
  return avro.kind === 'fixed' ? (reader) => reader.readFixed(avro.size).slice() : null;
}

const PRIMITIVES: PrimitiveDecoders = {
  boolean: ({ kind }) => (kind === 'boolean' ? (reader) => reader.readBoolean() : null),
  int,
  long,
  float: ({ kind }) => (kind === 'float' ? (reader) => reader.readFloat() : null),
  double: ({ kind }) => {
    if (kind === 'float') return (reader) => reader.readFloat();
    return kind === 'double' ? (reader) => reader.readDouble() : null;
  },
  date: int,
  time: long,
  timestamp: long,
  timestamptz: long,
  timestamp_ns: long,
  timestamptz_ns: long,
  string: ({ kind }) => (kind === 'string' ? (reader) => reader.readString() : null),
  uuid: (avro) => {
    if (avro.kind === 'fixed' && avro.size === 16) return (reader) => bytesToUuid(reader.readFixed(16));
    return avro.kind === 'string' ? readUuidText : null;
  },
  fixed: (avro, { length }) => {
    if (avro.kind === 'bytes') return (reader) => readFixedBytes(reader, length);
    return avro.kind === 'fixed' && avro.size === length ? bytes(avro) : null;
  },
  decimal: (avro) => {
    if (avro.kind === 'bytes') return (reader) => bytesToBigint(reader.readBytes());
    return avro.kind === 'fixed' ? (reader) => bytesToBigint(reader.readFixed(avro.size)) : null;
  },
  binary: bytes,
  geometry: bytes,
  geography: bytes,
  unknown: () => null,
  variant: (avro) => {
    if (avro.kind !== 'record' || avro.fields.map(({ name }) => name).join() !== 'metadata,value') return null;
    return readVariant;
  },
};

/** Manifests may hold fixed partition values as bytes: see `write-manifest.ts`. */
function readFixedBytes(reader: AvroReader, length: number): Value {
  const value = reader.readBytes();
  if (value.length !== length) throw reader.invalid(`${value.length} bytes are no fixed[${length}]`);
  return value.slice();
}

function readVariant(reader: AvroReader): Value {
  return new Variant(reader.readBytes().slice(), reader.readBytes().slice());
}

function readUuidText(reader: AvroReader): Value {
  const text = reader.readString();
  if (!isUuid(text)) throw reader.invalid(`'${text.slice(0, 40)}' is no UUID`);
  return text.toLowerCase();
}
