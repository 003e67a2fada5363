import type { NestedField, Table } from '@lh/core';
import { nearNames } from '../../text/near-names.ts';

/** A name of the statement, and its token. */
export interface NamedToken {
  readonly name: string;
  readonly token: number;
}

/** INVALID_ARGUMENT at a token of the statement. */
export type ErrorAt = (message: string, token: number) => Error;

/** A table's column by its name, of any case as DuckDB has it. */
export function tableColumn(table: Table, { name, token }: NamedToken, error: ErrorAt): NestedField {
  const { fields } = table.schema;
  const found =
    fields.find((field) => field.name === name) ??
    fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const near = nearNames(
    name,
    fields.map((field) => field.name),
  );
  const hint = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `'${one}'`).join(' or ')}?`;
  throw error(`Table ${table.name} has no column '${name}'.${hint}`, token);
}

/** The columns of a list, or all. INVALID_ARGUMENT for one that is named twice. */
export function tableColumns(
  table: Table,
  columns: readonly NamedToken[] | null,
  error: ErrorAt,
): readonly NestedField[] {
  if (columns === null) return table.schema.fields;
  const fields = columns.map((column) => tableColumn(table, column, error));
  const twice = columns.find((_, i) => fields.indexOf(fields[i]!) < i);
  if (twice) throw error(`The column '${twice.name}' is named twice.`, twice.token);
  return fields;
}
