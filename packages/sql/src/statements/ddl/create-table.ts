import { LakehouseError, isLakehouseError } from '@lh/core';
import type { CreateTableOptions, NestedField, Schema, Table, TableReplacement } from '@lh/core';
import { invalidArgument, schemaOfFields, unsupported } from '@lh/core/engine';
import type { TablePlace } from '../../query/table-resolver.ts';
import type { CatalogStatement, StatementContext, StatementOutcome } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { checkPlaces } from './check-places.ts';
import { columnPath } from './column-path.ts';
import { describedTable } from './described-table.ts';
import { NO_ROWS } from './outcomes.ts';
import { resolveColumns } from './resolve-columns.ts';
import { readCreateTable } from './table-definition.ts';
import type { CreateTable, TableDefinition } from './table-definition.ts';

/** `CREATE [OR REPLACE] TABLE` with columns, or LIKE another table; not AS a query. */
export function createTable(text: StatementText): CatalogStatement | null {
  const statement = readCreateTable(text);
  if (statement === null || statement.query !== null) return null;
  return {
    async run(context) {
      const { name, definition, like } = statement;
      if (await isOfSession(name, context)) return null;
      const place = await newPlace(name, context);
      const existing = await existingTable(statement, place);
      if (existing && statement.ifNotExists) return NO_ROWS;
      await checkPlaces(definition, context);
      const options = like
        ? await likeTable(like, definition, context)
        : tableOptions(definition, await columnsOf(statement, context));
      return existing
        ? replaceTable(statement, existing, options, context)
        : create(statement, place, options, context);
    },
  };
}

/** Whether a name without a namespace is that of a table of the session. */
export async function isOfSession(name: readonly string[], context: StatementContext): Promise<boolean> {
  if (name.length > 1 || context.resolver.current !== null) return false;
  try {
    return (await context.target(name)) === null;
  } catch (error) {
    if (isLakehouseError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

/** Where a new table goes. NOT_FOUND if its namespace is not there. */
export async function newPlace(name: readonly string[], context: StatementContext): Promise<TablePlace> {
  const place = context.place(name);
  const namespace = place.path.slice(0, -1);
  if (namespace.length === 0 || (await place.catalog.namespaceExists(namespace))) return place;
  const text = namespace.join('.');
  throw new LakehouseError(
    'NOT_FOUND',
    `There is no namespace '${text}' in catalog ${place.catalog.name} for the table '${name.join('.')}'; run CREATE SCHEMA first.`,
    { context: { namespace: text, table: name.join('.') } },
  );
}

/** The table that is there already, to be replaced or left as it is. ALREADY_EXISTS if neither was asked for. */
export async function existingTable(
  { name, orReplace, ifNotExists }: CreateTable,
  { catalog, path }: TablePlace,
): Promise<Table | null> {
  if (orReplace && ifNotExists) throw invalidArgument('CREATE OR REPLACE TABLE replaces; leave out IF NOT EXISTS.');
  let table: Table;
  try {
    table = await catalog.loadTable(path);
  } catch (error) {
    if (isLakehouseError(error, 'NOT_FOUND')) return null;
    throw error;
  }
  if (orReplace || ifNotExists) return table;
  const text = name.join('.');
  throw new LakehouseError('ALREADY_EXISTS', `There is a table '${text}' already.`, { context: { table: text } });
}

/** The columns that the statement lists, with the values of their defaults. */
export function columnsOf(
  { definition, reader }: CreateTable,
  context: StatementContext,
): Promise<readonly NestedField[]> {
  return resolveColumns(definition.columns ?? [], {
    run: (sql) => context.run(sql, context.signal),
    error: (message, at) => reader.error(message, at),
  });
}

/** What a catalog makes a table of: the definition, and the fields of its columns, or those of a query. */
export function tableOptions(definition: TableDefinition, fields: readonly NestedField[]): CreateTableOptions {
  const plain = schemaOfFields(fields, []);
  const named = (column: string): string => columnPath(plain, column) ?? column;
  const schema: Schema = schemaOfFields(fields, definition.identifier.map(named));
  const { formatVersion, location, properties } = definition;
  return {
    schema,
    partitionBy: definition.partitionBy.map((field) => ({ ...field, column: named(field.column) })),
    sortBy: definition.sortBy.map((field) =>
      typeof field === 'string' ? named(field) : { ...field, field: named(field.field) },
    ),
    properties,
    ...(formatVersion !== null && { formatVersion }),
    ...(location !== null && { location }),
  };
}

async function likeTable(
  like: readonly string[],
  definition: TableDefinition,
  context: StatementContext,
): Promise<CreateTableOptions> {
  const target = await context.target(like);
  if (target === null)
    throw invalidArgument(`'${like.join('.')}' is a table of the session; name its columns instead.`);
  const other = describedTable(target.table);
  const { formatVersion, location, partitionBy, sortBy, properties } = definition;
  return {
    ...other,
    properties: { ...other.properties, ...properties },
    ...(partitionBy.length > 0 && { partitionBy }),
    ...(sortBy.length > 0 && { sortBy }),
    ...(formatVersion !== null && { formatVersion }),
    ...(location !== null && { location }),
  };
}

async function create(
  statement: CreateTable,
  place: TablePlace,
  options: CreateTableOptions,
  context: StatementContext,
): Promise<StatementOutcome> {
  context.refuseInTransaction('CREATE TABLE');
  try {
    await place.catalog.createTable(place.path, options);
    return NO_ROWS;
  } catch (error) {
    if (!isLakehouseError(error, 'ALREADY_EXISTS')) throw error;
    // Others were faster; for who has not asked for a table that may be there, this is their error.
    const existing = await existingTable(statement, place);
    if (existing === null) throw error;
    return statement.ifNotExists ? NO_ROWS : replaceTable(statement, existing, options, context);
  }
}

async function replaceTable(
  { name }: CreateTable,
  table: Table,
  options: CreateTableOptions,
  context: StatementContext,
): Promise<StatementOutcome> {
  const replacement = replacementOf(name, table, options);
  const target = (await context.target(name)) ?? { table, branch: undefined };
  await context.change(target, (tx) => tx.replaceTable(replacement));
  return NO_ROWS;
}

/** What CREATE OR REPLACE makes of a table that is there. UNSUPPORTED for another location: it stays where it is. */
export function replacementOf(
  name: readonly string[],
  table: Table,
  { location, ...replacement }: CreateTableOptions,
): TableReplacement {
  if (location === undefined || location.replace(/\/+$/, '') === table.location) return replacement;
  throw unsupported(
    `The table '${name.join('.')}' can't be replaced by one at '${location}': it stays at '${table.location}'. Leave out the location, or drop the table first.`,
    { table: name.join('.') },
  );
}
