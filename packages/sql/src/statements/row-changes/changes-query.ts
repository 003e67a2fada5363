import type { Schema } from '@lh/core';
import type { DeleteStatement } from './delete-statement.ts';
import type { UpdateStatement } from './update-statement.ts';
import { updatedColumns } from './new-values.ts';
import type { ErrorAt } from './new-values.ts';

/** Columns of the changes beside those of the table: where a row is, its id, and whether it is written (again). */
export const FILE = '__lh_file';
export const POSITION = '__lh_pos';
export const ROW_ID = '__lh_row_id';
export const WRITTEN = '__lh_written';

/** What the changes call a column of the table. */
export function valueName(index: number): string {
  return `__lh_c${index}`;
}

/** A query of the rows that a statement changes, one for each, with what they become. */
export function deleteQuery({ target, using, where }: DeleteStatement): string {
  // A row may be found several times, by several rows of the others.
  const select = using === null ? 'SELECT' : 'SELECT DISTINCT';
  const from = using === null ? target.sql : `${target.sql}, ${using}`;
  return `${select} ${placeOf(target.qualifier)}, false AS ${WRITTEN} FROM ${from}${condition(where)}`;
}

/** Values that are the same by all rows that they come from are one change. */
export function updateQuery(
  { target, set, from, where }: UpdateStatement,
  schema: Schema,
  hasRowIds: boolean,
  errorAt: ErrorAt,
): string {
  const { qualifier } = target;
  const columns = updatedColumns(schema, set, qualifier, errorAt).map((sql, i) => `${sql} AS ${valueName(i)}`);
  const rowId = hasRowIds ? [`${qualifier}._row_id AS ${ROW_ID}`] : [];
  const list = [placeOf(qualifier), ...rowId, `true AS ${WRITTEN}`, ...columns].join(', ');
  const tables = from === null ? target.sql : `${target.sql}, ${from}`;
  return `${from === null ? 'SELECT' : 'SELECT DISTINCT'} ${list} FROM ${tables}${condition(where)}`;
}

function placeOf(qualifier: string): string {
  return `${qualifier}._file AS ${FILE}, ${qualifier}._pos AS ${POSITION}`;
}

function condition(where: string | null): string {
  return where === null ? '' : ` WHERE (\n${where}\n)`;
}
