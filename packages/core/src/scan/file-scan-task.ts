import type { BoundExpression } from '../expr/bound-expression.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import type { StructType } from '../spec/types.ts';

/** Everything that is needed to read one data file, with no way back to the table. */
export interface FileScanTask {
  readonly file: DataFile;
  /** The data sequence number of `file`. */
  readonly sequenceNumber: bigint;
  /** Delete files that apply to `file`; a deletion vector comes alone. */
  readonly deletes: readonly DeleteFile[];
  readonly spec: PartitionSpec;
  /** The schema of the scan (before projection). */
  readonly schema: Schema;
  /** What is left of the filter for the rows of this file; `{ op: 'true' }` when every row matches. */
  readonly residual: BoundExpression;
}

export interface DeleteFile {
  readonly file: DataFile;
  /** The data sequence number of `file`. */
  readonly sequenceNumber: bigint;
  /**
   * Of an equality delete: the delete columns, `file.equalityIds`, in the structs around them, as the scan's schema has
   * them, or the newest other one that does: a column that has been dropped still deletes.
   */
  readonly equalityFields?: StructType;
}

export interface ScanPlan {
  readonly tasks: readonly FileScanTask[];
  readonly metrics: ScanMetrics;
}

/** Counts of one plan; files of manifests that were skipped are counted where the manifest list knows them. */
export interface ScanMetrics {
  readonly snapshotId: bigint | null;
  readonly manifestsTotal: number;
  readonly manifestsScanned: number;
  readonly manifestsSkipped: number;
  readonly deleteManifestsTotal: number;
  readonly deleteManifestsScanned: number;
  readonly filesTotal: number;
  readonly filesScanned: number;
  readonly filesSkipped: number;
  /** Files skipped, by what showed that they hold no matching row. */
  readonly filesSkippedBy: {
    readonly manifestSummary: number;
    readonly partition: number;
    readonly metrics: number;
  };
  readonly deleteFilesTotal: number;
  readonly deleteFilesApplied: number;
  /** Delete files in the manifests that were read, left out by their partition or metrics. */
  readonly deleteFilesSkipped: number;
  /** Delete files that were matched with data files, by kind. */
  readonly deleteFilesIndexed: {
    readonly equality: number;
    readonly position: number;
    readonly deletionVector: number;
  };
  /** Summed over the data files: a delete file counts for each one that it applies to. */
  readonly deleteReferences: { readonly files: number; readonly bytes: number };
  readonly bytesScanned: number;
  readonly bytesSkipped: number;
  readonly rowsScanned: number;
  readonly durationMs: number;
}
