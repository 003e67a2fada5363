import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import type { RewriteProgress } from '../../../src/maintenance/rewrite-data-files/options.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import type { FaultRule } from '../../../src/testing/fault-injecting-file-io.ts';
import { FORMAT_VERSIONS, expectError, newTable, orphans } from '../../table/support.ts';

const shape = schema({ id: t.long().required(), day: t.date(), n: t.int() });
type Row = { id: bigint; day: string | null; n: number | null };

const rowOf = (id: number, day = '2024-01-01'): Row => ({ id: BigInt(id), day, n: id % 7 });
const ids = (rows: readonly { readonly id: bigint }[]): readonly number[] =>
  rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
const range = (length: number, from = 0): readonly number[] => Array.from({ length }, (_, i) => from + i);

async function smallFiles(
  count: number,
  options: Partial<Parameters<typeof newTable<Row>>[0]> = {},
  io = new MemoryFileIO(),
) {
  const table = await newTable<Row>({ schema: shape, ...options }, { io });
  for (const i of range(count)) await table.append([rowOf(i)]);
  return { table, io };
}

async function dataFiles(table: {
  scan(): { plan(): Promise<{ readonly tasks: readonly unknown[] }> };
}): Promise<number> {
  return (await table.scan().plan()).tasks.length;
}

