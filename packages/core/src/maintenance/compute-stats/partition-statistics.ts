import { columnBuilder } from '../../columns/builder.ts';
import type { ColumnBatch } from '../../columns/column.ts';
import { throwIfAborted } from '../../errors.ts';
import { INT, LONG, optional, required } from '../../inspect/field-builders.ts';
import { unifiedPartitionType } from '../../inspect/partition-union.ts';
import { isDeletionVector } from '../../manifest/content-problem.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { decodeManifest } from '../../manifest/read-manifest.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import { fetchManifests } from '../../scan/fetch-manifests.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import { compareTuples } from '../../spec/compare-values.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { ManifestEntry } from '../../spec/manifest.ts';
import { snapshotById } from '../../spec/metadata-accessors.ts';
import { UNPARTITIONED_SPEC } from '../../spec/partition-spec.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import type { Schema } from '../../spec/schema.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import { UNSORTED } from '../../spec/sort-order.ts';
import type { FormatVersion, PartitionStatisticsFile, TableMetadata } from '../../spec/table-metadata.ts';
import type { PrimitiveType, StructType } from '../../spec/types.ts';
import type { Value } from '../../spec/values.ts';
import { writeDataFiles } from '../../write/data-writer.ts';
import type { ComputedSnapshot } from './compute-stats.ts';

/** What there is in one partition of one spec (spec: "Partition Statistics File"). */
interface PartitionStatistics {
  /** In the fields of all specs. */
  readonly partition: readonly Value[];
  readonly specId: number;
  dataRecords: bigint;
  dataFiles: number;
  dataBytes: bigint;
  positionDeleteRecords: bigint;
  positionDeleteFiles: number;
  vectors: number;
  vectorRecords: bigint;
  equalityDeleteRecords: bigint;
  equalityDeleteFiles: number;
  updatedBy: Snapshot | null;
}

/** Writes the statistics of a snapshot's partitions, from its manifests; null if it has no partitions. */
export async function writePartitionStatistics(source: ComputedSnapshot): Promise<PartitionStatisticsFile | null> {
  const { metadata, snapshot, io, runtime, staged, locationOf, signal } = source;
  const partition = unifiedPartitionType(metadata);
  const partitions = await addUpPartitions(source, partition);
  if (partitions.length === 0) return null;
  const schema = statisticsSchema(partition, metadata.formatVersion);
  const location = locationOf(`partition-stats-${snapshot.snapshotId}-`, '.parquet');
  staged.add(location);
  const [file] = await writeDataFiles(batches(schema, partitions), {
    io,
    runtime,
    schema,
    spec: UNPARTITIONED_SPEC,
    sortOrder: UNSORTED,
    properties: { 'write.target-file-size-bytes': String(Number.MAX_SAFE_INTEGER) },
    locationFor: () => location,
    ...(signal && { signal }),
  });
  return {
    snapshotId: snapshot.snapshotId,
    statisticsPath: location,
    fileSizeInBytes: file!.fileSizeInBytes,
    unknownFields: {},
  };
}

function statisticsSchema(partition: StructType, formatVersion: FormatVersion): Schema {
  const since3 = formatVersion >= 3 ? required : optional;
  const fields = [
    required(1, 'partition', partition),
    required(2, 'spec_id', INT),
    required(3, 'data_record_count', LONG),
    required(4, 'data_file_count', INT),
    required(5, 'total_data_file_size_in_bytes', LONG),
    since3(6, 'position_delete_record_count', LONG),
    since3(7, 'position_delete_file_count', INT),
    since3(8, 'equality_delete_record_count', LONG),
    since3(9, 'equality_delete_file_count', INT),
    optional(10, 'total_record_count', LONG),
    optional(11, 'last_updated_at', LONG),
    optional(12, 'last_updated_snapshot_id', LONG),
    ...(formatVersion >= 3 ? [required(13, 'dv_count', INT)] : []),
  ];
  return { kind: 'struct', schemaId: 0, fields, identifierFieldIds: [] };
}

/** In the order of the schema; the last one only where the schema has it. */
function valuesOf(one: PartitionStatistics): readonly Value[] {
  const { updatedBy } = one;
  const isExact = one.equalityDeleteFiles === 0 && one.positionDeleteFiles === 0;
  return [
    one.partition,
    one.specId,
    one.dataRecords,
    one.dataFiles,
    one.dataBytes,
    one.positionDeleteRecords,
    one.positionDeleteFiles,
    one.equalityDeleteRecords,
    one.equalityDeleteFiles,
    // Two deletes may be of one row; only the rows of a deletion vector are each of them there.
    isExact ? one.dataRecords - one.vectorRecords : null,
    updatedBy ? BigInt(updatedBy.timestampMs) : null,
    updatedBy?.snapshotId ?? null,
    one.vectors,
  ];
}

