import type { Catalog, CreateTableOptions, Table } from '@lh/core';
import { unsupported } from '@lh/core/engine';
import type { QueryText } from '../query/query-text.ts';
import type { TablePlace } from '../query/table-resolver.ts';
import { isKeyword } from '../text/tokens.ts';
import { icebergField } from '../types/iceberg-types.ts';
import type { QueryData } from '../write/query-data.ts';
import type { CatalogStatement, StatementContext, StatementOutcome } from './catalog-statement.ts';
import { checkPlaces } from './ddl/check-places.ts';
import { existingTable, isOfSession, newPlace, replacementOf, tableOptions } from './ddl/create-table.ts';
import { NO_ROWS } from './ddl/outcomes.ts';
import { readCreateTable } from './ddl/table-definition.ts';
import type { CreateTable } from './ddl/table-definition.ts';
import { insertedRows } from './insert/insert.ts';
import type { StatementText } from './statement-text.ts';

/** `CREATE [OR REPLACE] TABLE … AS query [WITH [NO] DATA]`: the table and its rows are one commit. */
export function createTableAs(text: StatementText): CatalogStatement | null {
  const statement = readCreateTable(text);
  if (statement === null || statement.query === null) return null;
  const { name, ifNotExists, definition, reader } = statement;
  const { query, hasData } = queryOf(text, statement.query);
  return {
    async run(context) {
      if (await isOfSession(name, context)) return null;
      if (definition.columns !== null) {
        throw reader.error('A table made AS a query has its columns; name and cast them in the query.');
      }
      const place = await newPlace(name, context);
      const existing = await existingTable(statement, place);
      if (existing && ifNotExists) return NO_ROWS;
      await checkPlaces(definition, context);
      const described = await context.rows(`SELECT * FROM (\n${query.sql}\n) LIMIT 0`, { origin: query }).result();
      const names = described.columns.map((column) => column.name);
      const fields = names.map((column, i) => icebergField(column, described.types[i]!));
      const options = tableOptions(definition, fields);
      const sql = hasData ? query.sql : `SELECT * FROM (\n${query.sql}\n) LIMIT 0`;
      const data = context.rows(sql, { columns: names, origin: query });
      return existing ? replace(statement, existing, options, data, context) : create(place, options, data, context);
    },
  };
}

/** The query behind AS, which is the end of the statement, and whether its rows are wanted. */
function queryOf(
  { sql, tokens, source, toSource }: StatementText,
  rest: string,
): { readonly query: QueryText; readonly hasData: boolean } {
  const start = sql.length - rest.length;
  const withAt = tokens.length - (isKeyword(tokens.at(-2), 'no') ? 3 : 2);
  const hasWith = isKeyword(tokens.at(-1), 'data') && isKeyword(tokens[withAt], 'with');
  const end = hasWith ? tokens[withAt - 1]!.end : sql.length;
  return {
    query: { sql: sql.slice(start, end), source, toSource: (offset) => toSource(start + offset) },
    hasData: !hasWith || withAt === tokens.length - 2,
  };
}

async function create(
  { catalog, path }: TablePlace,
  options: CreateTableOptions,
  data: QueryData,
  context: StatementContext,
): Promise<StatementOutcome> {
  context.refuseInTransaction('CREATE TABLE AS');
  const staged = await stage(catalog, path, options);
  const commit = await context.change({ table: staged, branch: undefined }, (transaction) => transaction.append(data));
  // A table without rows has no snapshot.
  if (!commit?.changed) await catalog.createTable(path, options);
  return insertedRows(data, commit);
}

async function stage(catalog: Catalog, path: readonly string[], options: CreateTableOptions): Promise<Table> {
  if (catalog.stageTable) return catalog.stageTable(path, options);
  throw unsupported(
    `The catalog ${catalog.name} can't make a table together with its rows; CREATE TABLE first, then INSERT INTO it.`,
  );
}

async function replace(
  { name }: CreateTable,
  table: Table,
  options: CreateTableOptions,
  data: QueryData,
  context: StatementContext,
): Promise<StatementOutcome> {
  const replacement = replacementOf(name, table, options);
  const target = (await context.target(name)) ?? { table, branch: undefined };
  const commit = await context.change(target, async (transaction) => {
    transaction.replaceTable(replacement);
    await transaction.append(data);
  });
  // Without rows the commit makes no snapshot.
  return insertedRows(data, data.rowCount > 0 ? commit : null);
}
