import type { NestedField, PrimitiveType, Schema, StructType } from '@lh/core';
import { isPrimitive } from '@lh/core';
import { findFieldByName } from '@lh/core/engine';
import { duckdbNames } from '../types/duckdb-types.ts';
import type { PlanColumn, PlanExpression } from './plan-expression.ts';

/** Why a predicate can't prune. */
export class Unpushable extends Error {}

export interface ColumnTerm {
  readonly name: string;
  readonly type: PrimitiveType;
}

/** Columns of a plan as columns of a table. */
export class ColumnTerms {
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** A column that files have statistics of; `Unpushable` for any other. */
  term(column: PlanColumn): ColumnTerm {
    const path = this.#path(column);
    const field = path?.at(-1);
    if (!path || !field) throw new Unpushable('It is about something else than a column of the table.');
    if (!isPrimitive(field.type)) throw new Unpushable(`Files keep no statistics of a ${field.type.kind}.`);
    const name = path.map((step) => step.name).join('.');
    // A name with dots in it may also be read as a path; then it must not lead to another column.
    if (findFieldByName(this.#schema, name)?.field.id !== field.id)
      throw new Unpushable('The name of the column is ambiguous.');
    return { name, type: field.type };
  }

  nameOf(column: PlanColumn): string | undefined {
    return this.#path(column)
      ?.map((field) => field.name)
      .join('.');
  }

  /** The names of all columns in an expression. */
  namesIn(expression: PlanExpression): readonly string[] {
    return columnsIn(expression).map((column) => this.term(column).name);
  }

  /** The fields from the root to a column of the plan, which has DuckDB's names. */
  #path({ index, fields }: PlanColumn): readonly NestedField[] | undefined {
    const root = this.#schema.fields[index];
    if (!root) return undefined;
    const path = [root];
    for (const name of fields) {
      const parent: StructType | null = path.at(-1)!.type.kind === 'struct' ? (path.at(-1)!.type as StructType) : null;
      const at = parent ? duckdbNames(parent).findIndex((known) => known.toLowerCase() === name.toLowerCase()) : -1;
      if (at < 0) return undefined;
      path.push(parent!.fields[at]!);
    }
    return path;
  }
}

export function columnsIn(expression: PlanExpression): readonly PlanColumn[] {
  switch (expression.kind) {
    case 'column':
      return [expression.column];
    case 'compare':
      return [expression.left, expression.right].flatMap(columnsIn);
    case 'and':
    case 'or':
      return expression.children.flatMap(columnsIn);
    case 'not':
    case 'isNull':
    case 'isNotNull':
    case 'cast':
      return columnsIn(expression.child);
    case 'in':
    case 'notIn':
      return [expression.child, ...expression.values].flatMap(columnsIn);
    case 'call':
      return expression.args.flatMap(columnsIn);
    case 'case':
      return [expression.otherwise, ...expression.checks.flatMap(({ when, value }) => [when, value])].flatMap(
        columnsIn,
      );
    case 'constant':
    case 'always':
    case 'other':
      return [];
  }
}
