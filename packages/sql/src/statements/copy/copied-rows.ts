import type { NestedField } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { quoteString } from '../../text/quote.ts';
import { duckdbType } from '../../types/duckdb-types.ts';
import type { CopyOption } from './copy-syntax.ts';

type Format = 'csv' | 'json' | 'parquet';

/** The query of a file's rows that COPY puts into columns: read as they are typed, with the options of DuckDB's COPY. */
export function fileQuery(file: string, options: readonly CopyOption[], columns: readonly NestedField[]): string {
  const format = formatOf(file, options);
  const others = options.filter(({ name }) => name !== 'format').map((option) => readerOption(format, option));
  // Parquet has types of its own.
  const types = format === 'parquet' ? [] : [`columns = ${columnTypes(columns)}`];
  return `SELECT * FROM read_${format}(${[quoteString(file), ...types, ...others].join(', ')})`;
}

function formatOf(file: string, options: readonly CopyOption[]): Format {
  const given = options
    .find(({ name }) => name === 'format')
    ?.value.replaceAll("'", '')
    .toLowerCase();
  if (given === undefined)
    return FORMATS.get(/\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(file)?.[1]?.toLowerCase() ?? '') ?? 'csv';
  const format = FORMATS.get(given);
  if (format) return format;
  throw invalidArgument(`COPY into a table of a catalog reads CSV, JSON and Parquet, and not '${given}'.`);
}

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['csv', 'csv'],
  ['tsv', 'csv'],
  ['json', 'json'],
  ['jsonl', 'json'],
  ['ndjson', 'json'],
  ['parquet', 'parquet'],
  ['pq', 'parquet'],
]);

/** COPY calls some options otherwise than the functions that read files. */
function readerOption(format: Format, { name, value }: CopyOption): string {
  if (format === 'csv' && name === 'null') return `nullstr = ${value}`;
  if (format === 'csv' && name === 'delimiter') return `delim = ${value}`;
  if (format === 'json' && name === 'array') return `format = ${value === 'true' ? "'array'" : "'newline_delimited'"}`;
  if (/^[a-z_]+$/.test(name)) return `${name} = ${value}`;
  throw invalidArgument(`COPY has no option '${name}'.`);
}

function columnTypes(columns: readonly NestedField[]): string {
  return `{${columns.map(({ name, type }) => `${quoteString(name)}: ${quoteString(duckdbType(type))}`).join(', ')}}`;
}
