import type { Schema } from '@lh/core';
import { quoteName } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import { valueLiteral } from '../types/value-literal.ts';

/** No rows, with the columns and types of a schema. */
export function emptyRelation(schema: Schema): string {
  if (schema.fields.length === 0) return 'SELECT NULL AS "no columns" WHERE false';
  const names = duckdbNames(schema);
  const columns = schema.fields.map(({ type }, i) => `${valueLiteral(type, null)} AS ${quoteName(names[i]!)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}
