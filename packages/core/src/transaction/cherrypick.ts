import { LakehouseError, invalidArgument } from '../errors.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { EntryStatus, ManifestFile } from '../spec/manifest.ts';
import { ancestorsOf, isAncestorOf, schemaForSnapshot, specById } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action, CommitAttempt, Updates } from './action.ts';
import type { ConflictChecks } from './conflict-checks.ts';
import { findRef, movedBranch, parentOnBranch, requireSnapshot } from './refs.ts';
import { snapshotChangeAction } from './snapshot-change-action.ts';
import type { SnapshotChange } from './snapshot-change.ts';
import {
  IDEMPOTENCY_KEY,
  PUBLISHED_WAP_ID,
  REPLACE_PARTITIONS,
  SOURCE_SNAPSHOT_ID,
  WAP_ID,
} from './snapshot-summary.ts';
import type { StagedData } from './staged-data.ts';

/**
 * Makes the change of a snapshot that is not in the branch's history a part of it. A snapshot that follows the branch's
 * head becomes the head; an append is made again on top of the head, and so is a dynamic overwrite if its partitions
 * have not changed since. INVALID_ARGUMENT for all others; ALREADY_EXISTS if the change is in the branch already.
 */
export function cherrypickAction(snapshotId: bigint, branch: string): Action {
  return pickAction((metadata) => requireSnapshot(metadata, snapshotId), branch);
}

/** Cherry-picks the snapshot that was staged under a `wapId`. NOT_FOUND if there is none. */
export function publishChangesAction(wapId: string, branch: string): Action {
  if (typeof wapId !== 'string' || wapId === '') throw invalidArgument('publishChanges needs a wapId.');
  return pickAction((metadata) => {
    const [staged, ...others] = metadata.snapshots.filter(({ summary }) => summary[WAP_ID] === wapId);
    if (staged && others.length === 0) return staged;
    if (staged) {
      const ids = [staged, ...others].map(({ snapshotId }) => snapshotId).join(', ');
      throw invalidArgument(
        `Several snapshots were staged with the wapId '${wapId}': ${ids}. Name one, with cherrypick.`,
      );
    }
    throw new LakehouseError('NOT_FOUND', `The table has no snapshot that was staged with the wapId '${wapId}'.`, {
      context: { wapId },
    });
  }, branch);
}

function pickAction(pick: (metadata: TableMetadata) => Snapshot, branch: string): Action {
  let replay: Action | null = null;
  let movedTo: bigint | null = null;
  return {
    async build(metadata, attempt) {
      const picked = pick(metadata);
      const head = parentOnBranch(metadata, branch);
      // An answer that was lost: the head was moved by an earlier attempt.
      if (head && movedTo !== null && isAncestorOf(metadata, head.snapshotId, movedTo)) return [];
      checkNotThere(metadata, picked, head);
      if (picked.parentSnapshotId === (head?.snapshotId ?? null)) {
        movedTo = picked.snapshotId;
        return moveTo(metadata, picked, branch);
      }
      replay ??= snapshotChangeAction(await changeOf(picked, metadata, head, branch, attempt));
      return replay.build(metadata, attempt);
    },
  };
}

function moveTo(metadata: TableMetadata, { snapshotId }: Snapshot, branch: string): Updates {
  const ref = movedBranch(findRef(metadata, branch), snapshotId);
  return [{ action: 'set-snapshot-ref', refName: branch, ref }];
}

function checkNotThere(metadata: TableMetadata, picked: Snapshot, head: Snapshot | null): void {
  const { snapshotId } = picked;
  const wapId = picked.summary[WAP_ID];
  for (const ancestor of ancestorsOf(metadata, head?.snapshotId ?? null)) {
    const { summary } = ancestor;
    const isPicked = ancestor.snapshotId === snapshotId || summary[SOURCE_SNAPSHOT_ID] === String(snapshotId);
    const isPublished = wapId !== undefined && [summary[WAP_ID], summary[PUBLISHED_WAP_ID]].includes(wapId);
    if (!isPicked && !isPublished) continue;
    const what = isPicked ? `Snapshot ${snapshotId}` : `What was staged with the wapId '${wapId}'`;
    throw new LakehouseError('ALREADY_EXISTS', `${what} is in the history of the branch already.`, {
      context: { snapshotId, ancestorId: ancestor.snapshotId },
    });
  }
}

