import type { FormatVersion, PartitionFieldInput, SortFieldInput } from '@lh/core';
import type { TokenReader } from '../token-reader.ts';
import { readPartitionField, readSortField } from './partition-fields.ts';

export type Properties = Readonly<Record<string, string>>;

/** `('k' = 'v', write.format.default = orc, 'k' 'v')`, Spark's TBLPROPERTIES. */
export function readProperties(reader: TokenReader): Properties {
  const inner = reader.brackets('the properties');
  const entries = inner.list((): [string, string] => {
    const key = readKey(inner);
    inner.takeSymbol('=');
    return [key, readScalar(inner)];
  });
  inner.end();
  return Object.fromEntries(entries);
}

/** `('a', b.c)`, names of properties. */
export function readKeys(reader: TokenReader): readonly string[] {
  const inner = reader.brackets('the names of properties');
  const keys = inner.list(() => readKey(inner));
  inner.end();
  return keys;
}

/** In quotes, or as it is: `write.target-file-size-bytes`. */
function readKey(reader: TokenReader): string {
  if (reader.peek()?.kind === 'string') return reader.string('a property');
  const part = (): string => reader.name('the name of a property').join('.');
  let key = part();
  while (reader.takeSymbol('-')) key += `-${part()}`;
  return key;
}

/** Properties are texts; numbers, `true` and words are taken as they are written. */
function readScalar(reader: TokenReader): string {
  const token = reader.peek();
  if (token?.kind === 'string') return reader.string('a value');
  const sign = reader.takeSymbol('-') ? '-' : '';
  const value = reader.peek();
  if (value?.kind !== 'number' && value?.kind !== 'word') throw reader.unexpected('a value');
  reader.skip();
  return sign + value.value;
}

/** What Trino's `WITH (…)` may say of a table. */
export interface TableOptions {
  readonly partitionBy?: readonly PartitionFieldInput[];
  readonly sortBy?: readonly SortFieldInput[];
  readonly formatVersion?: FormatVersion;
  readonly location?: string;
  readonly properties: Properties;
}

/** `(partitioning = ARRAY['day(ts)'], format_version = 3, 'write.format.default' = 'orc')`. */
export function readTableOptions(reader: TokenReader): TableOptions {
  const inner = reader.brackets('the properties');
  let options: TableOptions = { properties: {} };
  inner.list(() => {
    options = withOption(inner, options);
  });
  inner.end();
  return options;
}

/** One of `SET PROPERTIES`, or of `WITH (…)`: Trino's names, and Iceberg's in quotes. */
export function withOption(reader: TokenReader, options: TableOptions): TableOptions {
  const at = reader.index;
  const isQuoted = reader.peek()?.kind !== 'word';
  const key = readKey(reader);
  reader.expectSymbol('=');
  if (isQuoted || key.includes('.')) return withProperties(options, { [key]: readScalar(reader) });
  switch (key.toLowerCase()) {
    case 'partitioning':
      return { ...options, partitionBy: readTexts(reader, readPartitionField) };
    case 'sorted_by':
      return { ...options, sortBy: readTexts(reader, readSortField) };
    case 'format_version':
      return { ...options, formatVersion: formatVersionOf(reader, readScalar(reader)) };
    case 'location':
      return { ...options, location: reader.string('a location') };
    case 'extra_properties':
      return withProperties(options, readMap(reader));
    case 'format':
      return withProperties(options, { 'write.format.default': readScalar(reader).toLowerCase() });
    case 'max_commit_retry':
      return withProperties(options, { 'commit.retry.num-retries': readScalar(reader) });
    default: {
      const known = 'partitioning, sorted_by, format_version, location, extra_properties, format, max_commit_retry';
      throw reader.error(`'${key}' is none of ${known}; properties of Iceberg are given in quotes.`, at);
    }
  }
}

/** INVALID_ARGUMENT at the token before the reader if there is no such version. */
export function formatVersionOf(reader: TokenReader, text: string): FormatVersion {
  const version = Number(text);
  if (version === 1 || version === 2 || version === 3) return version;
  throw reader.error(`A table's format version is 1, 2 or 3, not ${text}.`, reader.index - 1);
}

function withProperties(options: TableOptions, more: Properties): TableOptions {
  return { ...options, properties: { ...options.properties, ...more } };
}

/** `ARRAY['day(ts)', 'x']`, each text read on its own. */
function readTexts<T>(reader: TokenReader, read: (reader: TokenReader) => T): readonly T[] {
  return readArray(reader, () => {
    const text = reader.quotedText('a field');
    const field = read(text);
    text.end();
    return field;
  });
}

function readArray<T>(reader: TokenReader, item: () => T): readonly T[] {
  reader.take('array');
  const close = reader.takeSymbol('(') ? ')' : ']';
  if (close === ']') reader.expectSymbol('[');
  const items = reader.isAtSymbol(close) ? [] : reader.list(item);
  reader.expectSymbol(close);
  return items;
}

/** `MAP(ARRAY['k'], ARRAY['v'])` as Trino has it, Spark's `map('k', 'v')` or DuckDB's `MAP {'k': 'v'}`. */
function readMap(reader: TokenReader): Properties {
  reader.expect('map');
  if (reader.takeSymbol('{')) {
    const entries = reader.isAtSymbol('}')
      ? []
      : reader.list((): [string, string] => [readPairKey(reader, ':'), readScalar(reader)]);
    reader.expectSymbol('}');
    return Object.fromEntries(entries);
  }
  const at = reader.index;
  reader.expectSymbol('(');
  if (!reader.isAt('array') && !reader.isAtSymbol('[')) {
    const entries = reader.isAtSymbol(')')
      ? []
      : reader.list((): [string, string] => [readPairKey(reader, ','), readScalar(reader)]);
    reader.expectSymbol(')');
    return Object.fromEntries(entries);
  }
  const keys = readArray(reader, () => reader.string('a key'));
  reader.expectSymbol(',');
  const values = readArray(reader, () => readScalar(reader));
  reader.expectSymbol(')');
  if (keys.length !== values.length) throw reader.error('A map has as many values as keys.', at);
  return Object.fromEntries(keys.map((key, i) => [key, values[i]!]));
}

function readPairKey(reader: TokenReader, separator: string): string {
  const key = reader.string('a key');
  reader.expectSymbol(separator);
  return key;
}
