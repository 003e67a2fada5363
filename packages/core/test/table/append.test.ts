import { tableFromArrays } from 'apache-arrow';
import type { Table as ArrowTable } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { CATALOGS, FORMAT_VERSIONS, expectError, listFiles, newTable, openCatalog } from './support.ts';

const shape = schema({ id: t.long().required(), city: t.string(), amount: t.decimal(10, 2) });
const rows = [
  { id: 1n, city: 'Seoul', amount: '12.50' },
  { id: 2n, city: null, amount: null },
  { id: 3n, city: 'Oslo', amount: '-0.05' },
];

describe.each(CATALOGS)('in a %s catalog', (kind) => {
  test.each(FORMAT_VERSIONS)('rows of a v%i table come back as they were given', async (formatVersion) => {
    const catalog = await openCatalog(kind);
    const table = await catalog.createTable('db.t', { schema: shape, formatVersion });
    const commit = await table.append(rows);
    expect(await table.scan().toRows()).toEqual(rows);
    expect(await (await catalog.loadTable('db.t')).scan().toRows()).toEqual(rows);
    expect(commit.changed).toBe(true);
    expect(commit.attempts).toBe(1);
    expect(commit.snapshotId).toBe(table.currentSnapshot()?.snapshotId);
    expect(commit.metadataLocation).toBe(table.metadataLocation);
  });

  test('a second append follows the first', async () => {
    const catalog = await openCatalog(kind);
    const table = await catalog.createTable('db.t', { schema: shape, formatVersion: 3 });
    const first = await table.append(rows);
    const second = await table.append([{ id: 4n }]);
    const [one, two] = table.snapshots();
    expect([one!.snapshotId, two!.snapshotId]).toEqual([first.snapshotId, second.snapshotId]);
    expect(two!.parentSnapshotId).toBe(one!.snapshotId);
    expect([one!.sequenceNumber, two!.sequenceNumber]).toEqual([1n, 2n]);
    expect([one!.firstRowId, one!.addedRows, two!.firstRowId, two!.addedRows]).toEqual([0n, 3n, 3n, 1n]);
    expect(table.metadata.nextRowId).toBe(4n);
    expect(two!.timestampMs).toBeGreaterThanOrEqual(one!.timestampMs);
    expect(second.summary).toMatchObject({
      operation: 'append',
      'added-data-files': '1',
      'added-records': '1',
      'changed-partition-count': '1',
      'total-records': '4',
      'total-data-files': '2',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
      'manifests-created': '1',
      'manifests-kept': '1',
      'manifests-replaced': '0',
    });
    const sizes = (BigInt(first.summary['added-files-size']!) + BigInt(second.summary['added-files-size']!)).toString();
    expect(second.summary['total-files-size']).toBe(sizes);
  });
});

test('partitions are told in the summary', async () => {
  const table = await newTable({
    schema: shape,
    partitionBy: [partitionBy.identity('city')],
    properties: { 'write.summary.partition-limit': '5' },
  });
  const { summary } = await table.append(rows);
  expect(summary['changed-partition-count']).toBe('3');
  expect(summary['partitions.city=Seoul']).toMatch(/^added-data-files=1,added-records=1,added-files-size=\d+$/);
});

test('an append of nothing writes nothing', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const before = await listFiles(io, 'memory:/');
  const empty = await table.append([]);
  expect(empty).toMatchObject({ changed: false, snapshotId: null, summary: {}, attempts: 0 });
  const { snapshotId } = await table.append(rows);
  expect(await table.append([])).toMatchObject({ changed: false, snapshotId });
  expect((await listFiles(io, 'memory:/')).length).toBeGreaterThan(before.length);
  expect(table.snapshots()).toHaveLength(1);
});