describe('binpack', () => {
  test.each(FORMAT_VERSIONS)('small files become one (v%i)', async (formatVersion) => {
    const { table, io } = await smallFiles(6, { formatVersion });
    const progress: RewriteProgress[] = [];
    const report = await table.rewriteDataFiles({ onProgress: (one) => progress.push(one) });
    expect(report).toMatchObject({
      rewrittenDataFilesCount: 6,
      addedDataFilesCount: 1,
      failedDataFilesCount: 0,
      removedDeleteFilesCount: 0,
      dryRun: false,
      groups: [{ index: 1, partitionIndex: 1, partition: '', status: 'rewritten', inputFiles: 6, outputFiles: 1 }],
    });
    expect(report.rewrittenBytesCount).toBe(report.groups[0]!.inputBytes);
    expect(report.snapshotIds).toEqual([table.currentSnapshot()!.snapshotId]);
    expect(table.currentSnapshot()).toMatchObject({
      operation: 'replace',
      summary: { 'added-data-files': '1', 'deleted-data-files': '6', 'total-records': '6' },
    });
    expect(ids(await table.scan().toRows())).toEqual(range(6));
    expect(await dataFiles(table)).toBe(1);
    expect(progress.at(-1)).toMatchObject({ groupsDone: 1, groupsTotal: 1, filesDone: 6, filesTotal: 6 });
    expect(await orphans(table, io)).toEqual([]);
    expect((await table.rewriteDataFiles()).groups).toEqual([]);
  });

  test('few files are left alone, unless all are to be rewritten', async () => {
    const { table } = await smallFiles(4);
    expect(await table.rewriteDataFiles()).toMatchObject({ rewrittenDataFilesCount: 0, groups: [], snapshotIds: [] });
    expect((await table.rewriteDataFiles({ minInputFiles: 4 })).rewrittenDataFilesCount).toBe(4);
    expect((await table.rewriteDataFiles({ rewriteAll: true })).rewrittenDataFilesCount).toBe(1);
  });

  test('a table without snapshots has nothing to do', async () => {
    const table = await newTable({ schema: shape });
    expect(await table.rewriteDataFiles({ rewriteAll: true, removeDanglingDeletes: true })).toMatchObject({
      groups: [],
    });
  });

  test('a dry run only plans', async () => {
    const { table } = await smallFiles(5);
    const before = table.metadataLocation;
    const report = await table.rewriteDataFiles({ dryRun: true });
    expect(report).toMatchObject({
      dryRun: true,
      rewrittenDataFilesCount: 0,
      groups: [{ status: 'planned', inputFiles: 5 }],
    });
    expect((await table.refresh()).metadataLocation).toBe(before);
  });

  test('partitions are groups of their own, in the order that is asked for', async () => {
    const table = await newTable<Row>({ schema: shape, partitionBy: [partitionBy.identity('day')] });
    for (const i of range(12)) await table.append([rowOf(i, i % 3 === 0 ? '2024-01-02' : '2024-01-01')]);
    await table.append([rowOf(99, '2024-01-03')]);
    const options = { minInputFiles: 3, maxConcurrentFileGroupRewrites: 1 };
    const planned = await table.rewriteDataFiles({ ...options, dryRun: true });
    expect(planned.groups.map(({ partition, inputFiles }) => [partition, inputFiles])).toEqual(
      expect.arrayContaining([
        ['day=2024-01-01', 8],
        ['day=2024-01-02', 4],
      ]),
    );
    const done: number[] = [];
    await table.rewriteDataFiles({
      ...options,
      jobOrder: 'files-asc',
      partialProgress: { enabled: true },
      onProgress: ({ filesDone }) => done.push(filesDone),
    });
    expect(done).toEqual([4, 12]);
    expect(table.snapshots()).toHaveLength(15);
    expect(ids(await table.scan().toRows())).toEqual([...range(12), 99]);
  });

  test('groups hold as much as they may, and where says which files are looked at', async () => {
    const table = await newTable<Row>({ schema: shape, partitionBy: [partitionBy.identity('day')] });
    for (const i of range(8)) await table.append([rowOf(i), rowOf(100 + i, '2024-02-01')]);
    const plan = (options: Parameters<typeof table.rewriteDataFiles>[0]) =>
      table.rewriteDataFiles({ minInputFiles: 2, dryRun: true, ...options });
    const one = (await plan({})).groups[0]!.inputBytes / 8;
    const split = await plan({ maxFileGroupSizeBytes: Math.ceil(one * 3), where: "day < '2024-02-01'" });
    expect(split.groups.map((group) => [group.index, group.partitionIndex, group.inputFiles])).toEqual([
      [1, 1, 3],
      [2, 2, 3],
      [3, 3, 2],
    ]);
    expect((await plan({ maxFileGroupInputFiles: 4 })).groups.map(({ inputFiles }) => inputFiles)).toEqual([
      4, 4, 4, 4,
    ]);
    expect((await plan({ maxFilesToRewrite: 10 })).groups.map(({ inputFiles }) => inputFiles)).toEqual([8, 2]);
  });

  test('a file that is too large is cut', async () => {
    const table = await newTable<Row>({ schema: shape, properties: { 'write.parquet.row-group-size-bytes': '4096' } });
    await table.append(range(20_000).map((i) => rowOf(i)));
    const size = (await table.scan().plan()).tasks[0]!.file.fileSizeInBytes;
    const report = await table.rewriteDataFiles({ targetFileSizeBytes: Math.floor(size / 4) });
    expect(report.rewrittenDataFilesCount).toBe(1);
    expect(report.addedDataFilesCount).toBeGreaterThan(2);
    expect(await table.scan().count()).toBe(20_000);
  });
});

