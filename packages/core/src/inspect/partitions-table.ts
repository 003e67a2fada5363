import { columnReader } from '../columns/column-reader.ts';
import type { ColumnBatch, NumbersColumn } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import { sliceBatch } from '../columns/slice.ts';
import { takeBatch } from '../columns/take.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import { batchFilter } from '../read/filter-batch.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import { entryScan } from './entry-batches.ts';
import { INT, LONG, TIMESTAMPTZ, optional, required, struct } from './field-builders.ts';
import { SPEC_ID, fileTables } from './file-tables-schema.ts';
import type { InspectedTable, MetadataTableDefinition, MetadataTableRead } from './metadata-table-definition.ts';
import { CONTENT, PartitionTotals } from './partition-totals.ts';
import { projectBatch } from './project-columns.ts';
import { manifestPruner, partitionStatistics } from './prune-manifests.ts';
import { readEntries, snapshotManifests } from './read-entries.ts';

function partitionsSchema(partition: StructType): StructType {
  const counts = [
    required(2, 'record_count', LONG, 'Records in data files'),
    required(3, 'file_count', INT, 'Data files'),
    required(11, 'total_data_file_size_in_bytes', LONG, 'Bytes of data files'),
    required(5, 'position_delete_record_count', LONG, 'Records in position delete files'),
    required(6, 'position_delete_file_count', INT, 'Position delete files'),
    required(7, 'equality_delete_record_count', LONG, 'Records in equality delete files'),
    required(8, 'equality_delete_file_count', INT, 'Equality delete files'),
    optional(9, 'last_updated_at', TIMESTAMPTZ, 'When the snapshot was made that last changed the partition'),
    optional(10, 'last_updated_snapshot_id', LONG, 'The snapshot that last changed the partition'),
  ];
  // A table without partitions has one row, of the whole table.
  if (partition.fields.length === 0) return struct(counts);
  return struct([required(1, 'partition', partition), required(4, 'spec_id', INT), ...counts]);
}

/** What there is in each partition of a snapshot: files are added up as they are read. */
export const partitionsTable: MetadataTableDefinition = {
  snapshot: 'read',
  open: (table) => {
    const { partition } = fileTables(table.metadata);
    const schema = partitionsSchema(partition);
    return { schema, read: (read) => readPartitions(table, partition, schema, read) };
  },
};

const BATCH_ROWS = 8192;

async function* readPartitions(
  table: InspectedTable,
  partition: StructType,
  schema: StructType,
  read: MetadataTableRead,
): AsyncGenerator<ColumnBatch> {
  const totals = await addUp(table, partition, read);
  const { length, partition: tuples, specIds, files, records, dataBytes, updatedAt, updatedBy } = totals.finish();
  const counts = [
    records(CONTENT.data),
    files(CONTENT.data),
    dataBytes,
    records(CONTENT.positionDeletes),
    files(CONTENT.positionDeletes),
    records(CONTENT.equalityDeletes),
    files(CONTENT.equalityDeletes),
    updatedAt,
    updatedBy,
  ];
  const columns = partition.fields.length === 0 ? counts : [tuples, specIds, ...counts];
  const matching = batchFilter(read.filter, schema);
  for (let start = 0; start < length; start += BATCH_ROWS) {
    const batch = sliceBatch({ length, columns }, start, Math.min(length, start + BATCH_ROWS));
    const rows = matching(batch);
    const projected = projectBatch(batch, schema, read.projection);
    yield rows ? takeBatch(projected, rows) : projected;
  }
}

const ADDED_UP: ReadonlySet<number> = new Set([
  ENTRY_FIELD.snapshotId,
  FILE_FIELD.content,
  FILE_FIELD.partition,
  FILE_FIELD.recordCount,
  FILE_FIELD.fileSizeInBytes,
  SPEC_ID,
]);

async function addUp(
  table: InspectedTable,
  partition: StructType,
  { snapshot, filter, signal }: MetadataTableRead,
): Promise<PartitionTotals> {
  const { metadata } = table;
  const tables = fileTables(metadata);
  const schema = tables.entries;
  const wanted = selectFields(schema, ADDED_UP);
  const scan = entryScan({ metadata, tables, schema, projection: wanted, filter: { op: 'true' }, liveOnly: true });
  const mayMatch = manifestPruner(filter, partitionStatistics(metadata));
  const manifests = (await snapshotManifests(table, snapshot, signal)).filter(mayMatch);
  const totals = new PartitionTotals(partition);
  const fieldCounts = fieldCountsOf(metadata, partition);
  for await (const batch of readEntries(table, manifests, scan, signal)) {
    addBatch(totals, batch, wanted, { metadata, partition, fieldCounts });
  }
  return totals;
}

interface Partitioning {
  readonly metadata: TableMetadata;
  readonly partition: StructType;
  /** How many fields of `partition` a spec has. */
  readonly fieldCounts: ReadonlyMap<number, number>;
}

function addBatch(
  totals: PartitionTotals,
  batch: ColumnBatch,
  type: StructType,
  { metadata, partition, fieldCounts }: Partitioning,
): void {
  const column = (id: number) => findColumn(type, id)!.find(batch);
  const ints = (id: number): Int32Array => (column(id) as NumbersColumn).values as Int32Array;
  const longs = (id: number): BigInt64Array => (column(id) as NumbersColumn).values as BigInt64Array;
  const [contents, specIds] = [ints(FILE_FIELD.content), ints(SPEC_ID)];
  const [records, sizes] = [longs(FILE_FIELD.recordCount), longs(FILE_FIELD.fileSizeInBytes)];
  const snapshotIds = longs(ENTRY_FIELD.snapshotId);
  const readers = partition.fields.map((field) => columnReader(field.type, column(field.id)));
  for (let row = 0; row < batch.length; row++) {
    const specId = specIds[row]!;
    const tuple = readers.map((read) => read(row));
    totals.add(tuple, fieldCounts.get(specId)!, {
      specId,
      content: contents[row]!,
      records: records[row]!,
      bytes: sizes[row]!,
      snapshot: snapshotById(metadata, snapshotIds[row]!) ?? null,
    });
  }
}

function fieldCountsOf({ partitionSpecs }: TableMetadata, partition: StructType): ReadonlyMap<number, number> {
  const ids = new Set(partition.fields.map(({ id }) => id));
  return new Map(
    partitionSpecs.map(({ specId, fields }) => [specId, fields.filter(({ fieldId }) => ids.has(fieldId)).length]),
  );
}
