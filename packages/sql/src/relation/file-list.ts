import { quoteString } from '../text/quote.ts';

/** One constant is bound many times faster than a list of them. */
const SEPARATOR = '\u001f';
const LONG_LIST = 16;

/** Paths as DuckDB's list of files, in which nothing is taken for a pattern. */
export function fileList(paths: readonly string[]): string {
  const escaped = paths.map(escapeGlob);
  if (paths.length > LONG_LIST && !escaped.some((path) => path.includes(SEPARATOR))) {
    return `string_split(${quoteString(escaped.join(SEPARATOR))}, ${quoteString(SEPARATOR)})`;
  }
  return `[${escaped.map(quoteString).join(', ')}]`;
}

/**
 * DuckDB reads paths as globs. A path without `*`, `?` and `[` is taken as it is, backslashes too; in one that has
 * them, each stands in brackets, and a backslash is doubled.
 */
export function escapeGlob(path: string): string {
  if (!/[*?[]/.test(path)) return path;
  return path.replaceAll(/[*?[\\]/g, (character) => (character === '\\' ? '\\\\' : `[${character}]`));
}
