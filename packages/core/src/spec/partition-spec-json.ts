import { invalidData } from '../errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { asInt, asList, asObject, asString, optional, required, withUnknownFields } from './json-fields.ts';
import { FIRST_PARTITION_FIELD_ID } from './partition-spec.ts';
import type { PartitionField, PartitionSpec } from './partition-spec.ts';
import { childPlace, placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { parseTransform, transformToText } from './transform-text.ts';
import type { UnboundPartitionSpec } from './updates.ts';

/** Partition specs as JSON (spec: appendix C, "Partition Specs"). */
export function partitionSpecToJson(spec: PartitionSpec): JsonObject {
  return {
    'spec-id': spec.specId,
    fields: partitionFieldsToJson(spec.fields),
    ...(spec.unknownFields as JsonObject | undefined),
  };
}

export function partitionSpecFromJson(json: JsonValue, place: Place = rootPlace('partition-spec')): PartitionSpec {
  const object = asObject(json, place);
  return {
    specId: required(object, 'spec-id', asInt, place),
    fields: required(object, 'fields', partitionFieldsFromJson, place),
    ...withUnknownFields(object, SPEC_KEYS),
  };
}

/** The fields alone, as manifests and v1's `partition-spec` have them; those of a spec to be may lack their ids. */
export function partitionFieldsToJson(
  fields: readonly (PartitionField | UnboundPartitionSpec['fields'][number])[],
): readonly JsonObject[] {
  return fields.map((field) => ({
    name: field.name,
    transform: transformToText(field.transform),
    ...sourceIdsToJson(field.sourceIds),
    ...(field.fieldId !== undefined && { 'field-id': field.fieldId }),
    ...(field.unknownFields as JsonObject | undefined),
  }));
}

/** Fields without ids, as v1 has them, are numbered from 1000 on in their order. */
export function partitionFieldsFromJson(
  json: JsonValue,
  place: Place = rootPlace('partition-spec'),
): readonly PartitionField[] {
  const objects = asList(asObject)(json, place);
  const fields = objects.map((object, i): PartitionField => {
    const at = childPlace(place, i);
    return {
      sourceIds: sourceIdsFromJson(object, at),
      fieldId: optional(object, 'field-id', asInt, at, FIRST_PARTITION_FIELD_ID + i),
      name: required(object, 'name', asString, at),
      transform: parseTransform(required(object, 'transform', asString, at)),
      ...withUnknownFields(object, FIELD_KEYS),
    };
  });
  if (new Set(fields.map((field) => field.fieldId)).size < fields.length) {
    throw invalidData(`${placeText(place)} gives the same field id to two partition fields.`);
  }
  return fields;
}

const SPEC_KEYS: ReadonlySet<string> = new Set(['spec-id', 'fields']);
const FIELD_KEYS: ReadonlySet<string> = new Set(['source-id', 'source-ids', 'field-id', 'name', 'transform']);

/** `source-ids` is written for transforms of several arguments only (v3); both forms are read. */
export function sourceIdsFromJson(object: JsonObject, place: Place): readonly number[] {
  const several = optional(object, 'source-ids', asList(asInt), place, undefined);
  if (several !== undefined && several.length > 0) return several;
  return [required(object, 'source-id', asInt, place)];
}

export function sourceIdsToJson(sourceIds: readonly number[]): JsonObject {
  return sourceIds.length === 1 ? { 'source-id': sourceIds[0]! } : { 'source-ids': sourceIds };
}
