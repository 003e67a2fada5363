import type { FormatVersion, Table } from '@lh/core';

import { TableValidator } from '../../packages/core/test/table/validate-table.ts';
import { checkRows } from './check-rows.ts';
import { must } from './must.ts';
import type { ObservedHistory } from './observed-history.ts';
import { STAGED } from './operation.ts';
import { operationOf, publishedBy, snapshotsOf } from './operations.ts';
import type { UpkeepRun } from './upkeep.ts';
import type { Job } from './writer.ts';

export interface Tried {
  readonly jobs: readonly Job[];
  readonly runs: readonly UpkeepRun[];
  /** The first format version. */
  readonly createdAs: FormatVersion;
}

/** What must hold when all is over. Throws an error that says what doesn't. */
export async function checkOutcome(table: Table, history: ObservedHistory, tried: Tried): Promise<void> {
  const whole = history.whole(table);
  await new TableValidator().validate(table);
  checkHistory(whole);
  for (const job of tried.jobs) checkJob(whole, job);
  checkUpkeep(whole, history, tried.runs);
  await checkFiles(table);
  await checkRows(table, whole, tried.jobs, tried.createdAs);
  await checkCleanUp(table);
}

/** Every snapshot is on a branch, each of which is one line, or staged. */
function checkHistory(table: Table): void {
  const reached = new Set(Object.keys(table.refs()).flatMap((branch) => snapshotsOf(table, branch)));
  for (const snapshot of table.snapshots()) {
    must(reached.has(snapshot) || 'wap.id' in snapshot.summary, `snapshot ${snapshot.snapshotId} is on no branch`);
  }
}

/** No acknowledged commit is lost, no refused one is there, none is there twice. */
function checkJob(table: Table, { operation, outcome }: Job): void {
  const { id, kind, isThere, effects, shared = false, mayDoNothing = false } = operation;
  const found = isThere ? Number(isThere(table)) : timesFound(table, operation);
  const what = `${kind} ${id}, ${outcome}, is there ${found} times`;
  // A part of a transaction that finds nothing to do makes no snapshot.
  must(found <= Math.max(1, effects.length), what);
  if (outcome === 'acknowledged') must(found > 0 || mayDoNothing, what);
  if (!shared && outcome !== 'acknowledged' && outcome !== 'unknown') must(found === 0, what);
}

function timesFound(table: Table, { id, on = 'main' }: Job['operation']): number {
  if (on !== STAGED) return snapshotsOf(table, on).filter((snapshot) => operationOf(snapshot) === id).length;
  must(publishedBy(table, id) <= 1, `${id} is published twice`);
  return table.snapshots().filter(({ summary }) => summary['wap.id'] === id).length;
}

/** What maintenance has reported is there, what it said had failed isn't, and nobody else made a snapshot without a name. */
function checkUpkeep(table: Table, history: ObservedHistory, runs: readonly UpkeepRun[]): void {
  const snapshots = new Set(table.snapshots().map(({ snapshotId }) => snapshotId));
  for (const { kind, outcome, made } of runs) {
    for (const id of made) must(snapshots.has(id), `${kind}, ${outcome}, said that it made ${id}, which is lost`);
  }
  for (const snapshot of table.snapshots()) {
    if (operationOf(snapshot) !== undefined) continue;
    const run = runs.find(({ maker }) => maker === history.makerOf(snapshot.snapshotId));
    must(run !== undefined, `nobody made snapshot ${snapshot.snapshotId}`);
    const isWhole = run.kind !== 'maintain' && run.kind !== 'compact in parts';
    must(!isWhole || run.outcome !== 'refused', `${run.kind}, refused, made snapshot ${snapshot.snapshotId}`);
  }
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

/** What crashes left is found, and nothing else: afterwards every file is one that the table leads to. */
async function checkCleanUp(table: Table): Promise<void> {
  const rowsBefore = await table.scan().count();
  await table.removeOrphanFiles({ olderThan: Number.MAX_SAFE_INTEGER / 2 });
  must((await table.scan().count()) === rowsBefore, 'removing orphans changed the rows');
  const { orphanFiles } = await table.removeOrphanFiles({ olderThan: Number.MAX_SAFE_INTEGER / 2, dryRun: true });
  must(orphanFiles.length === 0, `orphans are left: ${orphanFiles.join(', ')}`);
  await checkFiles(table);
}
