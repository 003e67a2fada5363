import { describe, expect, test } from 'vitest';
import { columnTerm } from '../expr/expressions.ts';
import type { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { batchToRows } from '../../src/read/batch-rows.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { expectError } from '../table/support.ts';
import { batchOf, read, stream, taskOf, write } from '../write/support.ts';
import type { Row } from '../write/support.ts';
import { readTask } from './read-batches.ts';

const shape = schema({ id: t.int(), name: t.string(), blob: t.binary() });
const rows: Row[] = Array.from({ length: 6 }, (_, i) => [i, `name-${i}`, new Uint8Array(100_000).fill(i)]);

/** Six row groups of one row each. */
async function sixGroups(): Promise<{ io: MemoryFileIO; file: DataFile }> {
  const { io, files } = await write(shape, stream(...rows.map((row) => batchOf(shape, [row]))), {
    properties: { 'write.parquet.row-group-size-bytes': '1', 'write.parquet.compression-codec': 'uncompressed' },
  });
  expect(files[0]!.splitOffsets).toHaveLength(6);
  return { io, file: files[0]! };
}

const idOver = (value: number): FileScanTask['residual'] => ({
  op: 'gt',
  term: columnTerm({ kind: 'int' }, 1, 'id'),
  value,
});
const only = (...names: string[]): typeof shape => ({
  ...shape,
  fields: shape.fields.filter((field) => names.includes(field.name)),
});

/** How many bytes of the file were asked for. */
function counting(io: MemoryFileIO): { io: MemoryFileIO; bytes: () => number } {
  let bytes = 0;
  const counted = Object.create(io) as MemoryFileIO;
  counted.read = async (location, options) => {
    const result = await io.read(location, options);
    bytes += result.length;
    return result;
  };
  return { io: counted, bytes: () => bytes };
}

test('metadata columns come after the projection, and follow the rows that a filter keeps', async () => {
  const { io, file } = await sixGroups();
  const task = taskOf(file, shape, { residual: idOver(3) });
  const got = await read(io, task, { projection: only('name'), metadataColumns: ['_pos', '_file', '_spec_id'] });
  expect(got).toEqual([
    ['name-4', 4n, file.path, 0],
    ['name-5', 5n, file.path, 0],
  ]);
  expect(await read(io, task, { projection: only(), metadataColumns: ['_pos'] })).toEqual([[4n], [5n]]);
});

test('row lineage is inherited from the file', async () => {
  const { io, file } = await sixGroups();
  const columns = { projection: only('id'), metadataColumns: ['_row_id', '_last_updated_sequence_number'] as const };
  const task = taskOf({ ...file, firstRowId: 100n }, shape, { sequenceNumber: 7n });
  expect((await read(io, task, columns)).slice(0, 2)).toEqual([
    [0, 100n, 7n],
    [1, 101n, 7n],
  ]);
  expect((await read(io, taskOf(file, shape), columns))[0]).toEqual([0, null, null]);
});

test('a projection of no columns still has rows', async () => {
  const { io, file } = await sixGroups();
  const numbers: number[] = [];
  for await (const batch of readTask(io, taskOf(file, shape), { projection: only() })) numbers.push(batch.numRows);
  expect(numbers).toEqual([1, 1, 1, 1, 1, 1]);
  const filtered: number[] = [];
  for await (const batch of readTask(io, taskOf(file, shape, { residual: idOver(4) }), { projection: only() }))
    filtered.push(batch.numRows);
  expect(filtered).toEqual([1]);
});

test('only the wanted columns and row groups are read', async () => {
  const { io, file } = await sixGroups();
  const narrow = counting(io);
  await read(narrow.io, taskOf(file, shape), { projection: only('id', 'name') });
  expect(narrow.bytes()).toBeLessThan(100_000);
  const skipping = counting(io);
  expect(await read(skipping.io, taskOf(file, shape, { residual: idOver(4) }))).toEqual([rows[5]]);
  expect(skipping.bytes()).toBeLessThan(250_000);
});

test('nothing is read long before it is wanted', async () => {
  const { io, file } = await sixGroups();
  const counted = counting(io);
  const batches = readTask(counted.io, taskOf(file, shape), { projection: shape });
  expect(counted.bytes()).toBe(0);
  await batches.next();
  // The footer's read, this group, and the next one ahead.
  expect(counted.bytes()).toBeLessThan(350_000);
  await batches.return(undefined);
});

test('rows as objects, dates as Date', async () => {
  const dated = schema({ d: t.date(), at: t.timestamptz(), odd: t.struct({ ts: t.timestamp() }) });
  const { io, files } = await write(
    dated,
    stream(
      batchOf(dated, [
        [1, 1_000_000n, [1500n]],
        [null, null, null],
      ]),
    ),
  );
  const task = taskOf(files[0]!, dated);
  const got: unknown[] = [];
  for await (const batch of readTask(io, task, { projection: dated, metadataColumns: ['_pos'] })) {
    got.push(...batchToRows(batch, dated), ...batchToRows(batch, dated, { dates: 'Date' }));
  }
  expect(got).toEqual([
    { d: '1970-01-02', at: '1970-01-01T00:00:01.000000Z', odd: { ts: '1970-01-01T00:00:00.001500' }, _pos: 0n },
    { d: null, at: null, odd: null, _pos: 1n },
    { d: new Date('1970-01-02'), at: new Date(1000), odd: { ts: new Date(1) }, _pos: 0n },
    { d: null, at: null, odd: null, _pos: 1n },
  ]);
});

describe('what can not be read says so', () => {
  test.each([
    ['another format', { format: 'puffin' as const }, /format puffin/],
    ['an encrypted file', { keyMetadata: Uint8Array.of(1) }, /encrypted/],
  ])('%s', async (_, change, message) => {
    const { io, file } = await sixGroups();
    await expectError(read(io, taskOf({ ...file, ...change }, shape)), 'UNSUPPORTED', message);
  });

  test('a column of another kind', async () => {
    const { io, file } = await sixGroups();
    const other = schema({ id: t.list(t.int()), name: t.date() });
    await expectError(read(io, taskOf(file, other)), 'INVALID_DATA', /'id' .* is of type int32, .* list<int>/);
  });

  test('a file that is missing, short or not Parquet', async () => {
    const { io, file } = await sixGroups();
    await expectError(read(io, taskOf({ ...file, path: 'memory:/t/none' }, shape)), 'NOT_FOUND');
    await expectError(
      read(io, taskOf({ ...file, fileSizeInBytes: file.fileSizeInBytes + 9 }, shape)),
      'INVALID_DATA',
      /has no \d+ bytes at/,
    );
    await expectError(
      read(io, taskOf({ ...file, fileSizeInBytes: 1000 }, shape)),
      'INVALID_DATA',
      /not a whole Parquet file/,
    );
    await expectError(read(io, taskOf({ ...file, fileSizeInBytes: 3 }, shape)), 'INVALID_DATA', /3 bytes/);
  });
});

test('a store that fails is reported as it failed, and one that gives too little as unavailable', async () => {
  const { io, file } = await sixGroups();
  const runtime = new SeededRuntime(1);
  for (const when of [0, 1, 3]) {
    const failing = new FaultInjectingFileIO(io, {
      runtime,
      rules: [{ fault: 'fail-before', when: ({ index }) => index === when }],
    });
    await expectError(read(failing as never, taskOf(file, shape)), 'UNAVAILABLE');
    const partial = new FaultInjectingFileIO(io, {
      runtime,
      rules: [{ fault: 'partial', when: ({ index }) => index === when }],
    });
    await expectError(read(partial as never, taskOf(file, shape)), 'UNAVAILABLE', /gave \d+ of \d+ bytes/);
  }
});

test('an aborted read stops', async () => {
  const { io, file } = await sixGroups();
  const controller = new AbortController();
  const batches = readTask(io, taskOf(file, shape), { projection: shape, signal: controller.signal });
  await batches.next();
  controller.abort();
  await expectError(batches.next(), 'ABORTED');
});
