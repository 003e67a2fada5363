import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { duckdbError } from '../errors.ts';
import { quoteString } from '../text/quote.ts';

export interface InstanceOptions {
  /** DuckDB's limit, like '4GB'; its default is 80 % of the machine's memory. */
  readonly memoryLimit?: string | undefined;
  /** Where DuckDB spills what doesn't fit into memory. */
  readonly tempDirectory?: string | undefined;
  readonly threads?: number | undefined;
  /** The directories and files that SQL may touch; null for any. */
  readonly allowedPaths: readonly string[] | null;
  /** What has to be done while DuckDB may still touch every file. */
  readonly beforeRestriction?: (connection: DuckDBConnection) => Promise<void>;
}

/**
 * An in-memory DuckDB. Nothing is downloaded behind the user's back, and time zones are UTC whatever the host's is:
 * the meaning of `ts >= '2024-01-01'` must not depend on where it runs.
 */
export async function openInstance(options: InstanceOptions): Promise<DuckDBInstance> {
  const settings: Record<string, string> = {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  };
  if (options.memoryLimit !== undefined) settings['memory_limit'] = options.memoryLimit;
  if (options.tempDirectory !== undefined) settings['temp_directory'] = options.tempDirectory;
  if (options.threads !== undefined) settings['threads'] = String(options.threads);
  try {
    const instance = await DuckDBInstance.create(':memory:', settings);
    const connection = await instance.connect();
    await connection.run("SET GLOBAL TimeZone = 'UTC'");
    await options.beforeRestriction?.(connection);
    if (options.allowedPaths) await restrict(connection, options.allowedPaths);
    connection.closeSync();
    return instance;
  } catch (error) {
    throw duckdbError(error);
  }
}

/** From then on DuckDB itself refuses every other file, and refuses to be told otherwise. */
async function restrict(connection: DuckDBConnection, allowedPaths: readonly string[]): Promise<void> {
  const directories = allowedPaths.map((path) => quoteString(path.endsWith('/') ? path : `${path}/`));
  await connection.run(`SET allowed_directories = [${directories.join(', ')}]`);
  await connection.run(`SET allowed_paths = [${allowedPaths.map(quoteString).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
}

/** The only value of a query with one row and one column. */
export async function queryText(connection: DuckDBConnection, sql: string): Promise<string> {
  const reader = await connection.runAndReadAll(sql);
  return String(reader.getRows()[0]?.[0] ?? '');
}
