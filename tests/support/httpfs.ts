import { fetchExtension } from './duckdb/src/fetch-extension.ts';

/**
 * The path of DuckDB's extension httpfs, fetched once. Null, which is said aloud, where it can't be had; in CI that is an
 * error.
 */
export async function httpfsExtension(): Promise<string | null> {
  try {
    return await fetchExtension('httpfs');
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(`\nLEFT OUT: the tests with httpfs. ${(error as Error).message}\n\n`);
    return null;
  }
}
