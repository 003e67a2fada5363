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
  readonly filesTotal: number;
  readonly filesScanned: number;
  readonly filesSkipped: number;
  /** Files skipped, by what showed that they hold no matching row. */
  readonly filesSkippedBy: {
    readonly manifestSummary: number;
    readonly partition: number;
    readonly metrics: number;
  };
  readonly manifestsTotal: number;
  readonly manifestsScanned: number;
  readonly manifestsSkipped: number;
  readonly bytesScanned: number;
  readonly bytesSkipped: number;
  /** Rows in the files that are scanned. */
  readonly rowsScanned: number;
  /** Milliseconds that finding the files took. */
  readonly planningMs: number;
  /** How DuckDB got at the files. */
  readonly access: FileAccess;
}
