import { invalidData } from '../errors.ts';
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
  wrong,
} from './json-fields.ts';
import { childPlace, placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import type { Operation, Snapshot, SnapshotRef } from './snapshot.ts';

const OPERATIONS: ReadonlySet<string> = new Set(['append', 'replace', 'overwrite', 'delete'] satisfies Operation[]);

const SNAPSHOT_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'sequence-number',
  'timestamp-ms',
  'manifest-list',
  'manifests',
  'summary',
  'schema-id',
  'first-row-id',
  'added-rows',
  'key-id',
]);

const REF_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'type',
  'min-snapshots-to-keep',
  'max-snapshot-age-ms',
  'max-ref-age-ms',
]);

/** A snapshot as table metadata and the REST specification have it (spec: "Snapshots"). */
export function snapshotToJson(snapshot: Snapshot): JsonObject {
  const { summary, operation, parentSnapshotId, manifestList, manifests, schemaId, firstRowId, addedRows, keyId } =
    snapshot;
  // Filled step by step: with tens of thousands of snapshots, spreading parts into one literal is felt.
  const json: Record<string, JsonValue> = {};
  // v1 has no sequence numbers, and snapshots from then have none in later versions either.
  if (snapshot.sequenceNumber > 0n) json['sequence-number'] = snapshot.sequenceNumber;
  json['snapshot-id'] = snapshot.snapshotId;
  if (parentSnapshotId !== null) json['parent-snapshot-id'] = parentSnapshotId;
  json['timestamp-ms'] = snapshot.timestampMs;
  if (operation !== null) json['summary'] = { operation, ...summary };
  else if (Object.keys(summary).length > 0) json['summary'] = summary;
  if (manifestList !== null) json['manifest-list'] = manifestList;
  else json['manifests'] = manifests ?? [];
  if (schemaId !== null) json['schema-id'] = schemaId;
  if (firstRowId !== null) json['first-row-id'] = firstRowId;
  if (addedRows !== null) json['added-rows'] = addedRows;
  if (keyId !== null) json['key-id'] = keyId;
  return Object.keys(snapshot.unknownFields).length > 0 ? { ...json, ...(snapshot.unknownFields as JsonObject) } : json;
}

export function snapshotFromJson(json: JsonValue, place: Place = rootPlace('snapshot')): Snapshot {
  const object = asObject(json, place);
  const manifestList = optional(object, 'manifest-list', asString, place, null);
  const manifests = manifestList === null ? optional(object, 'manifests', asList(asString), place, null) : null;
  if (manifestList === null && manifests === null) {
    throw invalidData(`${placeText(place)} has neither 'manifest-list' nor 'manifests'.`);
  }
  return {
    snapshotId: required(object, 'snapshot-id', asLong, place),
    parentSnapshotId: noneIfNegative(optional(object, 'parent-snapshot-id', asLong, place, null)),
    sequenceNumber: optional(object, 'sequence-number', asLong, place, 0n),
    timestampMs: required(object, 'timestamp-ms', asSafeInteger, place),
    manifestList,
    manifests,
    ...summaryFromJson(object, place),
    schemaId: optional(object, 'schema-id', asInt, place, null),
    firstRowId: optional(object, 'first-row-id', asLong, place, null),
    addedRows: optional(object, 'added-rows', asLong, place, null),
    keyId: optional(object, 'key-id', asString, place, null),
    unknownFields: unknownFields(object, SNAPSHOT_KEYS),
  };
}

/** An operation that the spec doesn't name stays in the summary, so that it is written back. */
function summaryFromJson(object: JsonObject, place: Place): Pick<Snapshot, 'operation' | 'summary'> {
  const whole: Readonly<Record<string, string>> = optional(object, 'summary', asStringRecord, place, {});
  if (!OPERATIONS.has(whole['operation'] ?? '')) return { operation: null, summary: whole };
  const { operation, ...summary } = whole;
  return { operation: operation as Operation, summary };
}

/** Some writers of v1 and v2 spell "none" as -1. */
export function noneIfNegative(snapshotId: bigint | null): bigint | null {
  return snapshotId === -1n ? null : snapshotId;
}

/** A branch or tag (spec: "Snapshot References"). */
export function snapshotRefToJson(ref: SnapshotRef): JsonObject {
  return {
    'snapshot-id': ref.snapshotId,
    type: ref.type,
    ...(ref.minSnapshotsToKeep !== null && { 'min-snapshots-to-keep': ref.minSnapshotsToKeep }),
    ...(ref.maxSnapshotAgeMs !== null && { 'max-snapshot-age-ms': ref.maxSnapshotAgeMs }),
    ...(ref.maxRefAgeMs !== null && { 'max-ref-age-ms': ref.maxRefAgeMs }),
    ...(ref.unknownFields as JsonObject | undefined),
  };
}

export function snapshotRefFromJson(json: JsonValue, place: Place = rootPlace('ref')): SnapshotRef {
  const object = asObject(json, place);
  const type = required(object, 'type', asString, place).toLowerCase();
  if (type !== 'branch' && type !== 'tag') throw wrong(childPlace(place, 'type'), "'branch' or 'tag'");
  return {
    snapshotId: required(object, 'snapshot-id', asLong, place),
    type,
    minSnapshotsToKeep: optional(object, 'min-snapshots-to-keep', asInt, place, null),
    maxSnapshotAgeMs: optional(object, 'max-snapshot-age-ms', asAge, place, null),
    maxRefAgeMs: optional(object, 'max-ref-age-ms', asAge, place, null),
    ...withUnknownFields(object, REF_KEYS),
  };
}

/** Ages are longs, and "forever" is written as the largest one: anything beyond 2^53 milliseconds means the same. */
function asAge(value: JsonValue, place: Place): number {
  const age = asLong(value, place);
  return age > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(age);
}
