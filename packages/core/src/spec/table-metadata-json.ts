import { gunzipSync } from 'node:zlib';
import { invalidData, isLakehouseError, LakehouseError, unsupported } from '../errors.ts';
import { bytesToUuid } from './bytes-text.ts';
import { checkTableMetadata } from './check-metadata.ts';
import { concatBytes } from './concat-bytes.ts';
import { ListEncoder } from './encoded-list.ts';
import { parseJson, stringifyJson } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import {
  asInt,
  asList,
  asLong,
  asObject,
  asRecord,
  asSafeInteger,
  asString,
  asStringRecord,
  optional,
  required,
  unknownFields,
} from './json-fields.ts';
import type { JsonReader } from './json-fields.ts';
import {
  metadataLogEntryFromJson,
  metadataLogEntryToJson,
  snapshotLogEntryFromJson,
  snapshotLogEntryToJson,
} from './log-json.ts';
import { currentSchema, currentSpec } from './metadata-accessors.ts';
import { FIRST_PARTITION_FIELD_ID } from './partition-spec.ts';
import type { PartitionSpec } from './partition-spec.ts';
import {
  partitionFieldsFromJson,
  partitionFieldsToJson,
  partitionSpecFromJson,
  partitionSpecToJson,
} from './partition-spec-json.ts';
import { rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { schemaFromJson, schemaToJson } from './schema-json.ts';
import {
  noneIfNegative,
  snapshotFromJson,
  snapshotRefFromJson,
  snapshotRefToJson,
  snapshotToJson,
} from './snapshot-json.ts';
import { MAIN_BRANCH } from './snapshot.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import { UNSORTED } from './sort-order.ts';
import { sortOrderFromJson, sortOrderToJson } from './sort-order-json.ts';
import {
  encryptedKeyFromJson,
  encryptedKeyToJson,
  partitionStatisticsFromJson,
  partitionStatisticsToJson,
  statisticsFromJson,
  statisticsToJson,
} from './statistics-json.ts';
import type { FormatVersion, MetadataLogEntry, SnapshotLogEntry, TableMetadata } from './table-metadata.ts';

/** What a metadata file may unpack to; a text of more could not be held anyway. */
const MAX_METADATA_BYTES = 0x1fff_ffe8;

const LATEST_FORMAT_VERSION = 3;

/**
 * Reads a table metadata file, gzipped or not: that is told by its content, not by its name. Differences between format
 * versions end here; a v1 table gets the lists of schemas, specs and sort orders that later versions have.
 *
 * INVALID_DATA, with the place in the file, for anything that isn't table metadata or contradicts itself; UNSUPPORTED
 * for a format version of the future. `location` is for messages.
 */
export function parseTableMetadata(bytes: Uint8Array, location: string): TableMetadata {
  try {
    const json = parseJson(decodeText(unzip(bytes)));
    const metadata = tableMetadataFromJson(json);
    checkTableMetadata(metadata);
    return metadata;
  } catch (error) {
    if (!isLakehouseError(error)) throw error;
    const { code, message, cause } = error;
    throw new LakehouseError(code, `The table metadata at ${location} can't be read: ${message}`, {
      context: { location },
      cause,
    });
  }
}

/** The metadata as an uncompressed file. It is checked first: what is inconsistent must never be committed. */
export function serializeTableMetadata(metadata: TableMetadata): Uint8Array {
  checkTableMetadata(metadata);
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let text = '';
  let separator = '{';
  for (const [key, value] of Object.entries(metadataToJson(metadata, LIST_ENCODERS))) {
    text += `${separator}${JSON.stringify(key)}:`;
    separator = ',';
    if (value instanceof Uint8Array) {
      parts.push(encoder.encode(`${text}[`), value);
      text = ']';
    } else {
      text += stringifyJson(value);
    }
  }
  parts.push(encoder.encode(`${text}}`));
  return concatBytes(parts);
}

function unzip(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_METADATA_BYTES });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new LakehouseError('RESOURCE_EXHAUSTED', 'it unpacks to more than 512 MB.', { cause: error });
    }
    throw invalidData('its gzip data is broken.', undefined, error);
  }
}

