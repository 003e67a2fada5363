import type { Schema } from '@lh/core';
import { quoteName } from '../../text/quote.ts';
import { FILE, POSITION, ROW_ID, WRITTEN, valueName } from './changes-query.ts';
import type { MergeAction, MergeClause, MergeStatement } from './merge-statement.ts';
import { defaultOf, findField, nullOf, unknownColumn, updatedColumns, valueOf } from './new-values.ts';
import type { ErrorAt } from './new-values.ts';

export interface MergeInput {
  readonly statement: MergeStatement;
  readonly schema: Schema;
  /** Names of the source's columns; null if no clause goes by them. */
  readonly sourceColumns: readonly string[] | null;
  readonly hasRowIds: boolean;
  readonly errorAt: ErrorAt;
  /** Text of a clause that sees the source only, with the source's name before its columns. */
  readonly ofSource: (sql: string) => string;
}

const PRESENT = '__lh_source.__lh_present';

/**
 * A query of the rows that a merge changes, with what they become. What becomes of a pair is one CASE of structs, so that
 * conditions are tried in order, and computed once.
 */
export function mergeQuery(input: MergeInput): string {
  const { target, clauses } = input.statement;
  const { qualifier } = target;
  const branches = clauses.map((clause) => branch(clause, input));
  const change = `CASE ${branches.join(' ')} END AS __lh_change`;
  const rowId = input.hasRowIds ? [`${qualifier}._row_id AS ${ROW_ID}`] : [];
  const place = [`${qualifier}._file AS ${FILE}`, `${qualifier}._pos AS ${POSITION}`, ...rowId];
  const pairs = `SELECT ${[...place, change].join(', ')} FROM ${joined(input)}`;
  const columns = [WRITTEN, ...input.schema.fields.map((_, i) => valueName(i))].map(
    (name) => `__lh_change.${name} AS ${name}`,
  );
  const outer = [FILE, POSITION, ...(input.hasRowIds ? [ROW_ID] : []), ...columns];
  return `SELECT ${outer.join(', ')} FROM (${pairs}) AS __lh_pairs WHERE __lh_change IS NOT NULL`;
}

/** Whether clauses are about rows that have no counterpart: of the source, of the table. */
function keeps(clauses: readonly MergeClause[]): { readonly source: boolean; readonly target: boolean } {
  return {
    source: clauses.some(({ when }) => when === 'not matched'),
    target: clauses.some(({ when }) => when === 'not matched by source'),
  };
}

function joined({ statement: { target, source, on, clauses } }: MergeInput): string {
  const { source: keepsSource, target: keepsTarget } = keeps(clauses);
  const join = keepsTarget ? (keepsSource ? 'FULL' : 'LEFT') : keepsSource ? 'RIGHT' : 'INNER';
  // All of a source's columns may be null: a column of our own tells whether there is a row.
  const marked = keepsTarget ? `(${source.sql} CROSS JOIN (SELECT true AS __lh_present) AS __lh_source)` : source.sql;
  const condition =
    typeof on === 'string'
      ? `(\n${on}\n)`
      : on
          .map((name) => `${target.qualifier}.${quoteName(name)} = ${source.qualifier ?? ''}.${quoteName(name)}`)
          .join(' AND ');
  return `${target.sql} ${join} JOIN ${marked} ON ${condition}`;
}

function branch(clause: MergeClause, input: MergeInput): string {
  const { qualifier } = input.statement.target;
  const found = `${qualifier}._pos IS NOT NULL`;
  const { source, target } = keeps(input.statement.clauses);
  const about =
    clause.when === 'not matched'
      ? [`${qualifier}._pos IS NULL`]
      : clause.when === 'not matched by source'
        ? [`${PRESENT} IS NULL`]
        : [...(source ? [found] : []), ...(target ? [`${PRESENT} IS NOT NULL`] : [])];
  const text = (sql: string): string => (clause.when === 'not matched' ? input.ofSource(sql) : sql);
  const own = clause.condition === null ? [] : [`(\n${text(clause.condition)}\n)`];
  const conditions = [...about, ...own];
  return `WHEN ${conditions.length === 0 ? 'true' : conditions.join(' AND ')} THEN ${outcome(clause, input, text)}`;
}

function outcome({ action, at }: MergeClause, input: MergeInput, text: (sql: string) => string): string {
  const { schema, errorAt, statement } = input;
  switch (action.kind) {
    case 'nothing':
      return 'NULL';
    case 'error':
      return `error(${action.message === null ? "'The row is refused by a clause of the merge.'" : `CAST((\n${text(action.message)}\n) AS VARCHAR)`})`;
    case 'delete':
      return rowOf(false, schema.fields.map(nullOf));
    case 'update':
      return rowOf(true, updatedColumns(schema, action.set, statement.target.qualifier, errorAt));
    case 'update by name': {
      const given = byName(action, input, at);
      const own = (name: string): string => `${statement.target.qualifier}.${quoteName(name)}`;
      return rowOf(
        true,
        schema.fields.map((field, i) => given[i] ?? own(field.name)),
      );
    }
    case 'insert by name': {
      const given = byName(action, input, at);
      return rowOf(
        true,
        schema.fields.map((field, i) => given[i] ?? defaultOf(field)),
      );
    }
    case 'insert':
      return rowOf(true, insertedColumns(action, input, at, text));
  }
}

function rowOf(isWritten: boolean, columns: readonly string[]): string {
  const fields = columns.map((sql, i) => `${valueName(i)} := ${sql}`);
  return `struct_pack(${[`${WRITTEN} := ${isWritten}`, ...fields].join(', ')})`;
}

/** The source's columns of the names of the table's; undefined where it has none. */
function byName(
  { all }: Extract<MergeAction, { kind: 'update by name' | 'insert by name' }>,
  { schema, statement: { source }, sourceColumns, errorAt }: MergeInput,
  at: number,
): readonly (string | undefined)[] {
  const { qualifier } = source;
  if (qualifier === null) throw errorAt('The source needs a name for its columns to be found: USING (…) AS s.', at);
  return schema.fields.map((field) => {
    const names = sourceColumns ?? [];
    const name =
      names.find((one) => one === field.name) ?? names.find((one) => one.toLowerCase() === field.name.toLowerCase());
    if (name !== undefined) return valueOf(field, { kind: 'expression', sql: `${qualifier}.${quoteName(name)}` });
    if (all) throw errorAt(`The source has no column '${field.name}'; name the columns, or go BY NAME.`, at);
    return undefined;
  });
}

function insertedColumns(
  { columns, values }: Extract<MergeAction, { kind: 'insert' }>,
  { schema, errorAt }: MergeInput,
  at: number,
  text: (sql: string) => string,
): readonly string[] {
  const { fields } = schema;
  const targets =
    columns?.map((name) => {
      const field = findField(fields, name);
      if (field === undefined) throw errorAt(unknownColumn(name, name, fields), at);
      return field;
    }) ?? fields;
  if (targets.length !== values.length)
    throw errorAt(
      `The table has ${fields.length} columns, and there are ${values.length} values; name the columns.`,
      at,
    );
  if (new Set(targets).size < targets.length) throw errorAt('A column is named twice.', at);
  return fields.map((field) => {
    const value = values[targets.indexOf(field)];
    if (value === undefined) return defaultOf(field);
    return valueOf(field, value.kind === 'expression' ? { ...value, sql: text(value.sql) } : value);
  });
}
