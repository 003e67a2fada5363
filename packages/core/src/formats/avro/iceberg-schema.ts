import { childFields } from '../../spec/schema-fields.ts';
import type {
  ListType,
  MapType,
  NestedField,
  PrimitiveKind,
  PrimitiveType,
  StructType,
  IcebergType,
} from '../../spec/types.ts';
import type { AvroLogicalType, AvroType } from './avro-schema.ts';

/** An Avro schema as JSON. */
export type AvroJson = string | readonly AvroJson[] | { readonly [key: string]: unknown };

/**
 * The Avro schema of a struct, with field ids (spec: appendix A, "Avro"). Inner records are named after the field that
 * holds them, as in Java: `r102`, `k117_v118`.
 */
export function toAvroSchema(struct: StructType, name: string): AvroJson {
  return new SchemaWriter().record(struct, name);
}

class SchemaWriter {
  /** Avro defines a name once. Later uses could refer to it, but PyIceberg does not follow references. */
  readonly #defined = new Set<string>();

  record(struct: StructType, name: string): AvroJson {
    const taken = new Set<string>();
    return { type: 'record', name, fields: struct.fields.map((field) => this.#field(field, taken)) };
  }

  #field(field: NestedField, taken: Set<string>): AvroJson {
    const safe = avroName(field.name);
    const name = taken.has(safe) ? `${safe}_${field.id}` : safe;
    taken.add(name);
    const type = this.#type(field.type, field.id);
    return {
      name,
      type: optional(type, field.required),
      ...(field.doc !== undefined && { doc: field.doc }),
      ...(!field.required && { default: null }),
      ...(name !== field.name && { 'iceberg-field-name': field.name }),
      'field-id': field.id,
    };
  }

  #type(type: IcebergType, id: number): AvroJson {
    switch (type.kind) {
      case 'struct':
        return this.record(type, `r${id}`);
      case 'list':
        return this.#list(type);
      case 'map':
        return this.#map(type);
      default:
        return this.#primitive(type, id);
    }
  }

  #list(type: ListType): AvroJson {
    const items = optional(this.#type(type.element, type.elementId), type.elementRequired);
    return { type: 'array', items, 'element-id': type.elementId };
  }

  /** As an array of pairs, which every key type allows. */
  #map(type: MapType): AvroJson {
    const pair: StructType = { kind: 'struct', fields: childFields(type) };
    return { type: 'array', items: this.record(pair, `k${type.keyId}_v${type.valueId}`), logicalType: 'map' };
  }

  #primitive(type: PrimitiveType, id: number): AvroJson {
    const write = PRIMITIVES[type.kind] as (type: PrimitiveType, id: number) => AvroJson;
    const json = write(type, id);
    if (typeof json !== 'object' || !('name' in json)) return json;
    const name = String(json.name);
    const unique = this.#defined.has(name) ? `${name}_${id}` : name;
    this.#defined.add(unique);
    return { ...json, name: unique };
  }
}

function optional(type: AvroJson, required: boolean): AvroJson {
  return required || type === 'null' ? type : ['null', type];
}

const timestamp = (logicalType: string, adjustToUtc: boolean): AvroJson => ({
  type: 'long',
  logicalType,
  'adjust-to-utc': adjustToUtc,
});

const PRIMITIVES: {
  readonly [K in PrimitiveKind]: (type: Extract<PrimitiveType, { kind: K }>, id: number) => AvroJson;
} = {
  boolean: () => 'boolean',
  int: () => 'int',
  long: () => 'long',
  float: () => 'float',
  double: () => 'double',
  date: () => ({ type: 'int', logicalType: 'date' }),
  time: () => ({ type: 'long', logicalType: 'time-micros' }),
  timestamp: () => timestamp('timestamp-micros', false),
  timestamptz: () => timestamp('timestamp-micros', true),
  timestamp_ns: () => timestamp('timestamp-nanos', false),
  timestamptz_ns: () => timestamp('timestamp-nanos', true),
  string: () => 'string',
  uuid: () => ({ type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' }),
  fixed: ({ length }) => ({ type: 'fixed', name: `fixed_${length}`, size: length }),
  decimal: ({ precision, scale }) => ({
    type: 'fixed',
    name: `decimal_${precision}_${scale}`,
    size: decimalBytes(precision),
    logicalType: 'decimal',
    precision,
    scale,
  }),
  binary: () => 'bytes',
  geometry: () => 'bytes',
  geography: () => 'bytes',
  unknown: () => 'null',
  variant: (_, id) => ({
    type: 'record',
    name: `r${id}`,
    logicalType: 'variant',
    fields: [
      { name: 'metadata', type: 'bytes' },
      { name: 'value', type: 'bytes' },
    ],
  }),
};

/** The bytes that every decimal of a precision fits in (spec: appendix A). */
export function decimalBytes(precision: number): number {
  const bits = (10n ** BigInt(precision) - 1n).toString(2).length + 1;
  return Math.ceil(bits / 8);
}

/**
 * A name that Avro allows ([A-Za-z_][A-Za-z0-9_]*), made the way Java makes it: `a-b` is `a_x2Db`, `1st` is `_1st`.
 * Readers go by the field id, so that letters beyond ASCII, which Java leaves as they are, may be written as strictly
 * as the Avro specification has it.
 */
export function avroName(name: string): string {
  let result = '';
  for (let i = 0; i < name.length; i++) {
    const character = name[i]!;
    if (/[A-Za-z_]/.test(character) || (i > 0 && /[0-9]/.test(character))) result += character;
    else if (/[0-9]/.test(character)) result += `_${character}`;
    else result += `_x${character.charCodeAt(0).toString(16).toUpperCase()}`;
  }
  return result;
}

/** The Iceberg type that an Avro type stands for; null for records, arrays, maps, enums and real unions. */
export function fromAvroType(type: AvroType): PrimitiveType | null {
  switch (type.kind) {
    case 'union': {
      const [branch, ...others] = type.branches.filter(({ kind }) => kind !== 'null');
      return branch && others.length === 0 ? fromAvroType(branch) : null;
    }
    case 'int':
      return { kind: type.logical?.name === 'date' ? 'date' : 'int' };
    case 'long':
      return { kind: longKind(type.logical) };
    case 'bytes':
      return decimalOf(type.logical) ?? { kind: 'binary' };
    case 'fixed':
      if (type.logical?.name === 'uuid') return { kind: 'uuid' };
      return decimalOf(type.logical) ?? { kind: 'fixed', length: type.size };
    case 'null':
      return { kind: 'unknown' };
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
      return { kind: type.kind };
    case 'record':
    case 'array':
    case 'map':
    case 'enum':
      return null;
  }
}

function longKind(
  logical: AvroLogicalType | null,
): 'long' | 'time' | 'timestamp' | 'timestamptz' | 'timestamp_ns' | 'timestamptz_ns' {
  switch (logical?.name) {
    case 'time-micros':
      return 'time';
    case 'timestamp-micros':
      return logical.adjustToUtc ? 'timestamptz' : 'timestamp';
    case 'timestamp-nanos':
      return logical.adjustToUtc ? 'timestamptz_ns' : 'timestamp_ns';
    default:
      return 'long';
  }
}

function decimalOf(logical: AvroLogicalType | null): PrimitiveType | null {
  if (logical?.name !== 'decimal' || logical.precision === null) return null;
  return { kind: 'decimal', precision: logical.precision, scale: logical.scale ?? 0 };
}