describe('what fails leaves the table as it was, and no files behind', () => {
  const bad: Record<string, readonly object[]> = {
    'a value of another type': [{ id: 1n }, { id: 'one' }],
    'a required column without a value': [{ id: 1n }, { city: 'Oslo' }],
    'an unknown column': [{ id: 1n, town: 'Oslo' }],
    'a decimal that would have to be rounded': [{ id: 1n, amount: '0.005' }],
  };

  test.each(Object.entries(bad))('%s', async (_, data) => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape }, { io });
    await table.append(rows);
    const before = await listFiles(io, 'memory:/');
    const { metadataLocation } = table;
    await expectError(table.append(data), 'INVALID_ARGUMENT');
    expect(await listFiles(io, 'memory:/')).toEqual(before);
    expect((await table.refresh()).metadataLocation).toBe(metadataLocation);
    expect(await table.scan().toRows()).toEqual(rows);
  });

  test('a source that throws half way', async () => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape }, { io });
    const before = await listFiles(io, 'memory:/');
    async function* source(): AsyncGenerator<{ id: bigint }> {
      yield { id: 1n };
      throw new Error('the source is gone');
    }
    await expect(table.append(source())).rejects.toThrow(/the source is gone/);
    expect(await listFiles(io, 'memory:/')).toEqual(before);
  });

  test('a signal that is aborted, before and meanwhile', async () => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape }, { io });
    const before = await listFiles(io, 'memory:/');
    await expectError(table.append(rows, { signal: AbortSignal.abort() }), 'ABORTED');
    const controller = new AbortController();
    async function* source(): AsyncGenerator<{ id: bigint }> {
      yield { id: 1n };
      controller.abort();
      yield { id: 2n };
    }
    await expectError(table.append(source(), { signal: controller.signal }), 'ABORTED');
    expect(await listFiles(io, 'memory:/')).toEqual(before);
  });

  test('a store that fails while data or manifests are written', async () => {
    for (const suffix of ['.parquet', '-m0.avro', /snap-.*\.avro$/]) {
      const memory = new MemoryFileIO();
      const when = ({ location }: { location: string }): boolean =>
        typeof suffix === 'string' ? location.endsWith(suffix) : suffix.test(location);
      const io = new FaultInjectingFileIO(memory, { rules: [{ fault: 'fail-after', operations: ['write'], when }] });
      const table = await newTable({ schema: shape }, { io });
      const before = await listFiles(memory, 'memory:/');
      await expectError(table.append(rows), 'UNAVAILABLE');
      expect(await listFiles(memory, 'memory:/')).toEqual(before);
    }
  });

  test('a table that is read-only', async () => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape }, { io });
    await table.append(rows);
    const still = await Table.load(table.metadataLocation, { io });
    const before = await listFiles(io, 'memory:/');
    await expectError(still.append(rows), 'UNSUPPORTED', /can't be changed/);
    await expectError(still.setProperties({ a: 'b' }), 'UNSUPPORTED');
    expect(await listFiles(io, 'memory:/')).toEqual(before);
    expect(await still.scan().toRows()).toEqual(rows);
  });

  test('a branch that does not exist, and a tag', async () => {
    const table = await newTable({ schema: shape });
    await table.append(rows);
    await table.createTag('v1');
    await expectError(table.append(rows, { branch: 'nope' }), 'NOT_FOUND', /createBranch/);
    await expectError(table.append(rows, { branch: 'v1' }), 'INVALID_ARGUMENT', /tag/);
    expect(table.snapshots()).toHaveLength(1);
  });
});

test('arrays, iterables, streams, Arrow tables and batches all come in', async () => {
  const table = await newTable({ schema: shape });
  const arrow = (from: number): ArrowTable =>
    tableFromArrays({ id: new BigInt64Array([BigInt(from), BigInt(from + 1)]) });
  async function* stream(): AsyncGenerator<ArrowTable | { id: number }> {
    yield arrow(10);
    yield { id: 12 };
  }
  await table.append(new Set([{ id: 1 }, { id: 2 }]));
  await table.append(arrow(3));
  await table.append(arrow(5).batches);
  await table.append(stream());
  const ids = (await table.scan({ select: ['id'] }).toRows()).map((row) => Number(row.id));
  expect(ids.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 10, 11, 12]);
});

