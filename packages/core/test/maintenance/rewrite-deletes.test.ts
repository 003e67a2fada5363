import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { isDeletionVector } from '../../src/manifest/content-problem.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { rowText } from '../changes/multiset.ts';
import { OF_ROWS, RandomTable, entriesOf } from '../changes/random-table.ts';
import type { ChangeKind } from '../changes/random-table.ts';
import { expectError, newTable, orphans } from '../table/support.ts';

const shape = schema({ id: t.long().required(), city: t.string() });

async function tableOf(
  options: { readonly formatVersion?: FormatVersion; readonly properties?: Record<string, string> } = {},
) {
  const [io, runtime] = [new MemoryFileIO(), new SeededRuntime(3)];
  const table = await newTable({ schema: shape, formatVersion: 2, ...options }, { io, runtime });
  const rows = (from: number) => Array.from({ length: 10 }, (_, i) => ({ id: BigInt(from + i), city: 'a' }));
  await table.append(rows(0));
  await table.append(rows(10));
  return { io, runtime, table };
}

async function deletesOf(table: Table, branch?: string): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  for (const { deletes } of (await table.scan(branch === undefined ? {} : { ref: branch }).plan()).tasks) {
    for (const { file } of deletes) if (!files.some(({ path }) => path === file.path)) files.push(file);
  }
  return files;
}

async function idsOf(table: Table): Promise<readonly bigint[]> {
  return (await table.scan().toRows()).map(({ id }) => id as bigint).toSorted((a, b) => Number(a - b));
}

const BY_PARTITION = { 'write.delete.granularity': 'partition' };