function decodeText(bytes: Uint8Array): string {
  if (bytes.length > MAX_METADATA_BYTES) throw new LakehouseError('RESOURCE_EXHAUSTED', 'it is larger than 512 MB.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalidData('it is not valid UTF-8.', undefined, error);
  }
}

const METADATA_KEYS: ReadonlySet<string> = new Set([
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'schema',
  'schemas',
  'current-schema-id',
  'partition-spec',
  'partition-specs',
  'default-spec-id',
  'last-partition-id',
  'sort-orders',
  'default-sort-order-id',
  'properties',
  'current-snapshot-id',
  'snapshots',
  'snapshot-log',
  'metadata-log',
  'refs',
  'statistics',
  'partition-statistics',
  'next-row-id',
  'encryption-keys',
]);

/** The metadata out of parsed JSON (spec: "Table Metadata Fields"), as REST catalogs send it too. Nothing is cross-checked. */
export function tableMetadataFromJson(json: JsonValue, place: Place = rootPlace('metadata')): TableMetadata {
  const object = asObject(json, place);
  const formatVersion = required(object, 'format-version', asFormatVersion, place);
  const location = required(object, 'location', asLocation, place);
  const currentSnapshotId = noneIfNegative(optional(object, 'current-snapshot-id', asLong, place, null));
  const partitionSpecs = readSpecs(object, formatVersion, place);
  return {
    formatVersion,
    tableUuid:
      formatVersion === 1
        ? (optional(object, 'table-uuid', asString, place, null) ?? madeUpUuid(location))
        : required(object, 'table-uuid', asString, place),
    location,
    // v1 has no sequence numbers: everything in it reads as 0.
    lastSequenceNumber: formatVersion === 1 ? 0n : required(object, 'last-sequence-number', asLong, place),
    lastUpdatedMs: required(object, 'last-updated-ms', asSafeInteger, place),
    lastColumnId: required(object, 'last-column-id', asInt, place),
    ...readSchemas(object, formatVersion, place),
    ...partitionSpecs,
    lastPartitionId: readLastPartitionId(object, formatVersion, partitionSpecs.partitionSpecs, place),
    ...readSortOrders(object, formatVersion, place),
    properties: optional(object, 'properties', asStringRecord, place, {}),
    currentSnapshotId,
    snapshots: optional(object, 'snapshots', asList(snapshotFromJson), place, []),
    snapshotLog: optional(object, 'snapshot-log', asList(snapshotLogEntryFromJson), place, []),
    metadataLog: optional(object, 'metadata-log', asList(metadataLogEntryFromJson), place, []),
    refs: withMain(optional(object, 'refs', asRecord(snapshotRefFromJson), place, {}), currentSnapshotId),
    statistics: optional(object, 'statistics', asList(statisticsFromJson), place, []),
    partitionStatistics: optional(object, 'partition-statistics', asList(partitionStatisticsFromJson), place, []),
    nextRowId: formatVersion < 3 ? 0n : required(object, 'next-row-id', asLong, place),
    encryptionKeys: optional(object, 'encryption-keys', asList(encryptedKeyFromJson), place, []),
    unknownFields: unknownFields(object, METADATA_KEYS),
  };
}

/** The metadata as JSON, with what older readers of its version look for. */
export function tableMetadataToJson(metadata: TableMetadata): JsonObject {
  return metadataToJson(metadata, PLAIN_LISTS) as JsonObject;
}

/** How long lists become JSON, or bytes of it. */
interface HistoryToJson<J> {
  readonly snapshots: (items: readonly Snapshot[]) => J;
  readonly snapshotLog: (items: readonly SnapshotLogEntry[]) => J;
  readonly metadataLog: (items: readonly MetadataLogEntry[]) => J;
}