test('progress is told while data is written', async () => {
  const table = await newTable({ schema: shape });
  const told: number[] = [];
  await table.append(rows, { onProgress: ({ rows: count }) => told.push(count) });
  expect(told.at(-1)).toBe(3);
});

test('an encrypted table is not written to', async () => {
  const table = await newTable({ schema: shape, properties: { 'encryption.key-id': 'k' } });
  await expectError(table.append(rows), 'UNSUPPORTED', /encrypted/);
});

test('properties of the snapshot are kept, those that are computed refused', async () => {
  const table = await newTable({ schema: shape });
  const { summary } = await table.append(rows, { snapshotProperties: { job: '7' } });
  expect(summary['job']).toBe('7');
  await expectError(table.append(rows, { snapshotProperties: { 'added-records': '7' } }), 'INVALID_ARGUMENT');
});

test('the same idempotency key appends once, from any handle', async () => {
  const io = new MemoryFileIO();
  const catalog = await openCatalog('file-system', { io });
  const table = await catalog.createTable('db.t', { schema: shape });
  const other = await catalog.loadTable('db.t');
  const first = await table.append(rows, { idempotencyKey: 'batch-1' });
  const files = await listFiles(io, 'memory:/');
  for (const handle of [table, other]) {
    const again = await handle.append(rows, { idempotencyKey: 'batch-1' });
    expect(again).toMatchObject({ changed: false, snapshotId: first.snapshotId });
    expect(await listFiles(io, 'memory:/')).toEqual(files);
  }
  expect(await other.scan().count()).toBe(3);
  await other.append(rows, { idempotencyKey: 'batch-2' });
  expect(await other.scan().count()).toBe(6);
});

test('a branch grows by itself', async () => {
  const table = await newTable({ schema: shape, formatVersion: 3 });
  const first = await table.append(rows);
  await table.createBranch('audit', { minSnapshotsToKeep: 3 });
  const onBranch = await table.append([{ id: 9n }], { branch: 'audit' });
  expect(table.currentSnapshot()!.snapshotId).toBe(first.snapshotId);
  expect(await table.scan().count()).toBe(3);
  expect(await table.scan({ ref: 'audit' }).count()).toBe(4);
  expect(table.refs()['audit']).toMatchObject({ snapshotId: onBranch.snapshotId, minSnapshotsToKeep: 3 });
  expect(table.metadata.nextRowId).toBe(4n);
  await table.fastForward('main', 'audit');
  expect(await table.scan().count()).toBe(4);
});

test('clocks that go backwards do not take the table along', async () => {
  const io = new MemoryFileIO();
  const late = await openCatalog('file-system', { io, runtime: new SeededRuntime(1, { startMs: 2_000_000_000_000 }) });
  await (await late.createTable('db.t', { schema: shape })).append(rows);
  const early = await openCatalog('file-system', { io, runtime: new SeededRuntime(2, { startMs: 1_000_000_000_000 }) });
  const table = await early.loadTable('db.t');
  await table.append(rows);
  const times = table.snapshots().map((snapshot) => snapshot.timestampMs);
  expect(times[1]).toBeGreaterThanOrEqual(times[0]!);
  const log = table.history().map((entry) => entry.timestampMs);
  expect(log).toEqual(log.toSorted((a, b) => a - b));
});

test('commits of one handle wait for each other instead of racing', async () => {
  const table = await newTable({ schema: shape, properties: { 'commit.retry.num-retries': '0' } });
  const commits = await Promise.all(Array.from({ length: 20 }, (_, i) => table.append([{ id: BigInt(i) }])));
  expect(commits.map((commit) => commit.attempts)).toEqual(Array.from({ length: 20 }, () => 1));
  expect(await table.scan().count()).toBe(20);
  expect((await table.refresh()).snapshots()).toHaveLength(20);
});
