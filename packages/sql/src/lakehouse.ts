import type { DuckDBConnection } from '@duckdb/node-api';
import { LakehouseError, throwIfAborted } from '@lh/core';
import type { AppendData, AppendOptions, Catalog, Commit, DataFileWriter, Table } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { arrowFeed, isArrowTable } from './feed/feeds.ts';
import type { ArrowTableLike } from './feed/feeds.ts';
import { Planner } from './plan/planner.ts';
import { QueryRunner } from './query/query-runner.ts';
import { SessionViews } from './query/session-views.ts';
import { StatementRunner } from './query/statement-runner.ts';
import { TableResolver } from './query/table-resolver.ts';
import type { Names, Registered } from './query/table-resolver.ts';
import { FileSchemas } from './relation/file-schema.ts';
import type { SqlProgress } from './results/progress.ts';
import type { SqlResult } from './results/sql-result.ts';
import { cachePath, checkCacheOptions } from './remote/cache-options.ts';
import type { CacheOptions } from './remote/cache-options.ts';
import { FileCache } from './remote/file-cache.ts';
import { Httpfs, loadHttpfs } from './remote/httpfs.ts';
import type { HttpfsOption } from './remote/httpfs.ts';
import { RemoteAccess } from './remote/remote-access.ts';
import { Fence } from './session/fence.ts';
import { Session } from './session/session.ts';
import type { StatementRequest } from './statements/statement-text.ts';
import type { SqlParameters } from './text/parameters.ts';
import { splitStatements } from './text/statements.ts';
import { tokenize } from './text/tokens.ts';
import { DuckDBWriter } from './write/duckdb-writer.ts';
import { QueryData } from './write/query-data.ts';

export interface LakehouseOptions {
  /** Where `namespace.table` is looked up; it goes by its own name too. */
  readonly catalog: Catalog;
  /** More catalogs, by the name that SQL calls them: `other.namespace.table`. */
  readonly catalogs?: Readonly<Record<string, Catalog>>;
  /**
   * How much memory DuckDB may use, like '4GB'; 80 % of the machine's if left out. Writing rows that come from JavaScript
   * takes a DuckDB of its own, which may use as much again.
   */
  readonly memoryLimit?: string;
  /** Where DuckDB puts what doesn't fit into memory; a directory of its own under the system's, removed on close, if left out. */
  readonly tempDirectory?: string;
  /**
   * Directories and files that SQL may touch, besides the warehouses of file-system catalogs. Left out: whatever the
   * process may touch. Given, DuckDB refuses all else, for good.
   */
  readonly allowedPaths?: readonly string[];
  readonly httpfs?: HttpfsOption;
  /** Where columns of files are kept that DuckDB can't open itself, and how many bytes of them. */
  readonly cache?: CacheOptions;
}

export interface SqlOptions {
  readonly signal?: AbortSignal;
  /** Told how far a statement has got, some times a second. */
  readonly onProgress?: (progress: SqlProgress) => void;
}

export interface LakehouseAppendOptions extends AppendOptions {
  /** Those of the query. */
  readonly parameters?: SqlParameters;
}

/** SQL over the tables of catalogs: Iceberg finds the files, DuckDB runs the query. */
export class Lakehouse {
  readonly #session: Session;
  readonly #planner: Planner;
  readonly #statements: StatementRunner;
  readonly #registered: Map<string, Registered>;
  readonly #names: Names;
  readonly #views: SessionViews;
  readonly #writer: DuckDBWriter;
  readonly #fence: Fence | null;
  readonly #remote: RemoteAccess;
  #closed = false;