const PLAIN_LISTS: HistoryToJson<readonly JsonObject[]> = {
  snapshots: (items) => items.map(snapshotToJson),
  snapshotLog: (items) => items.map(snapshotLogEntryToJson),
  metadataLog: (items) => items.map(metadataLogEntryToJson),
};

/** Snapshots and log entries never change, but are part of every later version: most of what there is to write. */
const LIST_ENCODERS: HistoryToJson<Uint8Array> = {
  snapshots: listEncoder(snapshotToJson),
  snapshotLog: listEncoder(snapshotLogEntryToJson),
  metadataLog: listEncoder(metadataLogEntryToJson),
};

function listEncoder<T extends object>(toJson: (item: T) => JsonObject): (items: readonly T[]) => Uint8Array {
  const encoder = new ListEncoder(toJson);
  return (items) => encoder.encode(items);
}

function metadataToJson<J>(
  metadata: TableMetadata,
  history: HistoryToJson<J>,
): Readonly<Record<string, JsonValue | J>> {
  const { formatVersion } = metadata;
  return {
    'format-version': formatVersion,
    'table-uuid': metadata.tableUuid,
    location: metadata.location,
    ...(formatVersion > 1 && { 'last-sequence-number': metadata.lastSequenceNumber }),
    'last-updated-ms': metadata.lastUpdatedMs,
    'last-column-id': metadata.lastColumnId,
    // v1 requires the current schema and spec in these fields; later versions left them out.
    ...(formatVersion === 1 && { schema: schemaToJson(currentSchema(metadata)) }),
    'current-schema-id': metadata.currentSchemaId,
    schemas: metadata.schemas.map(schemaToJson),
    ...(formatVersion === 1 && { 'partition-spec': partitionFieldsToJson(currentSpec(metadata).fields) }),
    'default-spec-id': metadata.defaultSpecId,
    'partition-specs': metadata.partitionSpecs.map(partitionSpecToJson),
    'last-partition-id': metadata.lastPartitionId,
    'default-sort-order-id': metadata.defaultSortOrderId,
    'sort-orders': metadata.sortOrders.map(sortOrderToJson),
    properties: metadata.properties,
    // Before v3 readers expect -1 for none (spec: appendix F, "Assignment of Snapshot IDs").
    'current-snapshot-id': metadata.currentSnapshotId ?? (formatVersion < 3 ? -1 : null),
    ...(formatVersion >= 3 && { 'next-row-id': metadata.nextRowId }),
    ...(metadata.encryptionKeys.length > 0 && { 'encryption-keys': metadata.encryptionKeys.map(encryptedKeyToJson) }),
    refs: Object.fromEntries(Object.entries(metadata.refs).map(([name, ref]) => [name, snapshotRefToJson(ref)])),
    snapshots: history.snapshots(metadata.snapshots),
    statistics: metadata.statistics.map(statisticsToJson),
    'partition-statistics': metadata.partitionStatistics.map(partitionStatisticsToJson),
    'snapshot-log': history.snapshotLog(metadata.snapshotLog),
    'metadata-log': history.metadataLog(metadata.metadataLog),
    ...(metadata.unknownFields as JsonObject),
  };
}

const asFormatVersion: JsonReader<FormatVersion> = (value, place) => {
  const version = asInt(value, place);
  if (version > LATEST_FORMAT_VERSION) {
    throw unsupported(
      `the table has format version ${version}; this library knows versions up to ${LATEST_FORMAT_VERSION}.`,
    );
  }
  if (version < 1) throw invalidData(`the format version ${version} doesn't exist.`);
  return version as FormatVersion;
};

/** Without slashes at the end, since paths are made by adding to it. */
const asLocation: JsonReader<string> = (value, place) => asString(value, place).replace(/(?<=[^/:])\/+$/, '');

/** Lists that v1 may leave out, with what is current in them; null if it does. Later versions require them. */
function listWithCurrent<T>(
  object: JsonObject,
  formatVersion: FormatVersion,
  listKey: string,
  item: JsonReader<T>,
  currentKey: string,
  place: Place,
): { readonly list: readonly T[]; readonly current: number } | null {
  const list =
    formatVersion === 1
      ? optional(object, listKey, asList(item), place, null)
      : required(object, listKey, asList(item), place);
  return list && { list, current: required(object, currentKey, asInt, place) };
}

