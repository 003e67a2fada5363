import { invalidData, isLakehouseError } from '../errors.ts';
import { parseJson, stringifyJson } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { asInt, asList, asObject, asString, optional, required, withUnknownFields } from './json-fields.ts';
import { placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { childFields, indexById } from './schema-fields.ts';
import type { IndexedField } from './schema-fields.ts';
import type { IcebergType, NestedField, StructType } from './types.ts';
import type { UnknownFields } from './unknown-fields.ts';

/**
 * Ids for the columns of files that carry none, by name (spec: "Column Projection"; property
 * `schema.name-mapping.default`). Inside lists and maps the names are 'element', 'key' and 'value'.
 */
export type NameMapping = readonly MappedField[];

export interface MappedField {
  /** Null: the names are known, but belong to no field of the schema. */
  readonly fieldId: number | null;
  readonly names: readonly string[];
  readonly fields: NameMapping;
  readonly unknownFields?: UnknownFields;
}

const UNMAPPED: MappedField = { fieldId: null, names: [], fields: [] };

/** The table property that holds a name mapping as JSON. */
export const NAME_MAPPING_PROPERTY = 'schema.name-mapping.default';

/** The name mapping of a table with these properties; null if it has none. */
export function tableNameMapping(properties: Readonly<Record<string, string>>): NameMapping | null {
  const json = properties[NAME_MAPPING_PROPERTY];
  return json === undefined ? null : parseNameMapping(json);
}

/** INVALID_DATA, with the place, for text that isn't a name mapping. */
export function parseNameMapping(json: string): NameMapping {
  try {
    return mappingFromJson(parseJson(json), rootPlace('name mapping'));
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    throw invalidData(`The property 'schema.name-mapping.default' can't be read: ${error.message}`, undefined, error);
  }
}

export function nameMappingToJson(mapping: NameMapping): string {
  return stringifyJson(mapping.map(mappedFieldToJson));
}

/** The mapping of a schema whose files have the schema's own names: what a table gets when files are imported. */
export function nameMappingOf(type: IcebergType): NameMapping {
  return childFields(type).map((field) => ({
    fieldId: field.id,
    names: [field.name],
    fields: nameMappingOf(field.type),
  }));
}

/** What the mapping has under a name at one level; undefined if the name isn't in it. */
export function mappedField(mapping: NameMapping, name: string): MappedField | undefined {
  let byName = BY_NAME.get(mapping);
  if (byName === undefined) BY_NAME.set(mapping, (byName = fieldsByName(mapping)));
  return byName.get(name);
}

/** Tables of thousands of columns look all of them up, for every file. */
const BY_NAME = new WeakMap<NameMapping, ReadonlyMap<string, MappedField>>();

/** Of fields with the same name, the first counts. */
function fieldsByName(mapping: NameMapping): ReadonlyMap<string, MappedField> {
  return new Map(mapping.toReversed().flatMap((field) => field.names.map((name) => [name, field] as const)));
}

/** The id of a column by its path in a file; null if the mapping gives it none. */
export function mappedFieldId(mapping: NameMapping, path: readonly string[]): number | null {
  let level = mapping;
  let found: MappedField | undefined;
  for (const name of path) {
    found = mappedField(level, name);
    if (!found) return null;
    level = found.fields;
  }
  return found?.fieldId ?? null;
}

/**
 * A file's own schema with the ids that the mapping gives. Struct fields without one are left out, lists and maps too
 * if a part of theirs has none: they can't be read as any column.
 */
export function applyNameMapping(mapping: NameMapping, struct: StructType): StructType {
  const fields = struct.fields.flatMap((field): readonly NestedField[] => {
    const { fieldId, fields: inside } = mappedField(mapping, field.name) ?? UNMAPPED;
    const type = mapType(inside, field.type);
    return fieldId === null || !type ? [] : [{ ...field, id: fieldId, type }];
  });
  return { ...struct, fields };
}

function mapType(mapping: NameMapping, type: IcebergType): IcebergType | null {
  const idOf = (name: string): number | null => mappedField(mapping, name)?.fieldId ?? null;
  const inside = (name: string, inner: IcebergType): IcebergType | null =>
    mapType(mappedField(mapping, name)?.fields ?? [], inner);
  switch (type.kind) {
    case 'struct':
      return applyNameMapping(mapping, type);
    case 'list': {
      const [elementId, element] = [idOf('element'), inside('element', type.element)];
      return elementId === null || !element ? null : { ...type, elementId, element };
    }
    case 'map': {
      const [keyId, valueId] = [idOf('key'), idOf('value')];
      const [key, value] = [inside('key', type.key), inside('value', type.value)];
      return keyId === null || valueId === null || !key || !value ? null : { ...type, keyId, valueId, key, value };
    }
    default:
      return type;
  }
}

/**
 * The mapping after the schema has changed. Renamed fields are found by the new name too, new fields by theirs; such a
 * name no longer leads to the field that had it before. What the mapping left out on purpose stays out.
 */
export function updateNameMapping(mapping: NameMapping, before: StructType, after: StructType): NameMapping {
  return updateLevel(mapping, indexById(before), after);
}

function updateLevel(mapping: NameMapping, before: ReadonlyMap<number, IndexedField>, after: IcebergType): NameMapping {
  const fields = childFields(after);
  const assigned = new Map(
    fields.filter((field) => before.get(field.id)?.field.name !== field.name).map((field) => [field.name, field.id]),
  );
  const known = new Set(mapping.map((field) => field.fieldId));
  const updated = mapping.map((mapped): MappedField => {
    const field = fields.find((candidate) => candidate.id === mapped.fieldId);
    const kept = mapped.names.filter((name) => (assigned.get(name) ?? mapped.fieldId) === mapped.fieldId);
    const isRenamed = field && assigned.has(field.name) && !kept.includes(field.name);
    return {
      ...mapped,
      names: isRenamed ? [...kept, field.name] : kept,
      fields: field ? updateLevel(mapped.fields, before, field.type) : mapped.fields,
    };
  });
  const added = fields
    .filter((field) => !known.has(field.id) && !before.has(field.id))
    .map((field): MappedField => ({ fieldId: field.id, names: [field.name], fields: nameMappingOf(field.type) }));
  return [...updated, ...added];
}

const KEYS: ReadonlySet<string> = new Set(['field-id', 'names', 'fields']);

function mappingFromJson(json: JsonValue, place: Place): NameMapping {
  const fields = asList(mappedFieldFromJson)(json, place);
  const names = fields.flatMap((field) => field.names);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalidData(`${placeText(place)} has the name '${twice}' twice.`);
  return fields;
}

function mappedFieldFromJson(json: JsonValue, place: Place): MappedField {
  const object = asObject(json, place);
  return {
    fieldId: optional(object, 'field-id', asInt, place, null),
    names: required(object, 'names', asList(asString), place),
    fields: optional(object, 'fields', mappingFromJson, place, []),
    ...withUnknownFields(object, KEYS),
  };
}

function mappedFieldToJson(field: MappedField): JsonObject {
  return {
    ...(field.fieldId !== null && { 'field-id': field.fieldId }),
    names: field.names,
    ...(field.fields.length > 0 && { fields: field.fields.map(mappedFieldToJson) }),
    ...(field.unknownFields as JsonObject | undefined),
  };
}
