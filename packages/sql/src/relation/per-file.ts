import { quoteString } from '../text/quote.ts';

/** Virtual columns of `read_parquet`: which of its files a row is from, and where in that file. */
export const FILE_INDEX = 'CAST(file_index AS BIGINT)';
export const FILE_ROW_NUMBER = 'file_row_number';

const VIRTUAL_COLUMNS: ReadonlySet<string> = new Set(['file_index', 'file_row_number', 'filename']);

/** A column of that name in a file hides the virtual one. */
export function hidesVirtualColumns(names: Iterable<string>): boolean {
  for (const name of names) if (VIRTUAL_COLUMNS.has(name.toLowerCase())) return true;
  return false;
}

const SEPARATORS = [',', '\u001f', '\u001e', '\u001d', '\u001c\u001c'] as const;

/**
 * SQL of a value that each file of a `read_parquet` has one of, given as text, in the order of the files. One constant
 * is bound many times faster than a list of them.
 */
export function perFile(values: readonly string[], type: 'BIGINT' | 'VARCHAR'): string {
  const [first] = values;
  if (values.every((value) => value === first)) return `CAST(${quoteString(first!)} AS ${type})`;
  const separator = SEPARATORS.find((one) => !values.some((value) => value.includes(one)));
  const list =
    separator === undefined
      ? `[${values.map(quoteString).join(', ')}]`
      : `string_split(${quoteString(values.join(separator))}, ${quoteString(separator)})`;
  return `CAST(${list} AS ${type}[])[${FILE_INDEX} + 1]`;
}
