import type { DuckDBConnection } from '@duckdb/node-api';

/** How far a statement has got. */
export interface SqlProgress {
  /** 'running' while DuckDB works towards the first rows, 'reading' while they are fetched. */
  readonly phase: 'planning' | 'running' | 'reading';
  /** The part of the work that is done, 0 to 1, as DuckDB estimates it; null as long as it can't tell. */
  readonly fraction: number | null;
  /** Rows of the result that were fetched. */
  readonly rows: number;
}

export type OnProgress = (progress: SqlProgress) => void;

/** Milliseconds between two looks at a query. */
const INTERVAL_MS = 100;

const prepared = new WeakSet<DuckDBConnection>();

/** DuckDB counts only where a bar would be drawn; this one is drawn nowhere. */
async function countOn(connection: DuckDBConnection): Promise<void> {
  if (prepared.has(connection)) return;
  await connection.run('SET enable_progress_bar_print = false');
  await connection.run('SET enable_progress_bar = true');
  await connection.run('SET progress_bar_time = 0');
  prepared.add(connection);
}

/** Tells of the statement that the connection runs, until the function that it gives is called. */
export async function watchProgress(
  connection: DuckDBConnection,
  onProgress: OnProgress | undefined,
): Promise<() => void> {
  if (!onProgress) return () => undefined;
  await countOn(connection);
  onProgress({ phase: 'running', fraction: null, rows: 0 });
  const timer = setInterval(() => {
    const { percentage } = connection.progress;
    onProgress({ phase: 'running', fraction: percentage < 0 ? null : Math.min(1, percentage / 100), rows: 0 });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
