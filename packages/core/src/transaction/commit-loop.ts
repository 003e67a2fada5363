import type { LoadedMetadata, TableOperations } from '../catalog/catalog.ts';
import { LakehouseError, isLakehouseError, throwIfAborted } from '../errors.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { commitRetryPolicy } from '../spec/table-properties.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableUpdate } from '../spec/updates.ts';
import type { Action, CommitAttempt, StagingContext } from './action.ts';
import { inCommitQueue } from './commit-queue.ts';
import { CommitRetry } from './commit-retry.ts';
import { currentSnapshotOf, fullSummary, unchangedOutcome } from './commit.ts';
import type { CommitOutcome } from './commit.ts';
import { requirementsFor } from './requirements-for.ts';

export interface CommitContext extends StagingContext {
  /** Of the table that the transaction began with. */
  readonly tableUuid: string;
  /** For the outcome of a commit that makes no snapshot. */
  readonly branch: string;
  /** Asked of each newest version: the snapshot in it that an earlier call with the same idempotency key made. */
  readonly alreadyDone?: (metadata: TableMetadata) => Snapshot | undefined;
}

/**
 * Commits actions as one new version of the table, over as many attempts as `commit.retry.*` allows when other writers
 * win. What is staged stays; each attempt builds the rest on the newest version. After a definite failure the staged
 * files are deleted and the table is as it was. After COMMIT_STATE_UNKNOWN nothing is: the commit may have happened.
 */
export function commitActions(actions: readonly Action[], context: CommitContext): Promise<CommitOutcome> {
  return inCommitQueue(context.operations, async () => {
    try {
      const outcome = await attemptUntilDone(actions, context);
      await context.staged.deleteUnused();
      return outcome;
    } catch (error) {
      await context.staged.deleteAll();
      throw error;
    }
  });
}

async function attemptUntilDone(actions: readonly Action[], context: CommitContext): Promise<CommitOutcome> {
  const { operations, runtime, staged, signal } = context;
  const retry = new CommitRetry(runtime, signal);
  const tried: (readonly Snapshot[])[] = [];
  let lost: { readonly error: LakehouseError; readonly again: boolean } | null = null;
  for (let number = 1; ; number++) {
    // After a conflict the table is read first, abort or not: what may turn out to be committed must not be deleted.
    if (lost === null) throwIfAborted(signal);
    const base = await loadSameTable(context, lost !== null);
    const ours = findOurCommit(base, tried);
    if (ours) {
      staged.keepAll();
      return committed(base, ours, number - 1, context.branch);
    }
    throwIfAborted(signal);
    staged.startAttempt();
    const done = context.alreadyDone?.(base.metadata);
    if (done) return doneBefore(base, done, operations);
    if (lost && !lost.again) throw gaveUp(lost.error, number - 1, operations.name);
    const updates = await buildUpdates(actions, base, context, number).catch(async (error: unknown) => {
      // A file that this version needs, but no newer one, was deleted by an expiry meanwhile.
      if (isLakehouseError(error, 'NOT_FOUND') && (await isOutdated(base, operations))) return error;
      throw error;
    });
    if (isLakehouseError(updates)) {
      lost = { error: updates, again: await retry.next(commitRetryPolicy(base.metadata.properties)) };
      continue;
    }
    if (updates.length === 0) return unchangedOutcome(base, currentSnapshotOf(base, context.branch));
    const snapshots = updates.flatMap((update) => (update.action === 'add-snapshot' ? update.snapshot : []));
    tried.push(snapshots);
    // What the updates name is there before anyone can see them.
    await Promise.all([staged.written(), operations.prepareCommit?.(base).catch(() => undefined)]);
    throwIfAborted(signal);
    try {
      const loaded = await operations.commit(base, requirementsFor(base.metadata, updates), updates);
      return committed(loaded, snapshots, number, context.branch);
    } catch (error) {
      if (mayHaveHappened(error)) staged.keepAll();
      if (!isLakehouseError(error) || !(await isConflict(error, base, operations))) throw error;
      lost = { error, again: await retry.next(commitRetryPolicy(base.metadata.properties)) };
    }
  }
}

