import type { DuckDBConnection } from '@duckdb/node-api';
import { throwIfAborted } from '@lh/core';

/** Milliseconds between two interrupts. */
const AGAIN_MS = 20;

/**
 * Runs something on a connection that ends when the signal says so. An interrupt that comes a moment before DuckDB starts
 * is lost on it, so that it is told until it listens.
 */
export async function interruptible<T>(
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return work();
  throwIfAborted(signal);
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    connection.interrupt();
    timer ??= setInterval(() => connection.interrupt(), AGAIN_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(timer);
  }
}
