import type { DuckDBConnection } from '@duckdb/node-api';
import type { Schema } from '@lh/core';
import { describeColumns, openMetadataTable } from '@lh/core/engine';
import { emptyRelation } from '../relation/empty-relation.ts';
import type { DescribeStatement } from '../text/describe-statement.ts';
import { quoteName, quoteString } from '../text/quote.ts';
import { describeSource } from './mentions.ts';
import type { ResolvedMetadataTable, ResolvedTable } from './table-resolver.ts';
import { scanTarget } from './time-travel.ts';

/** A query that gives what DESCRIBE tells of a table; its columns are those of DuckDB's, and what Iceberg knows besides. */
export async function describeRows(
  connection: DuckDBConnection,
  resolved: ResolvedTable | ResolvedMetadataTable,
  { at, isExtended }: DescribeStatement,
): Promise<string> {
  const { table } = resolved;
  const target = await scanTarget(connection, at, table);
  if (resolved.kind === 'metadata') {
    return columnRows(connection, openMetadataTable(table, resolved.metadataTable, target).schema);
  }
  if (!isExtended) return columnRows(connection, table.scan(target).schema);
  const lines = (await table.describe(target)).lines();
  return textRows(
    ['section', 'name', 'value'],
    lines.map(({ section, name, value }) => [section, name, value]),
  );
}

export async function columnRows(connection: DuckDBConnection, schema: Schema): Promise<string> {
  const types = await describeSource(connection, `(${emptyRelation(schema)})`);
  const rows = describeColumns(schema).map(({ name, type, required, isKey, writeDefault, doc }, i) => [
    name,
    types[i]!.type,
    required ? 'NO' : 'YES',
    isKey ? 'PRI' : null,
    writeDefault,
    null,
    type,
    doc,
  ]);
  return textRows(['column_name', 'column_type', 'null', 'key', 'default', 'extra', 'iceberg_type', 'comment'], rows);
}

export function textRows(names: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const columns = names.map(quoteName).join(', ');
  if (rows.length === 0) return `SELECT ${names.map((name) => `'' AS ${quoteName(name)}`).join(', ')} WHERE false`;
  const texts = rows.map(
    (row) => `(${row.map((value) => (value === null ? 'CAST(NULL AS VARCHAR)' : quoteString(value))).join(', ')})`,
  );
  return `SELECT * FROM (VALUES ${texts.join(', ')}) AS described(${columns})`;
}
