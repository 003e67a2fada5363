import { availableParallelism } from 'node:os';
import type { IcebergType, TypeKind } from '@lh/core';
import {
  BLOOM_FILTERS,
  bloomFilterColumns,
  schemaToJson,
  stringifyJson,
  tableProperty,
  unmetProperties,
} from '@lh/core/engine';
import type { DataFileOptions, Properties, WriterLimits } from '@lh/core/engine';
import { quoteString } from '../text/quote.ts';
import { fieldIds } from './stored-columns.ts';
import type { StoredColumn } from './stored-columns.ts';

/** What COPY has no setting for. */
const DUCKDB_LIMITS: WriterLimits = {
  'write.parquet.page-size-bytes': 'DuckDB sets the size of pages itself',
  'write.parquet.page-row-limit': 'DuckDB sets the size of pages itself',
  'write.parquet.bloom-filter-max-bytes': 'DuckDB makes bloom filters as large as the false-positive ratio asks for',
  [BLOOM_FILTERS]: 'DuckDB writes bloom filters for all columns, but only where it stores values by a dictionary',
};

/** What of the table's properties its writer doesn't follow, in sentences. */
export function copyWarnings(properties: Properties): readonly string[] {
  const codec = tableProperty(properties, 'write.parquet.compression-codec');
  const levels: WriterLimits =
    codec === 'zstd' ? {} : { 'write.parquet.compression-level': 'DuckDB has levels for zstd only' };
  return unmetProperties(properties, { ...DUCKDB_LIMITS, ...levels });
}

/** DuckDB's own row groups, which it reads best. */
const ROW_GROUP_ROWS = 122_880;
/** Rows of a vector: DuckDB's row groups are multiples of these. */
const VECTOR_ROWS = 2048;

/**
 * The settings of a COPY that writes files as a table's properties want them, but for where and how many. `rowBytes`:
 * what a row takes in a file at least, if that is known; else its types tell.
 */
export function copySettings(
  { schema, properties }: DataFileOptions,
  columns: readonly StoredColumn[],
  rowBytes = 0,
): readonly string[] {
  const codec = tableProperty(properties, 'write.parquet.compression-codec');
  const level = tableProperty(properties, 'write.parquet.compression-level');
  const dictionaryBytes = tableProperty(properties, 'write.parquet.dict-size-bytes');
  return [
    'FORMAT parquet',
    'RETURN_STATS',
    `COMPRESSION ${codec === 'lz4' ? 'lz4_raw' : codec}`,
    ...(level !== null && codec === 'zstd' ? [`COMPRESSION_LEVEL ${level}`] : []),
    `ROW_GROUP_SIZE ${rowGroupRows(properties, Math.max(rowBytes, rowWidth(schema)))}`,
    `STRING_DICTIONARY_PAGE_SIZE_LIMIT ${Math.min(dictionaryBytes, MAX_DICTIONARY_BYTES)}`,
    ...bloomSettings(properties),
    `FIELD_IDS ${fieldIds(columns)}`,
    `KV_METADATA {'iceberg.schema': ${quoteString(stringifyJson(schemaToJson(schema)))}}`,
  ];
}

const MAX_DICTIONARY_BYTES = 2 ** 30;

function bloomSettings(properties: Properties): readonly string[] {
  const columns = bloomFilterColumns(properties);
  if (columns.length === 0) return ['WRITE_BLOOM_FILTER false'];
  const ratios = columns.flatMap(({ falsePositiveRatio }) => falsePositiveRatio ?? []);
  return [
    'WRITE_BLOOM_FILTER true',
    ...(ratios.length > 0 ? [`BLOOM_FILTER_FALSE_POSITIVE_RATIO ${Math.min(...ratios)}`] : []),
  ];
}

/**
 * DuckDB counts the rows of a row group, and has a size in bytes only where it need not keep their order. So a size that is
 * set is divided by what a row takes. Each thread may have one on its way to a file that is about to be closed: half of the
 * target together, as files that are much larger or smaller would be rewritten again.
 */
function rowGroupRows(properties: Properties, rowBytes: number): number {
  const asked = Object.hasOwn(properties, 'write.parquet.row-group-size-bytes')
    ? tableProperty(properties, 'write.parquet.row-group-size-bytes') / rowBytes
    : ROW_GROUP_ROWS;
  const onTheWay = tableProperty(properties, 'write.target-file-size-bytes') / 2;
  const rows = Math.min(asked, onTheWay / availableParallelism() / rowBytes);
  return Math.min(Math.max(1, Math.round(rows / VECTOR_ROWS)), MAX_VECTORS) * VECTOR_ROWS;
}

const MAX_VECTORS = 4096;

function rowWidth(type: IcebergType): number {
  switch (type.kind) {
    case 'struct':
      return type.fields.reduce((sum, field) => sum + rowWidth(field.type), 0);
    case 'list':
      return ITEMS * rowWidth(type.element);
    case 'map':
      return ITEMS * (rowWidth(type.key) + rowWidth(type.value));
    case 'fixed':
      return type.length;
    default:
      return WIDTHS[type.kind];
  }
}

const ITEMS = 4;
const WIDTHS: Readonly<Record<Exclude<TypeKind, 'struct' | 'list' | 'map' | 'fixed'>, number>> = {
  boolean: 1,
  int: 4,
  long: 8,
  float: 4,
  double: 8,
  decimal: 8,
  date: 4,
  time: 8,
  timestamp: 8,
  timestamptz: 8,
  timestamp_ns: 8,
  timestamptz_ns: 8,
  string: 24,
  uuid: 16,
  binary: 64,
  geometry: 64,
  geography: 64,
  variant: 64,
  unknown: 1,
};