describe('deletes', () => {
  test.each([2, 3] as const)('are applied, and go with the files they are about (v%i)', async (formatVersion) => {
    const table = await newTable<Row>({ schema: shape, formatVersion });
    for (const i of range(3)) await table.append(range(10, 10 * i).map((id) => rowOf(id)));
    await table.delete('id IN (1, 2, 3, 4, 11)', { mode: 'merge-on-read' });
    const plain = await table.rewriteDataFiles({ dryRun: true });
    // 4 of 10 rows are enough, 1 of 10 is not; but files that are small anyway go along.
    expect(plain.groups).toMatchObject([{ inputFiles: 3, deleteFiles: 2 }]);
    const narrow = { minFileSizeBytes: 0, deleteRatioThreshold: 0.4 };
    expect((await table.rewriteDataFiles({ ...narrow, deleteRatioThreshold: 0.5 })).groups).toEqual([]);
    expect((await table.rewriteDataFiles({ ...narrow, deleteFileThreshold: 1, dryRun: true })).groups).toMatchObject([
      { inputFiles: 2 },
    ]);
    const report = await table.rewriteDataFiles(narrow);
    expect(report).toMatchObject({ rewrittenDataFilesCount: 1, addedDataFilesCount: 1, removedDeleteFilesCount: 1 });
    expect(await table.scan().count()).toBe(25);
    expect((await table.rewriteDataFiles({ rewriteAll: true })).removedDeleteFilesCount).toBe(1);
    expect((await table.inspect('delete_files')).numRows).toBe(0);
    expect(ids(await table.scan().toRows())).toEqual(range(30).filter((id) => ![1, 2, 3, 4, 11].includes(id)));
  });

  test('a group whose rows all are deleted leaves no file', async () => {
    const { table } = await smallFiles(5);
    await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: range(5).map((id) => ({ id: BigInt(id) })) } });
    const report = await table.rewriteDataFiles();
    expect(report).toMatchObject({ rewrittenDataFilesCount: 5, addedDataFilesCount: 0 });
    expect(await dataFiles(table)).toBe(0);
  });

  test('dangling deletes of partitions are removed if that is asked for', async () => {
    const table = await newTable<Row>({
      schema: shape,
      formatVersion: 2,
      partitionBy: [partitionBy.identity('day')],
      properties: { 'write.delete.granularity': 'partition' },
    });
    await table.append([rowOf(7, '2024-01-02')]);
    for (const i of range(5)) await table.append([rowOf(i), rowOf(10 + i)]);
    await table.rowDelta({
      equalityDeletes: { fields: ['id', 'day'], rows: [{ id: 12n, day: '2024-01-01' }] },
    });
    await table.delete('id < 2', { mode: 'merge-on-read' });
    const where = "day = '2024-01-01'";
    expect((await table.rewriteDataFiles({ where })).removedDeleteFilesCount).toBe(0);
    expect((await table.inspect('delete_files')).numRows).toBe(2);
    const report = await table.rewriteDataFiles({ where, removeDanglingDeletes: true });
    // New files are as old as the last delete, which might be about others of that age.
    expect(report).toMatchObject({ rewrittenDataFilesCount: 0, removedDeleteFilesCount: 1 });
    await table.append([rowOf(20), rowOf(21)]);
    await table.rewriteDataFiles({ where, rewriteAll: true });
    expect((await table.rewriteDataFiles({ removeDanglingDeletes: true })).removedDeleteFilesCount).toBe(1);
    expect((await table.inspect('delete_files')).numRows).toBe(0);
    expect(ids(await table.scan().toRows())).toEqual([2, 3, 4, 7, 10, 11, 13, 14, 20, 21]);
  });
});

