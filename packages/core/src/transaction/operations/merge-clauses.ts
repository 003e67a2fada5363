import type { Column, ColumnBatch } from '../../columns/column.ts';
import { constantColumn } from '../../columns/constant.ts';
import { defaultValue } from '../../columns/default-value.ts';
import { markDifferences } from '../../columns/differences.ts';
import { isValid } from '../../columns/column.ts';
import { takeBatch, takeRows } from '../../columns/take.ts';
import { invalidArgument } from '../../errors.ts';
import { columnsToRows } from '../../read/batch-rows.ts';
import type { Schema } from '../../spec/schema.ts';
import type { StructType } from '../../spec/types.ts';
import { bindAssignments } from './assignments.ts';
import type { Assignments, BoundAssignments } from './assignments.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * What happens to a row of the table that a source row matches: 'update' takes the source's values for all columns. Of
 * several, the first one whose condition holds.
 */
export type WhenMatched<Target = Row, Source = Row> =
  | 'update'
  | 'delete'
  | {
      readonly if?: ((target: Target, source: Source) => unknown) | undefined;
      readonly update: 'all' | Assignments<readonly [Target, Source], keyof Target>;
    }
  | { readonly if?: ((target: Target, source: Source) => unknown) | undefined; readonly delete: true };

/** What happens to a row of the source that matches none of the table: 'insert' takes all columns that the table has. */
export type WhenNotMatched<Target = Row, Source = Row> =
  | 'insert'
  | {
      readonly if?: ((source: Source) => unknown) | undefined;
      readonly insert: 'all' | Assignments<readonly [Source], keyof Target>;
    };

type Condition = ((...rows: readonly Row[]) => unknown) | null;

/** A clause in one form. */
interface Clause {
  readonly condition: Condition;
  /** Null: delete. */
  readonly values: 'all' | BoundAssignments | null;
}

/** Rows of the table and of the source, of equal number: the pairs that match. */
export interface MatchedRows {
  readonly target: ColumnBatch;
  readonly source: ColumnBatch;
}

export interface MergeOutcome {
  /** Rows of the pairs that are no longer as they were, in order. */
  readonly changed: Int32Array;
  /** Those of them that are updated, with the rows that they become. */
  readonly updates: readonly { readonly rows: Int32Array; readonly batch: ColumnBatch }[];
}

export class MergeClauses {
  readonly #schema: Schema;
  readonly #sourceSchema: StructType;
  readonly #matched: readonly Clause[];
  readonly #notMatched: readonly Clause[];

  /** `sourceSchema`: the table's columns first. INVALID_ARGUMENT for clauses that can't be. */
  constructor(
    schema: Schema,
    sourceSchema: StructType,
    matched: readonly WhenMatched[],
    notMatched: readonly WhenNotMatched[],
  ) {
    this.#schema = schema;
    this.#sourceSchema = sourceSchema;
    this.#matched = matched.map((clause) => matchedClause(clause, schema));
    this.#notMatched = notMatched.map((clause) => notMatchedClause(clause, schema));
  }

  /** Whether rows that match are changed at all. */
  get changesRows(): boolean {
    return this.#matched.length > 0;
  }

  /** Whether every row that matches is deleted, whatever is in it. */
  get deletesAll(): boolean {
    const first = this.#matched[0];
    return first !== undefined && first.condition === null && first.values === null;
  }

  /** Whether every row that matches becomes the source's, whatever is in it. */
  get replacesAll(): boolean {
    const first = this.#matched[0];
    return first !== undefined && first.condition === null && first.values === 'all';
  }

  get insertsRows(): boolean {
    return this.#notMatched.length > 0;
  }

