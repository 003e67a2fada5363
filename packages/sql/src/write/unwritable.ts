import type { DecimalType, IcebergType, StructType, TypeKind } from '@lh/core';
import { parquetName, tableProperty } from '@lh/core/engine';
import type { DataFileOptions } from '@lh/core/engine';
import { duckdbNames } from '../types/duckdb-types.ts';
import { sortTerms } from './sort-terms.ts';
import { storedColumns } from './stored-columns.ts';

/**
 * Why DuckDB can't write a table's files exactly as the specification has them (spec: appendix A, "Parquet"), as the end
 * of a sentence; null if it can. The definition of the table decides, never the rows.
 */
export function unwritable({ schema, sortOrder, properties }: DataFileOptions): string | null {
  if (tableProperty(properties, 'write.format.default') !== 'parquet') return 'it writes Parquet only';
  const columns = storedColumns(schema);
  if (columns.length === 0) return 'a file needs a column';
  const top: StructType = { kind: 'struct', fields: columns.map(({ field }) => field) };
  const names = new Set(columns.map(({ name }) => name.toLowerCase()));
  if (names.size < columns.length) return SAME_NAMES;
  const problem = nameProblem(top) ?? typeProblems(top);
  if (problem !== null) return problem;
  return sortTerms(sortOrder, schema) === null ? 'it has no expression for a transform of the sort order' : null;
}

const SAME_NAMES = 'to it, names that differ in case only are one name';

function nameProblem(struct: StructType): string | null {
  if (duckdbNames(struct).some((name, i) => name !== struct.fields[i]!.name)) return SAME_NAMES;
  return struct.fields.some(({ name }) => name === '' || name.includes('\u0000')) ? 'of the name of a column' : null;
}

function typeProblems(struct: StructType): string | null {
  for (const { name, type } of struct.fields) {
    const problem = typeProblem(type);
    if (problem !== null) return `of the column '${name}': ${problem}`;
  }
  return null;
}

function typeProblem(type: IcebergType): string | null {
  return (PROBLEMS[type.kind] as (type: IcebergType) => string | null)(type);
}

const none = (): null => null;
const lacks =
  (what: string): (() => string) =>
  () =>
    `it can't write ${what}`;

type OfKind<K extends TypeKind> =
  Extract<IcebergType, { readonly kind: K }> extends never ? IcebergType : Extract<IcebergType, { readonly kind: K }>;

const PROBLEMS: { readonly [K in TypeKind]: (type: OfKind<K>) => string | null } = {
  boolean: none,
  int: none,
  long: none,
  float: none,
  double: none,
  decimal: decimalProblem,
  date: none,
  time: none,
  timestamp: none,
  timestamptz: none,
  timestamp_ns: none,
  timestamptz_ns: lacks('zoned times of nanoseconds'),
  string: none,
  uuid: none,
  fixed: lacks('bytes of fixed length'),
  binary: none,
  geometry: lacks('geometries with their reference system'),
  geography: lacks('geographies'),
  variant: lacks('variants as Parquet has them'),
  unknown: lacks('nested columns of an unknown type'),
  struct: (type) => {
    if (type.fields.length === 0) return "it can't write a struct without fields";
    if (type.fields.some(({ name }) => parquetName(name) !== name)) return 'a name inside it must be spelled out';
    return nameProblem(type) ?? typeProblems(type);
  },
  list: ({ element }) => typeProblem(element),
  map: ({ key, value }) => typeProblem(key) ?? typeProblem(value),
};

/** DuckDB keeps decimals in 4, 8 or 16 bytes, and the specification asks for as few as hold the precision. */
function decimalProblem({ precision }: DecimalType): string | null {
  return precision <= 18 || precision >= 36
    ? null
    : "it can't write decimals of that precision in as few bytes as they need";
}