describe('rewritePositionDeletes', () => {
  test('combines small files, and drops what is about files that are gone', async () => {
    const { io, table } = await tableOf({ properties: BY_PARTITION });
    for (const id of [1, 2, 3, 11, 12]) await table.delete(`id = ${id}`, { mode: 'merge-on-read' });
    expect(await deletesOf(table)).toHaveLength(5);
    // The first file is replaced: three deletes dangle, but are not known to do so.
    await table.overwrite([{ id: 0n, city: 'b' }], { filter: 'id < 10' });
    const rows = await idsOf(table);
    expect(await table.rewritePositionDeletes({ dryRun: true })).toMatchObject({
      addedDeleteFilesCount: 0,
      dryRun: true,
    });
    const report = await table.rewritePositionDeletes({ minInputFiles: 2 });
    expect(report).toMatchObject({ addedDeleteFilesCount: 1, snapshotId: table.currentSnapshot()!.snapshotId });
    expect(report.rewrittenDeleteFilesCount).toBeGreaterThan(1);
    expect(report.rewrittenBytesCount).toBeGreaterThan(report.addedBytesCount);
    const [left, ...others] = await deletesOf(table);
    expect([left?.recordCount, others]).toEqual([2, []]);
    expect(await idsOf(table)).toEqual(rows);
    expect(table.currentSnapshot()!.operation).toBe('replace');
    expect(await orphans(table, io)).toEqual([]);
    expect(await table.rewritePositionDeletes()).toMatchObject({ rewrittenDeleteFilesCount: 0, snapshotId: null });
  });

  test('makes one of several about a data file', async () => {
    const { table } = await tableOf({ properties: BY_PARTITION });
    await table.delete('id = 1', { mode: 'merge-on-read' });
    await table.delete('id = 2', { mode: 'merge-on-read' });
    await table.setProperties({ 'write.delete.granularity': 'file' });
    expect(await table.rewritePositionDeletes()).toMatchObject({
      rewrittenDeleteFilesCount: 2,
      addedDeleteFilesCount: 1,
    });
    expect(await idsOf(table)).toHaveLength(18);
  });

  test('makes deletion vectors after an upgrade', async () => {
    const { table } = await tableOf({ properties: BY_PARTITION });
    await table.delete('id IN (1, 11)', { mode: 'merge-on-read' });
    await table.delete('id = 2', { mode: 'merge-on-read' });
    await table.upgradeFormatVersion(3);
    await table.delete('id = 3', { mode: 'merge-on-read' });
    const rows = await idsOf(table);
    expect(await table.rewritePositionDeletes()).toMatchObject({
      rewrittenDeleteFilesCount: 1,
      addedDeleteFilesCount: 1,
    });
    const deletes = await deletesOf(table);
    expect(deletes.map(isDeletionVector)).toEqual([true, true]);
    expect(await idsOf(table)).toEqual(rows);
    expect(await table.rewritePositionDeletes({ rewriteAll: true })).toMatchObject({ rewrittenDeleteFilesCount: 0 });
  });

  test('takes partitions that a filter may match', async () => {
    const { table } = await tableOf({ properties: BY_PARTITION });
    await table.delete('id = 1', { mode: 'merge-on-read' });
    await table.delete('id = 2', { mode: 'merge-on-read' });
    await expectError(table.rewritePositionDeletes({ where: 'nothing = 1' }), 'INVALID_ARGUMENT');
    await expectError(table.rewritePositionDeletes({ targetFileSizeBytes: -1 }), 'INVALID_ARGUMENT');
    await expectError(table.rewritePositionDeletes({ signal: AbortSignal.abort() }), 'ABORTED');
    expect(await table.rewritePositionDeletes({ where: "city = 'a'", minInputFiles: 2 })).toMatchObject({
      rewrittenDeleteFilesCount: 2,
    });
  });

  test('is worked out again where a data file is rewritten meanwhile', async () => {
    const { io, runtime, table } = await tableOf({ properties: BY_PARTITION });
    for (const id of [1, 2, 11]) await table.delete(`id = ${id}`, { mode: 'merge-on-read' });
    const slow = new FaultInjectingFileIO(io);
    const cleaner = await Table.load(table.location, { io: slow, runtime });
    const write = slow.write.bind(slow);
    let raced = false;
    slow.write = async (location, data, options) => {
      if (location.includes('snap-') && !raced) {
        raced = true;
        await table.update('id = 3', { city: 'c' }, { mode: 'copy-on-write' });
      }
      return write(location, data, options);
    };
    await cleaner.rewritePositionDeletes({ rewriteAll: true });
    expect(await idsOf(cleaner)).toHaveLength(17);
    expect((await deletesOf(cleaner)).map(({ recordCount }) => recordCount)).toEqual([1]);
    expect(await orphans(cleaner, io)).toEqual([]);
  });
});

describe.each([2, 3] as const)('convertEqualityDeletes, version %i', (formatVersion) => {
  test('writes positions in the place of keys', async () => {
    const { io, table } = await tableOf({ formatVersion });
    const keys = [{ id: 1n }, { id: 12n }, { id: 99n }];
    await table.rowDelta({ rows: [{ id: 1n, city: 'z' }], equalityDeletes: { fields: ['id'], rows: keys } });
    await table.delete('id = 2', { mode: 'merge-on-read' });
    const rows = (await table.scan().toRows()).map(rowText).toSorted();
    const counts = { convertedEqualityDeleteFilesCount: 1, addedPositionDeleteFilesCount: 2, removedDataFilesCount: 0 };
    expect(await table.convertEqualityDeletes({ dryRun: true })).toMatchObject({ ...counts, dryRun: true });
    const progress: number[] = [];
    const report = await table.convertEqualityDeletes({ onProgress: ({ filesRead }) => progress.push(filesRead) });
    expect(report).toMatchObject({ ...counts, snapshotId: table.currentSnapshot()!.snapshotId });
    expect(progress).toEqual([1, 2]);
    expect((await deletesOf(table)).map(({ content }) => content)).not.toContain('equality-deletes');
    expect((await table.scan().toRows()).map(rowText).toSorted()).toEqual(rows);
    expect(table.currentSnapshot()!.operation).toBe('delete');
    expect(await orphans(table, io)).toEqual([]);
    expect(await table.convertEqualityDeletes()).toMatchObject({
      convertedEqualityDeleteFilesCount: 0,
      snapshotId: null,
    });
  });

  test('drops data files without a row that is left, and deletes that delete nothing', async () => {
    const { table } = await tableOf({ formatVersion });
    const keys = Array.from({ length: 10 }, (_, i) => ({ id: BigInt(i) }));
    await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: keys } });
    await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 99n }] } });
    expect(await table.convertEqualityDeletes()).toMatchObject({
      convertedEqualityDeleteFilesCount: 2,
      addedPositionDeleteFilesCount: 0,
      removedDataFilesCount: 1,
    });
    expect(await idsOf(table)).toHaveLength(10);
  });
});

