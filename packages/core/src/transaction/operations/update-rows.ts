import type { Column, ColumnBatch } from '../../columns/column.ts';
import { concatColumns } from '../../columns/concat.ts';
import { takeBatch, takeRows } from '../../columns/take.ts';
import { bindExpression } from '../../expr/bind.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { toExpression } from '../../expr/filter-input.ts';
import type { FilterInput } from '../../expr/filter-input.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import type { NumbersColumn } from '../../columns/column.ts';
import { columnsToRows } from '../../read/batch-rows.ts';
import { bindAssignments } from './assignments.ts';
import type { Assignments, BoundAssignments } from './assignments.ts';
import { FileReader, findMatches, planFiles, positionsOf } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { rowChange, scopeChecks } from './row-change.ts';
import type { RowChange } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions, RowLevelSettings } from './row-level-settings.ts';
import { changedLineage, lineageColumns, splitColumns } from './row-lineage.ts';
import type { RowOperation } from './row-operation.ts';
import { readRewritten } from './rewritten-rows.ts';
import type { RewrittenRows } from './rewritten-rows.ts';
import { stageRowDeletes } from './stage-deletes.ts';
import { stageRows } from './stage-rows.ts';
import type { TableView } from './table-view.ts';

/** Changes columns of the rows for which a filter is TRUE. */
export function updateRows(filter: FilterInput, assignments: Assignments, options: RowLevelOptions): RowOperation {
  const expression = toExpression(filter);
  return {
    async plan(view) {
      const scope = bindExpression(view.schema, expression);
      const assigned = bindAssignments(view.schema, assignments);
      const settings = rowLevelSettings('update', options, view);
      const stage = settings.mergeOnRead ? stageMergeOnRead : stageCopyOnWrite;
      return rowChange(view, await stage(scope, assigned, settings, view));
    },
  };
}

/** Files that hold rows of the scope are written anew, changed rows in the place where they were. */
async function stageCopyOnWrite(
  scope: BoundExpression,
  assigned: BoundAssignments,
  settings: RowLevelSettings,
  view: TableView,
): Promise<RowChange> {
  const reader = new FileReader(view);
  const lineage = lineageColumns(view.metadata);
  const files: FileMatches[] = [];
  const rows = async function* (): AsyncGenerator<ColumnBatch> {
    const tasks = await planFiles(view, scope);
    for await (const match of findMatches(tasks, reader, view.state.host.runtime.concurrency)) {
      files.push(match);
      for await (const part of readRewritten(match, lineage, view, reader)) yield withChanges(part, assigned, view);
    }
  };
  const data = await stageRows(rows(), lineage, view);
  const removed = files.map(({ task }) => task.file);
  return { addedData: [data], removed, checks: { ...scopeChecks(settings, scope), noNewDeletesFor: removed } };
}

/** Rows of the scope are written down as deleted, and written again with their changes. Nothing else is read. */
async function stageMergeOnRead(
  scope: BoundExpression,
  assigned: BoundAssignments,
  settings: RowLevelSettings,
  view: TableView,
): Promise<RowChange> {
  const reader = new FileReader(view);
  const lineage = lineageColumns(view.metadata);
  const matches: FileMatches[] = [];
  const rows = async function* (): AsyncGenerator<ColumnBatch> {
    for (const task of await planFiles(view, scope)) {
      const positions = new PositionBitmap();
      for await (const { length, columns } of reader.read(task, view.schema, {
        metadataColumns: [...lineage, '_pos'],
      })) {
        for (const position of positionsOf(columns.at(-1) as NumbersColumn)) positions.add(position);
        yield changed({ length, columns: columns.slice(0, -1) }, assigned, view);
      }
      if (positions.size > 0) matches.push({ task, positions });
    }
  };
  const data = await stageRows(rows(), lineage, view);
  const { dataFiles, ...deletes } = await stageRowDeletes(matches, view, reader);
  const touched = matches.map(({ task }) => task.file);
  const dataFilesExist = dataFiles.map(({ path }) => path);
  const checks = { ...scopeChecks(settings, scope), noNewDeletesFor: touched, dataFilesExist };
  return { addedData: [data], ...deletes, checks };
}

function withChanges({ batch, touched }: RewrittenRows, assigned: BoundAssignments, view: TableView): ColumnBatch {
  if (touched.length === 0) return batch;
  if (touched.length === batch.length) return changed(batch, assigned, view);
  const replacement = changed(takeBatch(batch, touched), assigned, view);
  return { length: batch.length, columns: replaceRows(batch, touched, replacement.columns) };
}

function replaceRows(
  { length, columns }: ColumnBatch,
  rows: Int32Array,
  replacement: readonly Column[],
): readonly Column[] {
  const order = Int32Array.from({ length }, (_, row) => row);
  rows.forEach((row, i) => (order[row] = length + i));
  return columns.map((column, i) => takeRows(concatColumns([column, replacement[i]!]), order));
}

/** The rows with their new values. */
function changed(batch: ColumnBatch, assigned: BoundAssignments, { schema }: TableView): ColumnBatch {
  const { length } = batch;
  const [columns, lineage] = splitColumns(batch, schema.fields.length);
  const rows = function* (): Generator<readonly unknown[]> {
    for (const row of columnsToRows({ length, columns }, schema.fields)) yield [row];
  };
  const values = assigned.columns(length, rows);
  return {
    length,
    columns: [...columns.map((column, i) => values.get(i) ?? column), ...changedLineage(lineage, length)],
  };
}
