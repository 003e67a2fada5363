import type { ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import { POSITION_DELETES } from '../deletes/position-delete-file.ts';
import { partitionKey } from '../scan/partition-key.ts';
import { compareStrings } from '../spec/compare-values.ts';
import type { DataFile } from '../spec/data-file.ts';
import { FILE_PATH, POS } from '../spec/position-delete-fields.ts';
import { UNSORTED } from '../spec/sort-order.ts';
import { tableProperty } from '../spec/table-properties.ts';
import { partitionPath } from '../transforms/partition-path.ts';
import { writeDataFiles } from './data-writer.ts';
import { deleteFileName, deleteFileProperties } from './delete-file.ts';
import type { DeleteFileOptions, DeletedPositions } from './delete-file.ts';
import { TaskPool } from './task-pool.ts';

/**
 * Writes position delete files (spec: "Position Delete Files"): one for each data file, or with
 * `write.delete.granularity` = partition one for each partition, sorted by path and position. If it fails, files may be
 * left behind, at locations that `locationFor` gave.
 */
export async function writePositionDeletes(
  deleted: readonly DeletedPositions[],
  options: DeleteFileOptions,
): Promise<readonly DataFile[]> {
  const pool = new TaskPool<readonly DataFile[]>(options.runtime.concurrency);
  try {
    for (const group of groups(deleted, options)) await pool.add(() => writeGroup(group, options));
    return (await pool.drain()).flat();
  } finally {
    await pool.settle();
  }
}

/** What goes into one file: positions in data files of one partition. */
function groups(
  deleted: readonly DeletedPositions[],
  { properties }: DeleteFileOptions,
): readonly (readonly DeletedPositions[])[] {
  const sorted = deleted.toSorted((a, b) => compareStrings(a.dataFile.path, b.dataFile.path));
  if (tableProperty(properties, 'write.delete.granularity') === 'file') return sorted.map((one) => [one]);
  const byPartition = new Map<string, DeletedPositions[]>();
  for (const one of sorted) {
    const key = partitionKey(one.dataFile.specId, one.dataFile.partition);
    const group = byPartition.get(key);
    if (group) group.push(one);
    else byPartition.set(key, [one]);
  }
  return [...byPartition.values()];
}

/** The paths must be found in the metrics as they are: the one data file that a delete is about is told by them. */
const FULL_METRICS = {
  [`write.metadata.metrics.column.${FILE_PATH.name}`]: 'full',
  [`write.metadata.metrics.column.${POS.name}`]: 'full',
};

async function writeGroup(
  group: readonly DeletedPositions[],
  options: DeleteFileOptions,
): Promise<readonly DataFile[]> {
  const { io, specs, schema, properties, locationFor, runtime, signal } = options;
  const { specId, partition } = group[0]!.dataFile;
  const spec = specs.find((candidate) => candidate.specId === specId)!;
  const directory = partitionPath(spec, schema, partition);
  const files = await writeDataFiles(rowsOf(group), {
    io,
    schema: POSITION_DELETES,
    spec: { specId, fields: [] },
    sortOrder: UNSORTED,
    properties: { ...deleteFileProperties(properties), ...FULL_METRICS },
    locationFor: (fileName) => locationFor(deleteFileName(fileName, 'parquet'), directory),
    runtime,
    ...(signal && { signal }),
  });
  const referencedDataFile = group.length === 1 ? group[0]!.dataFile.path : null;
  return files.map((file) => ({
    ...file,
    content: 'position-deletes',
    partition,
    sortOrderId: null,
    referencedDataFile,
    // Counts tell nothing, nor do bounds of several paths: as in Iceberg Java.
    valueCounts: null,
    nullValueCounts: null,
    nanValueCounts: null,
    ...(referencedDataFile === null && { lowerBounds: null, upperBounds: null }),
  }));
}

const BATCH_ROWS = 64 * 1024;

function* rowsOf(group: readonly DeletedPositions[]): Generator<ColumnBatch> {
  for (const { dataFile, positions } of group) {
    let values = new BigInt64Array(Math.min(BATCH_ROWS, positions.size));
    let length = 0;
    for (const position of positions) {
      if (length === values.length) {
        yield batchOf(dataFile.path, values);
        values = new BigInt64Array(BATCH_ROWS);
        length = 0;
      }
      values[length++] = BigInt(position);
    }
    if (length > 0) yield batchOf(dataFile.path, values.subarray(0, length));
  }
}

function batchOf(path: string, values: BigInt64Array): ColumnBatch {
  const { length } = values;
  const paths = constantColumn(FILE_PATH.type, path, length);
  return { length, columns: [paths, { layout: 'numbers', length, validity: null, values }] };
}
