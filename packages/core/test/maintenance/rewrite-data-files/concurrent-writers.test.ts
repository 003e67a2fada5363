import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { RewriteDataFilesOptions } from '../../../src/maintenance/rewrite-data-files/options.ts';
import type { RewriteDataFilesReport } from '../../../src/maintenance/rewrite-data-files/report.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { expectError, newTable, orphans } from '../../table/support.ts';

const shape = schema({ id: t.long().required(), day: t.date() });
type Row = { id: bigint; day: string | null };

const rowOf = (id: number, day: string): Row => ({ id: BigInt(id), day });
const [MON, TUE] = ['2024-01-01', '2024-01-02'];
const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);

interface Race {
  readonly formatVersion?: 1 | 2 | 3;
  /** Of each there are ten files, of two rows. */
  readonly days?: readonly string[];
  readonly isUnpartitioned?: boolean;
  readonly options?: RewriteDataFilesOptions;
  /** Before the rewrite begins. */
  readonly before?: (writer: Table<Row>) => Promise<unknown>;
  /** When the rewrite has written its files and is about to commit; each time again. */
  readonly meanwhile: (writer: Table<Row>, time: number) => Promise<unknown>;
  /** When the rewrite can't reach the store. */
  readonly isDown?: () => boolean;
}

/** Rewrites files while another writer does something; gives the report and the ids that are there in the end. */
async function race(setting: Race) {
  const { formatVersion = 2, days = [MON, TUE], isUnpartitioned, options, before, meanwhile } = setting;
  const { isDown = () => false } = setting;
  const memory = new MemoryFileIO();
  const partitioning = isUnpartitioned ? [] : [partitionBy.identity('day')];
  const writer = await newTable<Row>({ schema: shape, formatVersion, partitionBy: partitioning }, { io: memory });
  for (const i of range(10))
    await writer.append(days.flatMap((day, d) => [rowOf(100 * d + i, day), rowOf(100 * d + 50 + i, day)]));
  await before?.(writer);
  const io = new FaultInjectingFileIO(memory, { rules: [{ fault: 'fail-before', when: isDown }] });
  const table = (await Table.load(writer.location, { io })) as unknown as Table<Row>;
  const write = io.write.bind(io);
  let times = 0;
  io.write = async (location, ...rest) => {
    if (location.includes('/snap-')) await meanwhile(await writer.refresh(), ++times);
    return write(location, ...rest);
  };
  const running = table.rewriteDataFiles({ minInputFiles: 2, ...options });
  const report = await running.catch((error: unknown) => ({ error }));
  await writer.refresh();
  if (!('error' in report)) expect(await orphans(writer, memory)).toEqual([]);
  const ids = (await writer.scan().toRows()).map(({ id }) => Number(id)).toSorted((a, b) => a - b);
  return { running, report, writer, ids };
}

const first = (act: (writer: Table<Row>) => Promise<unknown>) => async (writer: Table<Row>, time: number) => {
  if (time === 1) await act(writer);
};
const all = [0, 50, 100, 150].flatMap((from) => range(10).map((i) => from + i));
const without = (...gone: readonly number[]): readonly number[] => all.filter((id) => !gone.includes(id));
const operations = (table: Table<Row>, last: number) =>
  table
    .snapshots()
    .slice(-last)
    .map(({ operation }) => operation);

test.each([2, 3] as const)(
  'rows that are deleted by position are a conflict of their group only (v%i)',
  async (formatVersion) => {
    const { report, writer, ids } = await race({
      formatVersion,
      meanwhile: first((table) => table.delete('id = 3', { mode: 'merge-on-read' })),
    });
    expect(ids).toEqual(without(3));
    expect(report).toMatchObject({ rewrittenDataFilesCount: 20, addedDataFilesCount: 2, failedDataFilesCount: 0 });
    expect(operations(writer, 3)).toEqual(['delete', 'replace', 'replace']);
    expect(
      writer
        .snapshots()
        .slice(-2)
        .map(({ summary }) => summary['deleted-data-files']),
    ).toEqual(['10', '10']);
    expect((await writer.inspect('delete_files')).numRows).toBe(0);
  },
);

test('what was committed is reported, though the rest can not be planned again', async () => {
  let isDown = false;
  const { report, ids } = await race({
    meanwhile: first((table) => table.delete('id = 3', { mode: 'merge-on-read' })),
    isDown: () => isDown,
    options: { onProgress: ({ groupsDone }) => (isDown = groupsDone > 0) },
  });
  expect(ids).toEqual(without(3));
  expect(report).toMatchObject({
    rewrittenDataFilesCount: 10,
    failedDataFilesCount: 10,
    snapshotIds: [expect.any(BigInt)],
  });
  const { groups } = report as RewriteDataFilesReport;
  expect(groups.map(({ status, error }) => [status, error?.code])).toContainEqual(['failed', 'UNAVAILABLE']);
});

test('what was committed is reported, though dangling deletes can not be removed', async () => {
  let isDown = false;
  const { report, ids } = await race({
    meanwhile: () => Promise.resolve(),
    isDown: () => isDown,
    options: { removeDanglingDeletes: true, onProgress: () => (isDown = true) },
  });
  expect(ids).toEqual(all);
  expect(report).toMatchObject({ rewrittenDataFilesCount: 20, snapshotIds: [expect.any(BigInt)] });
  expect((report as RewriteDataFilesReport).warnings).toEqual([expect.stringMatching(/^Dangling deletes were not/)]);
});

