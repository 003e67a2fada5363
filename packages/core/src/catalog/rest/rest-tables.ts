import { LakehouseError, invalidArgument, isLakehouseError, unsupported } from '../../errors.ts';
import type { TableRequirement, TableUpdate } from '../../spec/updates.ts';
import { tableFromOperations, type Table } from '../../table.ts';
import type { CreateTableOptions, LoadedMetadata, TableOperations } from '../catalog.ts';
import { isMetadataFile } from '../static-table-operations.ts';
import { tableAuth } from './auth/auth.ts';
import { commitTransaction } from './commit-transaction.ts';
import { createTableToJson } from './create-table-json.ts';
import type { EndpointName } from './endpoints.ts';
import type { HttpAnswer } from './http-client.ts';
import { loadedFrom, storageCredentialsFrom, tableConfigFrom, type TableConfig } from './load-table-result.ts';
import { metricsReporter } from './metrics-reporter.ts';
import type { RestCatalogOptions } from './options.ts';
import { progressOf, sentence } from './rest-errors.ts';
import type { RestCall, RestSession } from './rest-session.ts';
import { stagedTableOperations } from './staged-table-operations.ts';
import { TableFiles } from './table-files.ts';
import type { TableName } from './table-name.ts';
import { RestTableOperations } from './table-operations.ts';

interface NamedChange {
  readonly table: TableName;
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/** Asks for credentials to the files, where somebody can make use of them. */
const LEND_CREDENTIALS = { 'x-iceberg-access-delegation': 'vended-credentials' };

/** Makes handles of tables out of what a server says of them. */
export class RestTables {
  readonly #session: RestSession;
  readonly #options: RestCatalogOptions;
  readonly #files: TableFiles;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(session: RestSession, options: RestCatalogOptions) {
    this.#session = session;
    this.#options = options;
    this.#files = new TableFiles(options.io, session.config.properties, session.settings.runtime);
    this.#headers = this.#files.takesCredentials ? LEND_CREDENTIALS : {};
  }

  async create<Row extends Record<string, unknown>>(
    name: TableName,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const body = createTableToJson(name.table, options, this.#session.settings.runtime);
    return this.#handle(name, await this.#make('createTable', name, `create table ${name.text}`, body));
  }

  async stage<Row extends Record<string, unknown>>(
    name: TableName,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const body = { ...createTableToJson(name.table, options, this.#session.settings.runtime), 'stage-create': true };
    const answer = await this.#make('createTable', name, `create table ${name.text}`, body);
    const staged = loadedFrom(answer.body, name.text);
    const operations = this.#operations(name, answer, staged);
    return this.#table(name, stagedTableOperations(this.#sessionFor(answer), name, operations, staged), staged);
  }

  async load(name: TableName): Promise<Table> {
    return this.#handle(name, await this.#load(this.#session, name));
  }

  async register(name: TableName, metadataLocation: string): Promise<Table> {
    if (!isMetadataFile(metadataLocation)) {
      throw invalidArgument(`'${metadataLocation}' can't be registered: name a table's *.metadata.json file.`);
    }
    const body = { name: name.table, 'metadata-location': metadataLocation };
    return this.#handle(name, await this.#make('registerTable', name, `register table ${name.text}`, body));
  }

  async commit(changes: readonly NamedChange[]): Promise<void> {
    const commits = changes.map(({ table: name, requirements, updates }) => ({
      ...name,
      requirements,
      updates,
      load: async () => loadedFrom((await this.#load(this.#session, name)).body, name.text),
    }));
    await commitTransaction(this.#session, commits);
  }

  #load(session: RestSession, { namespace, table, text }: TableName): Promise<HttpAnswer> {
    return session.call('loadTable', { namespace, table, doing: `load table ${text}`, headers: this.#headers });
  }

  /** A call that gives a name to a table. */
  async #make(endpoint: EndpointName, name: TableName, doing: string, body: object): Promise<HttpAnswer> {
    const call: RestCall = { namespace: name.namespace, doing, headers: this.#headers, body };
    try {
      return await this.#session.call(endpoint, call);
    } catch (error) {
      // Two who make a table at once: some servers call that a conflict.
      if (isLakehouseError(error, 'COMMIT_CONFLICT')) {
        const { message, context } = error;
        throw new LakehouseError('ALREADY_EXISTS', message, { context, cause: error });
      }
      if (progressOf(error) === 'lost') throw mayExist(name, error);
      throw error;
    }
  }

  #handle<Row>(name: TableName, answer: HttpAnswer): Table<Row> {
    const loaded = loadedFrom(answer.body, name.text);
    // REST specification, "LoadTableResult": such a table must not be planned by who reads it.
    if (tableConfigFrom(answer.body).config['scan-planning-mode']?.toLowerCase() === 'server') {
      throw unsupported(`Table ${name.text} can't be read here: its catalog wants to plan scans itself.`);
    }
    const operations = this.#operations(name, answer, loaded);
    return this.#table(name, operations, operations.remember(answer));
  }

  #table<Row>(name: TableName, operations: TableOperations, loaded: LoadedMetadata): Table<Row> {
    const { runtime, reporter, writer, reportMetrics = true } = this.#options;
    const toServer = reportMetrics && this.#session.supports('reportMetrics');
    return tableFromOperations(operations, loaded, {
      runtime,
      writer,
      reporter: toServer ? metricsReporter(this.#session, name, reporter) : reporter,
    });
  }

  #operations(name: TableName, answer: HttpAnswer, loaded: LoadedMetadata): RestTableOperations {
    const session = this.#sessionFor(answer);
    const ask = (): Promise<TableConfig> => this.#askCredentials(session, name);
    const filesOf = (from: HttpAnswer, { metadata }: LoadedMetadata) =>
      this.#files.of({
        uuid: metadata.tableUuid,
        location: metadata.location,
        config: tableConfigFrom(from.body),
        ask,
      });
    return new RestTableOperations({
      ...name,
      session,
      io: filesOf(answer, loaded),
      headers: this.#headers,
      onLoad: filesOf,
    });
  }

  /** With the token that came with the table, if one did. */
  #sessionFor(answer: HttpAnswer): RestSession {
    const { token } = tableConfigFrom(answer.body).config;
    if (token === undefined) return this.#session;
    this.#session.settings.secrets.add(token);
    return this.#session.with(tableAuth(token, this.#session.auth));
  }

  async #askCredentials(session: RestSession, name: TableName): Promise<TableConfig> {
    const { namespace, table, text } = name;
    if (!session.supports('loadCredentials')) return tableConfigFrom((await this.#load(session, name)).body);
    const { body } = await session.call('loadCredentials', {
      namespace,
      table,
      doing: `lend credentials for table ${text}`,
    });
    return { config: {}, credentials: storageCredentialsFrom(body) };
  }
}

function mayExist({ text }: TableName, cause: unknown): LakehouseError {
  const reason = cause instanceof Error ? ` ${sentence(cause.message)}` : '';
  const message = `Whether table ${text} was made is unknown: look for it before trying again.${reason}`;
  return new LakehouseError('COMMIT_STATE_UNKNOWN', message, { context: { table: text }, cause });
}
