import { quoteString } from '../text/quote.ts';

/** Paths as DuckDB's list of files, in which nothing is taken for a pattern. */
export function fileList(paths: readonly string[]): string {
  return `[${paths.map((path) => quoteString(escapeGlob(path))).join(', ')}]`;
}

/**
 * DuckDB reads paths as globs. A path without `*`, `?` and `[` is taken as it is, backslashes too; in one that has
 * them, each stands in brackets, and a backslash is doubled.
 */
export function escapeGlob(path: string): string {
  if (!/[*?[]/.test(path)) return path;
  return path.replaceAll(/[*?[\\]/g, (character) => (character === '\\' ? '\\\\' : `[${character}]`));
}