test('files that others rewrite or remove are none of it any more', async () => {
  const { report, writer, ids } = await race({
    meanwhile: first(async (table) => {
      await table.delete('id = 3', { mode: 'copy-on-write' });
      await table.delete(`day = '${TUE}'`);
    }),
  });
  expect(ids).toEqual(without(3).filter((id) => id < 100));
  // Of Monday's ten files one is another's now, which the rewrite has not planned.
  expect(report).toMatchObject({ rewrittenDataFilesCount: 9, addedDataFilesCount: 1, failedDataFilesCount: 0 });
  expect(operations(writer, 1)).toEqual(['replace']);
});

test('rows that are added, and deleted by key, are no conflict', async () => {
  const { report, writer, ids } = await race({
    isUnpartitioned: true,
    meanwhile: first(async (table) => {
      await table.append([rowOf(7, TUE)]);
      await table.rowDelta({
        equalityDeletes: { fields: ['id'], rows: [{ id: 3n }, { id: 104n }] },
        rows: [rowOf(104, TUE), rowOf(500, TUE)],
      });
    }),
  });
  expect(ids).toEqual([...without(3), 7, 500].toSorted((a, b) => a - b));
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, addedDataFilesCount: 1 });
  expect(operations(writer, 1)).toEqual(['replace']);
});

test('without the starting sequence number, rows that are deleted by key are a conflict', async () => {
  const { report, writer, ids } = await race({
    isUnpartitioned: true,
    options: { useStartingSequenceNumber: false },
    meanwhile: first((table) => table.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 3n }] } })),
  });
  expect(ids).toEqual(without(3));
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, addedDataFilesCount: 1 });
  expect((await writer.scan().plan()).tasks.map(({ deletes }) => deletes.length)).toEqual([0]);
});

test('what is deleted by key in a partition is that of the files as they were, not as they will be', async () => {
  const deletes = {
    equalityDeletes: { fields: ['id', 'day'], rows: [3, 104].map((id) => rowOf(id, id < 100 ? MON! : TUE!)) },
  };
  const move = (table: Table<Row>) => table.updateSpec((p) => p.add(partitionBy.identity('day')));
  const meanwhile = first((table) => table.rowDelta(deletes));
  const still = await race({
    isUnpartitioned: true,
    before: move,
    meanwhile,
    options: { where: 'id = -1', rewriteAll: true },
  });
  await still.writer.rowDelta(deletes);
  const expected = (await still.writer.scan().toRows()).map(({ id }) => Number(id)).toSorted((a, b) => a - b);
  const { ids, report } = await race({ isUnpartitioned: true, before: move, meanwhile });
  expect(ids).toEqual(expected);
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, addedDataFilesCount: 2, failedDataFilesCount: 0 });
});

test('an upgrade meanwhile, and deletes that then come, lose and resurrect nothing', async () => {
  const { report, ids } = await race({
    formatVersion: 1,
    isUnpartitioned: true,
    meanwhile: first(async (table) => {
      await table.upgradeFormatVersion(2);
      await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 3n }] } });
    }),
  });
  expect(ids).toEqual(without(3));
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, failedDataFilesCount: 0 });
});

test('a group that meets a conflict every time fails in the end, the others are committed', async () => {
  const { report, ids } = await race({
    // The others are let through.
    meanwhile: async (table, time) => {
      if (time !== 2) await table.delete(`id = ${time}`, { mode: 'merge-on-read' });
    },
  });
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, addedDataFilesCount: 1, failedDataFilesCount: 10 });
  expect((report as { groups: readonly object[] }).groups).toContainEqual(
    expect.objectContaining({
      partition: `day=${MON}`,
      status: 'failed',
      error: expect.objectContaining({ code: 'COMMIT_CONFLICT' }),
    }),
  );
  expect(ids).toEqual(without(1, 3, 4, 5));
});

test('if every group does, it is the call’s conflict', async () => {
  const { running, writer } = await race({
    days: [MON!],
    meanwhile: (table, time) => table.delete(`id = ${time}`, { mode: 'merge-on-read' }),
  });
  await expectError(running, 'COMMIT_CONFLICT');
  expect(operations(writer, 5)).toEqual(['append', 'delete', 'delete', 'delete', 'delete']);
});

test('two rewrites of the same files leave one', async () => {
  const { report, ids } = await race({
    meanwhile: first((table) => table.rewriteDataFiles({ minInputFiles: 2 })),
  });
  expect(report).toMatchObject({ rewrittenDataFilesCount: 0, failedDataFilesCount: 0, groups: [] });
  expect(ids).toEqual(all);
});

test('what is planned again is what was meant, whatever columns are called and files are partitioned by since', async () => {
  const { report, writer, ids } = await race({
    options: { strategy: 'sort', sortBy: ['id'], where: `day = '${MON}'` },
    meanwhile: first(async (table) => {
      await table.delete('id = 3', { mode: 'merge-on-read' });
      await table.updateSchema((s) => s.renameColumn('day', 'date').renameColumn('id', 'nr'));
      await table.updateSpec((p) => p.remove('day').add(partitionBy.bucket(3, 'nr')));
    }),
  });
  expect(report).toMatchObject({ rewrittenDataFilesCount: 10, addedDataFilesCount: 1, failedDataFilesCount: 0 });
  const rows: readonly object[] = await writer.scan().toRows();
  expect(rows).toHaveLength(39);
  expect(ids).toHaveLength(39);
  const added = (await writer.scan({ filter: 'nr < 100' }).plan()).tasks.map(({ file }) => [
    file.specId,
    file.recordCount,
  ]);
  expect(added).toEqual([[0, 19]]);
});
