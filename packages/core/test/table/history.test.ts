import { describe, expect, test } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import type { Table } from '../../src/table.ts';
import { expectError, newTable } from './support.ts';

const shape = schema({ id: t.long().required(), note: t.string() });

/** Three appends, an hour apart. */
async function withHistory(): Promise<{ table: Table; ids: bigint[]; times: number[]; runtime: SeededRuntime }> {
  const runtime = new SeededRuntime(1);
  const table = await newTable({ schema: shape, formatVersion: 2 }, { runtime });
  const [ids, times]: [bigint[], number[]] = [[], []];
  for (let i = 1; i <= 3; i++) {
    runtime.advance(3_600_000);
    ids.push((await table.append([{ id: BigInt(i), note: `n${i}` }])).snapshotId!);
    times.push(runtime.now());
  }
  return { table, ids, times, runtime };
}

const idsOf = async (table: Table, options: Parameters<Table['scan']>[0] = {}): Promise<bigint[]> =>
  (await table.scan({ ...options, select: ['id'] }).toRows()).map((row) => row['id'] as bigint).toSorted();

describe('time travel', () => {
  test('by snapshot, by time in every form, by branch and tag', async () => {
    const { table, ids, times } = await withHistory();
    await table.createTag('first', { snapshotId: ids[0]! });
    await table.createBranch('second', { snapshotId: ids[1]! });
    expect(await idsOf(table, { snapshotId: ids[0] })).toEqual([1n]);
    expect(await idsOf(table, { snapshotId: null })).toEqual([]);
    expect(await idsOf(table, { ref: 'first' })).toEqual([1n]);
    expect(await idsOf(table, { ref: 'second' })).toEqual([1n, 2n]);
    expect(await idsOf(table, { ref: 'main' })).toEqual([1n, 2n, 3n]);
    for (const asOf of [times[1]!, new Date(times[1]! + 5), new Date(times[2]! - 1).toISOString()]) {
      expect(await idsOf(table, { asOf })).toEqual([1n, 2n]);
    }
    await expectError(idsOf(table, { asOf: times[0]! - 1 }), 'NOT_FOUND', /no snapshot yet/);
    await expectError(idsOf(table, { snapshotId: 5n }), 'NOT_FOUND');
    await expectError(idsOf(table, { ref: 'toString' }), 'NOT_FOUND');
    await expectError(idsOf(table, { ref: 'first', snapshotId: ids[0] }), 'INVALID_ARGUMENT');
  });

  test('snapshots and tags have their own schema, branches the current one', async () => {
    const { table, ids } = await withHistory();
    await table.createTag('old');
    await table.createBranch('branch');
    await table.updateSchema((s) => s.renameColumn('note', 'remark').addColumn('extra', t.int()));
    const namesOf = (options: Parameters<Table['scan']>[0]): string[] =>
      table.scan(options).schema.fields.map((field) => field.name);
    expect(namesOf({})).toEqual(['id', 'remark', 'extra']);
    expect(namesOf({ ref: 'branch' })).toEqual(['id', 'remark', 'extra']);
    expect(namesOf({ ref: 'old' })).toEqual(['id', 'note']);
    expect(namesOf({ snapshotId: ids[2] })).toEqual(['id', 'note']);
    expect(await table.scan({ ref: 'branch', filter: "remark = 'n2'" }).toRows()).toEqual([
      { id: 2n, remark: 'n2', extra: null },
    ]);
    expect(await table.scan({ snapshotId: ids[2], filter: "note = 'n2'" }).toRows()).toEqual([{ id: 2n, note: 'n2' }]);
  });

  test('the log tells what was current, after a rollback too', async () => {
    const { table, ids, runtime, times } = await withHistory();
    runtime.advance(3_600_000);
    await table.rollbackTo(ids[0]!);
    const rolledBack = runtime.now();
    expect(await idsOf(table)).toEqual([1n]);
    expect(await idsOf(table, { asOf: times[2]! })).toEqual([1n, 2n, 3n]);
    expect(await idsOf(table, { asOf: rolledBack })).toEqual([1n]);
    expect(table.history().map((entry) => [entry.snapshotId, entry.isCurrentAncestor])).toEqual([
      [ids[0], true],
      [ids[1], false],
      [ids[2], false],
      [ids[0], true],
    ]);
  });
});

