import type { IcebergType, SortOrder, StructType } from '@lh/core';
import { columnAccess } from './stored-columns.ts';
import { transformSql } from './transform-sql.ts';

/** The terms of an ORDER BY that sorts as a sort order says (spec: "Sorting"); null if DuckDB can't. */
export function sortTerms({ fields }: SortOrder, schema: StructType): readonly string[] | null {
  const terms: string[] = [];
  for (const { transform, sourceIds, direction, nullOrder } of fields) {
    const source = sourceIds.length === 1 ? columnAccess(schema, sourceIds[0]!) : null;
    if (source === null) return null;
    const { sql, type } = source;
    const key = transform.kind === 'identity' ? identityKey(type, sql) : transformSql(transform, type, sql)?.sql;
    if (key === undefined) return null;
    // A default collation of the session is no matter of the table's.
    const collated = type.kind === 'string' ? `(${key}) COLLATE C` : `(${key})`;
    terms.push(`${collated} ${direction} ${nullOrder.replace('-', ' ')}`);
  }
  return terms;
}

/** A column that is itself the key comes out of DuckDB's sort as the key has it, where -0 is 0. */
function identityKey({ kind }: IcebergType, sql: string): string {
  return kind === 'float' || kind === 'double' ? `CASE WHEN isnan(${sql}) THEN 'nan' ELSE ${sql} END` : sql;
}
