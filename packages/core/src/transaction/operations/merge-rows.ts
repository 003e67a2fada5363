import type { ColumnBatch, NumbersColumn } from '../../columns/column.ts';
import { takeBatch } from '../../columns/take.ts';
import { invalidArgument } from '../../errors.ts';
import type { BoundExpression } from '../../expr/bound-expression.ts';
import { selectFields } from '../../spec/select-fields.ts';
import type { NestedField } from '../../spec/types.ts';
import { PositionBitmap } from '../../formats/puffin/position-bitmap.ts';
import type { FileScanTask } from '../../scan/file-scan-task.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { AppendData } from '../../write/input.ts';
import { validationConflict } from '../conflict.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import { FileReader, planFiles, positionsOf } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { MergeClauses } from './merge-clauses.ts';
import type { WhenMatched, WhenNotMatched } from './merge-clauses.ts';
import { MergeKeys, keyFields } from './merge-keys.ts';
import { readSource, readUpserts } from './merge-source.ts';
import type { MergeSource } from './merge-source.ts';
import { rowChange, scopeChecks } from './row-change.ts';
import type { RowChange } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions } from './row-level-settings.ts';
import { changedLineage, lineageColumns, newLineage, splitColumns } from './row-lineage.ts';
import type { RowOperation } from './row-operation.ts';
import { readRewritten, untouched } from './rewritten-rows.ts';
import { stageRowDeletes } from './stage-deletes.ts';
import { stageRows } from './stage-rows.ts';
import type { TableView } from './table-view.ts';

export interface UpsertOptions extends RowLevelOptions {
  /**
   * The columns that tell rows apart; the schema's identifier fields if left out. Two rows of the source with the same
   * values in them are an error. A null matches nothing, as in SQL, so rows with one are inserted.
   */
  readonly on?: string | readonly string[] | undefined;
}

type Row = Readonly<Record<string, unknown>>;

export interface MergeOptions<Target = Row, Source = Row> extends RowLevelOptions {
  /** As for an upsert; both the table and the source have the columns, under the same names. */
  readonly on: string | readonly string[];
  /** Rows that are in both; left alone if left out. */
  readonly whenMatched?: OneOrMore<WhenMatched<Target, Source>> | undefined;
  /** Rows that are only in the source; left alone if left out. */
  readonly whenNotMatched?: OneOrMore<WhenNotMatched<Target, Source>> | undefined;
}

type OneOrMore<T> = T | readonly T[];

/** Replaces the rows that have the same keys, and adds the others. */
export function upsertRows(data: AppendData, { on, ...options }: UpsertOptions): RowOperation {
  return new Merge({
    on: (view) => (on === undefined ? identifierFields(view) : keyFields(view.schema, listOf(on), 'on')),
    read: (view) => readUpserts(data, view.schema, view.state.options.signal),
    whenMatched: ['update'],
    whenNotMatched: ['insert'],
    options,
  });
}

/** Updates, deletes and adds rows as a source of rows tells. */
export function mergeRows(
  data: AppendData,
  { on, whenMatched, whenNotMatched, ...options }: MergeOptions,
): RowOperation {
  return new Merge({
    on: (view) => keyFields(view.schema, listOf(on), 'on'),
    read: (view) => readSource(data, view.schema, view.state.options.signal),
    whenMatched: listOf(whenMatched),
    whenNotMatched: listOf(whenNotMatched),
    options,
  });
}

function listOf<T>(input: OneOrMore<T> | undefined): readonly T[] {
  if (input === undefined) return [];
  return Array.isArray(input) ? (input as readonly T[]) : [input as T];
}

function identifierFields({ schema }: TableView): readonly NestedField[] {
  if (schema.identifierFieldIds.length === 0) {
    throw invalidArgument("The table has no identifier fields to match rows by; name columns: { on: ['id'] }.");
  }
  const names = schema.fields.filter((field) => schema.identifierFieldIds.includes(field.id)).map(({ name }) => name);
  return keyFields(schema, names, 'The identifier');
}

interface MergeInput {
  readonly on: (view: TableView) => readonly NestedField[];
  readonly read: (view: TableView) => Promise<MergeSource>;
  readonly whenMatched: readonly WhenMatched[];
  readonly whenNotMatched: readonly WhenNotMatched[];
  readonly options: RowLevelOptions;
}

