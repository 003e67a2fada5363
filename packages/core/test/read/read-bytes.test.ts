import { beforeAll, describe, expect, it } from 'vitest';
import { columnTerm } from '../expr/expressions.ts';
import { readParquetFooter } from '../../src/formats/parquet/footer.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { readTaskColumns } from '../../src/read/read-task.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { MeasuringFileIO } from '../../src/testing/measuring-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { batchOf, stream, taskOf, write } from '../write/support.ts';
import type { Row } from '../write/support.ts';

const COLUMNS = 12;
const GROUPS = 8;
const ROWS_PER_GROUP = 4000;
const LATENCY_MS = 10;

const shape: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: Array.from({ length: COLUMNS }, (_, i) => ({
    id: i + 1,
    name: `c${i}`,
    required: false,
    type: { kind: 'int' } as const,
  })),
};

/** What a read asked the store for, and how deep it was in round trips. */
async function measure(
  io: FileIO,
  task: FileScanTask,
  names: readonly string[],
): Promise<{ bytes: number; requests: number; depth: number }> {
  const runtime = new SeededRuntime(1);
  const far = new MeasuringFileIO(io, { runtime, latencyMs: LATENCY_MS, capabilities: { concurrency: 32 } });
  const projection = { ...shape, fields: shape.fields.filter(({ name }) => names.includes(name)) };
  const startedMs = runtime.now();
  const [outcome] = await runtime.run([
    async () => {
      for await (const batch of readTaskColumns(far, task, { projection }))
        expect(batch.columns).toHaveLength(names.length);
    },
  ]);
  if (outcome!.status === 'rejected') throw outcome!.reason as Error;
  return {
    bytes: far.bytes('read'),
    requests: far.requests.length,
    depth: (runtime.now() - startedMs) / LATENCY_MS,
  };
}

describe('a file of many columns and row groups', () => {
  let io: FileIO;
  let file: DataFile;
  let needed: (names: readonly string[], groups: readonly number[]) => number;

  beforeAll(async () => {
    // Values spread over all numbers, so that nothing is compressed away; the first column tells the groups apart.
    const row = (n: number): Row =>
      shape.fields.map((_, i) => (i === 0 ? n : Math.imul(n + 1, 0x9e3779b1 + 2 * i) | 0));
    const batches = Array.from({ length: GROUPS }, (_, group) =>
      batchOf(
        shape,
        Array.from({ length: ROWS_PER_GROUP }, (_row, i) => row(group * ROWS_PER_GROUP + i)),
      ),
    );
    const properties = { 'write.parquet.row-group-size-bytes': String(4 * COLUMNS * ROWS_PER_GROUP) };
    const written = await write(shape, stream(...batches), { properties });
    io = written.io;
    file = written.files[0]!;
    const footer = await readParquetFooter(io, file.path, file.fileSizeInBytes);
    const dataEnd = Math.max(
      ...footer.rowGroups.flatMap(({ columns }) => columns.map((c) => c.offset + c.compressedSize)),
    );
    needed = (names, groups) => {
      const chunks = groups.flatMap((group) =>
        names.map((name) => footer.rowGroups[group]!.columns[Number(name.slice(1))]!.compressedSize),
      );
      return chunks.reduce((sum, size) => sum + size, file.fileSizeInBytes - dataEnd);
    };
  });

  const all = Array.from({ length: GROUPS }, (_, group) => group);

  it.each([[['c3', 'c9']], [['c5']], [['c1', 'c2', 'c3', 'c7']], [shape.fields.map(({ name }) => name)]])(
    'little more is fetched of it than the columns %j',
    async (names) => {
      const { bytes, depth } = await measure(io, taskOf(file, shape), names);
      expect(bytes).toBeLessThanOrEqual(1.2 * needed(names, all));
      // The footer, the first group, the next one, then more and more.
      expect(depth).toBe(5);
    },
  );

  it('nothing is fetched of row groups without matching rows, and columns come side by side', async () => {
    const residual: FileScanTask['residual'] = {
      op: 'gteq',
      term: columnTerm({ kind: 'int' }, 1, 'c0'),
      value: ROWS_PER_GROUP * (GROUPS - 1),
    };
    const { bytes, depth, requests } = await measure(io, taskOf(file, shape, { residual }), ['c4', 'c8', 'c11']);
    expect(bytes).toBeLessThanOrEqual(1.2 * needed(['c0', 'c4', 'c8', 'c11'], [GROUPS - 1]));
    expect(requests).toBe(1 + 4);
    expect(depth).toBe(2);
  });
});
