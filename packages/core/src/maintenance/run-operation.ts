import type { CommitOutcome } from '../transaction/commit.ts';
import type { RowOperation } from '../transaction/operations/row-operation.ts';
import { runTransaction } from '../transaction/run-transaction.ts';
import type { TransactionHost } from '../transaction/transaction-state.ts';
import { loadNewest } from './maintained-table.ts';

/** A table whose files maintenance writes anew. */
export interface OperatedTable extends TransactionHost {
  readonly tableUuid: string;
}

export interface OperationOptions {
  /** The branch to work on; main if left out. */
  readonly branch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Commits an operation, worked out on the newest version, and anew where others get in its way. */
export async function runOperation(
  table: OperatedTable,
  operation: RowOperation,
  { branch, signal }: OperationOptions,
): Promise<CommitOutcome> {
  const options = { single: true, branch, signal };
  return runTransaction(table, await loadNewest(table), (tx) => tx.operate(operation), options);
}
