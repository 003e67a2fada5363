import type { Action } from '../action.ts';
import { isValidationConflict } from '../conflict.ts';
import { snapshotChangeAction } from '../snapshot-change-action.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import type { TransactionState } from '../transaction-state.ts';
import { newerView } from './table-view.ts';
import type { TableView } from './table-view.ts';

/** A change of rows that takes reading the table: what has to be written depends on what is there. */
export interface RowOperation {
  /** Reads, and stages the files of the change. Null if there is nothing to change. May be called again, for a newer version. */
  plan(view: TableView): Promise<SnapshotChange | null>;
}

/**
 * Commits an operation's change. Where other writers have done something that doesn't go together with it, it is worked
 * out anew on their version, in the same attempt, if the transaction consists of it alone; what it staged in vain is
 * deleted in the end. In a user's transaction it is the user who knows whether the rest still holds: he gets the conflict.
 */
export function rowOperationAction(operation: RowOperation, change: SnapshotChange, state: TransactionState): Action {
  let action = snapshotChangeAction(change);
  return {
    async build(metadata, attempt) {
      try {
        return await action.build(metadata, attempt);
      } catch (error) {
        if (!state.single || !isValidationConflict(error)) throw error;
      }
      const again = await operation.plan(newerView(state, metadata));
      if (again === null) return [];
      action = snapshotChangeAction(again);
      return action.build(metadata, attempt);
    },
  };
}
