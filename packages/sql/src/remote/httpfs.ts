import type { DuckDBConnection } from '@duckdb/node-api';
import { LakehouseError } from '@lh/core';
import type { FileIO, S3Access } from '@lh/core';
import { quoteString } from '../text/quote.ts';
import { objectUrl, scopeOf } from './object-url.ts';

/**
 * Whether DuckDB reads object stores itself, with its extension httpfs, which is never downloaded: true needs it to be in
 * DuckDB's own directory of extensions, a text is the path of its file, false never uses it. Left out: if it is there.
 */
export type HttpfsOption = boolean | string;

interface Lent {
  readonly connection: DuckDBConnection;
  release(): void;
}

interface Secret {
  readonly name: string;
  readonly access: S3Access;
}

export interface HttpfsOptions {
  readonly lend: () => Promise<Lent>;
  /** Prefixes of URLs that may be read; null for any. */
  readonly allowed: readonly string[] | null;
  /** Loads the extension. False if it isn't there. */
  readonly load: (connection: DuckDBConnection) => Promise<boolean>;
}

/**
 * DuckDB's extension httpfs, and the secrets with which it reads tables: one for each place of files, whose credentials
 * are those that the table's own FileIO has at the time of a query.
 */
export class Httpfs {
  readonly #options: HttpfsOptions;
  /** By the URL that their objects' begin with. */
  readonly #secrets = new Map<string, Secret>();
  /** Whose objects are read by which. */
  readonly #scopes = new WeakMap<FileIO, Set<string>>();
  #loaded: Promise<boolean> | null = null;
  #updates: Promise<unknown> = Promise.resolve();

  constructor(options: HttpfsOptions) {
    this.#options = options;
  }

  /** Makes what lies below a location readable, if that is in a store that DuckDB can read. */
  async prepare(io: FileIO, location: string, signal: AbortSignal | undefined): Promise<void> {
    const scope = scopeOf(io, location);
    if (scope === null || !this.#isAllowed(scope.url) || !(await this.#isLoaded())) return;
    const access = await scope.object.access(signal ? { signal } : {});
    const update = this.#updates.then(() => this.#update(scope.url, access));
    this.#updates = update.catch(() => undefined);
    const scopes = this.#scopes.get(io) ?? new Set();
    this.#scopes.set(io, scopes);
    if (await update) scopes.add(scope.url);
    else scopes.delete(scope.url);
  }

  /** The URL of an object that DuckDB can read, by the secret of a place; null for others. */
  url(io: FileIO, location: string): string | null {
    const url = objectUrl(io, location);
    if (url === null) return null;
    for (const scope of this.#scopes.get(io) ?? []) if (url.startsWith(scope)) return url;
    return null;
  }

  #isAllowed(url: string): boolean {
    const { allowed } = this.#options;
    return allowed === null || allowed.some((prefix) => url.startsWith(prefix));
  }

  async #isLoaded(): Promise<boolean> {
    this.#loaded ??= this.#run((connection) => this.#options.load(connection));
    try {
      return await this.#loaded;
    } catch (error) {
      this.#loaded = null;
      throw error;
    }
  }

  /** False if DuckDB can't read there. */
  async #update(scope: string, access: S3Access): Promise<boolean> {
    const known = this.#secrets.get(scope);
    if (known && JSON.stringify(known.access) === JSON.stringify(access)) return true;
    // Another store with buckets and keys of the same names: queries of both may run at a time.
    if (known && known.access.endpoint !== access.endpoint) return false;
    const name = known?.name ?? `__lh_s3_${this.#secrets.size}`;
    const settings = secretSettings(scope, access);
    if (settings === null) return false;
    await this.#run((connection) => makeSecret(connection, name, settings));
    this.#secrets.set(scope, { name, access });
    return true;
  }

  async #run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const { connection, release } = await this.#options.lend();
    try {
      return await work(connection);
    } finally {
      release();
    }
  }
}

/** Loads the extension. INVALID_ARGUMENT if it was asked for and can't be loaded; false if it isn't there. */
export async function loadHttpfs(connection: DuckDBConnection, option: HttpfsOption | undefined): Promise<boolean> {
  if (option === false) return false;
  try {
    await connection.run(typeof option === 'string' ? `LOAD ${quoteString(option)}` : 'LOAD httpfs');
    return true;
  } catch (error) {
    if (option === undefined) return false;
    const { message } = error as Error;
    throw new LakehouseError(
      'INVALID_ARGUMENT',
      `DuckDB's extension httpfs can't be loaded: ${message.split('\n')[0]} It is never downloaded: put it into ` +
        "DuckDB's directory of extensions, or give the path of its file as the option httpfs.",
      { cause: error },
    );
  }
}

/** Null for a store that httpfs can't be told of. */
function secretSettings(
  scope: string,
  { endpoint, region, pathStyle, requesterPays, credentials }: S3Access,
): readonly string[] | null {
  const url = endpoint === null ? null : new URL(endpoint);
  if (url !== null && url.pathname !== '/') return null;
  const texts: Record<string, string | null | undefined> = {
    SCOPE: scope,
    REGION: region,
    URL_STYLE: pathStyle ? 'path' : 'vhost',
    ENDPOINT: url?.host,
    KEY_ID: credentials?.accessKeyId,
    SECRET: credentials?.secretAccessKey,
    SESSION_TOKEN: credentials?.sessionToken,
  };
  const settings = Object.entries(texts).flatMap(([name, text]) => (text ? [`${name} ${quoteString(text)}`] : []));
  if (url?.protocol === 'http:') settings.push('USE_SSL false');
  if (requesterPays) settings.push('REQUESTER_PAYS true');
  return settings;
}

async function makeSecret(connection: DuckDBConnection, name: string, settings: readonly string[]): Promise<void> {
  try {
    await connection.run(`CREATE OR REPLACE TEMPORARY SECRET ${name} (TYPE s3, ${settings.join(', ')})`);
  } catch {
    // DuckDB's own error may show the statement, and so the keys.
    throw new LakehouseError('UNAVAILABLE', "DuckDB didn't take the credentials of a table in S3 as a secret.");
  }
}
