import { invalidData } from '../../errors.ts';

/** A parsed Avro schema with its references resolved. What Iceberg adds to Avro is kept: field ids, logical types. */
export type AvroType = AvroPrimitive | AvroFixed | AvroEnum | AvroArray | AvroMap | AvroUnion | AvroRecord;

export type AvroPrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export interface AvroPrimitive {
  readonly kind: AvroPrimitiveKind;
  readonly logical: AvroLogicalType | null;
}

export interface AvroFixed {
  readonly kind: 'fixed';
  /** Bytes. */
  readonly size: number;
  readonly logical: AvroLogicalType | null;
}

export interface AvroEnum {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
}

export interface AvroArray {
  readonly kind: 'array';
  readonly items: AvroType;
  readonly elementId: number | null;
  readonly logical: AvroLogicalType | null;
}

export interface AvroMap {
  readonly kind: 'map';
  readonly values: AvroType;
  readonly keyId: number | null;
  readonly valueId: number | null;
}

export interface AvroUnion {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
}

export interface AvroRecord {
  readonly kind: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  /** Iceberg's id of the field; null in files that other tools wrote. */
  readonly fieldId: number | null;
}

export interface AvroLogicalType {
  readonly name: string;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly adjustToUtc: boolean;
}

/** Far deeper than any table nests; keeps a hostile schema from exhausting the stack. */
const MAX_DEPTH = 100;
/** Types that a schema may have once its references are followed: each can double what the one before stands for. */
const MAX_TYPES = 1 << 20;

const PRIMITIVES: Readonly<Record<AvroPrimitiveKind, true>> = {
  null: true,
  boolean: true,
  int: true,
  long: true,
  float: true,
  double: true,
  bytes: true,
  string: true,
};

/** Parses the JSON text of an Avro schema. INVALID_DATA, naming the location, if it isn't one. */
export function parseAvroSchema(text: string, location: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalidData(`The Avro schema of ${location} is not JSON.`, { location }, cause);
  }
  return new SchemaParser(location).parse(json, '', 0);
}

type JsonObject = Readonly<Record<string, unknown>>;

interface NamedType {
  readonly type: AvroType;
  /** How many types it is made of, and how many levels of them are below it. */
  readonly types: number;
  readonly depth: number;
}

class SchemaParser {
  readonly #location: string;
  /** Types by full name; null while a type is being parsed, which is how recursion is found. */
  readonly #named = new Map<string, NamedType | null>();
  /** How many types there are so far, and how deep they go, with references followed. */
  #types = 0;
  #deepest = 0;

  constructor(location: string) {
    this.#location = location;
  }

  parse(json: unknown, namespace: string, depth: number): AvroType {
    this.#count(1, depth);
    if (typeof json === 'string') return this.#reference(json, namespace, depth);
    if (Array.isArray(json)) {
      return { kind: 'union', branches: json.map((branch) => this.parse(branch, namespace, depth + 1)) };
    }
    if (typeof json !== 'object' || json === null) throw this.#invalid('has a type that is neither text nor an object');
    return this.#object(json as JsonObject, namespace, depth);
  }

  #count(types: number, deepest: number): void {
    this.#types += types;
    this.#deepest = Math.max(this.#deepest, deepest);
    if (this.#deepest > MAX_DEPTH) throw this.#invalid(`nests deeper than ${MAX_DEPTH} levels`);
    if (this.#types > MAX_TYPES) throw this.#invalid(`has more than ${MAX_TYPES} types`);
  }

  #reference(name: string, namespace: string, depth: number): AvroType {
    if (isPrimitiveKind(name)) return { kind: name, logical: null };
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const named = this.#named.get(full) ?? this.#named.get(name);
    if (named === undefined) throw this.#invalid(`refers to '${name}', which it does not define`);
    if (named === null) throw this.#invalid(`is recursive at '${name}', which no Iceberg type can be`);
    this.#count(named.types, depth + named.depth);
    return named.type;
  }

