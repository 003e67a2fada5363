import type { DataFile } from '../spec/data-file.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { Operation } from '../spec/snapshot.ts';
import type { RowScope } from './row-scope.ts';
import type { StagedData } from './staged-data.ts';

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
   * vectors and position deletes of nothing but a data file that leaves go with it, named or not.
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
  /** Extra fields of the summary: `commitSummary` of the transaction, and what the operation adds. */
  readonly summary: Readonly<Record<string, string>>;
}

/** Delete files that are written but not committed. Several deletion vectors may lie in one Puffin file. */
export interface StagedDeletes {
  readonly files: readonly DataFile[];
  readonly spec: PartitionSpec;
}

/**
 * What others must not have done between `baseSnapshotId` and the commit; otherwise it fails with COMMIT_CONFLICT and
 * `context.conflict` 'validation'. Two things are always checked: that the files to remove are still there, and that no
 * deletion vector was added for a data file that `addedDeletes` has one for.
 */
export interface ConflictChecks {
  /** The schema that filters were bound to: if their columns have changed meanwhile, that is a conflict as well. */
  readonly schema?: Schema;
  /** No data file with rows that may be in the scope was added (by `append` or `overwrite`; `replace` adds no rows). */
  readonly noNewData?: RowScope;
  /** No delete file that may be about rows of the scope was added. */
  readonly noNewDeletes?: RowScope;
  /** No data file with rows that may be in the scope was removed. */
  readonly noRemovedData?: RowScope;
  /**
   * No delete was added that applies to these data files: they are rewritten or removed. With `dataSequenceNumber`
   * equality deletes are left out: they apply to the rewritten rows, too.
   */
  readonly noNewDeletesFor?: readonly DataFile[];
  /** Data files that new position deletes or deletion vectors are about were not removed. */
  readonly dataFilesExist?: readonly string[];
  /** `dataFilesExist` doesn't mind removals by `delete`: what is to be deleted is gone already. */
  readonly dataFilesMayBeDeleted?: boolean;
}
