import { invalidArgument } from '../errors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { requireBranchHead } from './branch-head.ts';

/** How far a branch has been followed. JSON as it is: save it with what was done, and go on from it later. */
export interface FollowPosition {
  readonly tableUuid: string;
  readonly branch: string;
  /** The last snapshot whose changes are done with, in decimal digits; null before the first one. */
  readonly snapshotId: string | null;
}

/** Where following starts: after a saved position, or a snapshot; null: with the first snapshot; 'now': with the next one. */
export type FollowAfter = FollowPosition | bigint | 'now' | null;

export interface FollowStart {
  readonly branch: string;
  readonly snapshotId: bigint | null;
}

/** INVALID_ARGUMENT for what is no position, or one of another table or branch; NOT_FOUND if there is no such branch. */
export function followStart(metadata: TableMetadata, after: FollowAfter, branch: string | undefined): FollowStart {
  if (after === null || typeof after === 'bigint') return { branch: branch ?? MAIN_BRANCH, snapshotId: after };
  if (after === 'now') {
    const followed = branch ?? MAIN_BRANCH;
    return { branch: followed, snapshotId: requireBranchHead(metadata, followed) };
  }
  checkPosition(after);
  if (after.tableUuid !== metadata.tableUuid) {
    throw invalidArgument(
      `The position is one of another table, ${after.tableUuid}; this one is ${metadata.tableUuid}. Start with after: null.`,
    );
  }
  if (branch !== undefined && branch !== after.branch) {
    throw invalidArgument(`The position is one of the branch '${after.branch}', not of '${branch}'.`);
  }
  return { branch: after.branch, snapshotId: after.snapshotId === null ? null : BigInt(after.snapshotId) };
}

function checkPosition(position: Partial<FollowPosition>): void {
  const { tableUuid, branch, snapshotId } = typeof position === 'object' ? position : {};
  const isId = snapshotId === null || (typeof snapshotId === 'string' && /^\d{1,19}$/.test(snapshotId));
  if (typeof tableUuid === 'string' && typeof branch === 'string' && isId) return;
  throw invalidArgument(
    "after must be the position of an earlier step, the id of a snapshot (a bigint), null for the beginning, or 'now'.",
  );
}
