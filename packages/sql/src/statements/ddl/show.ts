import type { Catalog } from '@lh/core';
import { columnRows, textRows } from '../../query/describe-rows.ts';
import { quoteString } from '../../text/quote.ts';
import type { CatalogStatement, StatementContext, StatementOutcome } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { findNamespace, isDuckdbSchema, unknownNamespace } from './namespaces.ts';
import { partitionRows } from './show-partitions.ts';
import { createStatement } from './show-create-table.ts';

export type Show =
  | { readonly kind: 'tables' | 'namespaces'; readonly from: readonly string[]; readonly like: string | null }
  | { readonly kind: 'catalogs' | 'current' }
  | { readonly kind: 'create' | 'partitions' | 'columns'; readonly name: readonly string[] }
  | { readonly kind: 'properties'; readonly name: readonly string[]; readonly key: string | null };

/** Null for what DuckDB shows. */
export function readShow(text: StatementText): Show | null {
  const reader = new TokenReader(text);
  if (!reader.take('show')) return null;
  const show = readShown(reader);
  if (show !== null) reader.end();
  return show;
}

function readShown(reader: TokenReader): Show | null {
  if (reader.take('create', 'table')) return { kind: 'create', name: reader.name('the name of a table') };
  if (reader.take('tblproperties')) return readTableProperties(reader);
  if (reader.take('partitions')) {
    reader.takeOneOf('from', 'in');
    return { kind: 'partitions', name: reader.name('the name of a table') };
  }
  if (reader.take('columns')) {
    if (reader.takeOneOf('from', 'in') === null) throw reader.unexpected('FROM');
    return { kind: 'columns', name: reader.name('the name of a table') };
  }
  if (reader.take('catalogs')) return { kind: 'catalogs' };
  if (reader.take('current') && reader.takeOneOf('namespace', 'schema', 'database') !== null)
    return { kind: 'current' };
  const word = reader.takeOneOf('tables', 'schemas', 'namespaces', 'databases');
  if (word === null) return null;
  const from = reader.takeOneOf('from', 'in') === null ? [] : reader.name('the name of a namespace');
  const hasPattern = reader.take('like') || reader.peek()?.kind === 'string';
  const like = hasPattern ? reader.string('a pattern') : null;
  return { kind: word === 'tables' ? 'tables' : 'namespaces', from, like };
}

function readTableProperties(reader: TokenReader): Show {
  const name = reader.name('the name of a table');
  if (!reader.takeSymbol('(')) return { kind: 'properties', name, key: null };
  const key = reader.peek()?.kind === 'string' ? reader.string('a property') : reader.name('a property').join('.');
  reader.expectSymbol(')');
  return { kind: 'properties', name, key };
}

/** `SHOW TABLES`, `SHOW SCHEMAS` and their kin. */
export function showStatement(text: StatementText): CatalogStatement | null {
  const show = readShow(text);
  if (show === null) return null;
  return { run: (context) => runShow(show, context) };
}

async function runShow(show: Show, context: StatementContext): Promise<StatementOutcome | null> {
  const { resolver } = context;
  switch (show.kind) {
    case 'tables':
      return showTables(show.from, show.like, context);
    case 'namespaces':
      return showNamespaces(show.from, show.like, context);
    case 'catalogs':
      return rows(
        ['catalog'],
        [...resolver.catalogs.keys()].toSorted().map((name) => [name]),
      );
    case 'current': {
      const { catalog, path } = resolver.namespacePlaces([])[0]!;
      return rows(['catalog', 'namespace'], [[catalog.name, path.join('.')]]);
    }
    default:
      return showOfTable(show, context);
  }
}

async function showOfTable(
  show: Extract<Show, { readonly name: readonly string[] }>,
  context: StatementContext,
): Promise<StatementOutcome | null> {
  const target = await context.target(show.name);
  if (target === null) return null;
  const { table } = target;
  switch (show.kind) {
    case 'create': {
      const place = await context.resolver.locate(show.name);
      return rows(['createtab_stmt'], [[createStatement(show.name, table, place)]]);
    }
    case 'partitions':
      return rows(['partition', 'spec_id', 'record_count', 'file_count'], await partitionRows(table));
    case 'properties': {
      const properties = { ...table.properties, 'format-version': String(table.formatVersion) };
      const shown = Object.entries(properties).filter(([key]) => show.key === null || key === show.key);
      return rows(
        ['key', 'value'],
        shown.toSorted(([a], [b]) => (a < b ? -1 : 1)),
      );
    }
    case 'columns': {
      const lease = await context.lease();
      try {
        return { kind: 'rows', sql: await columnRows(lease.connection, table.schema) };
      } finally {
        lease.release();
      }
    }
  }
}

function rows(names: readonly string[], texts: readonly (readonly (string | null)[])[]): StatementOutcome {
  return { kind: 'rows', sql: textRows(names, texts) };
}

const TABLE_COLUMNS = ['catalog', 'namespace', 'name', 'type'] as const;

/** Without a namespace: those of USE, or of the whole default catalog, and the session's own. */
async function showTables(
  from: readonly string[],
  like: string | null,
  context: StatementContext,
): Promise<StatementOutcome | null> {
  const place = await findNamespace(from, context);
  if (place === null) {
    if (await isDuckdbSchema(from, context)) return null;
    throw unknownNamespace(from, context);
  }
  const { catalog, path } = place;
  const namespaces = path.length > 0 ? [path] : await allNamespaces(catalog, path);
  const found: (readonly (string | null)[])[] = [];
  for (const namespace of namespaces) {
    const tables = await catalog.listTables(namespace);
    found.push(...tables.map((levels) => [catalog.name, namespace.join('.'), levels.at(-1)!, 'TABLE']));
  }
  if (from.length > 0) return { kind: 'rows', sql: filtered(textRows(TABLE_COLUMNS, found), like) };
  found.push(...context.resolver.registered.map((name) => [null, null, name, 'REGISTERED']));
  const local = `SELECT database_name, schema_name, table_name, CASE WHEN temporary THEN 'TEMPORARY TABLE' ELSE 'LOCAL TABLE' END FROM duckdb_tables()
    UNION ALL SELECT database_name, schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal`;
  return { kind: 'rows', sql: filtered(`(${textRows(TABLE_COLUMNS, found)}) UNION ALL (${local})`, like) };
}

async function showNamespaces(
  from: readonly string[],
  like: string | null,
  context: StatementContext,
): Promise<StatementOutcome> {
  // The namespace of USE has nothing to do with it: its siblings are wanted.
  const current = context.resolver.namespacePlaces([])[0]!;
  const place = from.length === 0 ? { ...current, path: [] } : await findNamespace(from, context);
  if (place === null) throw unknownNamespace(from, context);
  const children = await place.catalog.listNamespaces(place.path);
  const names = children.map((levels) => [place.catalog.name, levels.join('.')]);
  return { kind: 'rows', sql: filtered(textRows(['catalog', 'name'], names), like) };
}

async function allNamespaces(catalog: Catalog, parent: readonly string[]): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (const child of await catalog.listNamespaces(parent)) found.push(child, ...(await allNamespaces(catalog, child)));
  return found;
}

/** Patterns are SQL's; Spark's `*` is understood, too. */
function filtered(sql: string, like: string | null): string {
  const condition = like === null ? '' : ` WHERE name LIKE ${quoteString(like.replaceAll('*', '%'))}`;
  return `SELECT * FROM (${sql})${condition} ORDER BY ALL`;
}
