import { unsupported } from '../errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import {
  asInt,
  asList,
  asObject,
  asSafeInteger,
  asString,
  asStringRecord,
  optional,
  required,
  type JsonReader,
} from './json-fields.ts';
import { rootPlace, type Place } from './place.ts';
import { schemaFromJson } from './schema-json.ts';
import type { ViewHistoryEntry, ViewMetadata, ViewRepresentation, ViewVersion } from './view-metadata.ts';

const FORMAT_VERSION = 1;

/** A view's metadata out of parsed JSON (view spec: "View Metadata"). UNSUPPORTED for a format of the future. */
export function viewMetadataFromJson(json: JsonValue, place: Place = rootPlace('view')): ViewMetadata {
  const object = asObject(json, place);
  const formatVersion = required(object, 'format-version', asInt, place);
  if (formatVersion !== FORMAT_VERSION) {
    throw unsupported(`The view has format version ${formatVersion}; this library knows version ${FORMAT_VERSION}.`);
  }
  return {
    viewUuid: required(object, 'view-uuid', asString, place),
    location: required(object, 'location', asString, place),
    schemas: required(object, 'schemas', asList(schemaFromJson), place),
    versions: required(object, 'versions', asList(asVersion), place),
    currentVersionId: required(object, 'current-version-id', asInt, place),
    versionLog: required(object, 'version-log', asList(asHistoryEntry), place),
    properties: optional(object, 'properties', asStringRecord, place, {}),
  };
}

export function viewVersionToJson(version: ViewVersion): JsonObject {
  return {
    'version-id': version.versionId,
    'schema-id': version.schemaId,
    'timestamp-ms': version.timestampMs,
    summary: version.summary,
    representations: version.representations.map(({ type, sql, dialect }) => ({ type, sql, dialect })),
    ...(version.defaultCatalog !== null && { 'default-catalog': version.defaultCatalog }),
    'default-namespace': version.defaultNamespace,
  };
}

const asVersion: JsonReader<ViewVersion> = (value, place) => {
  const object = asObject(value, place);
  return {
    versionId: required(object, 'version-id', asInt, place),
    schemaId: required(object, 'schema-id', asInt, place),
    timestampMs: required(object, 'timestamp-ms', asSafeInteger, place),
    summary: optional(object, 'summary', asStringRecord, place, {}),
    representations: required(object, 'representations', asList(asRepresentation), place).flatMap((each) => each ?? []),
    defaultCatalog: optional(object, 'default-catalog', asString, place, null),
    defaultNamespace: required(object, 'default-namespace', asList(asString), place),
  };
};

/** Null for kinds that aren't known (yet). */
const asRepresentation: JsonReader<ViewRepresentation | null> = (value, place) => {
  const object = asObject(value, place);
  if (required(object, 'type', asString, place) !== 'sql') return null;
  return {
    type: 'sql',
    sql: required(object, 'sql', asString, place),
    dialect: required(object, 'dialect', asString, place),
  };
};

const asHistoryEntry: JsonReader<ViewHistoryEntry> = (value, place) => {
  const object = asObject(value, place);
  return {
    versionId: required(object, 'version-id', asInt, place),
    timestampMs: required(object, 'timestamp-ms', asSafeInteger, place),
  };
};
