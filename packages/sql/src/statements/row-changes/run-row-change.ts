import { coveredFiles, deleteRows, foundRowsOperation } from '@lh/core/engine';
import type { EngineView, FoundRows, RowOperation } from '@lh/core/engine';
import type { QueryText } from '../../query/query-text.ts';
import type { ScanReport } from '../../query/scan-report.ts';
import type { StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import { Changes } from './changes.ts';
import { exactFilter } from './exact-filter.ts';
import type { ErrorAt } from './new-values.ts';
import type { RowChangeStatement } from './read-row-change.ts';

const DONE = { delete: 'deleted', update: 'updated', merge: 'merged' } as const;

/** Runs a statement that changes rows; null if the table is the session's own. */
export async function runRowChange(
  name: readonly string[],
  read: () => RowChangeStatement,
  context: StatementContext,
  source: Pick<OperationInput, 'text' | 'errorAt'>,
): Promise<StatementOutcome | null> {
  const target = await context.target(name);
  if (target === null) return null;
  const statement = read();
  const operation = new StatementOperation({ statement, target, context, ...source });
  try {
    const commit = await context.change(target, (transaction) => transaction.operate(operation));
    return {
      kind: 'changed',
      done: DONE[statement.kind],
      rows: operation.rows,
      snapshotId: commit?.changed === true ? commit.snapshotId : null,
      scans: operation.scans,
    };
  } finally {
    await operation.end();
  }
}

interface OperationInput {
  readonly statement: RowChangeStatement;
  readonly target: Target;
  readonly context: StatementContext;
  readonly text: QueryText;
  readonly errorAt: ErrorAt;
}

/** What a statement does, worked out anew where others were faster. */
class StatementOperation implements RowOperation {
  /** How many rows were changed. */
  rows = 0;
  scans: readonly ScanReport[] = [];
  readonly #input: OperationInput;
  readonly #byRows: RowOperation;
  #changes: Changes | null = null;

  constructor(input: OperationInput) {
    this.#input = input;
    this.#byRows = foundRowsOperation(input.statement.kind, (view) => this.#find(view));
  }

  /** DuckDB finds the rows, and what becomes of them, unless metadata tells that whole files are deleted. */
  async plan(view: Parameters<RowOperation['plan']>[0]): ReturnType<RowOperation['plan']> {
    const { statement, target, context } = this.#input;
    const version = target.table.withMetadata(view.metadata);
    const filter = await exactFilter(statement, version.schema, context);
    const files = filter && (await coveredFiles(filter, view));
    if (filter === null || files === null) return this.#byRows.plan(view);
    const isPlain = files.every(({ deletes }) => deletes.length === 0);
    this.rows = isPlain
      ? files.reduce((sum, { file }) => sum + file.recordCount, 0)
      : await version.scan({ ref: view.state.branch, filter }).count();
    this.scans = [];
    return deleteRows(filter, {}).plan(view);
  }

  async #find(view: EngineView): Promise<FoundRows | null> {
    await this.end();
    const changes = new Changes({ ...this.#input, view });
    this.#changes = changes;
    const found = await changes.find();
    this.rows = changes.rows;
    this.scans = changes.scans;
    return found;
  }

  /** Forgets the rows that were found. */
  async end(): Promise<void> {
    await this.#changes?.drop();
    this.#changes = null;
  }
}
