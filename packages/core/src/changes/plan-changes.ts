import { isLakehouseError } from '../errors.ts';
import { deleteLoader } from '../read/read-task.ts';
import type { DeletedBy } from '../read/read-task.ts';
import type { DeleteLoader } from '../deletes/row-deletes.ts';
import type { DeleteFile, FileScanTask } from '../scan/file-scan-task.ts';
import { checkReadable, planScan } from '../scan/plan-scan.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { fileKey } from '../transaction/file-key.ts';
import type { BoundExpression } from '../expr/bound-expression.ts';
import type { ChangeSource } from './change-source.ts';
import { readDeletesAround } from './deletes-around.ts';
import { goneWithSnapshot } from './gone-with-snapshot.ts';
import { readSnapshotFiles } from './snapshot-files.ts';
import type { SequencedFile } from './snapshot-files.ts';
import { readTouchedFiles } from './touched-files.ts';

/** Rows of one data file, to be read: with nothing else to know of the table. */
export interface ChangedRows {
  readonly task: FileScanTask;
  /** Reads the task's deletes. */
  readonly deletes: DeleteLoader;
  /** Null: all rows that the task's deletes leave; else those of them that these would delete. */
  readonly deletedBy: DeletedBy | null;
}

/**
 * Where the rows are that a step of the history took away and brought. Rows that were rewritten without a change are
 * among both.
 */
export interface PlannedChanges {
  readonly deleted: readonly ChangedRows[];
  readonly inserted: readonly ChangedRows[];
}

/** What is to be told of a snapshot: what it changed; what taking it back changes; or all of its rows, as new ones. */
export type ChangeStepKind = 'made' | 'undone' | 'whole';

export interface ChangeStep {
  readonly snapshot: Snapshot;
  readonly kind: ChangeStepKind;
}

type Planner = (source: ChangeSource, snapshot: Snapshot, filter: BoundExpression) => Promise<PlannedChanges>;

const PLANNERS: Readonly<Record<ChangeStepKind, Planner>> = {
  made: planDifference,
  async undone(...args) {
    const { deleted, inserted } = await planDifference(...args);
    return { deleted: inserted, inserted: deleted };
  },
  whole: planWhole,
};

/**
 * Finds the files that a step changed rows of: as many manifests and entries are read as the snapshot changed, and those
 * that may be about the same partitions, if it changed deletes. NOT_FOUND if the snapshot has been expired meanwhile.
 */
export async function planChanges(
  source: ChangeSource,
  { snapshot, kind }: ChangeStep,
  filter: BoundExpression,
): Promise<PlannedChanges> {
  try {
    return await PLANNERS[kind](source, snapshot, filter);
  } catch (error) {
    throw isLakehouseError(error, 'NOT_FOUND') ? goneWithSnapshot(error) : error;
  }
}

/** The first snapshot differs from nothing by all that it has. */
function planDifference(source: ChangeSource, snapshot: Snapshot, filter: BoundExpression): Promise<PlannedChanges> {
  return snapshot.parentSnapshotId === null ? planWhole(source, snapshot, filter) : planMade(source, snapshot);
}

/**
 * A row was deleted if it was live before and is not any more, inserted if it is live and was not. All rows of a file
 * that came or went are candidates; of a file that stayed, those that its new deletes delete and the old ones had not,
 * and the other way round.
 */
async function planMade(source: ChangeSource, snapshot: Snapshot): Promise<PlannedChanges> {
  const manifests = await source.manifests(snapshot);
  const files = await readSnapshotFiles(source, snapshot, manifests);
  const touched = await readTouchedFiles(source, snapshot, manifests, files);
  const all = [...files.removedData, ...files.addedData, ...touched];
  if (all.length === 0) return { deleted: [], inserted: [] };
  const { before, after } = await readDeletesAround(source, snapshot, manifests, files, all);
  const loaders = { before: deleteLoader(source.io), after: deleteLoader(source.io) };
  // Of their own: one loader keeps the keys of all deletes that it has read together.
  const changed = { came: deleteLoader(source.io), went: deleteLoader(source.io) };
  const deleted: (ChangedRows | null)[] = [];
  const inserted: (ChangedRows | null)[] = [];
  for (const one of files.removedData) {
    deleted.push(changedRows(source, one, before.forFile(one.file, one.sequenceNumber), loaders.before));
  }
  for (const one of files.addedData) {
    inserted.push(changedRows(source, one, after.forFile(one.file, one.sequenceNumber), loaders.after));
  }
  for (const one of touched) {
    const old = before.forFile(one.file, one.sequenceNumber);
    const now = after.forFile(one.file, one.sequenceNumber);
    const came = { files: without(now, old), loader: changed.came };
    const went = { files: without(old, now), loader: changed.went };
    if (came.files.length > 0) deleted.push(changedRows(source, one, old, loaders.before, came));
    if (went.files.length > 0) inserted.push(changedRows(source, one, now, loaders.after, went));
  }
  return { deleted: deleted.filter((rows) => rows !== null), inserted: inserted.filter((rows) => rows !== null) };
}

type Deletes = readonly DeleteFile[];

/** Null if the file's partition shows that none of its rows matches. */
function changedRows(
  source: ChangeSource,
  { file, sequenceNumber }: SequencedFile,
  deletes: Deletes,
  loader: DeleteLoader,
  deletedBy: DeletedBy | null = null,
): ChangedRows | null {
  const { spec, residual } = source.filterOf(file.specId);
  const remaining = residual(file.partition);
  if (remaining.op === 'false') return null;
  checkReadable(file, deletedBy ? [...deletes, ...deletedBy.files] : deletes);
  const task = { file, sequenceNumber, deletes, spec, schema: source.schema, residual: remaining };
  return { task, deletes: loader, deletedBy };
}

function without(deletes: Deletes, others: Deletes): Deletes {
  const keys = new Set(others.map(({ file }) => fileKey(file)));
  return deletes.filter(({ file }) => !keys.has(fileKey(file)));
}

async function planWhole(source: ChangeSource, snapshot: Snapshot, filter: BoundExpression): Promise<PlannedChanges> {
  const { io, metadata, schema, runtime, signal } = source;
  const deletes = deleteLoader(io);
  const inserted: ChangedRows[] = [];
  const { tasks } = planScan({ io, metadata, snapshot, schema, filter, runtime, ...(signal && { signal }) });
  for await (const task of tasks) inserted.push({ task, deletes, deletedBy: null });
  return { deleted: [], inserted };
}
