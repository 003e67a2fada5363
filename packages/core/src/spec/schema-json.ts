import { invalidData } from '../errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import {
  asBoolean,
  asInt,
  asList,
  asObject,
  asString,
  optional,
  required,
  withUnknownFields,
  wrong,
} from './json-fields.ts';
import type { JsonReader } from './json-fields.ts';
import { childPlace, placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { findFieldByName, indexById } from './schema-fields.ts';
import type { Schema } from './schema.ts';
import { valueFromJson, valueToJson } from './single-value-json.ts';
import { parseType, typeToText } from './type-text.ts';
import { isPrimitive } from './types.ts';
import type { IcebergType, ListType, MapType, NestedField, NestedType, StructType } from './types.ts';
import type { Value } from './values.ts';

/** Schemas and types as JSON (spec: appendix C, "Schemas"). */
export function schemaToJson(schema: Schema): JsonObject {
  const { type, fields, ...unknown } = NESTED.struct.write(schema);
  return {
    type: type!,
    'schema-id': schema.schemaId,
    ...(schema.identifierFieldIds.length > 0 && { 'identifier-field-ids': schema.identifierFieldIds }),
    fields: fields!,
    ...unknown,
  };
}

/**
 * Reads a schema and checks that its field ids and names are unique. A schema without an id, as v1 has them, gets 0.
 * INVALID_DATA that names the place.
 */
export function schemaFromJson(json: JsonValue, place: Place = rootPlace('schema')): Schema {
  const object = asObject(json, place);
  const struct = structFromJson(object, place, SCHEMA_KEYS);
  const schema: Schema = {
    ...struct,
    schemaId: optional(object, 'schema-id', asInt, place, 0),
    identifierFieldIds: optional(object, 'identifier-field-ids', asList(asInt), place, []),
  };
  checkSchema(schema, place);
  return schema;
}

export function typeToJson(type: IcebergType): JsonValue {
  if (isPrimitive(type)) return typeToText(type);
  const { write } = NESTED[type.kind] as NestedJson<NestedType>;
  return write(type);
}

export function typeFromJson(json: JsonValue, place: Place = rootPlace('type')): IcebergType {
  if (typeof json === 'string') return primitiveFromJson(json, place);
  const object = asObject(json, place);
  const kind = required(object, 'type', asString, place);
  if (!Object.hasOwn(NESTED, kind)) throw wrong(childPlace(place, 'type'), "'struct', 'list' or 'map'");
  return NESTED[kind as NestedType['kind']].read(object, place);
}

interface NestedJson<T> {
  readonly write: (type: T) => JsonObject;
  readonly read: (json: JsonObject, place: Place) => T;
}

const STRUCT_KEYS: ReadonlySet<string> = new Set(['type', 'fields']);
const SCHEMA_KEYS: ReadonlySet<string> = new Set([...STRUCT_KEYS, 'schema-id', 'identifier-field-ids']);
const LIST_KEYS: ReadonlySet<string> = new Set(['type', 'element-id', 'element', 'element-required']);
const MAP_KEYS: ReadonlySet<string> = new Set(['type', 'key-id', 'key', 'value-id', 'value', 'value-required']);
const FIELD_KEYS: ReadonlySet<string> = new Set([
  'id',
  'name',
  'required',
  'type',
  'doc',
  'initial-default',
  'write-default',
]);

const NESTED: { readonly [K in NestedType['kind']]: NestedJson<Extract<NestedType, { kind: K }>> } = {
  struct: {
    write: (type) => ({ type: 'struct', fields: type.fields.map(fieldToJson), ...unknownOf(type) }),
    read: (json, place) => structFromJson(json, place, STRUCT_KEYS),
  },
  list: {
    write: (type) => ({
      type: 'list',
      'element-id': type.elementId,
      element: typeToJson(type.element),
      'element-required': type.elementRequired,
      ...unknownOf(type),
    }),
    read: (json, place): ListType => ({
      kind: 'list',
      elementId: required(json, 'element-id', asInt, place),
      element: required(json, 'element', typeFromJson, place),
      elementRequired: required(json, 'element-required', asBoolean, place),
      ...withUnknownFields(json, LIST_KEYS),
    }),
  },
  map: {
    write: (type) => ({
      type: 'map',
      'key-id': type.keyId,
      key: typeToJson(type.key),
      'value-id': type.valueId,
      value: typeToJson(type.value),
      'value-required': type.valueRequired,
      ...unknownOf(type),
    }),
    read: (json, place): MapType => ({
      kind: 'map',
      keyId: required(json, 'key-id', asInt, place),
      key: required(json, 'key', typeFromJson, place),
      valueId: required(json, 'value-id', asInt, place),
      value: required(json, 'value', typeFromJson, place),
      valueRequired: required(json, 'value-required', asBoolean, place),
      ...withUnknownFields(json, MAP_KEYS),
    }),
  },
};

function structFromJson(json: JsonObject, place: Place, known: ReadonlySet<string>): StructType {
  if (required(json, 'type', asString, place) !== 'struct') throw wrong(childPlace(place, 'type'), "'struct'");
  return {
    kind: 'struct',
    fields: required(json, 'fields', asList(fieldFromJson), place),
    ...withUnknownFields(json, known),
  };
}

function fieldToJson(field: NestedField): JsonObject {
  return {
    id: field.id,
    name: field.name,
    required: field.required,
    type: typeToJson(field.type),
    ...(field.doc !== undefined && { doc: field.doc }),
    ...(hasDefault(field.initialDefault) && { 'initial-default': valueToJson(field.type, field.initialDefault) }),
    ...(hasDefault(field.writeDefault) && { 'write-default': valueToJson(field.type, field.writeDefault) }),
    ...unknownOf(field),
  };
}

const fieldFromJson: JsonReader<NestedField> = (json, place) => {
  const object = asObject(json, place);
  const type = required(object, 'type', typeFromJson, place);
  const defaultValue: JsonReader<Value> = (value, at) => defaultFromJson(type, value, at);
  const doc = optional(object, 'doc', asString, place, undefined);
  const initialDefault = optional(object, 'initial-default', defaultValue, place, undefined);
  const writeDefault = optional(object, 'write-default', defaultValue, place, undefined);
  return {
    id: required(object, 'id', asInt, place),
    name: required(object, 'name', asString, place),
    required: required(object, 'required', asBoolean, place),
    type,
    ...(doc !== undefined && { doc }),
    ...(initialDefault !== undefined && { initialDefault }),
    ...(writeDefault !== undefined && { writeDefault }),
    ...withUnknownFields(object, FIELD_KEYS),
  };
};

function defaultFromJson(type: IcebergType, json: JsonValue, place: Place): Value {
  try {
    return valueFromJson(type, json);
  } catch (error) {
    throw wrong(place, `a default of type ${typeToText(type)}`, error);
  }
}

function primitiveFromJson(text: string, place: Place): IcebergType {
  try {
    return parseType(text);
  } catch (error) {
    throw invalidData(`${placeText(place)}: ${(error as Error).message}`, undefined, error);
  }
}

/** Field ids are unique and so are full names; building the indexes finds out, and they are needed anyway. */
function checkSchema(schema: Schema, place: Place): void {
  try {
    const index = indexById(schema);
    findFieldByName(schema, '');
    const missing = schema.identifierFieldIds.find((id) => !index.has(id));
    if (missing !== undefined) throw invalidData(`The identifier field ${missing} is not in the schema.`);
  } catch (error) {
    throw invalidData(`${placeText(place)}: ${(error as Error).message}`, undefined, error);
  }
}

function hasDefault(value: Value | undefined): value is Exclude<Value, null> {
  return value !== undefined && value !== null;
}

function unknownOf(object: { readonly unknownFields?: Readonly<Record<string, unknown>> }): JsonObject {
  return (object.unknownFields ?? {}) as JsonObject;
}
