import { describe, expect, test } from 'vitest';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import type { Table } from '../../src/table.ts';
import { cherrypickAction } from '../../src/transaction/cherrypick.ts';
import { expectError, newTable, orphans } from '../table/support.ts';
import { ChangeTable } from './change-support.ts';

const shape = schema({ id: t.long().required() });
const properties = { 'write.wap.enabled': 'true' };

async function wapTable(formatVersion: FormatVersion = 2): Promise<Table<{ id: bigint }>> {
  const table = await newTable({ schema: shape, formatVersion, properties });
  await table.append([{ id: 0n }]);
  return table;
}

async function ids(table: Table<{ id: bigint }>): Promise<readonly bigint[]> {
  return (await table.scan().toRows()).map(({ id }) => id).toSorted();
}

describe('a write with a wapId', () => {
  test.each([1, 2, 3] as const)(
    'is there, but not on the branch, until it is published (v%i)',
    async (formatVersion) => {
      const table = await wapTable(formatVersion);
      const staged = await table.append([{ id: 1n }], { wapId: 'job-1' });
      expect(staged).toMatchObject({ changed: true, summary: { 'wap.id': 'job-1', operation: 'append' } });
      expect(await ids(table)).toEqual([0n]);
      const audit = await table.scan({ snapshotId: staged.snapshotId! }).toRows();
      expect(audit.map(({ id }) => id).toSorted()).toEqual([0n, 1n]);
      expect(await orphans(table, table.io)).toEqual([]);

      // Nothing came between: the staged snapshot itself becomes the head.
      const published = await table.publishChanges('job-1');
      expect(published).toMatchObject({ changed: true, snapshotId: staged.snapshotId });
      expect(await ids(table)).toEqual([0n, 1n]);
      await expectError(table.publishChanges('job-1'), 'ALREADY_EXISTS', /job-1|in the history/);
    },
  );

  test.each([1, 2, 3] as const)('is published on top of what came meanwhile (v%i)', async (formatVersion) => {
    const table = await wapTable(formatVersion);
    const staged = await table.append([{ id: 1n }, { id: 2n }], { wapId: 'job-1' });
    await table.append([{ id: 3n }]);
    const published = await table.publishChanges('job-1');
    expect(published.summary).toMatchObject({
      'published-wap-id': 'job-1',
      'source-snapshot-id': String(staged.snapshotId),
      'added-records': '2',
      'total-records': '4',
    });
    expect(await ids(table)).toEqual([0n, 1n, 2n, 3n]);
    await expectError(table.publishChanges('job-1'), 'ALREADY_EXISTS');
    await expectError(table.cherrypick(staged.snapshotId!), 'ALREADY_EXISTS');
    if (formatVersion === 3) {
      const rows = await table.scan({ select: ['_row_id'] }).toRows();
      expect(new Set(rows.map((row) => row['_row_id'])).size).toBe(4);
    }
  });

  test('can be the first of a table, and go to a branch', async () => {
    const table = await newTable({ schema: shape, properties });
    await table.append([{ id: 1n }], { wapId: 'first' });
    expect(table.currentSnapshot()).toBeNull();
    await table.publishChanges('first');
    await table.createBranch('audit');
    await table.append([{ id: 2n }], { wapId: 'second', branch: 'audit' });
    await table.publishChanges('second', { branch: 'audit' });
    expect(await ids(table)).toEqual([1n]);
    expect(await table.scan({ ref: 'audit' }).count()).toBe(2);
  });

  test('needs a table that is set up for it, an id, and one change of rows', async () => {
    const plain = await newTable({ schema: shape });
    await expectError(plain.append([{ id: 1n }], { wapId: 'a' }), 'INVALID_ARGUMENT', /write\.wap\.enabled/);
    const table = await wapTable();
    await expectError(table.append([{ id: 1n }], { wapId: '' }), 'INVALID_ARGUMENT');
    await expectError(plain.append([{ id: 1n }], { snapshotProperties: { 'wap.id': 'a' } }), 'INVALID_ARGUMENT');
    const both = table.transaction(
      async (tx) => {
        await tx.append([{ id: 1n }]);
        await tx.append([{ id: 2n }]);
      },
      { wapId: 'a' },
    );
    await expectError(both, 'INVALID_ARGUMENT', /one change of rows/);
    expect(await orphans(table, table.io)).toEqual([]);
    await expectError(table.publishChanges('never'), 'NOT_FOUND', /never/);
    await expectError(table.publishChanges(''), 'INVALID_ARGUMENT');
  });

  test('is not published by an id that several snapshots have', async () => {
    const table = await wapTable();
    for (const id of [1n, 2n]) await table.append([{ id }], { wapId: 'twice' });
    await expectError(
      table.publishChanges('twice'),
      'INVALID_ARGUMENT',
      /Several snapshots .* 'twice': \d+, \d+\. Name one/,
    );
    await table.cherrypick(table.snapshots().at(-1)!.snapshotId);
    expect(await ids(table)).toEqual([0n, 2n]);
  });

  test('may be told by the snapshot property alone', async () => {
    const table = await wapTable();
    await table.append([{ id: 1n }], { snapshotProperties: { 'wap.id': 'a' } });
    expect(await ids(table)).toEqual([0n]);
    await table.publishChanges('a');
    expect(await ids(table)).toEqual([0n, 1n]);
  });

  test('is not staged a second time under the same idempotency key', async () => {
    const table = await wapTable();
    const options = { wapId: 'a', idempotencyKey: 'once' };
    const first = await table.append([{ id: 1n }], options);
    expect(await table.append([{ id: 1n }], options)).toMatchObject({ changed: false, snapshotId: first.snapshotId });
    await table.append([{ id: 2n }]);
    const published = await table.publishChanges('a');
    // What was staged may be expired before the job is run again.
    const again = await table.append([{ id: 1n }], { idempotencyKey: 'once' });
    expect(again).toMatchObject({ changed: false, snapshotId: published.snapshotId });
  });
});

