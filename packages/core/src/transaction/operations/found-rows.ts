import type { PositionsByFile } from '../../deletes/row-deletes.ts';
import { invalidData } from '../../errors.ts';
import { bindExpression } from '../../expr/bind.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import type { Expression } from '../../expr/expression.ts';
import type { MetadataColumn } from '../../read/metadata-columns.ts';
import { currentSpec } from '../../spec/metadata-accessors.ts';
import type { DataFile } from '../../spec/data-file.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { SelfWritingRows } from '../../write/data-file-writer.ts';
import type { ConflictChecks } from '../conflict-checks.ts';
import { refuseEncrypted } from '../stage-append.ts';
import type { StagedData } from '../staged-data.ts';
import { stagingOptions } from '../staging-options.ts';
import { FileReader, planFiles } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { rowChange, scopeChecks } from './row-change.ts';
import type { RowChange } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelCommand, RowLevelSettings } from './row-level-settings.ts';
import { committedLimit, lineageColumns, schemaWithLineage } from './row-lineage.ts';
import type { RowOperation } from './row-operation.ts';
import { stageRowDeletes } from './stage-deletes.ts';
import type { TableView } from './table-view.ts';

/** The version of a table that an engine works a change of rows out on. */
export interface EngineView {
  readonly metadata: TableMetadata;
  readonly branch: string;
  /**
   * The lineage that rows take along when they are written anew (spec: "Row Lineage"); none before format version 3.
   * Values from `limit` on won't last: they must become null, to be given anew by the commit.
   */
  readonly lineage: readonly { readonly name: MetadataColumn; readonly limit: bigint }[];
}

/** What an engine has found out about a change of rows. */
export interface FoundRows {
  /** Where the rows are that are deleted or replaced: live ones, by the path of their data file. */
  readonly positions: PositionsByFile;
  /** What the rows that were read have in common: others must not add such ones meanwhile. */
  readonly scope: Expression;
  /** What becomes of rows depends on others of the table, too: nobody must have taken away rows of the scope. */
  readonly readsOthers: boolean;
  /**
   * The rows to be written: changed and new ones, and those of `keep`, files that are rewritten, but for the ones at the
   * positions. The table's columns, with the lineage behind them if `positions` has any. Null if there are none.
   */
  rows(keep: PositionsByFile): SelfWritingRows | null;
}

/** Finds rows and what becomes of them; null if nothing is to be changed. Called again for a newer version. */
export type FindRows = (view: EngineView) => Promise<FoundRows | null>;

/** A change of rows that an engine works out. Modes and isolation are those of the command. */
export function foundRowsOperation(command: RowLevelCommand, find: FindRows): RowOperation {
  return {
    async plan(view) {
      const settings = rowLevelSettings(command, {}, view);
      const found = await find(engineView(view));
      if (found === null) return null;
      const scope = bindExpression(view.schema, found.scope);
      const matches = await filesOf(found.positions, scope, view);
      const stage = settings.mergeOnRead ? stageMergeOnRead : stageCopyOnWrite;
      const { checks, ...staged } = await stage(found, matches, command, view);
      return rowChange(view, { ...staged, checks: { ...readChecks(settings, found, scope), ...checks } });
    },
  };
}

function engineView({ metadata, committed, state }: TableView): EngineView {
  const lineage = lineageColumns(metadata).map((name) => ({ name, limit: committedLimit(name, committed) }));
  return { metadata, branch: state.branch, lineage };
}

function readChecks(settings: RowLevelSettings, { readsOthers }: FoundRows, filter: BoundExpression): ConflictChecks {
  const noLoss = settings.serializable && readsOthers ? { noNewDeletes: { filter }, noRemovedData: { filter } } : {};
  return { ...scopeChecks(settings, filter), ...noLoss };
}

async function filesOf(
  positions: PositionsByFile,
  scope: BoundExpression,
  view: TableView,
): Promise<readonly FileMatches[]> {
  if (positions.size === 0) return [];
  const tasks = (await planFiles(view, scope)).filter(({ file }) => positions.has(file.path));
  if (tasks.length < positions.size) throw invalidData('Rows were found in files that can have none of them.');
  return tasks.map((task) => ({ task, positions: positions.get(task.file.path)! }));
}

type Stage = (
  found: FoundRows,
  matches: readonly FileMatches[],
  command: RowLevelCommand,
  view: TableView,
) => Promise<RowChange>;

/** Files that hold such rows leave; what stays of them is written with the new rows. */
const stageCopyOnWrite: Stage = async (found, matches, command, view) => {
  const partial = matches.filter(({ task, positions }) => positions!.size < task.file.recordCount);
  const keep = new Map(partial.map(({ task, positions }) => [task.file.path, positions!]));
  const data = await stageFoundRows(found.rows(keep), matches.length > 0, view);
  const removed = filesIn(matches);
  // Of a file that goes as a whole, others may delete rows as well.
  const noNewDeletesFor = command === 'delete' ? filesIn(partial) : removed;
  return { addedData: data, removed, checks: { noNewDeletesFor } };
};

/** Rows are written down as deleted, and only new ones are written. */
const stageMergeOnRead: Stage = async (found, matches, command, view) => {
  const data = await stageFoundRows(found.rows(new Map()), matches.length > 0, view);
  const { dataFiles, ...deletes } = await stageRowDeletes(matches, view, new FileReader(view));
  return { addedData: data, ...deletes, checks: mergeOnReadChecks(command, filesIn(matches), dataFiles, view) };
};

function mergeOnReadChecks(
  command: RowLevelCommand,
  touched: readonly DataFile[],
  dataFiles: readonly DataFile[],
  { state }: TableView,
): ConflictChecks {
  const dataFilesExist = dataFiles.map(({ path }) => path);
  // What others have deleted meanwhile needs no second delete; a row that was updated must not come back.
  if (command === 'delete') return { dataFilesExist, dataFilesMayBeDeleted: !state.single };
  return { noNewDeletesFor: touched, dataFilesExist };
}

async function stageFoundRows(
  rows: SelfWritingRows | null,
  withLineage: boolean,
  { metadata, schema, state }: TableView,
): Promise<readonly StagedData[]> {
  if (rows === null) return [];
  refuseEncrypted(metadata, state.host.operations.name);
  const lineage = withLineage ? lineageColumns(metadata) : [];
  const files = await rows.writeDataFiles(stagingOptions(metadata, state, schemaWithLineage(schema, lineage)));
  return [{ files, schema, spec: currentSpec(metadata), lastColumnId: state.base.metadata.lastColumnId }];
}

function filesIn(matches: readonly FileMatches[]): readonly DataFile[] {
  return matches.map(({ task }) => task.file);
}
