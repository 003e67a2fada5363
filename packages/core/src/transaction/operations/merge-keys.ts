import { isValid } from '../../columns/column.ts';
import type { Column, ColumnBatch } from '../../columns/column.ts';
import { columnReader } from '../../columns/column-reader.ts';
import { findColumn } from '../../columns/find-column.ts';
import type { ColumnFinder } from '../../columns/find-column.ts';
import { KeyTable, rowKeys } from '../../deletes/key-table.ts';
import { invalidArgument } from '../../errors.ts';
import type { BoundExpression, BoundTerm } from '../../expr/bound-expression.ts';
import { FALSE, and } from '../../expr/logic.ts';
import { sqlOrder } from '../../expr/value-order.ts';
import { fieldPath, findFieldByName, indexById } from '../../spec/schema-fields.ts';
import { typeToText } from '../../spec/type-text.ts';
import { isPrimitive } from '../../spec/types.ts';
import type { NestedField, StructType, TypeKind } from '../../spec/types.ts';
import { fromValue } from '../../spec/user-values.ts';
import type { Value } from '../../spec/values.ts';

/** Types without equality, or with one that nobody means: of floats, as for identifier fields (spec: "Identifier Field IDs"). */
const NO_KEYS: ReadonlySet<TypeKind> = new Set<TypeKind>([
  'float',
  'double',
  'variant',
  'geometry',
  'geography',
  'unknown',
]);

/** The columns that rows are matched by. INVALID_ARGUMENT for unknown ones, and for types without a useful equality. */
export function keyFields(schema: StructType, names: readonly string[], what: string): readonly NestedField[] {
  if (names.length === 0) throw invalidArgument(`${what} names no column.`);
  return names.map((name) => {
    const field = findFieldByName(schema, name)?.field;
    if (field === undefined) throw invalidArgument(`${what} names '${name}', which is no column of the table.`);
    const path = fieldPath(schema, field.id)!;
    const reached = findColumn(schema, field.id) !== undefined;
    if (!reached || !isPrimitive(field.type) || NO_KEYS.has(field.type.kind)) {
      throw invalidArgument(
        `${what} names '${path.join('.')}' of type ${typeToText(field.type)}, which rows can't be told apart by.`,
      );
    }
    return field;
  });
}

/** Finds the row of a source that a row of the table goes with: by SQL's equality, in which null equals nothing. */
export class MergeKeys {
  readonly #fields: readonly NestedField[];
  readonly #columns: readonly Column[];
  readonly #table = new KeyTable('Merge a smaller source at a time.');
  /** By the keys' numbers. */
  readonly #rowOf: Int32Array;

  /** INVALID_ARGUMENT if two rows of the source have the same key. */
  constructor(source: ColumnBatch, schema: StructType, fields: readonly NestedField[]) {
    this.#fields = fields;
    this.#columns = fields.map((field) => findColumn(schema, field.id)!.find(source));
    this.#rowOf = new Int32Array(source.length);
    const rows = rowsWithKeys(this.#columns, source.length);
    const keys = rowKeys(this.#columns, source.length, rows);
    for (let i = 0; i < rows.length; i++) {
      const number = this.#table.add(keys, i);
      if (number < i) throw this.#duplicate(this.#rowOf[number]!, rows[i]!);
      this.#rowOf[number] = rows[i]!;
    }
  }

  finders(schema: StructType): readonly ColumnFinder[] {
    return this.#fields.map((field) => findColumn(schema, field.id)!.find);
  }

  /** For each row of the table's, given by its key columns: the source's row, or -1. */
  match(columns: readonly Column[], length: number): Int32Array {
    const matches = new Int32Array(length).fill(-1);
    const rows = columns.some((column) => column.validity !== null) ? rowsWithKeys(columns, length) : null;
    const keys = rowKeys(columns, length, rows);
    for (let i = 0; i < keys.rows.length; i++) {
      const number = this.#table.find(keys, i);
      if (number >= 0) matches[keys.rows[i]!] = this.#rowOf[number]!;
    }
    return matches;
  }

  /**
   * What is TRUE for every row of the table that may match: `filter` tells the single keys where they are not too many,
   * `range` only from where to where they go.
   */
  scope(schema: StructType): { readonly filter: BoundExpression; readonly range: BoundExpression } {
    if (this.#table.size === 0) return { filter: FALSE, range: FALSE };
    const rows = this.#rowOf.subarray(0, this.#table.size);
    const parts = this.#fields.map((field, i) => columnScope(field, this.#columns[i]!, rows, schema));
    return { filter: and(parts.map((part) => part.filter)), range: and(parts.map((part) => part.range)) };
  }

  #duplicate(first: number, second: number): Error {
    const key = this.#fields.map((field, i) => {
      const value = columnReader(field.type, this.#columns[i]!)(second);
      return `${field.name} = ${String(fromValue(field.type, value))}`;
    });
    return invalidArgument(
      `Rows ${first} and ${second} of the source have the same key (${key.join(', ')}); which of them counts can't be told.`,
    );
  }
}

function rowsWithKeys(columns: readonly Column[], length: number): Int32Array {
  const rows = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row++) if (columns.every((column) => isValid(column, row))) rows[count++] = row;
  return rows.subarray(0, count);
}

/** With more keys than this, lists of them would cost more than they leave out. */
const MAX_LISTED_KEYS = 10_000;

function columnScope(
  field: NestedField,
  column: Column,
  rows: Int32Array,
  schema: StructType,
): { readonly filter: BoundExpression; readonly range: BoundExpression } {
  const compare = sqlOrder(field.type);
  const read = columnReader(field.type, column);
  const sorted = Array.from(rows, read).toSorted(compare);
  const values = sorted.filter((value, i) => i === 0 || compare(value, sorted[i - 1]!) !== 0);
  const term = termOf(field, schema);
  const range = and([
    { op: 'gteq', term, value: values[0]! },
    { op: 'lteq', term, value: values.at(-1)! },
  ]);
  return { filter: values.length > MAX_LISTED_KEYS ? range : oneOf(term, values), range };
}

function oneOf(term: BoundTerm, values: readonly Value[]): BoundExpression {
  return values.length === 1 ? { op: 'eq', term, value: values[0]! } : { op: 'in', term, values };
}

export function termOf(field: NestedField, schema: StructType): BoundTerm {
  const { path, nullable } = indexById(schema).get(field.id)!;
  return { field, path, transform: null, type: field.type, nullable };
}