describe('evolution', () => {
  test('files of older schemas and specs become current ones', async () => {
    const table = (await newTable<Row>({ schema: shape })) as unknown as Table;
    await table.append(range(4).map((id) => rowOf(id, `2024-01-0${1 + (id % 2)}`)));
    await table.updateSchema((s) => s.addColumn('city', t.string()).deleteColumn('n').renameColumn('day', 'date'));
    await table.updateSpec((p) => p.add(partitionBy.identity('date')));
    await table.append([{ id: 9n, date: '2024-01-01', city: 'Seoul' }]);
    const before = await table.scan().toRows();
    const report = await table.rewriteDataFiles({ rewriteAll: true });
    expect(report.groups).toMatchObject([
      { partition: 'date=2024-01-01', inputFiles: 1, outputFiles: 1 },
      { partition: null, inputFiles: 1, outputFiles: 2 },
    ]);
    const { tasks } = await table.scan().plan();
    expect(new Set(tasks.map(({ file }) => file.specId))).toEqual(new Set([table.spec.specId]));
    const byId = (rows: readonly Record<string, unknown>[]) => new Map(rows.map((row) => [row['id'], row]));
    expect(byId(await table.scan().toRows())).toEqual(byId(before));
    await table.rewriteDataFiles({ rewriteAll: true, outputSpecId: 0 });
    expect(await dataFiles(table)).toBe(1);
    await expectError(table.rewriteDataFiles({ outputSpecId: 7 }), 'INVALID_ARGUMENT', /it has 0, 1/);
  });

  test('a branch is rewritten by itself', async () => {
    const { table } = await smallFiles(5);
    await table.createBranch('audit');
    const main = table.currentSnapshot();
    const report = await table.rewriteDataFiles({ branch: 'audit' });
    expect(report.rewrittenDataFilesCount).toBe(5);
    expect(table.currentSnapshot()).toEqual(main);
    expect(table.refs()['audit']!.snapshotId).toBe(report.snapshotIds[0]);
    await expectError(table.rewriteDataFiles({ branch: 'none' }), 'NOT_FOUND');
  });
});

describe('sort', () => {
  test('by the table’s order, or a given one', async () => {
    const { table } = await smallFiles(9);
    await expectError(table.rewriteDataFiles({ strategy: 'sort' }), 'INVALID_ARGUMENT', /no sort order/);
    await table.updateSortOrder([{ field: 'n', direction: 'desc' }, 'id']);
    await table.rewriteDataFiles({ strategy: 'sort' });
    const order = (await table.scan().toRows()).map(({ id }) => Number(id));
    expect(order).toEqual(range(9).toSorted((a, b) => (b % 7) - (a % 7) || a - b));
    const sortOrderId = async () => (await table.scan().plan()).tasks.map(({ file }) => file.sortOrderId);
    expect(await sortOrderId()).toEqual([1]);
    await table.rewriteDataFiles({ strategy: 'sort', sortBy: ['id'], rewriteAll: true });
    expect((await table.scan().toRows()).map(({ id }) => Number(id))).toEqual(range(9));
    expect(await sortOrderId()).toEqual([0]);
  });

  test('zorder brings together what is alike in several columns', async () => {
    const table = await newTable({ schema: schema({ x: t.int(), y: t.string(), z: t.double() }) });
    const rows = range(16).flatMap((x) =>
      range(16).map((y) => ({ x, y: `prefix-${String.fromCharCode(97 + y)}`, z: null })),
    );
    await table.append(rows.toReversed());
    await table.rewriteDataFiles({ strategy: 'zorder', zOrderBy: ['x', 'y'], rewriteAll: true });
    const sorted = await table.scan().toRows();
    // Each quarter of the file is a quarter of the square.
    for (const quarter of range(4)) {
      const some = sorted.slice(64 * quarter, 64 * (quarter + 1));
      expect(new Set(some.map(({ x }) => x! >> 3)).size).toBe(1);
      expect(new Set(some.map(({ y }) => y! < 'prefix-i')).size).toBe(1);
    }
    await table.append([
      { x: null, y: null, z: Number.NaN },
      { x: 1, y: 'ü', z: Infinity },
      { x: -(2 ** 31), y: '', z: -0 },
    ]);
    await table.rewriteDataFiles({ strategy: 'zorder', zOrderBy: ['z', 'y', 'x'], rewriteAll: true });
    expect(await table.scan().count()).toBe(259);
  });
});