/** What a merge knows before it looks at the table's rows. */
interface Prepared {
  readonly schemaId: number;
  readonly source: MergeSource;
  readonly fields: readonly NestedField[];
  readonly keys: MergeKeys;
  readonly clauses: MergeClauses;
}

/** Pairs of rows of one file and of the source that match. */
interface FilePairs {
  readonly task: FileScanTask;
  /** Ascending. */
  readonly positions: readonly number[];
  readonly sourceRows: readonly number[];
}

/** A file's rows that are changed, and what the updated ones become. */
interface ChangedFile extends FileMatches {
  readonly positions: PositionBitmap;
}

/**
 * The source is a hash table on its keys. Files whose bounds and partitions show that they hold none of the keys are not
 * read; of others the key columns are, and only of those that hold some the rest. In memory: the source, the updated
 * rows, and where they are.
 */
class Merge implements RowOperation {
  readonly #input: MergeInput;
  #prepared: Prepared | null = null;

  constructor(input: MergeInput) {
    this.#input = input;
  }

  async plan(view: TableView): Promise<SnapshotChange | null> {
    const settings = rowLevelSettings('merge', this.#input.options, view);
    const { source, keys, clauses } = await this.#prepare(view);
    if (source.rows.length === 0) return null;
    const scope = keys.scope(view.schema);
    const reader = new FileReader(view);
    const matched = new Uint8Array(source.rows.length);
    const changed: ChangedFile[] = [];
    const updates: ColumnBatch[] = [];
    for (const pairs of await this.#findPairs(scope, matched, view, reader)) {
      const file = await this.#changeFile(pairs, scope.range, updates, view, reader);
      if (file !== null) changed.push(file);
    }
    const inserts = clauses.insertsRows ? clauses.inserts(unmatchedRows(source.rows, matched)) : [];
    const stage = settings.mergeOnRead ? stageMergeOnRead : stageCopyOnWrite;
    const change = await stage(changed, { updates, inserts }, view, reader);
    return rowChange(view, { ...change, checks: { ...change.checks, ...scopeChecks(settings, scope.filter) } });
  }

  /** Done once: a stream can't be read again. */
  async #prepare(view: TableView): Promise<Prepared> {
    if (this.#prepared !== null) {
      if (this.#prepared.schemaId === view.schema.schemaId) return this.#prepared;
      throw validationConflict(view.state.host.operations.name, 'its schema is another one now');
    }
    const { on, read, whenMatched, whenNotMatched } = this.#input;
    const fields = on(view);
    const source = await read(view);
    this.#prepared = {
      schemaId: view.schema.schemaId,
      source,
      fields,
      keys: new MergeKeys(source.rows, source.schema, fields),
      clauses: new MergeClauses(view.schema, source.schema, whenMatched, whenNotMatched),
    };
    return this.#prepared;
  }

