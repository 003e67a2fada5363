import type { Table } from '@lh/core';

import type { Job } from './writer.ts';

/** What must hold when all is over. Throws an error that says what doesn't. */
export async function checkOutcome(table: Table, jobs: readonly Job[]): Promise<void> {
  checkHistory(table);
  checkJobs(table, jobs);
  await checkFiles(table);
  await checkRows(table, jobs);
  await checkCleanUp(table);
}

/** The snapshots are one line, from the oldest to the current one. */
function checkHistory(table: Table): void {
  const snapshots = table.snapshots();
  snapshots.forEach((snapshot, i) => {
    const before = i === 0 ? null : snapshots[i - 1]!;
    must(snapshot.parentSnapshotId === (before?.snapshotId ?? null), 'the history is not a line');
    if (table.formatVersion > 1) {
      must(snapshot.sequenceNumber > (before?.sequenceNumber ?? 0n), 'sequence numbers do not grow');
    }
    must(snapshot.timestampMs >= (before?.timestampMs ?? 0), 'time goes backwards');
  });
  must(
    (table.currentSnapshot()?.snapshotId ?? null) === (snapshots.at(-1)?.snapshotId ?? null),
    'the head is not last',
  );
}

function snapshotsOf(table: Table, job: Job): number {
  return table.snapshots().filter((snapshot) => snapshot.summary['simulated-operation'] === job.operation.id).length;
}

/** No acknowledged commit is lost, no refused one is there, none is there twice. */
function checkJobs(table: Table, jobs: readonly Job[]): void {
  for (const job of jobs) {
    const { operation, outcome } = job;
    const found = operation.column
      ? Number(table.schema.fields.some((field) => field.name === operation.column))
      : snapshotsOf(table, job);
    const expected = Math.max(1, operation.effects.length);
    const what = `${operation.kind} ${operation.id}, ${outcome}, is there ${found} times`;
    // A part of a transaction that finds nothing to do makes no snapshot.
    must(found <= expected, what);
    if (outcome === 'acknowledged') must(found > 0 || mayDoNothing(operation.kind), what);
    if (outcome === 'refused' || outcome === 'unchanged' || outcome === 'pending') must(found === 0, what);
  }
}

function mayDoNothing(kind: string): boolean {
  return ['update', 'delete', 'upsert'].includes(kind);
}

/** Everything that a snapshot leads to is there. */
async function checkFiles(table: Table): Promise<void> {
  for (const { snapshotId } of table.snapshots()) {
    const files = new Map<string, number>();
    for await (const { file, deletes } of table.scan({ snapshotId }).planFiles()) {
      for (const one of [file, ...deletes.map((each) => each.file)]) files.set(one.path, one.fileSizeInBytes);
    }
    for (const [path, size] of files) {
      const stat = await table.io.stat(path);
      must(
        stat?.size === size,
        `the file ${path} of snapshot ${snapshotId} ${stat ? 'has another size' : 'is missing'}`,
      );
    }
  }
}

/** The rows are those that the operations in the table make, one after the other. */
async function checkRows(table: Table, jobs: readonly Job[]): Promise<void> {
  const operations = new Map(jobs.map(({ operation }) => [operation.id, operation]));
  const made = new Map<string, number>();
  let rows: ReadonlyMap<number, number> = new Map();
  const states = table.snapshots().map((snapshot) => {
    const id = snapshot.summary['simulated-operation']!;
    const effects = operations.get(id)!.effects;
    // Of a transaction only the first part is certain to make a snapshot.
    const number = made.get(id) ?? 0;
    made.set(id, number + 1);
    rows = effects[number]!(rows);
    return { snapshotId: snapshot.snapshotId, rows };
  });
  const looked = states.length === 0 ? [] : [states.at(-1)!, states[Math.floor(states.length / 2)]!];
  for (const state of looked) {
    const found = await table.scan({ snapshotId: state.snapshotId, select: ['k', 'n'] }).toRows();
    const text = (entries: readonly (readonly [number, number])[]): string =>
      JSON.stringify(entries.toSorted((a, b) => a[0] - b[0]));
    const actual = text(found.map(({ k, n }) => [Number(k), Number(n)] as const));
    must(actual === text([...state.rows]), `snapshot ${state.snapshotId} has ${actual}, not ${text([...state.rows])}`);
  }
}

/** What crashes left is found, and nothing else: afterwards every file is one that the table leads to. */
async function checkCleanUp(table: Table): Promise<void> {
  const rowsBefore = await table.scan().count();
  await table.removeOrphanFiles({ olderThan: Number.MAX_SAFE_INTEGER / 2 });
  must((await table.scan().count()) === rowsBefore, 'removing orphans changed the rows');
  const { orphanFiles } = await table.removeOrphanFiles({ olderThan: Number.MAX_SAFE_INTEGER / 2, dryRun: true });
  must(orphanFiles.length === 0, `orphans are left: ${orphanFiles.join(', ')}`);
  await checkFiles(table);
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
