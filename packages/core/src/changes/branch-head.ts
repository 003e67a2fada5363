import { LakehouseError, invalidArgument } from '../errors.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { findRef } from '../transaction/refs.ts';

/** The newest snapshot of a branch; null for `main` of a table without one. NOT_FOUND if there is no such branch. */
export function requireBranchHead(metadata: TableMetadata, branch: string): bigint | null {
  const ref = findRef(metadata, branch);
  if (ref?.type === 'tag')
    throw invalidArgument(`'${branch}' is a tag; only branches can be followed.`, { ref: branch });
  if (ref) return ref.snapshotId;
  if (branch === MAIN_BRANCH) return metadata.currentSnapshotId;
  throw new LakehouseError('NOT_FOUND', `The table has no branch '${branch}'.`, { context: { branch } });
}
