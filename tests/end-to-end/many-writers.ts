import { type Catalog, type Table, schema, t } from '@lh/core';
import type { S3FileIOOptions } from '@lh/io-s3';
import { expect } from 'vitest';

import { type Operation, WriterProcess } from './writer-process.ts';

export const MANY_RETRIES = { 'commit.retry.num-retries': '200' };

export interface ManyAppends {
  readonly writers: number;
  /** Of each writer. */
  readonly commits: number;
  readonly properties: Readonly<Record<string, string>>;
  /** Where the catalog is on S3. */
  readonly s3?: S3FileIOOptions;
}

/** Processes append to a new table `race.rows` at once; every row is there then, and every snapshot as it was made. */
export async function appendAtOnce(catalog: Catalog, { writers, commits, properties, s3 }: ManyAppends): Promise<void> {
  const table = await catalog.createTable('race.rows', {
    schema: schema({ writer: t.int().required(), commit: t.int().required(), n: t.int().required() }),
    properties,
  });
  const rowsOf = (writer: number, commit: number) => [0, 1].map((n) => ({ writer, commit, n }));
  const appendsOf = (writer: number): readonly Operation[] =>
    range(commits).map((commit) => ({ kind: 'append', rows: rowsOf(writer, commit) }));
  await writeAtOnce(table, writers, appendsOf, s3);

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
}

/** Starts all writers before any of them may begin, and waits for all to end. */
export async function writeAtOnce(
  { location }: { readonly location: string },
  writers: number,
  operationsOf: (writer: number) => readonly Operation[],
  s3?: S3FileIOOptions,
): Promise<void> {
  const processes = range(writers).map(() => new WriterProcess(location, s3));
  await Promise.all(processes.map((process) => process.ready()));
  const startedMs = performance.now();
  for (const [writer, process] of processes.entries()) process.send(operationsOf(writer));
  await Promise.all(processes.map((process) => process.finished()));
  const commits = range(writers).reduce((sum, writer) => sum + operationsOf(writer).length, 0);
  console.info(`${writers} processes, ${commits} commits, ${Math.round(performance.now() - startedMs)} ms`);
}

/** One snapshot per commit, each made on top of the one before, in one line from the first to the current. */
export function expectLinearHistory(table: Pick<Table, 'snapshots' | 'currentSnapshot'>, commits: number): void {
  const snapshots = table.snapshots();
  expect(snapshots.map((snapshot) => snapshot.sequenceNumber)).toEqual(range(commits).map((i) => BigInt(i + 1)));
  expect(snapshots.map((snapshot) => snapshot.parentSnapshotId)).toEqual([
    null,
    ...snapshots.slice(0, -1).map((snapshot) => snapshot.snapshotId),
  ]);
  expect(table.currentSnapshot()?.snapshotId).toBe(snapshots.at(-1)?.snapshotId);
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