test('removeDanglingDeletes removes what applies to nothing', async () => {
  const partitioned = {
    schema: shape,
    partitionBy: [partitionBy.identity('city')],
    properties: BY_PARTITION,
    formatVersion: 2,
  } as const;
  const table = await newTable(partitioned, { io: new MemoryFileIO(), runtime: new SeededRuntime(3) });
  const inA = [0n, 1n, 2n].map((id) => ({ id, city: 'a' }));
  await table.append([...inA, { id: 9n, city: 'b' }]);
  await table.append(inA);
  await table.delete("city = 'a' AND id = 1", { mode: 'merge-on-read' });
  // One file is about two that are replaced; there is data that is older, in another partition.
  await table.overwrite(inA, { filter: "city = 'a'" });
  const rows = await idsOf(table);
  const planned = await table.removeDanglingDeletes({ dryRun: true });
  expect(planned.removedDeleteFilesCount).toBe(1);
  const progress: number[] = [];
  const report = await table.removeDanglingDeletes({ onProgress: ({ filesSeen }) => progress.push(filesSeen) });
  expect(progress.length).toBeGreaterThan(1);
  expect(progress).toEqual(progress.map((_, i) => i + 1));
  expect({ ...planned, dryRun: false, snapshotId: report.snapshotId }).toEqual(report);
  expect(await idsOf(table)).toEqual(rows);
  expect(await table.removeDanglingDeletes()).toMatchObject({ removedDeleteFilesCount: 0, snapshotId: null });
});

const histories = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  formatVersion: fc.constantFrom<FormatVersion>(1, 2, 2, 3, 3),
  partitioned: fc.boolean(),
  sharedDeletes: fc.boolean(),
});

const KINDS: readonly ChangeKind[] = [
  ...OF_ROWS,
  'streamingUpsert',
  'streamingUpsert',
  'addColumn',
  'changeSpec',
  'upgrade',
];

const STEPS: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
  rewritePositionDeletes: (table) => table.rewritePositionDeletes({ rewriteAll: true }),
  convertEqualityDeletes: (table) => table.convertEqualityDeletes(),
  removeDanglingDeletes: (table) => table.removeDanglingDeletes(),
  rewriteManifests: (table) => table.rewriteManifests(),
};

test('deletes in another form delete the same rows', { timeout: 200_000 }, async () => {
  const orders = fc.shuffledSubarray(Object.keys(STEPS), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(histories, orders, async (options, order) => {
      const random = await RandomTable.create(options);
      for (let i = 0; i < 10; i++) await random.change(undefined, KINDS);
      for (const step of order) {
        await random.table.refresh();
        const { table } = random;
        const rows = (await table.scan().toRows()).map(rowText).toSorted();
        await STEPS[step]!(table);
        expect((await table.scan().toRows()).map(rowText).toSorted(), step).toEqual(rows);
        const live = (await entriesOf(random, table.metadata, table.currentSnapshot()!)).map(({ file }) => file);
        if (step === 'convertEqualityDeletes')
          expect(live.map(({ content }) => content)).not.toContain('equality-deletes');
        const isOld = (file: DataFile): boolean => file.content === 'position-deletes' && !isDeletionVector(file);
        if (step === 'rewritePositionDeletes' && table.formatVersion === 3) expect(live.some(isOld)).toBe(false);
        await random.change(undefined, KINDS);
      }
    }),
    { numRuns: runs(12), endOnFailure: true },
  );
});
