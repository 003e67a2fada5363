import { Table as ArrowTable } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';
import { arrowSchema } from '../columns/arrow-schema.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import { toRecordBatch } from '../columns/to-arrow.ts';
import { invalidArgument, throwIfAborted } from '../errors.ts';
import { bindExpression } from '../expr/bind.ts';
import { toExpression } from '../expr/filter-input.ts';
import type { FilterInput } from '../expr/filter-input.ts';
import { batchToRows } from '../read/batch-rows.ts';
import type { RowOptions } from '../read/batch-rows.ts';
import { taskSchema } from '../read/read-task.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import { tableNameMapping } from '../spec/name-mapping.ts';
import { findFieldByName } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { StructType } from '../spec/types.ts';
import type { ScanSource } from '../table-scan.ts';
import { selectColumns } from '../table-scan/select-columns.ts';
import type { Selection } from '../table-scan/select-columns.ts';
import { withChange, withChangeFields } from './change-columns.ts';
import type { ChangeType } from './change-columns.ts';
import { ChangeSource } from './change-source.ts';
import { netChanges } from './net-changes.ts';
import type { RowChanges } from './net-changes.ts';
import { planChanges } from './plan-changes.ts';
import type { ChangeStep, PlannedChanges } from './plan-changes.ts';
import { projector } from './project-columns.ts';
import { changedBatches } from './row-difference.ts';
import { RowReader } from './row-reader.ts';

/** Which changes, and what of them. */
export interface ChangeReadOptions<Select extends readonly string[] = readonly string[]> {
  /** Only changes of rows for which it is TRUE; a row that comes to match was inserted, as far as this tells. */
  readonly filter?: FilterInput | undefined;
  /** Columns, parts of them ('a.b'), and metadata columns ('_file', '_row_id'); all columns of the table if left out. */
  readonly select?: Select | undefined;
  /** Whether names in `filter` and `select` must match in case; true if left out. */
  readonly caseSensitive?: boolean | undefined;
  /**
   * What the changes of all snapshots together come to for each key, with updates as pairs of `update_before` and
   * `update_after`. `true`: keys are the schema's identifier fields; or the columns are named.
   */
  readonly net?: boolean | { readonly on: readonly string[] } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The columns that changes have besides the table's. */
export interface ChangeColumns {
  readonly _change_type: ChangeType;
  /** 0 for the first snapshot that changed rows. */
  readonly _change_ordinal: number;
  readonly _commit_snapshot_id: bigint;
}

interface Prepared {
  readonly selection: Selection;
  readonly filter: ReturnType<typeof bindExpression>;
  /** Null: changes of each snapshot. */
  readonly keyIds: readonly number[] | null;
}

/**
 * Rows that were inserted and deleted: snapshot by snapshot, of each first those that were deleted. It can be read any
 * number of times, and stays on the version of the table that it was made on.
 */
export class TableChanges<Row = Record<string, unknown>> implements AsyncIterable<RecordBatch> {
  readonly #source: ScanSource;
  readonly #steps: readonly ChangeStep[];
  readonly #rowSchema: Schema;
  readonly #prepared: Prepared;
  readonly #signal: AbortSignal | undefined;
  /** The columns of the batches. */
  readonly schema: StructType;

