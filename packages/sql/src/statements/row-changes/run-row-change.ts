import type { Commit } from '@lh/core';
import { deleteRows, foundRowsOperation } from '@lh/core/engine';
import type { EngineView, FoundRows } from '@lh/core/engine';
import type { StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import type { ScanReport } from '../../query/scan-report.ts';
import { Changes } from './changes.ts';
import type { ErrorAt } from './new-values.ts';
import type { RowChangeStatement } from './read-row-change.ts';

/** Runs a statement that changes rows; null if the table is the session's own. */
export async function runRowChange(
  name: readonly string[],
  read: () => RowChangeStatement,
  context: StatementContext,
  errorAt: ErrorAt,
): Promise<StatementOutcome | null> {
  const target = await context.target(name);
  if (target === null) return null;
  const statement = read();
  const run = isWholeTable(statement) ? deleteAll : changeFound;
  return run(statement, target, context, errorAt);
}

type Run = (
  statement: RowChangeStatement,
  target: Target,
  context: StatementContext,
  errorAt: ErrorAt,
) => Promise<StatementOutcome>;

function isWholeTable(statement: RowChangeStatement): boolean {
  return statement.kind === 'delete' && statement.using === null && statement.where === null;
}

/** By metadata alone: every file leaves. */
const deleteAll: Run = async (_, target, context) => {
  let rows = 0;
  const operation = deleteRows({ op: 'true' }, {});
  const commit = await context.change(target, (transaction) =>
    transaction.operate({
      async plan(view) {
        const version = target.table.withMetadata(view.metadata);
        rows = await version.scan({ ref: view.state.branch }).count();
        return operation.plan(view);
      },
    }),
  );
  return changed({ rows, done: 'deleted', scans: [] }, commit);
};

/** DuckDB finds the rows, and what becomes of them; worked out anew where others were faster. */
const changeFound: Run = async (statement, target, context, errorAt) => {
  let found: Changes | null = null;
  const find = async (view: EngineView): Promise<FoundRows | null> => {
    await found?.drop();
    found = new Changes({ statement, target, context, view, errorAt });
    return found.find();
  };
  try {
    const operation = foundRowsOperation(statement.kind, find);
    const commit = await context.change(target, (transaction) => transaction.operate(operation));
    const { rows, scans } = found as unknown as Changes;
    return changed({ rows, done: DONE[statement.kind], scans }, commit);
  } finally {
    await (found as Changes | null)?.drop();
  }
};

const DONE = { delete: 'deleted', update: 'updated', merge: 'merged' } as const;

function changed(
  outcome: { readonly rows: number; readonly done: string; readonly scans: readonly ScanReport[] },
  commit: Commit | null,
): StatementOutcome {
  return { kind: 'changed', ...outcome, snapshotId: commit?.changed === true ? commit.snapshotId : null };
}
