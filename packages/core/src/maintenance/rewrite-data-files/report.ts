import type { LakehouseError } from '../../errors.ts';

/** What `rewriteDataFiles` did, with the counts of Spark's procedure. */
export interface RewriteDataFilesReport {
  readonly rewrittenDataFilesCount: number;
  readonly addedDataFilesCount: number;
  /** Of the data files that were rewritten. */
  readonly rewrittenBytesCount: number;
  /** Data files of groups that failed; they are as they were. */
  readonly failedDataFilesCount: number;
  readonly removedDeleteFilesCount: number;
  /** All groups, in the order of the plan. */
  readonly groups: readonly RewriteGroupReport[];
  /** The snapshots that were made, oldest first. */
  readonly snapshotIds: readonly bigint[];
  readonly dryRun: boolean;
  /** What the table's properties ask for and the writer of data files couldn't do; why dangling deletes are still there. */
  readonly warnings: readonly string[];
}

export interface RewriteGroupReport {
  readonly index: number;
  readonly partitionIndex: number;
  /** As in directories, `day=2024-01-01`; '' in tables without partitions; null for files of several partitions. */
  readonly partition: string | null;
  readonly status: 'planned' | 'rewritten' | 'failed';
  readonly inputFiles: number;
  readonly inputBytes: number;
  /** Delete files that apply to the data files. */
  readonly deleteFiles: number;
  readonly outputFiles: number;
  readonly outputBytes: number;
  /** Why the group failed; null if it didn't. */
  readonly error: LakehouseError | null;
}
