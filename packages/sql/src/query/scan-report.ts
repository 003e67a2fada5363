import type { DynamicPredicate } from '../plan/prune.ts';
import type { NotPushed } from '../plan/to-expression.ts';
import type { FileAccess } from '../remote/scan-files.ts';

/** How one mention of a table in a statement was read. */
export interface ScanReport {
  /** The table's full name. */
  readonly table: string;
  /** The snapshot that was read; null for a table without any. */
  readonly snapshotId: bigint | null;
  /** The predicate that files were pruned with, as text; null if there was none. */
  readonly predicate: string | null;
  /** Predicates that files could not be pruned with, and why. DuckDB applies them to the rows. */
  readonly notPushed: readonly NotPushed[];
  /** What files were left out by besides, once values of other tables had been read. */
  readonly dynamic: readonly DynamicPredicate[];
  /** The whole answer came from the table's metadata: counts, least and greatest values. Then no file is scanned. */
  readonly fromMetadata: boolean;
  readonly filesTotal: number;
  readonly filesScanned: number;
  readonly filesSkipped: number;
  /** Files skipped, by what showed that they hold no matching row, or none that is needed. */
  readonly filesSkippedBy: {
    readonly manifestSummary: number;
    readonly partition: number;
    readonly metrics: number;
    /** By the values of another table; see `dynamic`. */
    readonly dynamic: number;
    /** Other files have the rows that a LIMIT takes. */
    readonly limit: number;
    /** What the query asks of them is in their metadata: counts, least and greatest values. */
    readonly answered: number;
  };
  readonly manifestsTotal: number;
  readonly manifestsScanned: number;
  readonly manifestsSkipped: number;
  /** Size of the files that are scanned: of columnar files, columns that the query doesn't name aren't read. */
  readonly bytesScanned: number;
  readonly bytesSkipped: number;
  /** Rows in the files that are scanned. */
  readonly rowsScanned: number;
  /** Delete files that rows of the scanned files are checked against. */
  readonly deleteFilesApplied: number;
  /** Milliseconds that finding the files took. */
  readonly planningMs: number;
  /** How DuckDB got at the files. */
  readonly access: FileAccess;
}
