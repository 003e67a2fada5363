import type { JsonObject, JsonValue } from './json.ts';
import { asLong, asObject, asSafeInteger, asString, required, withUnknownFields } from './json-fields.ts';
import type { Place } from './place.ts';
import type { MetadataLogEntry, SnapshotLogEntry } from './table-metadata.ts';

const SNAPSHOT_LOG_KEYS: ReadonlySet<string> = new Set(['timestamp-ms', 'snapshot-id']);
const METADATA_LOG_KEYS: ReadonlySet<string> = new Set(['timestamp-ms', 'metadata-file']);

export function snapshotLogEntryFromJson(json: JsonValue, place: Place): SnapshotLogEntry {
  const object = asObject(json, place);
  return {
    timestampMs: required(object, 'timestamp-ms', asSafeInteger, place),
    snapshotId: required(object, 'snapshot-id', asLong, place),
    ...withUnknownFields(object, SNAPSHOT_LOG_KEYS),
  };
}

export function snapshotLogEntryToJson({ timestampMs, snapshotId, unknownFields }: SnapshotLogEntry): JsonObject {
  return {
    'timestamp-ms': timestampMs,
    'snapshot-id': snapshotId,
    ...(unknownFields as JsonObject | undefined),
  };
}

export function metadataLogEntryFromJson(json: JsonValue, place: Place): MetadataLogEntry {
  const object = asObject(json, place);
  return {
    timestampMs: required(object, 'timestamp-ms', asSafeInteger, place),
    metadataFile: required(object, 'metadata-file', asString, place),
    ...withUnknownFields(object, METADATA_LOG_KEYS),
  };
}

export function metadataLogEntryToJson({ timestampMs, metadataFile, unknownFields }: MetadataLogEntry): JsonObject {
  return {
    'timestamp-ms': timestampMs,
    'metadata-file': metadataFile,
    ...(unknownFields as JsonObject | undefined),
  };
}
