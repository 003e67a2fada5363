import { DuckDBTypeId, ResultReturnType } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBResult, DuckDBType } from '@duckdb/node-api';
import { duckdbError } from '../errors.ts';
import { BatchSource } from '../results/batch-source.ts';
import { watchProgress } from '../results/progress.ts';
import type { OnProgress } from '../results/progress.ts';
import { SqlResult } from '../results/sql-result.ts';
import { interruptible } from '../session/interruptible.ts';
import { quoteName } from '../text/quote.ts';
import type { ScanReport } from './scan-report.ts';

export interface RunOptions {
  readonly scans: readonly ScanReport[];
  readonly signal: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Called once, when no more rows will be fetched. */
  readonly done: () => void;
}

/** Starts a statement and fetches its first rows. */
export async function startStatement(
  connection: DuckDBConnection,
  sql: string,
  { scans, signal, onProgress, done }: RunOptions,
): Promise<SqlResult> {
  const guard = <T>(work: () => Promise<T>): Promise<T> => interruptible(connection, signal, work);
  let unwatch = (): void => undefined;
  try {
    unwatch = await watchProgress(connection, onProgress);
    const result = await guard(() => streamQuery(connection, sql));
    const hasRows = result.columnCount > 0 && result.returnType === ResultReturnType.QUERY_RESULT;
    return await SqlResult.start({
      source: hasRows ? new BatchSource(result) : null,
      changedRows: hasRows ? null : result.rowsChanged,
      snapshotId: null,
      scans,
      guard,
      onProgress,
      mapError: duckdbError,
      done,
    });
  } catch (error) {
    throw duckdbError(error);
  } finally {
    unwatch();
  }
}

/** Variants leave DuckDB in Parquet's binary form: its own has no description outside of it. */
async function streamQuery(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const result = await connection.stream(sql);
  if (result.columnCount === 0 || !result.columnTypes().some(isVariant)) return result;
  const names = result.deduplicatedColumnNames();
  const columns = result.columnTypes().map((type, i) => {
    const column = `c${i}`;
    // Of NULL it makes a variant that holds null.
    const encoded = `CASE WHEN ${column} IS NOT NULL THEN variant_to_parquet_variant(${column}) END`;
    return `${isVariant(type) ? encoded : column} AS ${quoteName(names[i]!)}`;
  });
  const inner = names.map((_, i) => `c${i}`).join(', ');
  return connection.stream(`SELECT ${columns.join(', ')} FROM (${sql}) AS variants(${inner})`);
}

function isVariant(type: DuckDBType): boolean {
  return type.typeId === DuckDBTypeId.VARIANT;
}
