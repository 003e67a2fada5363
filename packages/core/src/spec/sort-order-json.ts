import type { JsonObject, JsonValue } from './json.ts';
import { asInt, asList, asObject, asString, required, withUnknownFields, wrong } from './json-fields.ts';
import type { JsonReader } from './json-fields.ts';
import { sourceIdsFromJson, sourceIdsToJson } from './partition-spec-json.ts';
import { childPlace, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import type { SortField, SortOrder } from './sort-order.ts';
import { parseTransform, transformToText } from './transform-text.ts';

/** Sort orders as JSON (spec: appendix C, "Sort Orders"). */
export function sortOrderToJson(order: SortOrder): JsonObject {
  return {
    'order-id': order.orderId,
    fields: sortFieldsToJson(order.fields),
    ...(order.unknownFields as JsonObject | undefined),
  };
}

export function sortFieldsToJson(fields: readonly SortField[]): readonly JsonObject[] {
  return fields.map((field) => ({
    transform: transformToText(field.transform),
    ...sourceIdsToJson(field.sourceIds),
    direction: field.direction,
    'null-order': field.nullOrder,
    ...(field.unknownFields as JsonObject | undefined),
  }));
}

export function sortOrderFromJson(json: JsonValue, place: Place = rootPlace('sort-order')): SortOrder {
  const object = asObject(json, place);
  return {
    orderId: required(object, 'order-id', asInt, place),
    fields: required(object, 'fields', asList(sortFieldFromJson), place),
    ...withUnknownFields(object, ORDER_KEYS),
  };
}

const sortFieldFromJson: JsonReader<SortField> = (json, place) => {
  const object = asObject(json, place);
  return {
    sourceIds: sourceIdsFromJson(object, place),
    transform: parseTransform(required(object, 'transform', asString, place)),
    direction: oneOf(required(object, 'direction', asString, place), ['asc', 'desc'], childPlace(place, 'direction')),
    nullOrder: oneOf(
      required(object, 'null-order', asString, place),
      ['nulls-first', 'nulls-last'],
      childPlace(place, 'null-order'),
    ),
    ...withUnknownFields(object, FIELD_KEYS),
  };
};

const ORDER_KEYS: ReadonlySet<string> = new Set(['order-id', 'fields']);
const FIELD_KEYS: ReadonlySet<string> = new Set(['source-id', 'source-ids', 'transform', 'direction', 'null-order']);

/** Java reads both words in any case. */
function oneOf<T extends string>(text: string, choices: readonly T[], place: Place): T {
  const choice = choices.find((candidate) => candidate === text.toLowerCase());
  if (choice === undefined) throw wrong(place, choices.map((candidate) => `'${candidate}'`).join(' or '));
  return choice;
}
