import type { DataFile } from '../spec/data-file.ts';
import type { Operation } from '../spec/snapshot.ts';
import type { ConflictChecks } from './conflict-checks.ts';
import type { RowScope } from './row-scope.ts';
import type { StagedData, StagedDeletes } from './staged-data.ts';

/**
 * What one snapshot changes: files that come, files that go, and what other writers must not have done meanwhile. It
 * is worked out once, on `baseSnapshotId`, and then made on top of whatever the branch's head is.
 */
export interface SnapshotChange {
  /**
   * The head of the branch, as committed, that the change was worked out on; null if there was none. Conflicts are
   * looked for in what others have committed after it; snapshots that this very transaction makes are not others.
   */
  readonly baseSnapshotId: bigint | null;
  readonly branch: string;
  readonly operation: Operation;
  /** New data files; the files of each item are of one spec. */
  readonly addedData: readonly StagedData[];
  /** Position deletes (v2), deletion vectors (v3), equality deletes. */
  readonly addedDeletes: readonly StagedDeletes[];
  /**
   * Data and delete files that leave, as a plan gave them. It is a conflict if one of them has left already. Deletion
   * vectors and position deletes of nothing but a data file that leaves go with it, named or not; so do delete files
   * that are older than all data files that stay.
   */
  readonly removed: readonly DataFile[];
  /**
   * Everything in the scope leaves, too, by metadata alone, as it is when the change is committed: data files whose rows
   * surely all are in it and delete files that are about nothing else. A data file that is in it in part is a conflict.
   */
  readonly removeAll?: RowScope;
  readonly checks: ConflictChecks;
  /**
   * The data sequence number of the added data files. For `replace`: rewritten rows keep the number of the snapshot they
   * were read from, so that newer equality deletes still apply to them.
   */
  readonly dataSequenceNumber?: bigint;
  /** Extra fields of the summary: `commitSummary` of the transaction's options, and what the operation adds. */
  readonly summary: Readonly<Record<string, string>>;
}
