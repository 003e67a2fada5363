import { LakehouseError, isLakehouseError } from '@lh/core';
import type { NamespacePlace } from '../../query/table-resolver.ts';
import { quoteString } from '../../text/quote.ts';
import type { CatalogStatement, StatementContext } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { checkPlaces } from './check-places.ts';
import { NO_ROWS } from './outcomes.ts';
import { readProperties } from './properties.ts';
import type { Properties } from './properties.ts';

/** The namespace of a catalog that a name stands for; null if there is none. */
export async function findNamespace(
  name: readonly string[],
  { resolver }: StatementContext,
): Promise<NamespacePlace | null> {
  for (const place of resolver.namespacePlaces(name)) {
    if (place.path.length === 0 || (await place.catalog.namespaceExists(place.path))) return place;
  }
  return null;
}

/** Whether DuckDB has a database or schema of this name. */
export async function isDuckdbSchema(name: readonly string[], { lease: lend }: StatementContext): Promise<boolean> {
  const [first, second] = name.map((part) => `lower(${quoteString(part)})`);
  if (first === undefined || name.length > 2) return false;
  const isNamed =
    second === undefined
      ? `lower(database_name) = ${first} OR (database_name = current_database() AND lower(schema_name) = ${first})`
      : `lower(database_name) = ${first} AND lower(schema_name) = ${second}`;
  const lease = await lend();
  try {
    const rows = await lease.connection.runAndReadAll(`SELECT 1 FROM duckdb_schemas() WHERE ${isNamed} LIMIT 1`);
    return rows.currentRowCount > 0;
  } finally {
    lease.release();
  }
}

export function unknownNamespace(name: readonly string[], { resolver }: StatementContext): LakehouseError {
  const text = name.join('.');
  const catalog = resolver.namespacePlaces(name).at(-1)!.catalog.name;
  return new LakehouseError('NOT_FOUND', `There is no namespace '${text}' in catalog ${catalog}.`, {
    context: { namespace: text },
  });
}

const NAMESPACE_WORDS = ['schema', 'namespace', 'database'] as const;

export interface CreateNamespace {
  readonly name: readonly string[];
  readonly ifNotExists: boolean;
  readonly properties: Properties;
}

export function readCreateNamespace(text: StatementText): CreateNamespace | null {
  const reader = new TokenReader(text);
  if (!reader.take('create') || reader.takeOneOf(...NAMESPACE_WORDS) === null) return null;
  const ifNotExists = reader.take('if', 'not', 'exists');
  const name = reader.name('the name of a namespace');
  let properties: Properties = {};
  while (!reader.isDone) {
    if (reader.take('comment')) properties = { ...properties, comment: reader.string('a comment') };
    else if (reader.take('location')) properties = { ...properties, location: reader.string('a location') };
    else if (reader.take('with')) {
      reader.takeOneOf('properties', 'dbproperties');
      properties = { ...properties, ...readProperties(reader) };
    } else throw reader.unexpected('COMMENT, LOCATION or WITH PROPERTIES');
  }
  return { name, ifNotExists, properties };
}

/** `CREATE SCHEMA | NAMESPACE | DATABASE`: always one of a catalog. */
export function createNamespace(text: StatementText): CatalogStatement | null {
  const statement = readCreateNamespace(text);
  if (statement === null) return null;
  const { name, ifNotExists, properties } = statement;
  return {
    async run(context) {
      const places = context.resolver.namespacePlaces(name);
      const place = places.find(({ path }) => path.length > 0)!;
      if (ifNotExists && (await place.catalog.namespaceExists(place.path))) return NO_ROWS;
      context.refuseInTransaction('CREATE SCHEMA');
      await checkPlaces({ location: properties['location'], properties }, context);
      await place.catalog.createNamespace(place.path, properties).catch((error: unknown) => {
        // Others were faster.
        if (!ifNotExists || !isLakehouseError(error, 'ALREADY_EXISTS')) throw error;
      });
      return NO_ROWS;
    },
  };
}

/** `DROP SCHEMA | NAMESPACE | DATABASE [IF EXISTS] name [RESTRICT | CASCADE]`; it must be empty in any case. */
export function dropNamespace(text: StatementText): CatalogStatement | null {
  const reader = new TokenReader(text);
  if (!reader.take('drop') || reader.takeOneOf(...NAMESPACE_WORDS) === null) return null;
  const ifExists = reader.take('if', 'exists');
  const name = reader.name('the name of a namespace');
  reader.takeOneOf('restrict', 'cascade');
  reader.end();
  return {
    async run(context) {
      const place = await findNamespace(name, context);
      if (place === null || place.path.length === 0) {
        if (await isDuckdbSchema(name, context)) return null;
        if (ifExists) return NO_ROWS;
        throw unknownNamespace(name, context);
      }
      context.refuseInTransaction('DROP SCHEMA');
      await place.catalog.dropNamespace(place.path);
      const { current } = context.resolver;
      const isCurrent = current?.catalog === place.catalog && current.path.join('\0') === place.path.join('\0');
      if (isCurrent) context.resolver.use({ catalog: place.catalog, path: [] });
      return NO_ROWS;
    },
  };
}

/** `USE [catalog.]namespace`, `USE catalog`, or `USE` of a schema of DuckDB's. */
export function useNamespace(text: StatementText): CatalogStatement | null {
  const reader = new TokenReader(text);
  if (!reader.take('use')) return null;
  if (reader.peek(1)?.kind === 'word' || reader.peek(1)?.kind === 'quoted')
    reader.takeOneOf(...NAMESPACE_WORDS, 'catalog');
  const name = reader.name('the name of a namespace');
  reader.end();
  return {
    async run(context) {
      const place = await findNamespace(name, context);
      if (place !== null) {
        context.resolver.use(place);
        return NO_ROWS;
      }
      if (!(await isDuckdbSchema(name, context))) throw unknownNamespace(name, context);
      context.resolver.use(null);
      return null;
    },
  };
}