test('options that make no sense are refused', async () => {
  const { table } = await smallFiles(1);
  const refused = [
    { strategy: 'z-order' },
    { targetFileSize: 5 },
    { partialProgress: { on: true } },
    { minInputFiles: 0 },
    { minInputFiles: 1.5 },
    { deleteRatioThreshold: 0 },
    { deleteRatioThreshold: 1.1 },
    { targetFileSizeBytes: 100, minFileSizeBytes: 100 },
    { targetFileSizeBytes: 100, maxFileSizeBytes: 100 },
    { jobOrder: 'bytes' },
    { sortBy: ['id'] },
    { strategy: 'sort', sortBy: [] },
    { strategy: 'sort', sortBy: ['nothing'] },
    { zOrderBy: ['id', 'n'] },
    { strategy: 'zorder' },
    { strategy: 'zorder', zOrderBy: ['id'] },
    { strategy: 'zorder', zOrderBy: ['id', 'id'] },
    { strategy: 'zorder', zOrderBy: ['id', 'nothing'] },
    { where: 'nothing = 1' },
  ];
  for (const options of refused) await expectError(table.rewriteDataFiles(options as object), 'INVALID_ARGUMENT');
});

describe('failures', () => {
  // The codec is loaded from disk once.
  beforeAll(async () => {
    await (await smallFiles(1)).table.scan().toRows();
  });

  async function partitioned(rules: readonly FaultRule[]) {
    const memory = new MemoryFileIO();
    const made = await newTable<Row>({ schema: shape, partitionBy: [partitionBy.identity('day')] }, { io: memory });
    for (const i of range(10)) await made.append([rowOf(i, `2024-01-0${1 + (i % 2)}`)]);
    const table = await Table.load(made.location, { io: new FaultInjectingFileIO(memory, { rules }) });
    return { table, memory };
  }
  const dataOfFirst: FaultRule = {
    fault: 'fail-before',
    operations: ['write'],
    when: ({ location }) => location.includes('/day=2024-01-01/'),
  };

  test('of a group fails all, and leaves nothing behind', async () => {
    const { table, memory } = await partitioned([dataOfFirst]);
    const before = table.metadataLocation;
    await expectError(table.rewriteDataFiles(), 'UNAVAILABLE');
    expect((await table.refresh()).metadataLocation).toBe(before);
    expect(await orphans(table, memory)).toEqual([]);
  });

  test('of a group is its own with partial progress', async () => {
    const { table, memory } = await partitioned([dataOfFirst]);
    const report = await table.rewriteDataFiles({ partialProgress: { enabled: true } });
    expect(report).toMatchObject({ rewrittenDataFilesCount: 5, failedDataFilesCount: 5 });
    const failed = report.groups.find(({ status }) => status === 'failed')!;
    expect(failed).toMatchObject({ partition: 'day=2024-01-01', error: { code: 'UNAVAILABLE' } });
    expect(ids((await table.scan().toRows()) as Row[])).toEqual(range(10));
    expect(await orphans(table, memory)).toEqual([]);
  });

  test('an answer that got lost deletes nothing', async () => {
    let isLost = false;
    const lost: FaultRule = {
      fault: 'fail-after',
      operations: ['write'],
      when: ({ location }) => location.endsWith('.metadata.json') && (isLost = true),
    };
    const dark: FaultRule = { fault: 'fail-before', operations: ['read', 'list', 'stat'], when: () => isLost };
    const { table, memory } = await partitioned([lost, dark]);
    await expectError(table.rewriteDataFiles(), 'COMMIT_STATE_UNKNOWN');
    const again = await Table.load(table.location, { io: memory });
    expect(await dataFiles(again)).toBe(2);
    expect(ids((await again.scan().toRows()) as Row[])).toEqual(range(10));
  });

  test('it stops when it is told to, and keeps what was committed', async () => {
    const { table, memory } = await partitioned([]);
    const stop = new AbortController();
    const running = table.rewriteDataFiles({
      partialProgress: { enabled: true },
      maxConcurrentFileGroupRewrites: 1,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expectError(running, 'ABORTED');
    expect(await dataFiles(await table.refresh())).toBe(6);
    expect(await orphans(table, memory)).toEqual([]);
    expect((await table.rewriteDataFiles()).rewrittenDataFilesCount).toBe(5);
    await expectError(table.rewriteDataFiles({ signal: AbortSignal.abort() }), 'ABORTED');
  });
});
