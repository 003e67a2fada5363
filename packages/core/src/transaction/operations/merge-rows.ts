import type { ColumnBatch } from '../../columns/column.ts';
import { invalidArgument } from '../../errors.ts';
import type { MetadataColumn } from '../../read/metadata-columns.ts';
import type { NestedField } from '../../spec/types.ts';
import type { AppendData } from '../../write/input.ts';
import { validationConflict } from '../conflict.ts';
import type { SnapshotChange } from '../snapshot-change.ts';
import { FileReader } from './file-matches.ts';
import type { FileMatches } from './file-matches.ts';
import { MergeClauses } from './merge-clauses.ts';
import type { WhenMatched, WhenNotMatched } from './merge-clauses.ts';
import { changeFile, findPairs } from './merge-files.ts';
import type { ChangedFile, PreparedMerge } from './merge-files.ts';
import { MergeKeys, keyFields } from './merge-keys.ts';
import { readSource, readUpserts } from './merge-source.ts';
import type { MergeSource } from './merge-source.ts';
import { rowChange, scopeChecks } from './row-change.ts';
import type { RowChange } from './row-change.ts';
import { rowLevelSettings } from './row-level-settings.ts';
import type { RowLevelOptions } from './row-level-settings.ts';
import { lineageColumns, newLineage } from './row-lineage.ts';
import type { RowOperation } from './row-operation.ts';
import { replaceRows } from './replaced-rows.ts';
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

/**
 * The source is a hash table on its keys. In memory: the source, where its rows are in the table, and of one file at a
 * time the rows that are updated and, up to a bound, the others.
 */
class Merge implements RowOperation {
  readonly #input: MergeInput;
  #prepared: PreparedMerge | null = null;

  constructor(input: MergeInput) {
    this.#input = input;
  }

  async plan(view: TableView): Promise<SnapshotChange | null> {
    const settings = rowLevelSettings('merge', this.#input.options, view);
    const prepared = await this.#prepare(view);
    const { source, keys, clauses } = prepared;
    if (source.rows.length === 0) return null;
    const scope = keys.scope(view.schema);
    const reader = new FileReader(view);
    const { files, unmatched } = await findPairs(prepared, scope, view, reader);
    const inserts = clauses.insertsRows ? clauses.inserts(unmatched) : [];
    const lineage = files.length > 0 ? lineageColumns(view.metadata) : [];
    const changed: ChangedFile[] = [];
    const rewrites = !settings.mergeOnRead;
    const newRows = async function* (): AsyncGenerator<ColumnBatch> {
      for (const pairs of files) {
        const file =
          clauses.replacesAll && !rewrites
            ? await replaceRows(pairs, prepared, scope.range, view, reader)
            : await changeFile(pairs, prepared, scope.range, rewrites, view, reader);
        if (file === null) continue;
        changed.push({ ...file, kept: null, updates: [] });
        yield* file.updates;
        if (rewrites) yield* untouchedRows(file, lineage, view, reader);
      }
      for (const { length, columns } of inserts)
        yield { length, columns: [...columns, ...newLineage(lineage, length)] };
    };
    const data = await stageRows(newRows(), lineage, view);
    const remove = settings.mergeOnRead ? removeByDeletes : removeByRewriting;
    const removal = await remove(changed, view, reader);
    // Rows that are the same already are left where they are: so they must still be there in the end.
    const matched = files.map(({ task }) => task.file);
    const checks = {
      ...scopeChecks(settings, scope.filter),
      noNewDeletesFor: matched,
      dataFilesExist: matched.map(({ path }) => path),
    };
    return rowChange(view, { ...removal, addedData: [data], checks });
  }

  /** Done once: a stream can't be read again. */
  async #prepare(view: TableView): Promise<PreparedMerge> {
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
}

async function* untouchedRows(
  file: ChangedFile,
  lineage: readonly MetadataColumn[],
  view: TableView,
  reader: FileReader,
): AsyncGenerator<ColumnBatch> {
  for await (const rows of file.kept ?? readRewritten(file, lineage, view, reader)) {
    const left = untouched(rows);
    if (left !== null) yield left;
  }
}

type Removal = (
  changed: readonly FileMatches[],
  view: TableView,
  reader: FileReader,
) => Promise<Omit<RowChange, 'addedData' | 'checks'>>;

const removeByRewriting: Removal = async (changed) => ({ removed: changed.map(({ task }) => task.file) });

const removeByDeletes: Removal = async (changed, view, reader) => {
  const { dataFiles: _, ...deletes } = await stageRowDeletes(changed, view, reader);
  return deletes;
};
