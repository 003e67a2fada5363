import { invalidArgument } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { asObject, asStringRecord, optional } from '../../spec/json-fields.ts';
import { rootPlace } from '../../spec/place.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import type { Table } from '../../table.ts';
import type { Catalog, CreateTableOptions, Identifier } from '../catalog.ts';
import { identifierLevels, identifierText } from '../identifier.ts';
import { bearerAuth } from './auth/auth.ts';
import { namespaceText } from './endpoints.ts';
import { exists } from './exists.ts';
import { HttpClient } from './http-client.ts';
import { asIdentifier, asNamespace } from './load-table-result.ts';
import { authOf, checkedUri, httpSettings, type RestCatalogOptions } from './options.ts';
import { RestSession } from './rest-session.ts';
import { RestTables } from './rest-tables.ts';
import { RestViews } from './rest-views.ts';
import { serverConfig } from './server-config.ts';
import { tableName } from './table-name.ts';

/** A change of one of several tables that are committed together. */
export interface TableChange {
  readonly table: Identifier;
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/**
 * A catalog behind the REST specification: the server keeps the names, checks commits, and writes the metadata files.
 *
 * - Tables are where the server puts them, unless a location is given.
 * - A handle knows its table by name. After a rename it is one of a table that is not there; load it anew.
 * - What the server can't do is UNSUPPORTED; it says so when the catalog is opened.
 */
export class RestCatalog implements Catalog {
  readonly name: string;
  /** The `io` of the options, if it is one for all tables. */
  readonly io?: FileIO;
  readonly views: RestViews;
  readonly #session: RestSession;
  readonly #tables: RestTables;

  private constructor(session: RestSession, options: RestCatalogOptions) {
    this.name = options.name ?? 'rest';
    if (typeof options.io !== 'function') this.io = options.io;
    this.views = new RestViews(session);
    this.#session = session;
    this.#tables = new RestTables(session, options);
  }

  /** Asks the server for its configuration. UNAUTHORIZED, UNAVAILABLE or NOT_FOUND if that can't be had. */
  static async open(options: RestCatalogOptions): Promise<RestCatalog> {
    const uri = checkedUri(options.uri);
    const settings = httpSettings(options);
    const auth = authOf(options, uri, settings);
    const { warehouse, prefix, properties, pageSize } = options;
    const own: Record<string, string> = {
      ...properties,
      ...(typeof options.token === 'string' && { token: options.token }),
      ...(warehouse !== undefined && { warehouse }),
      ...(prefix !== undefined && { prefix }),
    };
    const query = warehouse === undefined ? '' : `?warehouse=${encodeURIComponent(warehouse)}`;
    const answer = await new HttpClient(settings, auth).send({
      method: 'GET',
      url: `${uri}/v1/config${query}`,
      doing: 'tell its configuration',
      repeatable: true,
    });
    const config = serverConfig(answer.body, own);
    const { token, uri: assigned } = config.properties;
    settings.secrets.add(token);
    // A server may give a token for all that follows, and name another place for it.
    const assignedAuth = token !== undefined && token !== own['token'] ? bearerAuth(token) : auth;
    const place = assigned === undefined ? uri : checkedUri(assigned);
    return new RestCatalog(new RestSession(place, config, settings, assignedAuth, pageSize), options);
  }

  /** The server's settings with the user's own. They may hold credentials. */
  get properties(): Readonly<Record<string, string>> {
    return this.#session.config.properties;
  }

  // --- namespaces -----------------------------------------------------------------------------------------------

  async createNamespace(namespace: Identifier, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const levels = namespaceLevels(namespace);
    const doing = `create namespace ${identifierText(levels)}`;
    await this.#session.call('createNamespace', { doing, body: { namespace: levels, properties } });
  }

