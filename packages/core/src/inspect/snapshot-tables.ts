import { ancestorsOf, snapshotById } from '../spec/metadata-accessors.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import type { InspectedTable, MetadataTableDefinition } from './metadata-table-definition.ts';
import { BOOLEAN, INT, LONG, STRING, TIMESTAMPTZ, optional, required, struct } from './field-builders.ts';
import { valueRows } from './value-rows.ts';

/** A table that is made of the table's metadata alone. */
function metadataTable(
  schema: StructType,
  rows: (table: InspectedTable) => Iterable<readonly Value[]>,
): MetadataTableDefinition {
  return {
    snapshot: 'ignored',
    open: (table) => ({ schema, read: (read) => valueRows(schema, rows(table), read) }),
  };
}

const SNAPSHOTS = struct([
  required(1, 'committed_at', TIMESTAMPTZ),
  required(2, 'snapshot_id', LONG),
  optional(3, 'parent_id', LONG),
  optional(4, 'operation', STRING),
  optional(5, 'manifest_list', STRING),
  optional(6, 'summary', { kind: 'map', keyId: 7, key: STRING, valueId: 8, valueRequired: true, value: STRING }),
]);

export const snapshotsTable: MetadataTableDefinition = metadataTable(SNAPSHOTS, ({ metadata }) =>
  metadata.snapshots.map((snapshot) => [
    toMicros(snapshot.timestampMs),
    snapshot.snapshotId,
    snapshot.parentSnapshotId,
    snapshot.operation,
    snapshot.manifestList,
    Object.entries(snapshot.summary),
  ]),
);

const HISTORY = struct([
  required(1, 'made_current_at', TIMESTAMPTZ),
  required(2, 'snapshot_id', LONG),
  optional(3, 'parent_id', LONG),
  required(4, 'is_current_ancestor', BOOLEAN),
]);

export const historyTable: MetadataTableDefinition = metadataTable(HISTORY, ({ metadata }) => {
  const ancestors = new Set(
    Array.from(ancestorsOf(metadata, metadata.currentSnapshotId), ({ snapshotId }) => snapshotId),
  );
  return metadata.snapshotLog.map(({ timestampMs, snapshotId }) => [
    toMicros(timestampMs),
    snapshotId,
    snapshotById(metadata, snapshotId)?.parentSnapshotId ?? null,
    ancestors.has(snapshotId),
  ]);
});

const REFS = struct([
  required(1, 'name', STRING),
  required(2, 'type', STRING, 'BRANCH or TAG'),
  required(3, 'snapshot_id', LONG),
  optional(4, 'max_reference_age_in_ms', LONG),
  optional(5, 'min_snapshots_to_keep', INT),
  optional(6, 'max_snapshot_age_in_ms', LONG),
]);

export const refsTable: MetadataTableDefinition = metadataTable(REFS, ({ metadata }) =>
  Object.entries(metadata.refs).map(([name, ref]) => [
    name,
    ref.type.toUpperCase(),
    ref.snapshotId,
    toLong(ref.maxRefAgeMs),
    ref.minSnapshotsToKeep,
    toLong(ref.maxSnapshotAgeMs),
  ]),
);

const METADATA_LOG_ENTRIES = struct([
  required(1, 'timestamp', TIMESTAMPTZ),
  required(2, 'file', STRING),
  optional(3, 'latest_snapshot_id', LONG, "The table's snapshot at that time"),
  optional(4, 'latest_schema_id', INT),
  optional(5, 'latest_sequence_number', LONG),
]);

/** The metadata files that the table's metadata remembers, and at last its own. */
export const metadataLogEntriesTable: MetadataTableDefinition = metadataTable(
  METADATA_LOG_ENTRIES,
  ({ metadata, metadataLocation }) => {
    const current = { timestampMs: metadata.lastUpdatedMs, metadataFile: metadataLocation };
    return [...metadata.metadataLog, current].map(({ timestampMs, metadataFile }) => {
      const snapshotId = snapshotIdAsOf(metadata, timestampMs);
      const snapshot = snapshotId === null ? undefined : snapshotById(metadata, snapshotId);
      return [
        toMicros(timestampMs),
        metadataFile,
        snapshotId,
        snapshot?.schemaId ?? null,
        snapshot?.sequenceNumber ?? null,
      ];
    });
  },
);

/** The latest of the log that is not after a time, expired or not; the first one of several at once, as Spark has it. */
function snapshotIdAsOf({ snapshotLog }: TableMetadata, timestampMs: number): bigint | null {
  let latest: (typeof snapshotLog)[number] | undefined;
  for (const entry of snapshotLog) {
    if (entry.timestampMs <= timestampMs && (!latest || entry.timestampMs > latest.timestampMs)) latest = entry;
  }
  return latest?.snapshotId ?? null;
}

function toMicros(milliseconds: number): bigint {
  return BigInt(milliseconds) * 1000n;
}

function toLong(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}
