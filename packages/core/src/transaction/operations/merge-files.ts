import { batchBytes } from '../../columns/column.ts';
import type { ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import { takeBatch } from '../../columns/take.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { TRUE } from '../../expr/logic.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import { selectFields } from '../../spec/select-fields.ts';
import type { NestedField } from '../../spec/types.ts';
import { planFiles, positionsOf, rowsOfPositions } from './file-matches.ts';
import type { FileMatches, FileReader } from './file-matches.ts';
import type { MergeClauses } from './merge-clauses.ts';
import type { MergeKeys } from './merge-keys.ts';
import type { MergeSource } from './merge-source.ts';
import { changedLineage, lineageColumns, splitColumns } from './row-lineage.ts';
import type { RewrittenRows } from './rewritten-rows.ts';
import type { TableView } from './table-view.ts';

/** What a merge knows before it looks at the table's rows. */
export interface PreparedMerge {
  readonly schemaId: number;
  readonly source: MergeSource;
  readonly fields: readonly NestedField[];
  readonly keys: MergeKeys;
  readonly clauses: MergeClauses;
}

/** Rows of one file and rows of the source that match. */
export interface FilePairs {
  readonly task: FileScanTask;
  /** Ascending. */
  readonly positions: readonly number[];
  /** By position. */
  readonly sourceRows: readonly number[];
}

export interface FoundPairs {
  /** Files with rows that match, if the merge changes such rows at all. */
  readonly files: readonly FilePairs[];
  /** The rows of the source that match none. */
  readonly unmatched: ColumnBatch;
}

/**
 * Finds the rows that match. Files whose bounds and partitions show that they hold none of the keys are not read, of
 * others the key columns only. `filter`: what is TRUE for the keys; `range`: the same, cheap enough for row groups.
 */
export async function findPairs(
  { keys, fields, clauses, source }: PreparedMerge,
  { filter, range }: { readonly filter: BoundExpression; readonly range: BoundExpression },
  view: TableView,
  reader: FileReader,
): Promise<FoundPairs> {
  const matched = new Uint8Array(source.rows.length);
  const projection = selectFields(view.schema, new Set(fields.map((field) => field.id)));
  const finders = keys.finders(projection);
  const options = { metadataColumns: ['_pos'], wholeRowGroups: true } as const;
  const look = async (task: FileScanTask): Promise<FilePairs> => {
    const [positions, sourceRows]: [number[], number[]] = [[], []];
    for await (const batch of reader.read({ ...task, residual: range }, projection, options)) {
      const columns = finders.map((find) => find(batch));
      const rows = keys.match(columns, batch.length);
      const places = positionsOf(batch.columns.at(-1) as NumbersColumn);
      for (let row = 0; row < rows.length; row++) {
        const sourceRow = rows[row]!;
        if (sourceRow < 0) continue;
        matched[sourceRow] = 1;
        positions.push(places[row]!);
        sourceRows.push(sourceRow);
      }
    }
    return { task, positions, sourceRows };
  };
  const files: FilePairs[] = [];
  const { concurrency } = view.state.host.runtime;
  for await (const pairs of lookAhead(await planFiles(view, filter), concurrency, look))
    if (pairs.positions.length > 0 && clauses.changesRows) files.push(pairs);
  return { files, unmatched: unmatchedRows(source.rows, matched) };
}

function unmatchedRows(source: ColumnBatch, matched: Uint8Array): ColumnBatch {
  const rows: number[] = [];
  for (let row = 0; row < matched.length; row++) if (matched[row] === 0) rows.push(row);
  return takeBatch(source, Int32Array.from(rows));
}

/** A file's rows that change, and what the updated ones become. */
export interface ChangedFile extends FileMatches {
  readonly positions: PositionBitmap;
  /** With lineage. */
  readonly updates: readonly ColumnBatch[];
  /** All rows of the file, if they were few enough to be kept for who rewrites it. */
  readonly kept: readonly RewrittenRows[] | null;
}

/** Of a file that is rewritten, rows of up to this size are read once; of a larger one twice. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Applies a merge's clauses to the pairs of a file. Null if no row of it changes.
 * @param rewrites whether the file will be written anew if one does: then all its rows are read, and kept if they are few
 */
export async function changeFile(
  pairs: FilePairs,
  { clauses, source }: PreparedMerge,
  range: BoundExpression,
  rewrites: boolean,
  view: TableView,
  reader: FileReader,
): Promise<ChangedFile | null> {
  const { task } = pairs;
  const positions = new PositionBitmap();
  if (clauses.deletesAll) {
    for (const position of pairs.positions) positions.add(position);
    return { task, positions, updates: [], kept: null };
  }
  const updates: ColumnBatch[] = [];
  let kept: RewrittenRows[] | null = rewrites ? [] : null;
  let keptBytes = 0;
  const residual = rewrites ? TRUE : range;
  const options = { metadataColumns: [...lineageColumns(view.metadata), '_pos' as const], wholeRowGroups: true };
  let next = 0;
  for await (const { length, columns } of reader.read({ ...task, residual }, view.schema, options)) {
    const batch = { length, columns: columns.slice(0, -1) };
    const places = positionsOf(columns.at(-1) as NumbersColumn);
    const first = next;
    while (next < pairs.positions.length && pairs.positions[next]! <= places.at(-1)!) next++;
    const rows = rowsOfPositions(pairs.positions.slice(first, next), places);
    const outcome = applyClauses(batch, rows, pairs.sourceRows.slice(first, next), { clauses, source }, view);
    for (const row of outcome.touched) positions.add(places[row]!);
    updates.push(...outcome.updates);
    keptBytes += batchBytes(batch);
    if (keptBytes > MAX_KEPT_BYTES) kept = null;
    kept?.push({ batch, touched: outcome.touched });
  }
  return positions.size === 0 ? null : { task, positions, updates, kept };
}

/** Applies the clauses to rows of a batch with their counterparts; gives those that change, and what they become. */
function applyClauses(
  batch: ColumnBatch,
  rows: Int32Array,
  sourceRows: readonly number[],
  { clauses, source }: Pick<PreparedMerge, 'clauses' | 'source'>,
  { schema }: TableView,
): { readonly touched: Int32Array; readonly updates: readonly ColumnBatch[] } {
  if (rows.length === 0) return { touched: rows, updates: [] };
  const [columns, lineage] = splitColumns(takeBatch(batch, rows), schema.fields.length);
  const { changed, updates } = clauses.apply({
    target: { length: rows.length, columns },
    source: takeBatch(source.rows, Int32Array.from(sourceRows)),
  });
  return {
    touched: changed.map((row) => rows[row]!),
    updates: updates.map(({ rows: updated, batch: { length, columns: values } }) => {
      const taken = takeBatch({ length: rows.length, columns: lineage }, updated);
      return { length, columns: [...values, ...changedLineage(taken.columns, length)] };
    }),
  };
}
