import type { BoundExpression } from '../../expr/bound-expression.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { Operation } from '../../spec/snapshot.ts';
import type { ConflictChecks } from '../conflict-checks.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import type { StagedData, StagedDeletes } from '../staged-data.ts';
import { commitSummary } from '../transaction-options.ts';
import type { RowLevelSettings } from './row-level-settings.ts';
import type { TableView } from './table-view.ts';

export interface RowChange {
  readonly addedData: readonly StagedData[];
  readonly addedDeletes?: readonly StagedDeletes[];
  readonly removed: readonly DataFile[];
  readonly checks: ConflictChecks;
}

/** The snapshot that makes a change of rows; null if there is nothing to change. */
export function rowChange(view: TableView, { addedDeletes = [], ...change }: RowChange): SnapshotChange | null {
  const addedData = change.addedData.filter(({ files }) => files.length > 0);
  if (addedData.length + addedDeletes.length + change.removed.length === 0) return null;
  return {
    baseSnapshotId: view.baseSnapshotId,
    branch: view.state.branch,
    operation: operationOf(addedData.length > 0, addedDeletes.length + change.removed.length > 0),
    addedData,
    addedDeletes,
    removed: change.removed,
    checks: { ...change.checks, schema: view.schema },
    summary: commitSummary(view.state.options),
  };
}

/** Spec: "Snapshots", the summary's `operation`. */
function operationOf(adds: boolean, removes: boolean): Operation {
  if (!removes) return 'append';
  return adds ? 'overwrite' : 'delete';
}

/** What an operation on the rows of a filter minds at its isolation level, at least. */
export function scopeChecks({ serializable }: RowLevelSettings, filter: BoundExpression): ConflictChecks {
  return serializable ? { noNewData: { filter } } : {};
}