function readSchemas(
  object: JsonObject,
  formatVersion: FormatVersion,
  place: Place,
): Pick<TableMetadata, 'schemas' | 'currentSchemaId'> {
  const listed = listWithCurrent(object, formatVersion, 'schemas', schemaFromJson, 'current-schema-id', place);
  if (listed) return { schemas: listed.list, currentSchemaId: listed.current };
  const schema = required(object, 'schema', schemaFromJson, place);
  return { schemas: [schema], currentSchemaId: schema.schemaId };
}

function readSpecs(
  object: JsonObject,
  formatVersion: FormatVersion,
  place: Place,
): Pick<TableMetadata, 'partitionSpecs' | 'defaultSpecId'> {
  const listed = listWithCurrent(
    object,
    formatVersion,
    'partition-specs',
    partitionSpecFromJson,
    'default-spec-id',
    place,
  );
  if (listed) return { partitionSpecs: listed.list, defaultSpecId: listed.current };
  const fields = required(object, 'partition-spec', partitionFieldsFromJson, place);
  return { partitionSpecs: [{ specId: 0, fields }], defaultSpecId: 0 };
}

/** Never below an id that is in use: the next field must get one that isn't. */
function readLastPartitionId(
  object: JsonObject,
  formatVersion: FormatVersion,
  specs: readonly PartitionSpec[],
  place: Place,
): number {
  const used = specs.flatMap((spec) => spec.fields.map((field) => field.fieldId));
  const highest = used.reduce((last, id) => Math.max(last, id), FIRST_PARTITION_FIELD_ID - 1);
  const given =
    formatVersion === 1
      ? optional(object, 'last-partition-id', asInt, place, highest)
      : required(object, 'last-partition-id', asInt, place);
  return Math.max(given, highest);
}

function readSortOrders(
  object: JsonObject,
  formatVersion: FormatVersion,
  place: Place,
): Pick<TableMetadata, 'sortOrders' | 'defaultSortOrderId'> {
  const listed = listWithCurrent(
    object,
    formatVersion,
    'sort-orders',
    sortOrderFromJson,
    'default-sort-order-id',
    place,
  );
  const { list, current } = listed ?? { list: [], current: UNSORTED.orderId };
  // Order 0 is the unsorted one, listed or not (spec: "Sorting").
  const isMissing = current === UNSORTED.orderId && !list.some((order) => order.orderId === current);
  return { sortOrders: isMissing ? [UNSORTED, ...list] : list, defaultSortOrderId: current };
}

/** There is always a main branch if there is a current snapshot, said or not (spec: "Table Metadata Fields", `refs`). */
function withMain(
  refs: Readonly<Record<string, SnapshotRef>>,
  currentSnapshotId: bigint | null,
): Readonly<Record<string, SnapshotRef>> {
  if (currentSnapshotId === null || Object.hasOwn(refs, MAIN_BRANCH)) return refs;
  const main: SnapshotRef = {
    snapshotId: currentSnapshotId,
    type: 'branch',
    minSnapshotsToKeep: null,
    maxSnapshotAgeMs: null,
    maxRefAgeMs: null,
  };
  return { [MAIN_BRANCH]: main, ...refs };
}

/**
 * A UUID for a v1 table without one. It is made from the location, so that every load of the table gives the same until
 * a commit writes it down. The bytes are four FNV-1a hashes, marked as version 8 (RFC 9562: "custom").
 */
function madeUpUuid(location: string): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let word = 0; word < 4; word++) {
    let hash = 0x811c9dc5 ^ (word * 0x9e3779b9);
    for (let i = 0; i < location.length; i++) hash = Math.imul(hash ^ location.charCodeAt(i), 0x01000193);
    view.setInt32(4 * word, hash);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytesToUuid(bytes);
}
