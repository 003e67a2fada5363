import type { CommitOutcome } from '../transaction/commit.ts';
import type { TableView } from '../transaction/operations/table-view.ts';
import { runTransaction } from '../transaction/run-transaction.ts';
import type { SnapshotChange } from '../transaction/snapshot-change.ts';
import type { TransactionHost } from '../transaction/transaction-state.ts';
import { loadNewest } from './maintained-table.ts';

/** A table whose files maintenance writes anew. */
export interface OperatedTable extends TransactionHost {
  readonly tableUuid: string;
}

export interface OperationOptions {
  /** The branch to work on; main if left out. */
  readonly branch?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is to be done to a version of the table, in numbers and as a change: null if it is nothing, or in a dry run. */
export interface PlannedOperation<Counts> {
  readonly counts: Counts;
  readonly change: SnapshotChange | null;
}

export interface OperationResult<Counts> {
  readonly report: Counts & {
    /** The snapshot that was made; null if none was. */
    readonly snapshotId: bigint | null;
    readonly dryRun: boolean;
  };
  readonly outcome: CommitOutcome;
}

/** Commits what is planned for the newest version, and planned anew where others get in its way, and reports on it. */
export async function runOperation<Counts extends object>(
  table: OperatedTable,
  nothing: Counts,
  plan: (view: TableView) => Promise<PlannedOperation<Counts>>,
  { branch, dryRun = false, signal }: OperationOptions,
): Promise<OperationResult<Counts>> {
  let counts = nothing;
  const operation = {
    async plan(view: TableView): Promise<SnapshotChange | null> {
      const planned = await plan(view);
      ({ counts } = planned);
      return planned.change;
    },
  };
  const options = { single: true, branch, signal };
  const outcome = await runTransaction(table, await loadNewest(table), (tx) => tx.operate(operation), options);
  const { changed, snapshotId } = outcome.commit;
  const done = changed || dryRun ? counts : nothing;
  return { report: { ...done, snapshotId: changed ? snapshotId : null, dryRun }, outcome };
}
