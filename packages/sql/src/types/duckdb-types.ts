import type { IcebergType, StructType, TypeKind } from '@lh/core';
import { quoteName } from '../text/quote.ts';

/** The DuckDB type, as SQL text, that holds an Iceberg type exactly. */
export function duckdbType(type: IcebergType): string {
  return (DUCKDB_TYPES[type.kind] as (type: IcebergType) => string)(type);
}

type OfKind<K extends TypeKind> =
  Extract<IcebergType, { readonly kind: K }> extends never ? IcebergType : Extract<IcebergType, { readonly kind: K }>;

const DUCKDB_TYPES: { readonly [K in TypeKind]: (type: OfKind<K>) => string } = {
  boolean: () => 'BOOLEAN',
  int: () => 'INTEGER',
  long: () => 'BIGINT',
  float: () => 'FLOAT',
  double: () => 'DOUBLE',
  decimal: ({ precision, scale }) => `DECIMAL(${precision},${scale})`,
  date: () => 'DATE',
  time: () => 'TIME',
  timestamp: () => 'TIMESTAMP',
  timestamptz: () => 'TIMESTAMPTZ',
  timestamp_ns: () => 'TIMESTAMP_NS',
  // DuckDB has no zoned type of nanoseconds: the UTC time keeps every digit.
  timestamptz_ns: () => 'TIMESTAMP_NS',
  string: () => 'VARCHAR',
  uuid: () => 'UUID',
  fixed: () => 'BLOB',
  binary: () => 'BLOB',
  geometry: () => 'GEOMETRY',
  geography: () => 'GEOMETRY',
  variant: () => 'VARIANT',
  // A column that holds nothing but nulls; SQL knows no column of type NULL.
  unknown: () => 'INTEGER',
  struct: (type) => {
    if (type.fields.length === 0) return 'STRUCT("" INTEGER)';
    const names = duckdbNames(type);
    return `STRUCT(${type.fields.map((field, i) => `${quoteName(names[i]!)} ${duckdbType(field.type)}`).join(', ')})`;
  },
  list: (type) => `${duckdbType(type.element)}[]`,
  map: (type) => `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`,
};

/** Names of a struct's fields in DuckDB, where names that differ in case only are one name: the later ones get a number. */
export function duckdbNames(struct: StructType): readonly string[] {
  const taken = new Set<string>();
  return struct.fields.map(({ name }) => {
    let unique = name;
    for (let i = 1; taken.has(unique.toLowerCase()); i++) unique = `${name}_${i}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
