import * as fc from 'fast-check';
import { columnBuilder } from '../../src/columns/builder.ts';
import { columnReader } from '../../src/columns/column-reader.ts';
import type { ColumnBatch } from '../../src/columns/column.ts';
import { storedSchema } from '../../src/formats/parquet/encode.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readTaskColumns, taskSchema } from '../../src/read/read-task.ts';
import type { ReadTaskOptions } from '../../src/read/read-task.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { UNPARTITIONED_SPEC } from '../../src/spec/partition-spec.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { UNSORTED } from '../../src/spec/sort-order.ts';
import type { StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { writeDataFiles } from '../../src/write/data-writer.ts';
import type { WriteOptions } from '../../src/write/data-writer.ts';
import { dataLocations } from '../../src/write/locations.ts';
import { schema as anySchema, valueOf } from '../spec/arbitraries.ts';

export type Row = readonly Value[];

export const TABLE = 'memory:/t';

/** Schemas that a Parquet file can hold, with rows of them as values. */
export const schemaAndRows: fc.Arbitrary<{ readonly shape: Schema; readonly rows: readonly Row[] }> = anySchema
  .filter((shape) => {
    try {
      storedSchema(shape);
      return true;
    } catch {
      return false;
    }
  })
  .chain((shape) => fc.array(rowOf(shape), { minLength: 1, maxLength: 20 }).map((rows) => ({ shape, rows })));

export function rowOf(shape: StructType): fc.Arbitrary<Row> {
  return fc.tuple(
    ...shape.fields.map((field) =>
      field.required ? valueOf(field.type) : fc.option(valueOf(field.type), { nil: null }),
    ),
  );
}

export function batchOf(shape: StructType, rows: readonly Row[]): ColumnBatch {
  const columns = shape.fields.map((field, i) => {
    const builder = columnBuilder(field.type);
    for (const row of rows) builder.append(row[i]!);
    return builder.finish();
  });
  return { length: rows.length, columns };
}

export function rowsOf(shape: StructType, batch: ColumnBatch): Row[] {
  const readers = shape.fields.map((field, i) => columnReader(field.type, batch.columns[i]!));
  return Array.from({ length: batch.length }, (_, row) => readers.map((valueAt) => valueAt(row)));
}

export async function* stream<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export interface Written {
  readonly io: MemoryFileIO;
  readonly files: readonly DataFile[];
}

export async function write(
  shape: Schema,
  batches: AsyncIterable<ColumnBatch>,
  options: Partial<WriteOptions> = {},
): Promise<Written> {
  const io = new MemoryFileIO();
  const properties = options.properties ?? {};
  const files = await writeDataFiles(batches, {
    io,
    schema: shape,
    spec: UNPARTITIONED_SPEC,
    sortOrder: UNSORTED,
    properties,
    locationFor: dataLocations(TABLE, properties),
    runtime: new SeededRuntime(1),
    ...options,
  });
  return { io, files };
}

export function taskOf(file: DataFile, shape: Schema, options: Partial<FileScanTask> = {}): FileScanTask {
  const spec: PartitionSpec = UNPARTITIONED_SPEC;
  return { file, sequenceNumber: 1n, deletes: [], spec, schema: shape, residual: { op: 'true' }, ...options };
}

export async function read(
  io: MemoryFileIO,
  task: FileScanTask,
  options: Partial<ReadTaskOptions> = {},
): Promise<Row[]> {
  const full: ReadTaskOptions = { projection: task.schema, ...options };
  const rows: Row[] = [];
  for await (const batch of readTaskColumns(io, task, full)) rows.push(...rowsOf(taskSchema(full), batch));
  return rows;
}