  /** For `table.changes()` and `table.follow()`. `rowSchema` is the one to read rows in. */
  constructor(source: ScanSource, steps: readonly ChangeStep[], rowSchema: Schema, options: ChangeReadOptions) {
    this.#source = source;
    // Replacing files changes no rows (spec: "Snapshots").
    this.#steps = steps.filter(({ snapshot, kind }) => kind === 'whole' || snapshot.operation !== 'replace');
    this.#rowSchema = rowSchema;
    this.#prepared = prepare(rowSchema, options);
    this.#signal = options.signal;
    this.schema = withChangeFields(taskSchema(this.#prepared.selection));
  }

  /** The snapshots that the changes are of, in their order; those that only replaced files are not among them. */
  get snapshots(): readonly Snapshot[] {
    return this.#steps.map(({ snapshot }) => snapshot);
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.batches();
  }

  /** Arrow record batches, read as fast as they are taken. */
  async *batches(): AsyncGenerator<RecordBatch, void, undefined> {
    const schema = arrowSchema(this.schema);
    for await (const batch of this.columnBatches()) {
      throwIfAborted(this.#signal);
      yield toRecordBatch(schema, batch);
    }
  }

  /** All changes as one Arrow table. */
  async toArrow(): Promise<ArrowTable> {
    const batches: RecordBatch[] = [];
    for await (const batch of this) batches.push(batch);
    return new ArrowTable(arrowSchema(this.schema), batches);
  }

  /** The changes as objects, read as fast as they are taken. */
  async *rows(options: RowOptions = {}): AsyncGenerator<Row & ChangeColumns, void, undefined> {
    for await (const batch of this) {
      yield* batchToRows(batch, this.schema, options) as Iterable<Row & ChangeColumns>;
    }
  }

  /** All changes as objects; the README's table says how values look. */
  async toRows(options: RowOptions = {}): Promise<(Row & ChangeColumns)[]> {
    const rows: (Row & ChangeColumns)[] = [];
    for await (const row of this.rows(options)) rows.push(row);
    return rows;
  }

  /** The same in the library's own columnar form. */
  async *columnBatches(): AsyncGenerator<ColumnBatch, void, undefined> {
    const schema = this.#rowSchema;
    const { selection, keyIds } = this.#prepared;
    const { projection, metadataColumns } = selection;
    if (keyIds === null) {
      for await (const { type, ordinal, snapshotId, batch } of this.#changes(projection)) {
        yield withChange(batch, [type, ordinal, snapshotId]);
      }
      return;
    }
    const project = projector(schema, projection, metadataColumns.length);
    yield* netChanges(() => this.#changes(schema), { schema, keyIds, project });
  }

  async *#changes(projection: StructType): AsyncGenerator<RowChanges, void, undefined> {
    const { io, metadata, runtime } = this.#source;
    const schema = this.#rowSchema;
    const { selection, filter } = this.#prepared;
    const signal = this.#signal;
    const source = new ChangeSource({ io, metadata, runtime, schema, filter, signal });
    const nameMapping = tableNameMapping(metadata.properties);
    const { metadataColumns } = selection;
    const reader = new RowReader({ io, schema, projection, metadataColumns, nameMapping, signal });
    const numbered = this.#steps.map((step, ordinal) => ({ step, ordinal }));
    const read = lookAhead(numbered, runtime.concurrency, async ({ step, ordinal }) => {
      throwIfAborted(signal);
      const planned = await planChanges(source, step, filter);
      const changed = changedBatches(planned, { reader, schema });
      const batches = bytesOf(planned) <= READ_AHEAD_BYTES ? await collected(changed) : changed;
      return { snapshotId: step.snapshot.snapshotId, ordinal, batches };
    });
    for await (const { snapshotId, ordinal, batches } of read) {
      for await (const { type, batch } of batches) yield { type, ordinal, snapshotId, batch };
    }
  }
}

/**
 * Changes whose files have no more bytes together are read while those before are being taken: with many small commits
 * it is the number of requests that takes time.
 */
const READ_AHEAD_BYTES = 512 * 1024;

function bytesOf({ deleted, inserted }: PlannedChanges): number {
  return [...deleted, ...inserted].reduce((sum, { task }) => sum + task.file.fileSizeInBytes, 0);
}

async function collected<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const OPTIONS: Readonly<Record<keyof ChangeReadOptions, true>> = {
  filter: true,
  select: true,
  caseSensitive: true,
  net: true,
  signal: true,
};

/** A misspelt `filter` must not read everything. */
function refuseUnknownOptions(options: ChangeReadOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown === undefined) return;
  throw invalidArgument(`Changes have no option '${unknown}'; they are read with ${Object.keys(OPTIONS).join(', ')}.`);
}

function prepare(schema: Schema, options: ChangeReadOptions): Prepared {
  refuseUnknownOptions(options);
  const { filter, select, caseSensitive = true, net = false } = options;
  const expression = filter === undefined ? ({ op: 'true' } as const) : toExpression(filter);
  return {
    selection: selectColumns(schema, select, caseSensitive),
    filter: bindExpression(schema, expression, { caseSensitive }),
    keyIds: net === false ? null : keyFields(schema, net, caseSensitive),
  };
}

function keyFields(
  schema: Schema,
  net: true | { readonly on: readonly string[] },
  caseSensitive: boolean,
): readonly number[] {
  if (net !== true && net.on.length > 0) {
    return net.on.map((name) => {
      const id = findFieldByName(schema, name, caseSensitive)?.field.id;
      // Not inside of lists and maps.
      if (id !== undefined && findColumn(schema, id)) return id;
      throw invalidArgument(`There is no column '${name}' for net changes to go by.`, { column: name });
    });
  }
  if (net === true && schema.identifierFieldIds.length > 0) return schema.identifierFieldIds;
  throw invalidArgument(
    "Net changes go by a key, and the schema has no identifier fields; name the columns: { net: { on: ['id'] } }.",
  );
}
