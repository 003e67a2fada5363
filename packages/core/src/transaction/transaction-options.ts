import type { DataFileWriter } from '../write/data-file-writer.ts';
import type { WriteProgress } from '../write/data-writer.ts';
import { IDEMPOTENCY_KEY, WAP_ID } from './snapshot-summary.ts';

/** What every commit takes. */
export interface CommitOptions {
  /** Stops waiting and writing; a commit that the catalog is busy with is not taken back. */
  readonly signal?: AbortSignal | undefined;
}

export interface PublishOptions extends CommitOptions {
  /** The branch to publish to; main if left out. */
  readonly branch?: string | undefined;
}

/** What every write takes. */
export interface TransactionOptions extends CommitOptions {
  /** The branch to write to; main if left out. */
  readonly branch?: string | undefined;
  /** Added to the summary of the snapshot. */
  readonly snapshotProperties?: Readonly<Record<string, string>> | undefined;
  /**
   * Names this write, so that making the same call again after an uncertain outcome does nothing if it had gone
   * through. Kept in the snapshot's summary, and looked for in the history of the branch.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Stages the write under this id instead of publishing it (write, audit, publish): its snapshot is in the table, but
   * on no branch until `publishChanges`. The table must have `write.wap.enabled`. The snapshot property `wap.id` does
   * the same. To audit several writes together, write to a branch, and fast-forward to it.
   */
  readonly wapId?: string | undefined;
  /** What other writers may do meanwhile. A write that reads nothing, as an append, is the same at both levels. */
  readonly isolation?: 'serializable' | 'snapshot' | undefined;
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
  /** Makes the data files of this write; the table's own writer if left out. */
  readonly writer?: DataFileWriter | undefined;
}

export interface AppendOptions extends TransactionOptions {
  /** Adds columns that the data has and the table lacks, by name, in the same commit. */
  readonly mergeSchema?: boolean | undefined;
}

/** What `transaction.append` takes; the rest is said once for the whole transaction. */
export interface StageOptions {
  readonly mergeSchema?: boolean | undefined;
}

/** What the options of a write add to the summary of each of its snapshots. */
export function commitSummary(options: TransactionOptions): Readonly<Record<string, string>> {
  const { snapshotProperties, idempotencyKey, wapId } = options;
  return {
    ...snapshotProperties,
    ...(idempotencyKey !== undefined && { [IDEMPOTENCY_KEY]: idempotencyKey }),
    ...(wapId !== undefined && { [WAP_ID]: wapId }),
  };
}
