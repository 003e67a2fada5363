import { isLakehouseError } from '@lh/core';
import type { Expression, Schema, TypeKind } from '@lh/core';
import { bindExpression, referencedFieldIds, toExpression } from '@lh/core/engine';
import type { StatementContext } from '../catalog-statement.ts';
import type { RowChangeStatement } from './read-row-change.ts';

/** Types whose values core and DuckDB compare with any constant in the same way. */
const COMPARED_ALIKE: ReadonlySet<TypeKind> = new Set<TypeKind>([
  'boolean',
  'int',
  'long',
  'date',
  'timestamp',
  'timestamptz',
  'string',
]);

/**
 * The rows that a DELETE deletes as a filter of core's, which may show that they are whole files; null where its condition
 * is more than core understands, or may mean something else in the session.
 */
export async function exactFilter(
  statement: RowChangeStatement,
  schema: Schema,
  context: StatementContext,
): Promise<Expression | null> {
  if (statement.kind !== 'delete' || statement.using !== null) return null;
  if (statement.where === null) return { op: 'true' };
  const filter = filterOf(statement.where, schema);
  return filter !== null && (await hasPlainSettings(context)) ? filter : null;
}

function filterOf(where: string, schema: Schema): Expression | null {
  try {
    const filter = toExpression(where);
    const ids = referencedFieldIds(bindExpression(schema, filter));
    const alike = schema.fields.filter(({ id, type }) => ids.has(id) && COMPARED_ALIKE.has(type.kind));
    return alike.length === ids.size ? filter : null;
  } catch (error) {
    if (isLakehouseError(error)) return null;
    throw error;
  }
}

/** Constants are times of UTC, and texts are compared by their bytes. */
async function hasPlainSettings({ lease: lend }: StatementContext): Promise<boolean> {
  const lease = await lend();
  try {
    const settings = "SELECT current_setting('TimeZone'), coalesce(current_setting('default_collation'), '')";
    const [row] = (await lease.connection.runAndReadAll(settings)).getRows();
    return row![0] === 'UTC' && row![1] === '';
  } finally {
    lease.release();
  }
}
