import { bindExpression } from '../../expr/bind.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { toExpression } from '../../expr/filter-input.ts';
import type { FilterInput } from '../../expr/filter-input.ts';
import { strictMetricsEvaluator } from '../../expr/metrics-evaluator.ts';
import type { ColumnBatch } from '../../columns/column.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { ConflictChecks } from '../conflict-checks.ts';
import type { StagedData, StagedDeletes } from '../staged-data.ts';
import { FileReader, findMatches, planFiles } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { rowChange, scopeChecks } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions, RowLevelSettings } from './row-level-settings.ts';
import { lineageColumns } from './row-lineage.ts';
import type { RowOperation } from './row-operation.ts';
import { readRewritten, untouched } from './rewritten-rows.ts';
import { stageRowDeletes } from './stage-deletes.ts';
import { stageRows } from './stage-rows.ts';
import type { TableView } from './table-view.ts';

/** Deletes the rows for which a filter is TRUE. */
export function deleteRows(filter: FilterInput, options: RowLevelOptions): RowOperation {
  const expression = toExpression(filter);
  return {
    async plan(view) {
      const scope = bindExpression(view.schema, expression);
      return rowChange(view, await stageDeletion(scope, rowLevelSettings('delete', options, view), view));
    },
  };
}

/** The files that hold rows of a filter, where metadata tells of all that may that they hold nothing else; else null. */
export async function coveredFiles(filter: FilterInput, view: TableView): Promise<readonly FileScanTask[] | null> {
  const tasks = await planFiles(view, bindExpression(view.schema, toExpression(filter)));
  return tasks.every(({ residual, file }) => strictMetricsEvaluator(residual)(file)) ? tasks : null;
}

export interface StagedDeletion {
  readonly addedData: readonly StagedData[];
  readonly addedDeletes: readonly StagedDeletes[];
  readonly removed: readonly DataFile[];
  readonly checks: ConflictChecks;
}

/**
 * Stages what deletes the rows of a scope: files that it surely covers leave as a whole; of others that hold rows of it
 * the remaining rows are written anew, or their deleted rows are written down.
 */
export async function stageDeletion(
  scope: BoundExpression,
  settings: RowLevelSettings,
  view: TableView,
): Promise<StagedDeletion> {
  const reader = new FileReader(view);
  const { concurrency } = view.state.host.runtime;
  const matches: FileMatches[] = [];
  for await (const found of findMatches(await planFiles(view, scope), reader, concurrency)) matches.push(found);
  const checks = scopeChecks(settings, scope);
  if (settings.mergeOnRead) {
    const { dataFiles, ...staged } = await stageRowDeletes(matches, view, reader);
    const dataFilesExist = dataFiles.map(({ path }) => path);
    // What others have deleted meanwhile needs no second delete: alone, this one is worked out again without it.
    const dataFilesMayBeDeleted = !view.state.single;
    return { addedData: [], ...staged, checks: { ...checks, dataFilesExist, dataFilesMayBeDeleted } };
  }
  const partial = matches.filter(({ positions }) => positions !== null);
  const kept = await stageRows(keptRows(partial, view, reader), lineageColumns(view.metadata), view);
  return {
    addedData: [kept],
    addedDeletes: [],
    removed: matches.map(({ task }) => task.file),
    checks: { ...checks, noNewDeletesFor: partial.map(({ task }) => task.file) },
  };
}

async function* keptRows(
  matches: readonly FileMatches[],
  view: TableView,
  reader: FileReader,
): AsyncGenerator<ColumnBatch> {
  const lineage = lineageColumns(view.metadata);
  for (const match of matches) {
    for await (const rows of readRewritten(match, lineage, view, reader)) {
      const kept = untouched(rows);
      if (kept !== null) yield kept;
    }
  }
}
