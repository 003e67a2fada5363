import { expect, test } from 'vitest';
import { fileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import type { FollowStep, TableFollower } from '../../src/changes/follow.ts';
import type { Runtime } from '../../src/runtime.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { expectError, newTable } from '../table/support.ts';

const shape = schema({ id: t.long().required(), v: t.string() }, { identifier: ['id'] });
const row = (id: number, v: string | null = 'x') => ({ id: BigInt(id), v });

/** A runtime whose sleepers never wake by themselves. */
function sleepless(): Runtime & { readonly asleep: number[] } {
  const seeded = new SeededRuntime(1);
  const asleep: number[] = [];
  return {
    concurrency: 2,
    asleep,
    now: () => seeded.now(),
    randomBytes: (length) => seeded.randomBytes(length),
    sleep: (milliseconds, signal) =>
      new Promise((_, reject) => {
        asleep.push(milliseconds);
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
}

async function next(follower: AsyncIterator<FollowStep>): Promise<{ step: FollowStep; rows: string[] }> {
  const { value, done } = await follower.next();
  if (done) throw new Error('There are no more steps.');
  const step = value as FollowStep;
  return { step, rows: await changesOf(step) };
}

async function changesOf({ changes }: FollowStep): Promise<string[]> {
  const rows = await changes.toRows();
  return rows.map((one) => `${one._change_type} ${String(one['id'])}${String(one['v'])}`);
}

/** As many steps as there are, without waiting for more. */
async function steps(follower: TableFollower, count: number): Promise<string[][]> {
  const found: string[][] = [];
  const iterator = follower[Symbol.asyncIterator]();
  while (found.length < count) found.push((await next(iterator)).rows);
  await iterator.return();
  return found;
}

const start = async (options: Partial<Parameters<typeof newTable>[0]> = {}, runtime: Runtime = sleepless()) =>
  (await newTable({ schema: shape, ...options }, { runtime })) as unknown as Table;

test('each commit is a step, from the first one on, with a position that can be saved as JSON', async () => {
  const table = await start();
  await table.append([row(1), row(2)]);
  await table.update('id = 1', { v: 'y' });
  const follower = table.follow({ after: null })[Symbol.asyncIterator]();
  const first = await next(follower);
  expect(first.rows).toEqual(['insert 1x', 'insert 2x']);
  expect(first.step.kind).toBe('commit');
  const second = await next(follower);
  expect(second.rows).toEqual(['delete 1x', 'insert 1y']);
  expect(second.step.snapshot).toEqual(table.currentSnapshot());
  await table.append([row(3)]);
  expect((await next(follower)).rows).toEqual(['insert 3x']);

  const saved = JSON.parse(JSON.stringify(first.step.position)) as typeof first.step.position;
  expect(await steps(table.follow({ after: saved }), 2)).toEqual([['delete 1x', 'insert 1y'], ['insert 3x']]);
  expect(await steps(table.follow({ after: second.step.snapshot!.snapshotId, filter: 'id > 1' }), 1)).toEqual([
    ['insert 3x'],
  ]);
});

test('left out, it starts with what comes next; commits of the handle and its refresh wake it', async () => {
  const runtime = sleepless();
  const table = await start({}, runtime);
  await table.append([row(1)]);
  const iterator = table.follow({ intervalMs: 250 })[Symbol.asyncIterator]();
  const waiting = next(iterator);
  while (runtime.asleep.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(runtime.asleep).toEqual([250]);
  await table.append([row(2)]);
  expect((await waiting).rows).toEqual(['insert 2x']);

  const later = next(iterator);
  const other = await Table.load(table.location, { io: table.io, runtime });
  await other.append([row(3)]);
  await table.refresh();
  expect((await later).rows).toEqual(['insert 3x']);
});

test('a handle whose follower polls stays on its version', async () => {
  const table = await start({}, new SeededRuntime(1));
  const other = await Table.load(table.location, { io: table.io, runtime: new SeededRuntime(2) });
  await other.append([row(1)]);
  expect(await steps(table.follow({ after: 'now', intervalMs: 10 }), 1)).toEqual([['insert 1x']]);
  expect(table.currentSnapshot()).toBeNull();
});

test('it ends when it is aborted, waiting or not; what is being read then fails', async () => {
  const table = await start();
  await table.append([row(1)]);
  const stop = new AbortController();
  const iterator = table.follow({ after: null, signal: stop.signal, intervalMs: null })[Symbol.asyncIterator]();
  const { value: step } = await iterator.next();
  const waiting = iterator.next();
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await expectError((step as FollowStep).changes.toRows(), 'ABORTED');
  const late = table.follow({ after: null, signal: stop.signal })[Symbol.asyncIterator]();
  expect((await late.next()).done).toBe(true);
});

test('what is not done with comes again, and the position follows', async () => {
  const table = await start();
  await table.append([row(1)]);
  await table.append([row(2)]);
  const follower = table.follow({ after: null });
  for await (const _ of follower) break;
  expect(follower.position.snapshotId).toBeNull();
  let seen = 0;
  for await (const step of follower) {
    if (++seen === 2) {
      expect(follower.position.snapshotId).toBe(String(step.snapshot!.parentSnapshotId));
      break;
    }
  }
  expect(await steps(follower, 1)).toEqual([['insert 2x']]);
});

test('a rollback is a step with the inverse changes, then it goes on from there', async () => {
  const table = await start();
  const first = await table.append([row(1)]);
  await table.update('id = 1', { v: 'y' });
  await table.append([row(2)]);
  const iterator = table.follow({ after: table.currentSnapshot()!.snapshotId })[Symbol.asyncIterator]();
  await table.rollbackTo(first.snapshotId!);
  await table.append([row(3)]);
  const { step, rows } = await next(iterator);
  expect(step.kind).toBe('rollback');
  expect(step.snapshot!.snapshotId).toBe(first.snapshotId);
  expect(step.position.snapshotId).toBe(String(first.snapshotId));
  expect(rows).toEqual(['delete 2x', 'delete 1y', 'insert 1x']);
  expect((await next(iterator)).rows).toEqual(['insert 3x']);
});

test('other branches can be followed, and net changes of each commit', async () => {
  const table = await start();
  await table.append([row(1)]);
  await table.createBranch('dev');
  const iterator = table.follow({ branch: 'dev', net: true })[Symbol.asyncIterator]();
  await table.append([row(2)]);
  await table.update('id = 1', { v: 'y' }, { branch: 'dev' });
  const { step, rows } = await next(iterator);
  expect(rows).toEqual(['update_before 1x', 'update_after 1y']);
  expect(step.position.branch).toBe('dev');
  await table.append([row(5)], { branch: 'dev' });
  expect(await steps(table.follow({ after: step.position }), 1)).toEqual([['insert 5x']]);
  expect(() => table.follow({ after: step.position, branch: 'main' })).toThrow(/one of the branch 'dev'/);
  await table.createTag('tag');
  expect(() => table.follow({ branch: 'tag' })).toThrow(/is a tag/);
  expect(() => table.follow({ branch: 'nope' })).toThrow(/no branch 'nope'/);
});

test('a position that is none is refused', async () => {
  const [table, other] = [await start(), await start({}, new SeededRuntime(2))];
  expect(() => table.follow({ after: other.follow().position })).toThrow(/of another table/);
  expect(() => table.follow({ after: { snapshotId: 5 } as never })).toThrow(/after must be/);
  expect(() => table.follow({ after: 'later' as never })).toThrow(/after must be/);
  expect(() => table.follow({ intervalMs: -1 })).toThrow(/intervalMs/);
  expect(() => table.follow({ select: ['nope'] })).toThrow(/no column 'nope'/);
  expect(() => table.follow({ filtr: 'id = 1' } as object)).toThrow(/no option 'filtr'/);
});

async function expire(table: Table, snapshotIds: readonly bigint[]): Promise<void> {
  const operations = fileSystemTableOperations(table.location, table.io, {});
  await operations.commit(await operations.load(), [], [{ action: 'remove-snapshots', snapshotIds }]);
  await table.refresh();
}

test('what has been expired behind it does no harm, ahead of it is an error', async () => {
  const table = await start();
  const ids: bigint[] = [];
  for (const id of [1, 2, 3, 4]) ids.push((await table.append([row(id)])).snapshotId!);
  const [first, second, third] = ids as [bigint, bigint, bigint];
  await expire(table, [first]);
  expect(await steps(table.follow({ after: first }), 3)).toEqual([['insert 2x'], ['insert 3x'], ['insert 4x']]);
  await expire(table, [second, third]);
  const iterator = table.follow({ after: first })[Symbol.asyncIterator]();
  await expectError(iterator.next(), 'NOT_FOUND', /snapshots in between have been expired/);
});

test('from nothing on, a table whose beginning has been expired comes as a whole first', async () => {
  const table = await start();
  const gone = await table.append([row(1), row(2)]);
  await table.delete('id = 1');
  await table.append([row(3)]);
  await expire(table, [gone.snapshotId!]);
  const iterator = table.follow({ after: null })[Symbol.asyncIterator]();
  const { step, rows } = await next(iterator);
  expect([step.kind, rows]).toEqual(['initial', ['insert 2x']]);
  expect((await next(iterator)).rows).toEqual(['insert 3x']);
});

test('a table that was dropped meanwhile is an error', async () => {
  const table = await start();
  const iterator = table.follow({ after: null })[Symbol.asyncIterator]();
  const files: string[] = [];
  for await (const { location } of table.io.list(`${table.location}/`)) files.push(location);
  await table.io.delete(files);
  await expectError(iterator.next(), 'NOT_FOUND');
});
