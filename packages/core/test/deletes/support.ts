import type { DeleteLoader } from '../../src/deletes/row-deletes.ts';
import { POSITION_DELETES } from '../../src/deletes/position-delete-file.ts';
import type { ReadRows } from '../../src/deletes/read-rows.ts';
import { DELETION_VECTOR, encodeDeletionVector } from '../../src/formats/puffin/deletion-vector.ts';
import { PositionBitmap } from '../../src/formats/puffin/position-bitmap.ts';
import { encodePuffin } from '../../src/formats/puffin/write-puffin.ts';
import type { NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import { readTaskColumns } from '../../src/read/read-task.ts';
import type { ReadTaskOptions } from '../../src/read/read-task.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { NO_METRICS } from '../../src/spec/data-file.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { isUnpartitioned } from '../../src/spec/partition-spec.ts';
import type { PartitionSpec, PartitionTuple } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { dataLocations } from '../../src/write/locations.ts';
import { ScannedTable } from '../scan/support.ts';
import { TABLE, batchOf, rowsOf, stream, write } from '../write/support.ts';
import type { Row } from '../write/support.ts';

export interface Place {
  readonly spec?: PartitionSpec;
  readonly partition?: PartitionTuple;
}

/** A table of files and delete files with sequence numbers as wanted, which no public API writes. */
export class TableWithDeletes {
  readonly table: ScannedTable;
  readonly #runtime = new SeededRuntime(7);
  readonly #entries: { readonly spec: PartitionSpec; readonly entry: Omit<NewManifestEntry, 'snapshotId'> }[] = [];

  constructor(schema: Schema, specs: readonly PartitionSpec[], formatVersion: FormatVersion = 3) {
    this.table = new ScannedTable(schema, specs, formatVersion);
  }

  get metadata(): TableMetadata {
    return this.table.metadata;
  }

  async addData(schema: Schema, rows: readonly Row[], sequenceNumber: bigint, place: Place = {}): Promise<DataFile> {
    return this.#add(await this.#write(schema, rows), sequenceNumber, place);
  }

  /** One file for all of them, in the order that the format asks for. */
  async addPositionDeletes(
    positions: readonly (readonly [path: string, position: number])[],
    sequenceNumber: bigint,
    place: Place = {},
  ): Promise<DataFile> {
    const rows = positions
      .toSorted(([a, x], [b, y]) => (a === b ? x - y : a < b ? -1 : 1))
      .map(([path, position]): Row => [path, BigInt(position)]);
    const file = await this.#write(POSITION_DELETES, rows);
    return this.#add({ ...file, content: 'position-deletes' }, sequenceNumber, place);
  }

  async addEqualityDeletes(
    schema: Schema,
    equalityIds: readonly number[],
    rows: readonly Row[],
    sequenceNumber: bigint,
    place: Place = {},
  ): Promise<DataFile> {
    const file = await this.#write(schema, rows);
    return this.#add({ ...file, content: 'equality-deletes', equalityIds }, sequenceNumber, place);
  }

  async addVector(
    target: DataFile,
    positions: readonly number[],
    sequenceNumber: bigint,
    place: Place = {},
  ): Promise<DataFile> {
    const file = await this.#writeVector(target, positions);
    return this.#add(file, sequenceNumber, place);
  }

  async #write(schema: Schema, rows: readonly Row[]): Promise<DataFile> {
    const { files } = await write(schema, stream(batchOf(schema, rows)), {
      io: this.table.io,
      runtime: this.#runtime,
      locationFor: dataLocations(TABLE, {}),
    });
    return files[0]!;
  }

  async #writeVector(target: DataFile, positions: readonly number[]): Promise<DataFile> {
    const bitmap = new PositionBitmap();
    for (const position of positions) bitmap.add(position);
    const blob = {
      type: DELETION_VECTOR,
      fields: [],
      snapshotId: -1n,
      sequenceNumber: -1n,
      properties: { 'referenced-data-file': target.path, cardinality: String(bitmap.size) },
      content: encodeDeletionVector(bitmap),
    };
    const { bytes, footer } = encodePuffin([{ ...blob, type: 'other' }, blob], { 'created-by': 'a test' });
    const path = `${TABLE}/data/dv-${this.#runtime.random()}.puffin`;
    await this.table.io.write(path, bytes);
    return {
      ...target,
      content: 'position-deletes',
      path,
      format: 'puffin',
      recordCount: bitmap.size,
      fileSizeInBytes: bytes.length,
      ...NO_METRICS,
      splitOffsets: null,
      firstRowId: null,
      referencedDataFile: target.path,
      contentOffset: footer.blobs[1]!.offset,
      contentSizeInBytes: footer.blobs[1]!.length,
    };
  }

  #add(
    file: DataFile,
    sequenceNumber: bigint,
    { spec = this.table.metadata.partitionSpecs[0]!, partition }: Place,
  ): DataFile {
    const placed = {
      ...file,
      specId: spec.specId,
      partition: partition ?? (isUnpartitioned(spec) ? [] : file.partition),
    };
    const entry = { status: 'existing', sequenceNumber, fileSequenceNumber: sequenceNumber, file: placed } as const;
    this.#entries.push({ spec, entry });
    return placed;
  }

  /** Plans a scan of the whole table. */
  async tasks(over: Parameters<ScannedTable['plan']>[1] = {}): Promise<readonly FileScanTask[]> {
    const inputs = (['data', 'deletes'] as const).flatMap((content) =>
      this.table.metadata.partitionSpecs.map((spec) => ({
        spec,
        content,
        sequenceNumber: 100n,
        entries: this.#entries
          .filter(({ entry, spec: own }) => own === spec && (entry.file.content === 'data') === (content === 'data'))
          .map(({ entry }) => entry),
      })),
    );
    await this.table.write(inputs.filter(({ entries }) => entries.length > 0));
    return (await this.table.plan({ op: 'true' }, over)).tasks;
  }
}

/** Counts which files are read as rows. */
export function countingReader(): { readonly readRows: ReadRows; readonly counts: ReadonlyMap<string, number> } {
  const counts = new Map<string, number>();
  return {
    counts,
    readRows: (io, task, options) => {
      counts.set(task.file.path, (counts.get(task.file.path) ?? 0) + 1);
      return readTaskColumns(io, task, options);
    },
  };
}

export async function readRows(
  { table }: TableWithDeletes,
  task: FileScanTask,
  options: Partial<ReadTaskOptions> & { readonly deletes?: DeleteLoader } = {},
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const full = { projection: task.schema, ...options };
  for await (const batch of readTaskColumns(table.io, task, full)) rows.push(...rowsOf(full.projection, batch));
  return rows;
}