  #object(json: JsonObject, namespace: string, depth: number): AvroType {
    const kind = json['type'];
    switch (kind) {
      case 'array':
        return {
          kind,
          items: this.parse(json['items'], namespace, depth + 1),
          elementId: this.#id(json, 'element-id'),
          logical: logicalTypeOf(json),
        };
      case 'map':
        return {
          kind,
          values: this.parse(json['values'], namespace, depth + 1),
          keyId: this.#id(json, 'key-id'),
          valueId: this.#id(json, 'value-id'),
        };
      case 'fixed':
        return this.#define(json, namespace, depth, () => this.#fixed(json));
      case 'enum':
        return this.#define(json, namespace, depth, () => this.#enum(json));
      case 'record':
      case 'error':
        return this.#define(json, namespace, depth, (name, inner) => this.#record(json, name, inner, depth));
      default:
        if (typeof kind === 'string' && isPrimitiveKind(kind)) return { kind, logical: logicalTypeOf(json) };
        return this.parse(kind, namespace, depth + 1);
    }
  }

  #define(
    json: JsonObject,
    namespace: string,
    depth: number,
    parse: (name: string, namespace: string) => AvroType,
  ): AvroType {
    const name = json['name'];
    if (typeof name !== 'string') throw this.#invalid('has a named type without a name');
    const given = json['namespace'];
    const dot = name.lastIndexOf('.');
    const inner = dot >= 0 ? name.slice(0, dot) : typeof given === 'string' ? given : namespace;
    const full = dot >= 0 || inner === '' ? name : `${inner}.${name}`;
    this.#named.set(full, null);
    const [typesBefore, deepestOutside] = [this.#types, this.#deepest];
    this.#deepest = depth;
    const type = parse(name, inner);
    this.#named.set(full, { type, types: this.#types - typesBefore, depth: this.#deepest - depth });
    this.#deepest = Math.max(this.#deepest, deepestOutside);
    return type;
  }

  #fixed(json: JsonObject): AvroFixed {
    const size = json['size'];
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw this.#invalid(`has a fixed of size ${String(size)}`);
    return { kind: 'fixed', size: size as number, logical: logicalTypeOf(json) };
  }

  #enum(json: JsonObject): AvroEnum {
    const symbols = json['symbols'];
    if (!Array.isArray(symbols)) throw this.#invalid('has an enum without symbols');
    return { kind: 'enum', symbols: symbols.map(String) };
  }

  #record(json: JsonObject, name: string, namespace: string, depth: number): AvroRecord {
    const fields = json['fields'];
    if (!Array.isArray(fields)) throw this.#invalid(`has a record '${name}' without fields`);
    return { kind: 'record', name, fields: fields.map((field) => this.#field(field, namespace, depth)) };
  }

  #field(json: unknown, namespace: string, depth: number): AvroField {
    if (typeof json !== 'object' || json === null) throw this.#invalid('has a field that is not an object');
    const field = json as JsonObject;
    const name = field['name'];
    if (typeof name !== 'string') throw this.#invalid('has a field without a name');
    return { name, type: this.parse(field['type'], namespace, depth + 1), fieldId: this.#id(field, 'field-id') };
  }

  #id(json: JsonObject, key: string): number | null {
    const id = json[key];
    if (id === undefined || id === null) return null;
    if (!Number.isSafeInteger(id)) throw this.#invalid(`has the ${key} ${String(id)}`);
    return id as number;
  }

  #invalid(what: string): Error {
    return invalidData(`The Avro schema of ${this.#location} ${what}.`, { location: this.#location });
  }
}

/** Whether values of a type take no bytes. */
export function isEmpty(type: AvroType): boolean {
  if (type.kind === 'fixed') return type.size === 0;
  return type.kind === 'null' || (type.kind === 'record' && type.fields.every((field) => isEmpty(field.type)));
}

function isPrimitiveKind(name: string): name is AvroPrimitiveKind {
  return Object.hasOwn(PRIMITIVES, name);
}

function logicalTypeOf(json: JsonObject): AvroLogicalType | null {
  const name = json['logicalType'];
  if (typeof name !== 'string') return null;
  const { precision, scale } = json;
  return {
    name,
    precision: typeof precision === 'number' ? precision : null,
    scale: typeof scale === 'number' ? scale : null,
    adjustToUtc: json['adjust-to-utc'] === true,
  };
}
