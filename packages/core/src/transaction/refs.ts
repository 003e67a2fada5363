import { LakehouseError, invalidArgument } from '../errors.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { Snapshot, SnapshotRef } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';

/** A branch or tag by name; null if there is none. */
export function findRef(metadata: TableMetadata, name: string): SnapshotRef | null {
  return Object.hasOwn(metadata.refs, name) ? (metadata.refs[name] ?? null) : null;
}

/** The branch at another snapshot, its retention settings as they were. */
export function movedBranch(ref: SnapshotRef | null, snapshotId: bigint): SnapshotRef {
  const fresh = { type: 'branch', minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null } as const;
  return { ...(ref ?? fresh), snapshotId };
}

/** The snapshot that a new one on the branch follows; null for the first one of the table. */
export function parentOnBranch(metadata: TableMetadata, branch: string): Snapshot | null {
  const ref = findRef(metadata, branch);
  if (ref === null) {
    if (branch === MAIN_BRANCH) return null;
    throw new LakehouseError('NOT_FOUND', `There is no branch '${branch}'; make it with createBranch first.`, {
      context: { branch },
    });
  }
  if (ref.type === 'tag')
    throw invalidArgument(`'${branch}' is a tag; only branches can be written to.`, { ref: branch });
  return requireSnapshot(metadata, ref.snapshotId);
}

export function requireSnapshot(metadata: TableMetadata, snapshotId: bigint): Snapshot {
  const snapshot = snapshotById(metadata, snapshotId);
  if (snapshot) return snapshot;
  throw new LakehouseError('NOT_FOUND', `The table has no snapshot ${snapshotId}; it may have been expired.`, {
    context: { snapshotId },
  });
}
