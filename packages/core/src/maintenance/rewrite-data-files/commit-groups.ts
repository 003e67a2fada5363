import { isLakehouseError } from '../../errors.ts';
import type { LakehouseError } from '../../errors.ts';
import { sendReport } from '../../reporter.ts';
import { randomUuid } from '../../runtime.ts';
import type { DataFile } from '../../spec/data-file.ts';
import { currentSchema } from '../../spec/metadata-accessors.ts';
import type { PartitionSpec } from '../../spec/partition-spec.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { Action } from '../../transaction/action.ts';
import { commitActions } from '../../transaction/commit-loop.ts';
import { commitReport } from '../../transaction/commit-report.ts';
import type { CommitOutcome } from '../../transaction/commit.ts';
import { conflictingFiles, isValidationConflict } from '../../transaction/conflict.ts';
import { parentOnBranch } from '../../transaction/refs.ts';
import { snapshotChangeAction } from '../../transaction/snapshot-change-action.ts';
import type { SnapshotChange } from '../../transaction/snapshot-change.ts';
import { StagedFiles } from '../../transaction/staged-files.ts';
import type { TransactionHost } from '../../transaction/transaction-state.ts';
import type { FileGroup } from './plan-groups.ts';

/** A group whose rows are in new files, which are no part of the table yet. */
export interface WrittenGroup {
  readonly group: FileGroup;
  readonly files: readonly DataFile[];
}

export interface CommitSource {
  readonly host: TransactionHost;
  /** The version of the table that the groups were planned on. */
  readonly metadata: TableMetadata;
  readonly branch: string;
  readonly outputSpec: PartitionSpec;
  readonly useStartingSequenceNumber: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface GroupsCommit {
  readonly committed: readonly WrittenGroup[];
  /** Groups that don't go together with what others have committed; their new files are deleted. */
  readonly conflicts: readonly { readonly group: FileGroup; readonly error: LakehouseError }[];
  readonly outcome: CommitOutcome;
}

/**
 * Puts new files in the place of old ones, as one snapshot of the groups that this can be done for. Others may have added
 * rows and equality deletes meanwhile. What they have done to files of a group by position, and files that they have
 * replaced or removed, keep that group out, and only it. After a definite failure the new files are deleted.
 */
export async function commitGroups(groups: readonly WrittenGroup[], source: CommitSource): Promise<GroupsCommit> {
  const { host, metadata, branch, signal } = source;
  const { operations, runtime, reporter } = host;
  const staged = new StagedFiles(operations.io);
  for (const { files } of groups) for (const { path } of files) staged.add(path);
  const startedMs = runtime.now();
  const action = new GroupsAction(groups, source);
  const outcome = await commitActions([action], {
    operations,
    runtime,
    staged,
    commitUuid: randomUuid(runtime),
    signal,
    tableUuid: metadata.tableUuid,
    branch,
  });
  for (const snapshot of outcome.snapshots) {
    const durationMs = runtime.now() - startedMs;
    sendReport(reporter, commitReport(operations.name, snapshot, outcome.commit.attempts, durationMs));
  }
  const committed = outcome.snapshots.flatMap(({ snapshotId }) => action.groupsOf(snapshotId));
  const conflicts = action.dropped.filter(({ group }) => !committed.some((one) => one.group === group));
  return { committed, conflicts, outcome };
}

/** Drops the groups that a conflict is about, and goes on with the others. */
class GroupsAction implements Action {
  readonly dropped: { readonly group: FileGroup; readonly error: LakehouseError }[] = [];
  readonly #source: CommitSource;
  /** An attempt whose answer was lost may turn out to be the one that went through. */
  readonly #attempts = new Map<bigint, readonly WrittenGroup[]>();
  #groups: readonly WrittenGroup[];
  #action: Action;

  constructor(groups: readonly WrittenGroup[], source: CommitSource) {
    this.#source = source;
    this.#groups = groups;
    this.#action = snapshotChangeAction(changeOf(groups, source));
  }

  groupsOf(snapshotId: bigint): readonly WrittenGroup[] {
    return this.#attempts.get(snapshotId) ?? [];
  }

  async build(...attempt: Parameters<Action['build']>): Promise<Awaited<ReturnType<Action['build']>>> {
    while (this.#groups.length > 0) {
      try {
        const updates = await this.#action.build(...attempt);
        for (const update of updates) {
          if (update.action === 'add-snapshot') this.#attempts.set(update.snapshot.snapshotId, this.#groups);
        }
        return updates;
      } catch (error) {
        if (!isLakehouseError(error) || !isValidationConflict(error)) throw error;
        this.#drop(error);
      }
    }
    return [];
  }

  #drop(error: LakehouseError): void {
    const files = new Set(conflictingFiles(error));
    const isAbout = (group: WrittenGroup): boolean => filesOf(group).some(({ path }) => files.has(path));
    // One that is about no group is about all of them.
    const hit = this.#groups.some(isAbout) ? isAbout : () => true;
    for (const one of this.#groups) if (hit(one)) this.dropped.push({ group: one.group, error });
    this.#groups = this.#groups.filter((one) => !hit(one));
    if (this.#groups.length > 0) this.#action = snapshotChangeAction(changeOf(this.#groups, this.#source));
  }
}

/** Old and new ones. */
function filesOf({ group, files }: WrittenGroup): readonly DataFile[] {
  return [...group.tasks.map(({ file }) => file), ...files];
}

function changeOf(groups: readonly WrittenGroup[], source: CommitSource): SnapshotChange {
  const { metadata, branch, outputSpec, useStartingSequenceNumber } = source;
  const base = parentOnBranch(metadata, branch);
  const files = groups.flatMap((one) => one.files);
  const removed = groups.flatMap(({ group }) => group.tasks.map(({ file }) => file));
  const schema = currentSchema(metadata);
  // Version 1 has no numbers, and no deletes to be older than.
  const keepsAge = useStartingSequenceNumber && metadata.formatVersion > 1;
  return {
    baseSnapshotId: base?.snapshotId ?? null,
    branch,
    operation: 'replace',
    addedData: files.length > 0 ? [{ files, schema, spec: outputSpec, lastColumnId: metadata.lastColumnId }] : [],
    addedDeletes: [],
    removed,
    checks: { noNewDeletesFor: removed, movedData: groups.filter(isMoved).flatMap(filesOf) },
    ...(keepsAge && base && { dataSequenceNumber: base.sequenceNumber }),
    summary: {},
  };
}

/** Rows get another spec. */
function isMoved({ group }: WrittenGroup): boolean {
  return group.partition === null;
}