  /** A row that is updated to what it is already is not changed. */
  apply({ target, source }: MatchedRows): MergeOutcome {
    const rows = new LazyRows([target, this.#schema], [source, this.#sourceSchema]);
    const changed = new Uint8Array(target.length);
    const updates: { readonly rows: Int32Array; readonly batch: ColumnBatch }[] = [];
    decide(this.#matched, target.length, rows, (chosen, values) => {
      if (values === null) {
        for (const row of chosen) changed[row] = 1;
        return;
      }
      const before = takeBatch(target, chosen);
      const columns = this.#valuesOf(values, before.columns, source, chosen, rows);
      const different = differentRows(before.columns, columns, chosen.length);
      if (different.length === 0) return;
      const updated = different.map((i) => chosen[i]!);
      for (const row of updated) changed[row] = 1;
      updates.push({ rows: updated, batch: takeBatch({ length: chosen.length, columns }, different) });
    });
    return { changed: flagged(changed), updates };
  }

  /** The rows that those of the source are as rows of the table. INVALID_ARGUMENT where it requires what they lack. */
  replacements(source: ColumnBatch): ColumnBatch {
    const columns = source.columns.slice(0, this.#schema.fields.length);
    this.#checkRequired(
      columns,
      Int32Array.from({ length: source.length }, (_, row) => row),
    );
    return { length: source.length, columns };
  }

  /** The rows to insert for those of the source. */
  inserts(source: ColumnBatch): readonly ColumnBatch[] {
    const rows = new LazyRows([source, this.#sourceSchema]);
    const batches: ColumnBatch[] = [];
    decide(this.#notMatched, source.length, rows, (chosen, values) => {
      const defaults = this.#schema.fields.map((field) =>
        constantColumn(field.type, defaultValue(field, 'writeDefault'), chosen.length),
      );
      const columns = this.#valuesOf(values, defaults, source, chosen, rows);
      batches.push({ length: chosen.length, columns });
    });
    return batches;
  }

  #valuesOf(
    values: Clause['values'],
    before: readonly Column[],
    source: ColumnBatch,
    chosen: Int32Array,
    rows: LazyRows,
  ): readonly Column[] {
    const given: ReadonlyMap<number, Column> =
      values === 'all' || values === null ? new Map() : values.columns(chosen.length, () => rows.of(chosen));
    const columns = this.#schema.fields.map((_, i) =>
      values === 'all' ? takeRows(source.columns[i]!, chosen) : (given.get(i) ?? before[i]!),
    );
    this.#checkRequired(columns, chosen);
    return columns;
  }

  /** Sources may lack what the table requires, as long as no row is made of it. */
  #checkRequired(columns: readonly Column[], chosen: Int32Array): void {
    this.#schema.fields.forEach((field, i) => {
      const column = columns[i]!;
      if (!field.required || column.validity === null) return;
      const row = chosen.findIndex((_, at) => !isValid(column, at));
      if (row >= 0) throw invalidArgument(`'${field.name}' is required, but a row of the source has no value for it.`);
    });
  }
}

/** Rows as objects, made when a function wants them. */
class LazyRows {
  readonly #sides: readonly (readonly [ColumnBatch, StructType])[];
  #rows: readonly (readonly Row[])[] | null = null;

  constructor(...sides: readonly (readonly [ColumnBatch, StructType])[]) {
    this.#sides = sides;
  }

  *of(rows: Int32Array): Generator<readonly Row[]> {
    const sides = this.#all();
    for (const row of rows) yield sides.map((side) => side[row]!);
  }

  #all(): readonly (readonly Row[])[] {
    this.#rows ??= this.#sides.map(([batch, { fields }]) => [...columnsToRows(batch, fields)]);
    return this.#rows;
  }
}

/** Gives each clause the rows that are left to it and for which its condition holds. */
function decide(
  clauses: readonly Clause[],
  length: number,
  rows: LazyRows,
  take: (chosen: Int32Array, values: Clause['values']) => void,
): void {
  let left = Int32Array.from({ length }, (_, row) => row);
  for (const { condition, values } of clauses) {
    if (left.length === 0) return;
    const holds = new Uint8Array(left.length).fill(1);
    if (condition !== null) {
      let i = 0;
      // As in SQL, only what is true counts: undefined and null don't.
      for (const sides of rows.of(left)) holds[i++] = condition(...sides) ? 1 : 0;
    }
    const chosen = left.filter((_, i) => holds[i] === 1);
    left = left.filter((_, i) => holds[i] === 0);
    if (chosen.length > 0) take(chosen, values);
  }
}

function differentRows(before: readonly Column[], after: readonly Column[], length: number): Int32Array {
  const flags = new Uint8Array(length);
  before.forEach((column, i) => {
    if (column !== after[i]) markDifferences(column, after[i]!, flags);
  });
  return flagged(flags);
}

function flagged(flags: Uint8Array): Int32Array {
  const rows = new Int32Array(flags.length);
  let count = 0;
  for (let row = 0; row < flags.length; row++) if (flags[row] === 1) rows[count++] = row;
  return rows.subarray(0, count);
}

function matchedClause(clause: WhenMatched, schema: Schema): Clause {
  if (clause === 'delete') return { condition: null, values: null };
  if (clause === 'update') return { condition: null, values: 'all' };
  const condition = conditionOf(clause.if);
  if ('delete' in clause && clause.delete) return { condition, values: null };
  if ('update' in clause) return { condition, values: valuesOf(clause.update, schema) };
  throw invalidArgument(
    "whenMatched is 'update', 'delete', { if, update } or { if, delete: true }, or a list of these.",
  );
}

function notMatchedClause(clause: WhenNotMatched, schema: Schema): Clause {
  if (clause === 'insert') return { condition: null, values: 'all' };
  if ('insert' in clause) return { condition: conditionOf(clause.if), values: valuesOf(clause.insert, schema) };
  throw invalidArgument("whenNotMatched is 'insert' or { if, insert }, or a list of these.");
}

function conditionOf(condition: unknown): Condition {
  if (condition === undefined) return null;
  if (typeof condition === 'function') return condition as NonNullable<Condition>;
  throw invalidArgument('The condition of a merge is a function of its rows: (target, source) => boolean.');
}

function valuesOf(values: unknown, schema: Schema): 'all' | BoundAssignments {
  if (values === 'all') return 'all';
  if (typeof values === 'object' && values !== null)
    return bindAssignments(schema, values as Readonly<Record<string, unknown>>);
  throw invalidArgument("What is updated or inserted is 'all', or an object of values and functions by column.");
}