/** What an earlier call has committed. It may have ended before the version was there to last. */
export async function doneBefore(
  loaded: LoadedMetadata,
  snapshot: Snapshot,
  operations: TableOperations,
): Promise<CommitOutcome> {
  await operations.makeLast?.(loaded);
  return unchangedOutcome(loaded, snapshot);
}

/** An error that is not ours says nothing about how far the catalog got. */
function mayHaveHappened(error: unknown): boolean {
  return !isLakehouseError(error) || error.code === 'COMMIT_STATE_UNKNOWN';
}

/** Updates that fit the version they were built on, but are refused as invalid, have met a newer one. */
async function isConflict(error: LakehouseError, base: LoadedMetadata, operations: TableOperations): Promise<boolean> {
  return error.code === 'INVALID_ARGUMENT' ? isOutdated(base, operations) : error.code === 'COMMIT_CONFLICT';
}

async function isOutdated(base: LoadedMetadata, operations: TableOperations): Promise<boolean> {
  const newest = await operations.load();
  return newest.metadataLocation !== base.metadataLocation;
}

function gaveUp(error: LakehouseError, attempts: number, table: string): LakehouseError {
  const message = `Other writers of ${table} were faster ${attempts} times in a row; try again, or raise commit.retry.num-retries. The last conflict: ${error.message}`;
  return new LakehouseError('COMMIT_CONFLICT', message, {
    retryable: true,
    context: { ...error.context, table, attempts },
    cause: error,
  });
}

/** `afterConflict`: whether the conflict was with ourselves is not known before the table is read. */
async function loadSameTable(
  { operations, staged, tableUuid }: CommitContext,
  afterConflict: boolean,
): Promise<LoadedMetadata> {
  const loaded = await operations.load().catch((error: unknown) => {
    if (afterConflict) staged.keepAll();
    throw error;
  });
  if (loaded.metadata.tableUuid !== tableUuid) throw replacedTable(operations.name);
  return loaded;
}

export function replacedTable(table: string): LakehouseError {
  return new LakehouseError(
    'NOT_FOUND',
    `Table ${table} was dropped and another one made in its place; load it again.`,
    {
      context: { table },
    },
  );
}

/** Each action builds on the version that the ones before it lead to. */
async function buildUpdates(
  actions: readonly Action[],
  base: LoadedMetadata,
  staging: StagingContext,
  number: number,
): Promise<readonly TableUpdate[]> {
  const context = { nowMs: staging.runtime.now(), baseMetadataLocation: null };
  const ownSnapshots = new Set<bigint>();
  const attempt: CommitAttempt = { ...staging, number, ownSnapshots };
  const updates: TableUpdate[] = [];
  let metadata = base.metadata;
  for (const [i, action] of actions.entries()) {
    const built = await action.build(metadata, attempt);
    if (built.length === 0) continue;
    updates.push(...built);
    for (const update of built) if (update.action === 'add-snapshot') ownSnapshots.add(update.snapshot.snapshotId);
    // The catalog applies them all.
    if (i < actions.length - 1) metadata = applyUpdates(metadata, built, context);
  }
  return updates;
}

/**
 * A commit that was answered with a conflict may be the second delivery of one that went through: then a snapshot of
 * ours is in the table. Manifest lists have names of their own, so nobody else's can be taken for it.
 */
function findOurCommit(
  { metadata }: LoadedMetadata,
  tried: readonly (readonly Snapshot[])[],
): readonly Snapshot[] | undefined {
  const isThere = ({ snapshotId, manifestList }: Snapshot): boolean =>
    metadata.snapshots.some((one) => one.snapshotId === snapshotId && one.manifestList === manifestList);
  return tried.find((snapshots) => snapshots.some(isThere));
}

function committed(
  loaded: LoadedMetadata,
  snapshots: readonly Snapshot[],
  attempts: number,
  branch: string,
): CommitOutcome {
  const snapshot = snapshots.at(-1);
  const commit = {
    snapshotId: snapshot?.snapshotId ?? currentSnapshotOf(loaded, branch)?.snapshotId ?? null,
    changed: true,
    summary: snapshot ? fullSummary(snapshot) : {},
    attempts,
    metadataLocation: loaded.metadataLocation,
    warnings: [],
  };
  return { commit, loaded, snapshots };
}
