import { columnReader } from '../columns/column-reader.ts';
import type { ColumnBatch } from '../columns/column.ts';
import { findColumn } from '../columns/find-column.ts';
import { compareValues } from '../spec/compare-values.ts';
import type { SortField, SortOrder } from '../spec/sort-order.ts';
import { isPrimitive } from '../spec/types.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { applyTransform, transformResultType } from '../transforms/transforms.ts';

/** The values that a row is sorted by. */
export type SortKey = readonly Value[];

export interface Sorter {
  /** The rows in order; null if they are in order as they are. */
  order(batch: ColumnBatch): Int32Array | null;
  key(batch: ColumnBatch, row: number): SortKey;
  compare(a: SortKey, b: SortKey): number;
}

/** Null for an order that can't be produced: none, or with a transform that this version doesn't know. */
export function sorter(order: SortOrder, schema: StructType): Sorter | null {
  const columns = order.fields.map((field) => sortColumn(field, schema));
  if (columns.length === 0 || columns.includes(null)) return null;
  return new ColumnSorter(columns as readonly SortColumn[]);
}

interface SortColumn {
  readonly values: (batch: ColumnBatch) => (row: number) => Value;
  readonly compare: (a: Value, b: Value) => number;
}

function sortColumn(field: SortField, schema: StructType): SortColumn | null {
  const source = findColumn(schema, field.sourceIds[0]!);
  if (!source || !isPrimitive(source.field.type) || field.sourceIds.length !== 1 || field.transform.kind === 'unknown')
    return null;
  const { type } = source.field;
  const identity = field.transform.kind === 'identity';
  const apply = identity ? null : applyTransform(field.transform, type);
  const values = (batch: ColumnBatch): ((row: number) => Value) => {
    const read = columnReader(type, source.find(batch));
    return apply === null ? read : (row) => apply(read(row));
  };
  return { values, compare: fieldOrder(field, compareValues(transformResultType(field.transform, type))) };
}

/** Where nulls go is said apart from the direction (spec: "Sorting"). */
function fieldOrder(
  { direction, nullOrder }: SortField,
  compare: (a: Value, b: Value) => number,
): (a: Value, b: Value) => number {
  const nulls = nullOrder === 'nulls-first' ? -1 : 1;
  const sign = direction === 'asc' ? 1 : -1;
  return (a, b) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? nulls : -nulls;
    return sign * compare(a, b);
  };
}

class ColumnSorter implements Sorter {
  readonly #columns: readonly SortColumn[];

  constructor(columns: readonly SortColumn[]) {
    this.#columns = columns;
  }

  order(batch: ColumnBatch): Int32Array | null {
    const columns = this.#columns.map(({ values, compare }) => {
      const valueAt = values(batch);
      return { compare, values: Array.from({ length: batch.length }, (_, row) => valueAt(row)) };
    });
    const compareRows = (a: number, b: number): number => {
      for (const { compare, values } of columns) {
        const order = compare(values[a]!, values[b]!);
        if (order !== 0) return order;
      }
      return a - b;
    };
    let sorted = true;
    for (let row = 1; row < batch.length && sorted; row++) sorted = compareRows(row - 1, row) < 0;
    return sorted ? null : Int32Array.from({ length: batch.length }, (_, row) => row).toSorted(compareRows);
  }

  key(batch: ColumnBatch, row: number): SortKey {
    return this.#columns.map(({ values }) => values(batch)(row));
  }

  compare(a: SortKey, b: SortKey): number {
    for (const [i, { compare }] of this.#columns.entries()) {
      const order = compare(a[i]!, b[i]!);
      if (order !== 0) return order;
    }
    return 0;
  }
}