describe('moving main', () => {
  test('back to a snapshot of its history, or to any', async () => {
    const { table, ids } = await withHistory();
    expect(await table.rollbackTo(ids[2]!)).toMatchObject({ changed: false });
    await table.rollbackTo(ids[1]!);
    expect(await idsOf(table)).toEqual([1n, 2n]);
    await expectError(table.rollbackTo(ids[2]!), 'INVALID_ARGUMENT', /setCurrentSnapshot/);
    await table.setCurrentSnapshot(ids[2]!);
    expect(await idsOf(table)).toEqual([1n, 2n, 3n]);
    await expectError(table.setCurrentSnapshot(1n), 'NOT_FOUND');
  });

  test('back to a time', async () => {
    const { table, ids, times } = await withHistory();
    await table.rollbackToTimestamp(new Date(times[2]! - 1));
    expect(table.currentSnapshot()!.snapshotId).toBe(ids[1]);
    await table.rollbackToTimestamp(times[0]!);
    expect(table.currentSnapshot()!.snapshotId).toBe(ids[0]);
    await expectError(table.rollbackToTimestamp(times[0]! - 1), 'INVALID_ARGUMENT');
  });

  test('an append after a rollback follows the snapshot that was gone back to', async () => {
    const { table, ids } = await withHistory();
    await table.rollbackTo(ids[0]!);
    await table.append([{ id: 9n }]);
    expect(await idsOf(table)).toEqual([1n, 9n]);
    expect(table.currentSnapshot()!.parentSnapshotId).toBe(ids[0]);
    expect(table.currentSnapshot()!.summary['total-records']).toBe('2');
  });
});

describe('branches and tags', () => {
  test('are made and removed', async () => {
    const { table, ids } = await withHistory();
    await table.createBranch('b', { snapshotId: ids[0]!, maxSnapshotAgeMs: 5, minSnapshotsToKeep: 2, maxRefAgeMs: 7 });
    await table.createTag('v', { maxRefAgeMs: 9 });
    expect(table.refs()).toMatchObject({
      main: { type: 'branch', snapshotId: ids[2] },
      b: { type: 'branch', snapshotId: ids[0], maxSnapshotAgeMs: 5, minSnapshotsToKeep: 2, maxRefAgeMs: 7 },
      v: { type: 'tag', snapshotId: ids[2], maxRefAgeMs: 9, maxSnapshotAgeMs: null },
    });
    await expectError(table.createTag('b'), 'ALREADY_EXISTS');
    await expectError(table.createBranch('main'), 'ALREADY_EXISTS');
    await expectError(table.createTag('x', { snapshotId: 5n }), 'NOT_FOUND');
    await expectError(table.createBranch('x', { minSnapshotsToKeep: 0 }), 'INVALID_ARGUMENT');
    await expectError(table.dropTag('b'), 'INVALID_ARGUMENT', /is a branch/);
    await expectError(table.dropBranch('main'), 'INVALID_ARGUMENT');
    await expectError(table.dropBranch('nope'), 'NOT_FOUND');
    await table.dropBranch('b');
    await table.removeRef('v');
    expect(Object.keys(table.refs())).toEqual(['main']);
  });

  test('need a snapshot to point to', async () => {
    const table = await newTable({ schema: shape });
    await expectError(table.createTag('v'), 'INVALID_ARGUMENT', /no snapshot yet/);
  });

  test('fast-forward only along their history', async () => {
    const { table, ids } = await withHistory();
    await table.createBranch('b', { snapshotId: ids[0]! });
    await table.fastForward('b', 'main');
    expect(table.refs()['b']!.snapshotId).toBe(ids[2]);
    expect(await table.fastForward('b', 'main')).toMatchObject({ changed: false });
    await table.append([{ id: 7n }], { branch: 'b' });
    await table.append([{ id: 8n }]);
    await expectError(table.fastForward('main', 'b'), 'INVALID_ARGUMENT', /can't be fast-forwarded/);
  });
});

test('a handle stays on its version until it is refreshed', async () => {
  const { table } = await withHistory();
  const scan = table.scan();
  await table.append([{ id: 4n }]);
  expect(await scan.count()).toBe(3);
  expect(await table.scan().count()).toBe(4);
});
