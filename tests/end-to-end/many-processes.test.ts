import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, schema, t, type Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Operation, WriterProcess } from './writer-process.ts';

let warehouse: string;
let catalog: FileSystemCatalog;

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-processes-'));
  catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('race');
});

afterEach(() => rm(warehouse, { recursive: true, force: true }));

const TIMEOUT_MS = 600_000;
const MANY_RETRIES = { 'commit.retry.num-retries': '200' };

test.each([
  { writers: 4, commits: 25, retries: 'the usual', properties: {} },
  { writers: 8, commits: 50, retries: 'many', properties: MANY_RETRIES },
])(
  '$writers processes make $commits commits each with $retries retries, and nothing is lost',
  { timeout: TIMEOUT_MS },
  async ({ writers, commits, properties }) => {
    const table = await catalog.createTable('race.rows', {
      schema: schema({ writer: t.int().required(), commit: t.int().required(), n: t.int().required() }),
      properties,
    });

    const rowsOf = (writer: number, commit: number) => [0, 1].map((n) => ({ writer, commit, n }));
    await writeAtOnce(table, writers, (writer) =>
      range(commits).map((commit) => ({ kind: 'append', rows: rowsOf(writer, commit) })),
    );

    await table.refresh();
    const rows = await table.scan().toRows();
    const order = (row: (typeof rows)[number]) => row.writer * 1000 + row.commit * 10 + row.n;
    expect(rows.toSorted((a, b) => order(a) - order(b))).toEqual(
      range(writers).flatMap((writer) => range(commits).flatMap((commit) => rowsOf(writer, commit))),
    );
    expectLinearHistory(table, writers * commits);
    for (const commit of [1, 50, writers * commits - 1]) {
      const { snapshotId } = table.snapshots()[commit - 1]!;
      expect(await table.scan({ snapshotId }).count()).toBe(2 * commit);
    }
  },
);

test('processes add, count up and delete rows of one table at once', { timeout: TIMEOUT_MS }, async () => {
  const [writers, turns, counters] = [4, 8, 3];
  const table = await catalog.createTable('race.counters', {
    schema: schema({ id: t.int().required(), n: t.int().required() }, { identifier: ['id'] }),
    properties: MANY_RETRIES,
  });
  // What a writer has added is its own: one row of two is deleted again.
  const ownId = (writer: number, turn: number) => 1000 * (writer + 1) + turn;
  const modes = ['copy-on-write', 'merge-on-read'] as const;
  await writeAtOnce(table, writers, (writer) =>
    range(turns).flatMap((turn): Operation[] => {
      const [mode, other] = (writer + turn) % 2 === 0 ? modes : modes.toReversed();
      const add: Operation = { kind: 'append', rows: [{ id: ownId(writer, turn), n: turn }] };
      const rows = range(counters).map((id) => ({ id, n: id + 1 }));
      const count: Operation = { kind: 'increment', rows, mode: mode! };
      const remove: Operation = { kind: 'delete', filter: `id = ${ownId(writer, turn)}`, mode: other! };
      return turn % 2 === 0 ? [add, count] : [add, count, remove];
    }),
  );

  await table.refresh();
  const rows = await table.scan().toRows();
  expect(rows.toSorted((a, b) => a.id - b.id)).toEqual([
    ...range(counters).map((id) => ({ id, n: (id + 1) * writers * turns })),
    ...range(writers).flatMap((writer) =>
      range(turns / 2)
        .map((i) => 2 * i)
        .map((turn) => ({ id: ownId(writer, turn), n: turn })),
    ),
  ]);
  expectLinearHistory(table, writers * (2 * turns + turns / 2));
});

/** Starts all writers before any of them may begin, and waits for all to end. */
async function writeAtOnce(
  { location }: { readonly location: string },
  writers: number,
  operationsOf: (writer: number) => readonly Operation[],
): Promise<void> {
  const processes = range(writers).map(() => new WriterProcess(location));
  await Promise.all(processes.map((process) => process.ready()));
  const startedMs = performance.now();
  for (const [writer, process] of processes.entries()) process.send(operationsOf(writer));
  await Promise.all(processes.map((process) => process.finished()));
  const commits = range(writers).reduce((sum, writer) => sum + operationsOf(writer).length, 0);
  console.info(`${writers} processes, ${commits} commits, ${Math.round(performance.now() - startedMs)} ms`);
}

/** One snapshot per commit, each made on top of the one before, in one line from the first to the current. */
function expectLinearHistory(table: Pick<Table, 'snapshots' | 'currentSnapshot'>, commits: number): void {
  const snapshots = table.snapshots();
  expect(snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual(range(commits).map((i) => BigInt(i + 1)));
  expect(snapshots.map((snapshot) => snapshot.parentSnapshotId)).toEqual([
    null,
    ...snapshots.slice(0, -1).map((snapshot) => snapshot.snapshotId),
  ]);
  expect(table.currentSnapshot()?.snapshotId).toBe(snapshots.at(-1)?.snapshotId);
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
