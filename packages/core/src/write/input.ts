import { castFields } from '../columns/cast.ts';
import type { CastRules, FieldPath } from '../columns/cast.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { constantColumn } from '../columns/constant.ts';
import { defaultValue } from '../columns/default-value.ts';
import { sourceColumn, sourceField } from '../columns/from-arrow.ts';
import type { ArrowDataLike, ArrowFieldLike } from '../columns/from-arrow.ts';
import { sliceBatch } from '../columns/slice.ts';
import { invalidArgument, throwIfAborted } from '../errors.ts';
import type { StructType } from '../spec/types.ts';
import { RowCollector, unknownColumn } from './row-values.ts';

/** Arrow data by its shape, so that any version of apache-arrow will do: a `Table` … */
export interface ArrowTableLike {
  readonly schema: { readonly fields: readonly ArrowFieldLike[] };
  readonly batches: readonly ArrowBatchLike[];
}

/** … or a `RecordBatch`. */
export interface ArrowBatchLike {
  readonly schema: { readonly fields: readonly ArrowFieldLike[] };
  readonly numRows: number;
  readonly data: { readonly children: readonly unknown[] };
}

/** A row as an object by column name, an Arrow table or a record batch. (Rows of an interface type have no index signature.) */
export type InputItem = object;

/** What can be written to a table: Arrow data, or any (async) iterable of rows or Arrow data. */
export type AppendData = ArrowTableLike | ArrowBatchLike | Iterable<InputItem> | AsyncIterable<InputItem>;

/** Longer Arrow batches are taken in pieces. */
const MAX_BATCH_ROWS = 64 * 1024;

/**
 * Turns what a user gives into batches of exactly the schema's columns. Columns go by name: one that is missing takes
 * its write default, or null; one that the schema lacks, a value of a wrong type and a missing required value are
 * INVALID_ARGUMENT, with the place (`rows[17].amount`). Arrow columns of other, compatible types are cast where every
 * value fits.
 */
export async function* toBatches(
  data: AppendData,
  schema: StructType,
  options: InputOptions = {},
): AsyncGenerator<ColumnBatch> {
  const collector = new InputCollector(schema);
  for await (const item of inputItems(data)) {
    throwIfAborted(options.signal);
    yield* collector.add(item);
  }
  yield* collector.rest();
}

export interface InputOptions {
  readonly signal?: AbortSignal;
}

/** The same; of data that is all there already, batches that need not be waited for. */
export function inputBatches(
  data: AppendData,
  schema: StructType,
  options: InputOptions = {},
): Iterable<ColumnBatch> | AsyncIterable<ColumnBatch> {
  const items = inputItems(data);
  return Array.isArray(items) && !items.some(isPromise)
    ? presentBatches(items, schema, options)
    : toBatches(data, schema, options);
}

function* presentBatches(
  items: readonly InputItem[],
  schema: StructType,
  options: InputOptions,
): Generator<ColumnBatch> {
  const collector = new InputCollector(schema);
  for (const item of items) {
    throwIfAborted(options.signal);
    yield* collector.add(item);
  }
  yield* collector.rest();
}

function isPromise(item: unknown): boolean {
  return typeof (item as { readonly then?: unknown } | null)?.then === 'function';
}

/** Makes batches of items, which may be rows and Arrow data in turn. */
class InputCollector {
  readonly #schema: StructType;
  readonly #rows: RowCollector;
  #count = 0;

  constructor(schema: StructType) {
    this.#schema = schema;
    this.#rows = new RowCollector(schema);
  }

  *add(item: InputItem): Generator<ColumnBatch> {
    const batches = arrowBatches(item);
    if (batches === null) {
      this.#rows.add(item, this.#count++);
      if (this.#rows.isFull) yield this.#rows.take();
      return;
    }
    // What comes in order stays in order.
    yield* this.rest();
    for (const batch of batches) {
      // The batch that a table without rows has comes without buffers.
      if (batch.numRows === 0) continue;
      yield* castBatch(batch, this.#schema, this.#count);
      this.#count += batch.numRows;
    }
  }

  *rest(): Generator<ColumnBatch> {
    if (this.#rows.length > 0) yield this.#rows.take();
  }
}

/** The items of the input, one by one; Arrow data alone is an item. */
export function inputItems(data: AppendData): Iterable<InputItem> | AsyncIterable<InputItem> {
  if (isArrowTable(data) || isArrowBatch(data)) return [data];
  if (typeof data === 'object' && data !== null) {
    if (Symbol.asyncIterator in data) return data as AsyncIterable<InputItem>;
    if (Symbol.iterator in data) return data as Iterable<InputItem>;
  }
  throw invalidArgument(
    `Data to write must be rows, Arrow tables or record batches, or an iterable of them, not ${kindOf(data)}.`,
  );
}

function kindOf(data: unknown): string {
  return data === null
    ? 'null'
    : typeof data === 'object'
      ? 'a single object (put a row into an array)'
      : `a ${typeof data}`;
}

/** The batches of an item that is Arrow data; null for a row. */
export function arrowBatches(item: InputItem): readonly ArrowBatchLike[] | null {
  if (isArrowTable(item)) return item.batches;
  return isArrowBatch(item) ? [item] : null;
}

function isArrowTable(item: unknown): item is ArrowTableLike {
  return hasArrowSchema(item) && 'batches' in item && Array.isArray(item.batches);
}

function isArrowBatch(item: unknown): item is ArrowBatchLike {
  return hasArrowSchema(item) && 'numRows' in item && 'data' in item && !Array.isArray(item.data);
}

function hasArrowSchema(item: unknown): item is { readonly schema: { readonly fields: readonly ArrowFieldLike[] } } {
  if (typeof item !== 'object' || item === null || !('schema' in item)) return false;
  const { schema } = item as { readonly schema: unknown };
  return typeof schema === 'object' && schema !== null && 'fields' in schema && Array.isArray(schema.fields);
}

function* castBatch(batch: ArrowBatchLike, schema: StructType, firstRow: number): Generator<ColumnBatch> {
  const fields = batch.schema.fields.map((field) => sourceField(field));
  const columns = batch.data.children.map((child) => sourceColumn(child as ArrowDataLike));
  const source: ColumnBatch = { length: batch.numRows, columns };
  for (let start = 0; start < source.length; start += MAX_BATCH_ROWS) {
    const end = Math.min(source.length, start + MAX_BATCH_ROWS);
    const piece = sliceBatch(source, start, end);
    const cast = castFields(schema, fields, piece.columns, piece.length, arrowRules(firstRow + start));
    yield { length: piece.length, columns: cast };
  }
}

function arrowRules(firstRow: number): CastRules {
  const fail = (path: FieldPath, row: number | null, problem: string): never => {
    const place = row === null ? `The column '${path.join('.')}'` : `rows[${firstRow + row}].${path.join('.')}`;
    throw invalidArgument(`${place} ${problem}.`);
  };
  return {
    mode: 'exact',
    find: (target, source) => source.findIndex((field) => field.name === target.name),
    missing: (target, length, path) => {
      const value = defaultValue(target, 'writeDefault');
      if (value === null && target.required) return fail(path, null, 'is required, but missing');
      return constantColumn(target.type, value, length);
    },
    checkStruct: (target, source, path) => {
      const names = new Set<string>();
      for (const { name } of source) {
        const column = [...path, name].join('.');
        if (names.has(name)) throw invalidArgument(`The data has two columns called '${column}'.`);
        names.add(name);
        if (!target.fields.some((field) => field.name === name)) throw unknownColumn(column, target);
      }
    },
    checkRequired: true,
    fail,
  };
}
