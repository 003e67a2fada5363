import { columnReader } from '../columns/column-reader.ts';
import type { ColumnBatch, NumbersColumn } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import { ENTRY_FIELD, FILE_FIELD } from '../manifest/manifest-schema.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { snapshotById, specById } from '../spec/metadata-accessors.ts';
import { selectFields } from '../spec/select-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { entryScan } from './entry-batches.ts';
import { CONTENT } from './entry-columns.ts';
import { SPEC_ID, fileTables } from './file-tables-schema.ts';
import type { FileTables } from './file-tables-schema.ts';
import type { MetadataTableDefinition } from './metadata-table-definition.ts';
import { manifestPruner, partitionStatistics } from './prune-manifests.ts';
import { readEntries, snapshotManifests } from './read-entries.ts';
import { INT, LONG, TIMESTAMPTZ, optional, required, struct } from './field-builders.ts';
import { valueRows } from './value-rows.ts';

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
    const { metadata } = table;
    const tables = fileTables(metadata);
    const schema = partitionsSchema(tables.partition);
    return {
      schema,
      read: async function* (read) {
        const { snapshot, filter, signal } = read;
        const mayMatch = manifestPruner(filter, partitionStatistics(metadata));
        const manifests = (await snapshotManifests(table, snapshot, signal)).filter(mayMatch);
        const wanted = selectFields(tables.entries, ADDED_UP);
        const scan = entryScan({
          metadata,
          tables,
          schema: tables.entries,
          projection: wanted,
          filter: EVERYTHING,
          liveOnly: true,
        });
        const partitions = new Partitions(metadata, tables, wanted);
        for await (const batch of readEntries(table, manifests, scan, signal)) partitions.add(batch);
        const rows = partitions.rows();
        yield* valueRows(schema, tables.partition.fields.length === 0 ? rows.map((row) => row.slice(2)) : rows, read);
      },
    };
  },
};

const EVERYTHING = { op: 'true' } as const;

const ADDED_UP: ReadonlySet<number> = new Set([
  ENTRY_FIELD.snapshotId,
  FILE_FIELD.content,
  FILE_FIELD.partition,
  FILE_FIELD.recordCount,
  FILE_FIELD.fileSizeInBytes,
  SPEC_ID,
]);

interface Partition {
  readonly tuple: readonly Value[];
  /** Of the file that changed it last. */
  specId: number;
  /** Files, records and bytes by the code of the files' content. */
  readonly files: [number, number, number];
  readonly records: [bigint, bigint, bigint];
  dataBytes: bigint;
  updatedAtMs: number | null;
  updatedBy: bigint | null;
}

class Partitions {
  readonly #metadata: TableMetadata;
  readonly #tables: FileTables;
  /** The part of the entries that is added up. */
  readonly #wanted: StructType;
  readonly #partitions = new Map<string, Partition>();
  readonly #fieldCounts = new Map<number, number>();

  constructor(metadata: TableMetadata, tables: FileTables, wanted: StructType) {
    this.#metadata = metadata;
    this.#tables = tables;
    this.#wanted = wanted;
  }

  add(batch: ColumnBatch): void {
    const numbers = (id: number) => (findColumn(this.#wanted, id)!.find(batch) as NumbersColumn).values;
    const [contents, specIds] = [numbers(FILE_FIELD.content), numbers(SPEC_ID)] as [Int32Array, Int32Array];
    const [records, sizes, snapshotIds] = [
      numbers(FILE_FIELD.recordCount),
      numbers(FILE_FIELD.fileSizeInBytes),
      numbers(ENTRY_FIELD.snapshotId),
    ] as [BigInt64Array, BigInt64Array, BigInt64Array];
    const readers = this.#tables.partition.fields.map(({ id, type }) =>
      columnReader(type, findColumn(this.#wanted, id)!.find(batch)),
    );
    for (let row = 0; row < batch.length; row++) {
      const specId = specIds[row]!;
      const tuple = readers.map((read) => read(row));
      const partition = this.#partition(specId, tuple);
      const content = contents[row]! as 0 | 1 | 2;
      partition.files[content]++;
      partition.records[content] += records[row]!;
      if (content === CONTENT.data) partition.dataBytes += sizes[row]!;
      this.#update(partition, specId, snapshotIds[row]!);
    }
  }

  rows(): readonly (readonly Value[])[] {
    return Array.from(
      this.#partitions.values(),
      ({ tuple, specId, files, records, dataBytes, updatedAtMs, updatedBy }) => [
        tuple,
        specId,
        records[CONTENT.data],
        files[CONTENT.data],
        dataBytes,
        records[CONTENT.positionDeletes],
        files[CONTENT.positionDeletes],
        records[CONTENT.equalityDeletes],
        files[CONTENT.equalityDeletes],
        updatedAtMs === null ? null : BigInt(updatedAtMs) * 1000n,
        updatedBy,
      ],
    );
  }

  /** Specs share a partition where their values are equal and no field of one is missing in the other. */
  #partition(specId: number, tuple: readonly Value[]): Partition {
    const key = partitionKey(this.#fieldCount(specId), tuple);
    let found = this.#partitions.get(key);
    if (!found) {
      const none = { files: [0, 0, 0], records: [0n, 0n, 0n], dataBytes: 0n } satisfies Partial<Partition>;
      found = { tuple, specId, ...none, updatedAtMs: null, updatedBy: null };
      this.#partitions.set(key, found);
    }
    return found;
  }

  #fieldCount(specId: number): number {
    let count = this.#fieldCounts.get(specId);
    if (count === undefined) {
      const { fields } = specById(this.#metadata, specId);
      count = this.#tables.partition.fields.filter(({ id }) => fields.some(({ fieldId }) => fieldId === id)).length;
      this.#fieldCounts.set(specId, count);
    }
    return count;
  }

  /** Snapshots that have been expired don't say when they were. */
  #update(partition: Partition, specId: number, snapshotId: bigint): void {
    const snapshot = snapshotById(this.#metadata, snapshotId);
    if (!snapshot || (partition.updatedAtMs !== null && snapshot.timestampMs <= partition.updatedAtMs)) return;
    partition.specId = specId;
    partition.updatedAtMs = snapshot.timestampMs;
    partition.updatedBy = snapshotId;
  }
}