const BATCH_ROWS = 8192;

function* batches(schema: Schema, partitions: readonly PartitionStatistics[]): Generator<ColumnBatch> {
  const builders = schema.fields.map(({ type }) => columnBuilder(type));
  for (let start = 0; start < partitions.length; start += BATCH_ROWS) {
    const rows = partitions.slice(start, start + BATCH_ROWS);
    for (const one of rows) {
      const values = valuesOf(one);
      builders.forEach((builder, i) => builder.append(values[i]!));
    }
    yield { length: rows.length, columns: builders.map((builder) => builder.finish()) };
  }
}

async function addUpPartitions(
  { io, metadata, snapshot, runtime, signal }: ComputedSnapshot,
  partition: StructType,
): Promise<readonly PartitionStatistics[]> {
  const aborted = signal ? { signal } : {};
  const manifests = await readManifestList(io, snapshot, metadata, aborted);
  const totals = new PartitionTotals(metadata, partition);
  for await (const [manifest, bytes] of fetchManifests(io, manifests, runtime, aborted)) {
    const options = { ...tableDefinitions(metadata), columns: { stats: 'none' as const } };
    for (const entries of decodeManifest(bytes, manifest, options)) {
      throwIfAborted(signal);
      for (const entry of entries) totals.add(entry);
    }
  }
  return totals.sorted();
}

class PartitionTotals {
  readonly #partition: StructType;
  readonly #metadata: TableMetadata;
  /** By spec: for each field of the partition the place in the spec's tuples; null where it has none. */
  readonly #places: ReadonlyMap<number, readonly (number | null)[]>;
  readonly #byKey = new Map<string, PartitionStatistics>();

  constructor(metadata: TableMetadata, partition: StructType) {
    this.#partition = partition;
    this.#metadata = metadata;
    this.#places = new Map(metadata.partitionSpecs.map((spec) => [spec.specId, placesIn(spec, partition)]));
  }

  /** A file that has gone still says when its partition was changed, until the manifest is written again. */
  add({ status, snapshotId, file }: ManifestEntry): void {
    const one = this.#of(file);
    if (status !== 'deleted') addFile(one, file);
    const snapshot = snapshotById(this.#metadata, snapshotId);
    if (snapshot && (one.updatedBy === null || snapshot.timestampMs > one.updatedBy.timestampMs))
      one.updatedBy = snapshot;
  }

  /** Ascending by partition, nulls first. */
  sorted(): readonly PartitionStatistics[] {
    const compare = compareTuples(this.#partition.fields.map(({ type }) => type as PrimitiveType));
    const all = [...this.#byKey.values()];
    return all.toSorted((a, b) => compare(a.partition, b.partition) || a.specId - b.specId);
  }

  #of({ specId, partition }: DataFile): PartitionStatistics {
    const key = partitionKey(specId, partition);
    let one = this.#byKey.get(key);
    if (!one) {
      const places = this.#places.get(specId)!;
      one = newStatistics(
        specId,
        places.map((place) => (place === null ? null : partition[place]!)),
      );
      this.#byKey.set(key, one);
    }
    return one;
  }
}

function placesIn({ fields }: PartitionSpec, partition: StructType): readonly (number | null)[] {
  return partition.fields.map(({ id }) => {
    const place = fields.findIndex(({ fieldId }) => fieldId === id);
    return place < 0 ? null : place;
  });
}

function newStatistics(specId: number, partition: readonly Value[]): PartitionStatistics {
  return {
    partition,
    specId,
    dataRecords: 0n,
    dataFiles: 0,
    dataBytes: 0n,
    positionDeleteRecords: 0n,
    positionDeleteFiles: 0,
    vectors: 0,
    vectorRecords: 0n,
    equalityDeleteRecords: 0n,
    equalityDeleteFiles: 0,
    updatedBy: null,
  };
}

function addFile(one: PartitionStatistics, file: DataFile): void {
  const records = BigInt(file.recordCount);
  switch (file.content) {
    case 'data':
      one.dataRecords += records;
      one.dataFiles++;
      one.dataBytes += BigInt(file.fileSizeInBytes);
      return;
    case 'position-deletes':
      one.positionDeleteRecords += records;
      if (isDeletionVector(file)) {
        one.vectors++;
        one.vectorRecords += records;
      } else one.positionDeleteFiles++;
      return;
    case 'equality-deletes':
      one.equalityDeleteRecords += records;
      one.equalityDeleteFiles++;
      return;
  }
}