  /** Reads key columns only. `matched` is set for the source's rows that have a match. */
  async #findPairs(
    { filter, range }: { readonly filter: BoundExpression; readonly range: BoundExpression },
    matched: Uint8Array,
    view: TableView,
    reader: FileReader,
  ): Promise<readonly FilePairs[]> {
    const { keys, fields, clauses } = this.#prepared!;
    const projection = selectFields(view.schema, new Set(fields.map((field) => field.id)));
    const finders = keys.finders(projection);
    const options = { metadataColumns: ['_pos'], wholeRowGroups: true } as const;
    const look = async (task: FileScanTask): Promise<FilePairs> => {
      const [positions, sourceRows]: [number[], number[]] = [[], []];
      for await (const batch of reader.read({ ...task, residual: range }, projection, options)) {
        const rows = keys.match(
          finders.map((find) => find(batch)),
          batch.length,
        );
        const { values } = batch.columns.at(-1) as NumbersColumn;
        for (let row = 0; row < rows.length; row++) {
          const sourceRow = rows[row]!;
          if (sourceRow < 0) continue;
          matched[sourceRow] = 1;
          positions.push(Number(values[row]!));
          sourceRows.push(sourceRow);
        }
      }
      return { task, positions, sourceRows };
    };
    const found: FilePairs[] = [];
    const { concurrency } = view.state.host.runtime;
    for await (const pairs of lookAhead(await planFiles(view, filter), concurrency, look))
      if (pairs.positions.length > 0 && clauses.changesRows) found.push(pairs);
    return found;
  }

  /** Applies the clauses to a file's pairs; updated rows go to `updates`. Null if no row of it changes. */
  async #changeFile(
    pairs: FilePairs,
    range: BoundExpression,
    updates: ColumnBatch[],
    view: TableView,
    reader: FileReader,
  ): Promise<ChangedFile | null> {
    const { clauses, source } = this.#prepared!;
    const { task } = pairs;
    const positions = new PositionBitmap();
    if (clauses.deletesAll) {
      for (const position of pairs.positions) positions.add(position);
      return { task, positions };
    }
    const options = { metadataColumns: [...lineageColumns(view.metadata), '_pos' as const], wholeRowGroups: true };
    let next = 0;
    for await (const batch of reader.read({ ...task, residual: range }, view.schema, options)) {
      const first = next;
      const places = positionsOf(batch.columns.at(-1) as NumbersColumn);
      while (next < pairs.positions.length && pairs.positions[next]! <= places.at(-1)!) next++;
      if (next === first) continue;
      const rows = rowsOfPositions(pairs.positions.slice(first, next), places);
      const taken = takeBatch(batch, rows);
      const [columns, rest] = splitColumns(taken, view.schema.fields.length);
      const target = { length: taken.length, columns };
      const outcome = clauses.apply({
        target,
        source: takeBatch(source.rows, Int32Array.from(pairs.sourceRows.slice(first, next))),
      });
      for (const row of outcome.changed) positions.add(pairs.positions[first + row]!);
      for (const { rows: updated, batch: values } of outcome.updates) {
        const lineage = takeBatch({ length: taken.length, columns: rest.slice(0, -1) }, updated);
        const { length } = updated;
        updates.push({ length, columns: [...values.columns, ...changedLineage(lineage.columns, length)] });
      }
    }
    return positions.size === 0 ? null : { task, positions };
  }
}

/** The rows that are at positions, all of which are there; `places` are those of all rows, ascending. */
function rowsOfPositions(positions: readonly number[], places: Float64Array): Int32Array {
  return Int32Array.from(positions, (position) => {
    // Where no row is missing in between, the first guess is right.
    let [low, high] = [0, Math.min(position - places[0]!, places.length - 1)];
    while (places[high] !== position) {
      const middle = (low + high) >> 1;
      if (places[middle]! < position) low = middle + 1;
      else high = middle;
    }
    return high;
  });
}

function unmatchedRows(source: ColumnBatch, matched: Uint8Array): ColumnBatch {
  const rows: number[] = [];
  for (let row = 0; row < matched.length; row++) if (matched[row] === 0) rows.push(row);
  return takeBatch(source, Int32Array.from(rows));
}

/** Rows to be written: updated ones with their lineage, new ones without. */
interface NewRows {
  readonly updates: readonly ColumnBatch[];
  readonly inserts: readonly ColumnBatch[];
}

type Stage = (
  changed: readonly ChangedFile[],
  rows: NewRows,
  view: TableView,
  reader: FileReader,
) => Promise<RowChange>;

const stageCopyOnWrite: Stage = async (changed, rows, view, reader) => {
  // New rows alone inherit their lineage.
  const lineage = changed.length > 0 ? lineageColumns(view.metadata) : [];
  const batches = async function* (): AsyncGenerator<ColumnBatch> {
    for (const file of changed) {
      for await (const part of readRewritten(file, lineage, view, reader)) {
        const kept = untouched(part);
        if (kept !== null) yield kept;
      }
    }
    yield* newRows(rows, lineage);
  };
  const data = await stageRows(batches(), lineage, view);
  const removed = changed.map(({ task }) => task.file);
  return { addedData: [data], removed, checks: { noNewDeletesFor: removed } };
};

const stageMergeOnRead: Stage = async (changed, rows, view, reader) => {
  const lineage = rows.updates.length > 0 ? lineageColumns(view.metadata) : [];
  const data = await stageRows(newRows(rows, lineage), lineage, view);
  const { dataFiles, ...deletes } = await stageRowDeletes(changed, view, reader);
  const dataFilesExist = dataFiles.map(({ path }) => path);
  return {
    addedData: [data],
    ...deletes,
    checks: { noNewDeletesFor: changed.map(({ task }) => task.file), dataFilesExist },
  };
};

function* newRows({ updates, inserts }: NewRows, lineage: ReturnType<typeof lineageColumns>): Generator<ColumnBatch> {
  yield* updates;
  for (const { length, columns } of inserts) yield { length, columns: [...columns, ...newLineage(lineage, length)] };
}
