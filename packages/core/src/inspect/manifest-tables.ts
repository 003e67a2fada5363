import { mayMatch } from '../expr/statistics-evaluator.ts';
import { UNKNOWN_STATISTICS } from '../expr/column-statistics.ts';
import { partitionFieldType } from '../manifest/partition-type.ts';
import { currentSchema, specById } from '../spec/metadata-accessors.ts';
import type { ManifestFile, PartitionFieldSummary } from '../spec/manifest.ts';
import type { PartitionField } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { bytesToValue } from '../spec/single-value.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { IcebergType, NestedField, PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { partitionValueToText } from '../transforms/human-text.ts';
import type { InspectedTable, MetadataTableDefinition } from './metadata-table-definition.ts';
import { between } from './prune-manifests.ts';
import { manifestLists, snapshotManifests } from './read-entries.ts';
import { BINARY, BOOLEAN, INT, LONG, STRING, optional, required, struct } from './field-builders.ts';
import { valueRows } from './value-rows.ts';

/** `manifests` requires less than `all_manifests` leaves open, and the other way round. */
type Requirement = typeof required;

function summaries(containsNaN: Requirement): IcebergType {
  const element = struct([
    required(10, 'contains_null', BOOLEAN),
    containsNaN(11, 'contains_nan', BOOLEAN),
    optional(12, 'lower_bound', STRING),
    optional(13, 'upper_bound', STRING),
  ]);
  return { kind: 'list', elementId: 9, elementRequired: true, element };
}

function manifestFields(old: Requirement, containsNaN: Requirement): readonly NestedField[] {
  return [
    required(14, 'content', INT, '0: data, 1: deletes'),
    required(1, 'path', STRING),
    required(2, 'length', LONG, 'Bytes'),
    old(3, 'partition_spec_id', INT),
    old(4, 'added_snapshot_id', LONG),
    old(5, 'added_data_files_count', INT),
    old(6, 'existing_data_files_count', INT),
    old(7, 'deleted_data_files_count', INT),
    required(15, 'added_delete_files_count', INT),
    required(16, 'existing_delete_files_count', INT),
    required(17, 'deleted_delete_files_count', INT),
    old(8, 'partition_summaries', summaries(containsNaN), 'Of each partition field the values of the files'),
  ];
}

const MANIFESTS = struct(manifestFields(required, optional));

const REFERENCE_SNAPSHOT_ID = 18;

const ALL_MANIFESTS = struct([
  ...manifestFields(optional, required),
  required(REFERENCE_SNAPSHOT_ID, 'reference_snapshot_id', LONG, 'The snapshot whose manifest list has it'),
  optional(19, 'key_metadata', BINARY),
]);

/** The manifest list of a snapshot. */
export const manifestsTable: MetadataTableDefinition = {
  snapshot: 'read',
  open: (table) => ({
    schema: MANIFESTS,
    read: async function* (read) {
      const manifests = await snapshotManifests(table, read.snapshot, read.signal);
      const toRow = manifestRow(table.metadata);
      yield* valueRows(MANIFESTS, manifests.map(toRow), read);
    },
  }),
};

/** The manifest lists of all snapshots: a manifest is there once for each snapshot that has it. */
export const allManifestsTable: MetadataTableDefinition = {
  snapshot: 'refused',
  open: (table) => ({
    schema: ALL_MANIFESTS,
    read: (read) => {
      // Only the lists of snapshots are read that a filter of them leaves.
      const evaluate = mayMatch(read.filter);
      const snapshots = table.metadata.snapshots.filter(({ snapshotId }) =>
        evaluate((term) =>
          term.field.id === REFERENCE_SNAPSHOT_ID ? between(term, snapshotId, snapshotId) : UNKNOWN_STATISTICS,
        ),
      );
      return valueRows(ALL_MANIFESTS, allManifestRows(table, snapshots, read.signal), read);
    },
  }),
};

async function* allManifestRows(
  table: InspectedTable,
  snapshots: readonly Snapshot[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Value[]> {
  const toRow = manifestRow(table.metadata);
  for await (const { snapshot, manifests } of manifestLists(table, snapshots, signal)) {
    for (const manifest of manifests) yield [...toRow(manifest), snapshot.snapshotId, manifest.keyMetadata];
  }
}

function manifestRow(metadata: TableMetadata): (manifest: ManifestFile) => readonly Value[] {
  const schema = currentSchema(metadata);
  return (manifest) => {
    const isData = manifest.content === 'data';
    const counts = [manifest.addedFilesCount, manifest.existingFilesCount, manifest.deletedFilesCount];
    const { fields } = specById(metadata, manifest.partitionSpecId);
    return [
      isData ? 0 : 1,
      manifest.path,
      BigInt(manifest.length),
      manifest.partitionSpecId,
      manifest.addedSnapshotId,
      ...counts.map((count) => (isData ? count : 0)),
      ...counts.map((count) => (isData ? 0 : count)),
      manifest.partitions?.map((summary, i) => summaryRow(summary, fields[i], schema)) ?? null,
    ];
  };
}

function summaryRow(summary: PartitionFieldSummary, field: PartitionField | undefined, schema: Schema): Value {
  const type = field ? partitionFieldType(field, [schema]) : null;
  const text = (bound: Uint8Array | null): string | null => (type && field ? boundText(bound, field, type) : null);
  return [summary.containsNull, summary.containsNaN, text(summary.lowerBound), text(summary.upperBound)];
}

/** As Spark has it, no bound is the text `null`. One that can't be read is null. */
function boundText(bound: Uint8Array | null, { transform }: PartitionField, type: PrimitiveType): string | null {
  try {
    return partitionValueToText(transform, type, bound && bytesToValue(type, bound));
  } catch {
    return null;
  }
}