  private constructor(session: Session, planner: Planner, remote: RemoteAccess, options: LakehouseOptions) {
    this.#session = session;
    this.#remote = remote;
    this.#planner = planner;
    this.#registered = new Map();
    const catalogs = new Map(Object.entries(options.catalogs ?? {}));
    if (!catalogs.has(options.catalog.name)) catalogs.set(options.catalog.name, options.catalog);
    this.#names = {
      defaultCatalog: options.catalog,
      catalogs,
      registered: this.#registered,
      current: null,
      hasLocal: (name) => session.hasTable(name),
    };
    this.#views = new SessionViews(planner);
    this.#writer = new DuckDBWriter(options);
    this.#fence = options.allowedPaths ? new Fence(options.allowedPaths, roots(options)) : null;
    this.#statements = new StatementRunner({
      session,
      planner,
      queries: new QueryRunner(session, planner, new FileSchemas(), remote),
      names: this.#names,
      views: this.#views,
      writer: this.#writer,
      fence: this.#fence,
    });
  }

  static async open(options: LakehouseOptions): Promise<Lakehouse> {
    if (typeof options?.catalog?.loadTable !== 'function') {
      throw invalidArgument(
        'Lakehouse.open needs a catalog: Lakehouse.open({ catalog: await FileSystemCatalog.open({ … }) }).',
      );
    }
    const { memoryLimit, tempDirectory, httpfs, cache = {} } = options;
    checkCacheOptions(cache);
    const allowedPaths = options.allowedPaths
      ? [...options.allowedPaths, ...warehouses(options), cachePath(cache)]
      : null;
    let isLoaded: boolean | null = null;
    const beforeRestriction = async (connection: DuckDBConnection): Promise<void> => {
      // Later DuckDB would refuse to load it, and if it isn't where it was said to be that had better show at once.
      if (allowedPaths !== null || typeof httpfs === 'string' || httpfs === true) {
        isLoaded = await loadHttpfs(connection, httpfs);
      }
      // Those that DuckDB keeps lie in the user's home, which it may not look into then.
      if (allowedPaths !== null) await connection.run('SET allow_persistent_secrets = false');
    };
    const session = await Session.open({ memoryLimit, tempDirectory, allowedPaths, beforeRestriction });
    const reads = new Httpfs({
      lend: () => session.lease(),
      allowed: allowedPaths,
      load: (connection) => Promise.resolve(isLoaded ?? loadHttpfs(connection, httpfs)),
    });
    const remote = new RemoteAccess(new FileCache(cache), reads);
    return new Lakehouse(session, await Planner.open(allowedPaths), remote, options);
  }

  /**
   * Runs one or more statements and returns the result of the last. Parameters are `$name` with an object, `?` or `$1`
   * with an array. NOT_FOUND for unknown tables, INVALID_ARGUMENT with the place for what doesn't parse or bind,
   * UNSUPPORTED for statements that can't be run yet.
   */
  async sql(text: string, parameters?: SqlParameters, options: SqlOptions = {}): Promise<SqlResult> {
    this.#checkOpen();
    throwIfAborted(options.signal);
    const statements = splitStatements(tokenize(text));
    if (statements.length === 0) throw invalidArgument('The text holds no statement.');
    let result: SqlResult | undefined;
    for (const statement of statements) {
      result = await this.#statements.run({
        source: text,
        statement,
        parameters,
        isOnly: statements.length === 1,
        signal: options.signal,
        onProgress: options.onProgress,
      });
    }
    return result!;
  }

  /**
   * A table by the name that SQL has for it, whose data files DuckDB writes, whatever writes to it: `append`, `update`,
   * `rewriteDataFiles`. NOT_FOUND if there is none.
   */
  async table(name: string): Promise<Table> {
    this.#checkOpen();
    const resolver = new TableResolver(this.#names);
    const parts = name.split('.');
    const resolved = await resolver.resolve(parts);
    if (resolved?.kind !== 'table') throw await resolver.unknown(parts, []);
    return resolved.table.withWriter(this.#writer);
  }

  /**
   * The rows of a query, to be written to a table: `table.append(lake.query('SELECT …'))`. Nothing runs before that.
   * INVALID_ARGUMENT for a text that is not one statement.
   */
  query(text: string, parameters?: SqlParameters): QueryData {
    this.#checkOpen();
    const [statement, ...others] = splitStatements(tokenize(text));
    if (statement === undefined || others.length > 0) {
      throw invalidArgument('Rows to write come from one query; the text has none, or several statements.');
    }
    const request = (source: string, signal: AbortSignal | undefined): StatementRequest => {
      const [only] = splitStatements(tokenize(source));
      return { source, statement: only!, parameters, isOnly: true, signal };
    };
    const run = async (sql: string, signal?: AbortSignal): Promise<SqlResult> => {
      this.#checkOpen();
      throwIfAborted(signal);
      return this.#statements.runMadeOf(request(text, signal), request(sql, signal));
    };
    const query = text.slice(statement.start, statement.end);
    return new QueryData({ query, run, writer: this.#writer, isRestricted: this.#fence !== null });
  }

  /** Appends rows to a table: those of a query, given as its text, or whatever `table.append` takes. */
  async append(name: string, data: string | AppendData, options: LakehouseAppendOptions = {}): Promise<Commit> {
    const { parameters, ...rest } = options;
    const rows = typeof data === 'string' ? this.query(data, parameters) : data;
    return (await this.table(name)).append(rows, rest);
  }

  /** Makes data files with DuckDB, for tables that are loaded from a catalog: `table.withWriter(lake.writer)`. */
  get writer(): DataFileWriter {
    return this.#writer;
  }

  /** Gives a table, or Arrow data, a name in this session; a name that is taken is given anew. */
  register(name: string, source: Table | ArrowTableLike): void {
    this.#checkOpen();
    if (typeof name !== 'string' || name === '') throw invalidArgument('A registered table needs a name.');
    this.unregister(name);
    this.#views.remove(name);
    if (isArrowTable(source)) {
      const feed = arrowFeed(source);
      this.#registered.set(name.toLowerCase(), { data: { id: this.#session.feeds.add(feed), feed } });
    } else if (typeof (source as Partial<Table> | null)?.scan === 'function') {
      this.#registered.set(name.toLowerCase(), { table: source });
    } else {
      throw invalidArgument(`'${name}' can be registered for a table or an Arrow table, and this is neither.`);
    }
  }

  /** Takes a registered name back; true if there was one. */
  unregister(name: string): boolean {
    const known = this.#registered.get(name.toLowerCase());
    if (known && 'data' in known) this.#session.feeds.remove(known.data.id);
    return this.#registered.delete(name.toLowerCase());
  }

  /** DuckDB's own connection of this session. Tables of catalogs are unknown to it: those are for `sql`. */
  get connection(): DuckDBConnection {
    this.#checkOpen();
    // Whoever has it may change settings at any time.
    this.#statements.watchSettings();
    return this.#session.main;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#statements.close();
    this.#planner.close();
    await this.#writer.close();
    await this.#session.close();
    await this.#remote.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new LakehouseError('INVALID_ARGUMENT', 'The lakehouse is closed.');
  }
}

/** Roots of the catalogs that have one. */
function roots({ catalog, catalogs = {} }: LakehouseOptions): readonly string[] {
  return [catalog, ...Object.values(catalogs)].flatMap((one) => {
    const { warehouse } = one as { readonly warehouse?: unknown };
    return typeof warehouse === 'string' ? [warehouse] : [];
  });
}

/** The same, as far as DuckDB can read there. */
function warehouses(options: LakehouseOptions): readonly string[] {
  return roots(options).flatMap((warehouse) => {
    const path = warehouse.replace(/^file:(?:\/\/)?(?=\/)/, '').replace(/^s3[an]:/, 's3:');
    return /^(?:\/|s3:)/.test(path) ? [path] : [];
  });
}