/** The picked snapshot's change, to be made on top of another head. */
async function changeOf(
  picked: Snapshot,
  metadata: TableMetadata,
  head: Snapshot | null,
  branch: string,
  attempt: CommitAttempt,
): Promise<SnapshotChange> {
  const { snapshotId, parentSnapshotId, operation } = picked;
  const replacesPartitions = operation === 'overwrite' && picked.summary[REPLACE_PARTITIONS] === 'true';
  if (operation !== 'append' && !replacesPartitions) {
    throw invalidArgument(
      `Snapshot ${snapshotId} can't be cherry-picked: it is neither an append nor a dynamic overwrite, and it doesn't follow the head of '${branch}'.`,
      { snapshotId },
    );
  }
  if (replacesPartitions && parentSnapshotId !== null) {
    if (!head || !isAncestorOf(metadata, head.snapshotId, parentSnapshotId)) {
      throw invalidArgument(
        `Snapshot ${snapshotId} can't be cherry-picked: it overwrites partitions of snapshot ${parentSnapshotId}, which is not in the history of '${branch}'.`,
        { snapshotId },
      );
    }
  }
  const added = await changedFiles(picked, 'added', metadata, attempt);
  const removed = replacesPartitions ? await changedFiles(picked, 'deleted', metadata, attempt) : [];
  const { [WAP_ID]: wapId, [IDEMPOTENCY_KEY]: key } = picked.summary;
  return {
    baseSnapshotId: replacesPartitions ? parentSnapshotId : (head?.snapshotId ?? null),
    branch,
    operation,
    addedData: stagedBySpec(added, picked, metadata),
    addedDeletes: [],
    removed,
    checks: replacesPartitions ? partitionChecks(added, removed) : {},
    summary: {
      [SOURCE_SNAPSHOT_ID]: String(snapshotId),
      ...(wapId !== undefined && { [PUBLISHED_WAP_ID]: wapId }),
      // The picked snapshot may be expired before its job is run again.
      ...(key !== undefined && { [IDEMPOTENCY_KEY]: key }),
    },
  };
}

/** Files of older specs that are removed hold rows of other partitions as well: those are among the added ones. */
function partitionChecks(added: readonly DataFile[], removed: readonly DataFile[]): ConflictChecks {
  const scope = { partitions: added.map(({ specId, partition }) => ({ specId, tuple: partition })) };
  return {
    noNewData: scope,
    noNewDeletes: scope,
    noNewDeletesFor: removed,
    ...(added[0] && { noNewDataOfOtherSpecs: added[0].specId }),
  };
}

/** The data files that a snapshot has added, or removed. INVALID_ARGUMENT if it has added delete files as well. */
async function changedFiles(
  snapshot: Snapshot,
  status: EntryStatus,
  metadata: TableMetadata,
  { operations, signal }: CommitAttempt,
): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  for (const manifest of await readManifestList(operations.io, snapshot, metadata)) {
    if (manifest.addedSnapshotId !== snapshot.snapshotId) continue;
    if (manifest.content === 'deletes') {
      checkNoDeletes(manifest, snapshot);
      continue;
    }
    const batches = readManifest(operations.io, manifest, {
      ...tableDefinitions(metadata),
      ...(signal && { signal }),
    });
    for await (const batch of batches) {
      for (const entry of batch) {
        if (entry.status === status && entry.snapshotId === snapshot.snapshotId) files.push(entry.file);
      }
    }
  }
  return files;
}

/** They tell of rows as they were in the files of that time. */
function checkNoDeletes({ addedFilesCount }: ManifestFile, { snapshotId }: Snapshot): void {
  if (addedFilesCount === 0) return;
  throw invalidArgument(
    `Snapshot ${snapshotId} can't be cherry-picked: it has added delete files, and doesn't follow the branch's head. Make the change again with copy-on-write.`,
    { snapshotId },
  );
}

function stagedBySpec(files: readonly DataFile[], picked: Snapshot, metadata: TableMetadata): readonly StagedData[] {
  const schema = schemaForSnapshot(metadata, picked);
  const specIds = new Set(files.map(({ specId }) => specId));
  return [...specIds].map((specId) => ({
    files: files.filter((file) => file.specId === specId),
    schema,
    spec: specById(metadata, specId),
    lastColumnId: metadata.lastColumnId,
  }));
}
