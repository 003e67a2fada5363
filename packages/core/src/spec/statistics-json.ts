import type { JsonObject, JsonValue } from './json.ts';
import {
  asInt,
  asList,
  asLong,
  asObject,
  asSafeInteger,
  asString,
  asStringRecord,
  optional,
  required,
  unknownFields,
  withUnknownFields,
} from './json-fields.ts';
import { rootPlace } from './place.ts';
import type { Place } from './place.ts';
import type { BlobMetadata, EncryptedKey, PartitionStatisticsFile, StatisticsFile } from './table-metadata.ts';

const STATISTICS_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'statistics-path',
  'file-size-in-bytes',
  'file-footer-size-in-bytes',
  'key-metadata',
  'blob-metadata',
]);
const BLOB_KEYS: ReadonlySet<string> = new Set(['type', 'snapshot-id', 'sequence-number', 'fields', 'properties']);
const PARTITION_STATISTICS_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'statistics-path',
  'file-size-in-bytes',
]);
const KEY_KEYS: ReadonlySet<string> = new Set(['key-id', 'encrypted-key-metadata', 'encrypted-by-id', 'properties']);

/** A statistics file of a snapshot (spec: "Table Statistics"). */
export function statisticsToJson(file: StatisticsFile): JsonObject {
  return {
    'snapshot-id': file.snapshotId,
    'statistics-path': file.statisticsPath,
    'file-size-in-bytes': file.fileSizeInBytes,
    'file-footer-size-in-bytes': file.fileFooterSizeInBytes,
    ...(file.keyMetadata !== null && { 'key-metadata': file.keyMetadata }),
    'blob-metadata': file.blobMetadata.map(blobToJson),
    ...(file.unknownFields as JsonObject),
  };
}

export function statisticsFromJson(json: JsonValue, place: Place = rootPlace('statistics')): StatisticsFile {
  const object = asObject(json, place);
  return {
    snapshotId: required(object, 'snapshot-id', asLong, place),
    statisticsPath: required(object, 'statistics-path', asString, place),
    fileSizeInBytes: required(object, 'file-size-in-bytes', asSafeInteger, place),
    fileFooterSizeInBytes: required(object, 'file-footer-size-in-bytes', asSafeInteger, place),
    keyMetadata: optional(object, 'key-metadata', asString, place, null),
    blobMetadata: required(object, 'blob-metadata', asList(blobFromJson), place),
    unknownFields: unknownFields(object, STATISTICS_KEYS),
  };
}

function blobToJson(blob: BlobMetadata): JsonObject {
  return {
    type: blob.type,
    'snapshot-id': blob.snapshotId,
    'sequence-number': blob.sequenceNumber,
    fields: blob.fields,
    ...(Object.keys(blob.properties).length > 0 && { properties: blob.properties }),
    ...(blob.unknownFields as JsonObject | undefined),
  };
}

function blobFromJson(json: JsonValue, place: Place): BlobMetadata {
  const object = asObject(json, place);
  return {
    type: required(object, 'type', asString, place),
    snapshotId: required(object, 'snapshot-id', asLong, place),
    sequenceNumber: required(object, 'sequence-number', asLong, place),
    fields: required(object, 'fields', asList(asInt), place),
    properties: optional(object, 'properties', asStringRecord, place, {}),
    ...withUnknownFields(object, BLOB_KEYS),
  };
}

/** A partition statistics file of a snapshot (spec: "Partition Statistics"). */
export function partitionStatisticsToJson(file: PartitionStatisticsFile): JsonObject {
  return {
    'snapshot-id': file.snapshotId,
    'statistics-path': file.statisticsPath,
    'file-size-in-bytes': file.fileSizeInBytes,
    ...(file.unknownFields as JsonObject),
  };
}

export function partitionStatisticsFromJson(
  json: JsonValue,
  place: Place = rootPlace('partition-statistics'),
): PartitionStatisticsFile {
  const object = asObject(json, place);
  return {
    snapshotId: required(object, 'snapshot-id', asLong, place),
    statisticsPath: required(object, 'statistics-path', asString, place),
    fileSizeInBytes: required(object, 'file-size-in-bytes', asSafeInteger, place),
    unknownFields: unknownFields(object, PARTITION_STATISTICS_KEYS),
  };
}

/** A key of an encrypted table (spec: "Encryption Keys"); carried, never used. */
export function encryptedKeyToJson(key: EncryptedKey): JsonObject {
  return {
    'key-id': key.keyId,
    'encrypted-key-metadata': key.encryptedKeyMetadata,
    ...(key.encryptedById !== null && { 'encrypted-by-id': key.encryptedById }),
    ...(Object.keys(key.properties).length > 0 && { properties: key.properties }),
    ...(key.unknownFields as JsonObject | undefined),
  };
}

export function encryptedKeyFromJson(json: JsonValue, place: Place = rootPlace('encryption-key')): EncryptedKey {
  const object = asObject(json, place);
  return {
    keyId: required(object, 'key-id', asString, place),
    encryptedKeyMetadata: required(object, 'encrypted-key-metadata', asString, place),
    encryptedById: optional(object, 'encrypted-by-id', asString, place, null),
    properties: optional(object, 'properties', asStringRecord, place, {}),
    ...withUnknownFields(object, KEY_KEYS),
  };
}