  async listNamespaces(parent: Identifier = []): Promise<readonly string[][]> {
    const levels = identifierLevels(parent);
    const query = { parent: levels.length > 0 ? namespaceText(levels, this.#session.config.style) : undefined };
    const doing = levels.length > 0 ? `list the namespaces of ${identifierText(levels)}` : 'list its namespaces';
    return this.#session.list('listNamespaces', { query, doing }, { key: 'namespaces', item: asNamespace });
  }

  async namespaceExists(namespace: Identifier): Promise<boolean> {
    const levels = namespaceLevels(namespace);
    const doing = `look for namespace ${identifierText(levels)}`;
    return exists(this.#session, ['namespaceExists', 'loadNamespace'], { namespace: levels, doing });
  }

  async loadNamespaceProperties(namespace: Identifier): Promise<Readonly<Record<string, string>>> {
    const levels = namespaceLevels(namespace);
    const doing = `load namespace ${identifierText(levels)}`;
    const { body } = await this.#session.call('loadNamespace', { namespace: levels, doing });
    const place = rootPlace('response');
    return optional(asObject(body, place), 'properties', asStringRecord, place, {});
  }

  /** Sets some of a namespace's properties, and removes others. */
  async updateNamespaceProperties(
    namespace: Identifier,
    updates: Readonly<Record<string, string>>,
    removals: readonly string[] = [],
  ): Promise<void> {
    const levels = namespaceLevels(namespace);
    const doing = `change the properties of namespace ${identifierText(levels)}`;
    await this.#session.call('updateNamespace', { namespace: levels, doing, body: { updates, removals } });
  }

  /** INVALID_ARGUMENT if it is not empty. */
  async dropNamespace(namespace: Identifier): Promise<void> {
    const levels = namespaceLevels(namespace);
    await this.#session.call('dropNamespace', { namespace: levels, doing: `drop namespace ${identifierText(levels)}` });
  }

  // --- tables ---------------------------------------------------------------------------------------------------

  async createTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    return this.#tables.create(tableName(name), options);
  }

  /**
   * A table that comes to be with its first commit, together with what that commits: `CREATE TABLE AS` in one step. Until
   * then nobody sees it, and the commit is ALREADY_EXISTS if somebody else makes a table of its name.
   */
  async stageTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    return this.#tables.stage(tableName(name), options);
  }

  async loadTable(name: Identifier): Promise<Table> {
    return this.#tables.load(tableName(name));
  }

  async tableExists(name: Identifier): Promise<boolean> {
    const { namespace, table, text } = tableName(name);
    const call = { namespace, table, doing: `look for table ${text}` };
    return exists(this.#session, ['tableExists', 'loadTable'], call);
  }

  async listTables(namespace: Identifier): Promise<readonly string[][]> {
    const levels = namespaceLevels(namespace);
    const call = { namespace: levels, doing: `list the tables of ${identifierText(levels)}` };
    return this.#session.list('listTables', call, { key: 'identifiers', item: asIdentifier });
  }

  /** The table's files stay where they are; handles that were loaded before don't find it any more. */
  async renameTable(from: Identifier, to: Identifier): Promise<void> {
    const [source, destination] = [tableName(from), tableName(to)];
    const [sent, received] = [source, destination].map(({ namespace, table }) => ({ namespace, name: table }));
    const body = { source: sent, destination: received };
    await this.#session.call('renameTable', { doing: `rename table ${source.text} to ${destination.text}`, body });
  }

  /** With `purge` the server deletes the files, at once or when it comes to it. */
  async dropTable(name: Identifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const { namespace, table, text } = tableName(name);
    const query = { purgeRequested: options.purge ? 'true' : 'false' };
    await this.#session.call('dropTable', { namespace, table, doing: `drop table ${text}`, query });
  }

  async registerTable(name: Identifier, metadataLocation: string): Promise<Table> {
    return this.#tables.register(tableName(name), metadataLocation);
  }

  /**
   * Commits changes of several tables at once: all of them, or none. COMMIT_CONFLICT if a requirement does not hold;
   * COMMIT_STATE_UNKNOWN if the answer got lost and the tables don't tell.
   */
  async commitTables(changes: readonly TableChange[]): Promise<void> {
    await this.#tables.commit(changes.map((change) => ({ ...change, table: tableName(change.table) })));
  }
}

function namespaceLevels(namespace: Identifier): readonly string[] {
  const levels = identifierLevels(namespace);
  if (levels.length === 0) throw invalidArgument('The name of a namespace needs at least one level.');
  return levels;
}