describe('cherry-picking', () => {
  test('brings an append of another branch to main', async () => {
    const table = await wapTable();
    await table.createBranch('other');
    const picked = await table.append([{ id: 1n }], { branch: 'other' });
    await table.append([{ id: 2n }]);
    await table.cherrypick(picked.snapshotId!);
    expect(await ids(table)).toEqual([0n, 1n, 2n]);
    await expectError(table.cherrypick(table.currentSnapshot()!.snapshotId), 'ALREADY_EXISTS');
    await expectError(table.cherrypick(12n), 'NOT_FOUND');
  });

  test('is one of several changes of a transaction', async () => {
    const table = await wapTable();
    const staged = await table.append([{ id: 1n }], { wapId: 'a' });
    await table.transaction(async (tx) => {
      await tx.append([{ id: 2n }]);
      tx.publishChanges('a');
      tx.createTag('published', { snapshotId: staged.snapshotId! });
    });
    expect(await ids(table)).toEqual([0n, 1n, 2n]);
    expect(table.refs()).toHaveProperty('published');
  });

  test('of files with a column that was dropped meanwhile goes on without it', async () => {
    const table = await newTable({ schema: schema({ id: t.long().required(), note: t.string() }), properties });
    await table.append([{ id: 0n, note: 'x' }]);
    await table.append([{ id: 1n, note: null }], { wapId: 'a' });
    await table.append([{ id: 2n, note: 'y' }]);
    await table.updateSchema((s) => s.deleteColumn('note'));
    await table.publishChanges('a');
    expect(await table.scan().count()).toBe(3);
  });

  /** An overwrite of the partition 'a' that is staged, made on a table with a file in each of 'a' and 'b'. */
  async function stagedOverwrite(
    summary: Readonly<Record<string, string>>,
  ): Promise<{ table: ChangeTable; id: bigint }> {
    const table = await ChangeTable.create({ partitioned: true, properties });
    const a = await table.dataFile('a');
    await table.append(a, await table.dataFile('b'));
    const change = await table.change({
      removed: [a],
      add: [await table.dataFile('a')],
      summary: { 'wap.id': 'x', ...summary },
    });
    const { commit } = await table.commit([change]);
    await table.table.refresh();
    return { table, id: commit.snapshotId! };
  }

  test('of a dynamic overwrite needs its partitions as they were', async () => {
    const replaced = { 'replace-partitions': 'true' };
    const untouched = await stagedOverwrite(replaced);
    await untouched.table.append(await untouched.table.dataFile('b'));
    await untouched.table.table.cherrypick(untouched.id);
    expect((await untouched.table.liveEntries()).map(({ file }) => file.partition[0]).toSorted()).toEqual([
      'a',
      'b',
      'b',
    ]);

    const appended = await stagedOverwrite(replaced);
    await appended.table.append(await appended.table.dataFile('a'));
    await expectError(appended.table.table.cherrypick(appended.id), 'COMMIT_CONFLICT');

    const rolledBack = await stagedOverwrite(replaced);
    await rolledBack.table.table.createBranch('old');
    await rolledBack.table.append(await rolledBack.table.dataFile('b'));
    const { table } = rolledBack.table;
    await table.refresh();
    await table.cherrypick(rolledBack.id, { branch: 'old' });
    expect(table.refs()['old']!.snapshotId).toBe(rolledBack.id);
  });

  test('of a dynamic overwrite with rows of older specs neither brings deleted rows back nor keeps replaced ones', async () => {
    for (const mode of ['copy-on-write', 'merge-on-read'] as const) {
      const shapeWithCity = schema({ id: t.long().required(), city: t.string() });
      const table = await newTable({ schema: shapeWithCity, properties });
      await table.append([
        { id: 1n, city: 'a' },
        { id: 2n, city: 'b' },
        { id: 4n, city: 'b' },
      ]);
      await table.updateSpec((p) => p.add(partitionBy.identity('city')));
      await table.overwritePartitions([{ id: 3n, city: 'a' }], { wapId: 'w', mode });
      await table.delete('id = 2', { mode: 'merge-on-read' });
      if (mode === 'copy-on-write') await expectError(table.publishChanges('w'), 'COMMIT_CONFLICT');
      else await expectError(table.publishChanges('w'), 'INVALID_ARGUMENT', /delete files/);
      const rows = await table.scan().toRows();
      expect(rows.map(({ id }) => id)).toEqual([1n, 4n]);
    }
  });

  test('of anything else must be a fast-forward', async () => {
    const plain = await stagedOverwrite({});
    const { table } = plain.table;
    await plain.table.append(await plain.table.dataFile('b'));
    await expectError(table.cherrypick(plain.id), 'INVALID_ARGUMENT', /neither an append nor a dynamic overwrite/);
    const next = await stagedOverwrite({});
    await next.table.table.cherrypick(next.id);
    expect(next.table.table.currentSnapshot()!.snapshotId).toBe(next.id);
  });

  test('that another one has done in the same moment is done', async () => {
    const { table, id } = await stagedOverwrite({});
    const { commit } = await table.commitActions([cherrypickAction(id, 'main')], async () => {
      await (await table.table.refresh()).cherrypick(id);
    });
    expect(commit).toMatchObject({ changed: false, snapshotId: id });
  });

  test('of an overwrite that is based on another history is refused', async () => {
    const table = await ChangeTable.create({ partitioned: true, properties });
    const a = await table.dataFile('a');
    await table.append(a);
    const first = (await table.head())!.snapshotId;
    const b = await table.dataFile('b');
    await table.append(b);
    const summary = { 'wap.id': 'x', 'replace-partitions': 'true' };
    const { commit } = await table.commit([
      await table.change({ removed: [b], add: [await table.dataFile('b')], summary }),
    ]);
    await table.table.refresh();
    await table.table.rollbackTo(first);
    await table.append(await table.dataFile('c'));
    await expectError(table.table.cherrypick(commit.snapshotId!), 'INVALID_ARGUMENT', /not in the history/);
  });
});
