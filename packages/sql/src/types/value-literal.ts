import type { IcebergType, StructType, TypeKind, Value } from '@lh/core';
import { formatDecimal } from '@lh/core/engine';
import { quoteBytes, quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames, duckdbType } from './duckdb-types.ts';

/** SQL text of an Iceberg value (a default, a partition value) as its exact DuckDB type. */
export function valueLiteral(type: IcebergType, value: Value): string {
  const target = duckdbType(type);
  if (value === null || value === undefined) return `CAST(NULL AS ${target})`;
  return LITERALS[type.kind](value, type, target);
}

type Write = (value: NonNullable<Value>, type: IcebergType, target: string) => string;

const asText: Write = (value, _, target) => `CAST(${quoteString(String(value))} AS ${target})`;
const asBytes: Write = (value) => quoteBytes(value as Uint8Array);
const asMicros: Write = (value) => `make_timestamp(CAST('${value as bigint}' AS BIGINT))`;
const asNanos: Write = (value) => `make_timestamp_ns(CAST('${value as bigint}' AS BIGINT))`;
const asFloat: Write = (value, _, target) => `CAST('${Object.is(value, -0) ? '-0.0' : String(value)}' AS ${target})`;

const LITERALS: { readonly [K in TypeKind]: Write } = {
  boolean: (value) => String(value),
  int: asText,
  long: asText,
  float: asFloat,
  double: asFloat,
  decimal: (value, type, target) =>
    `CAST('${formatDecimal(value as bigint, type.kind === 'decimal' ? type.scale : 0)}' AS ${target})`,
  date: (value) => `(DATE '1970-01-01' + CAST(${value as number} AS INTEGER))`,
  time: (value) => `CAST(make_timestamp(CAST('${value as bigint}' AS BIGINT)) AS TIME)`,
  timestamp: asMicros,
  timestamptz: (value, type, target) => `timezone('UTC', ${asMicros(value, type, target)})`,
  timestamp_ns: asNanos,
  timestamptz_ns: asNanos,
  string: (value) => quoteString(value as string),
  uuid: asText,
  fixed: asBytes,
  binary: asBytes,
  geometry: asBytes,
  geography: asBytes,
  // Their defaults are null (spec: "Default values").
  variant: (_, __, target) => `CAST(NULL AS ${target})`,
  unknown: (_, __, target) => `CAST(NULL AS ${target})`,
  struct: (value, type) => structLiteral(type as StructType, value as readonly Value[]),
  list: (value, type, target) => {
    const { element } = type as Extract<IcebergType, { kind: 'list' }>;
    return `CAST([${(value as readonly Value[]).map((item) => valueLiteral(element, item)).join(', ')}] AS ${target})`;
  },
  map: (value, type, target) => {
    const map = type as Extract<IcebergType, { kind: 'map' }>;
    const entries = value as readonly (readonly [Value, Value])[];
    const texts = entries.map(([key, item]) => `${valueLiteral(map.key, key)}: ${valueLiteral(map.value, item)}`);
    return `CAST(MAP {${texts.join(', ')}} AS ${target})`;
  },
};

function structLiteral(type: StructType, values: readonly Value[]): string {
  const names = duckdbNames(type);
  const fields = type.fields.map(
    (field, i) => `${quoteName(names[i]!)} := ${valueLiteral(field.type, values[i] ?? field.initialDefault ?? null)}`,
  );
  return `struct_pack(${fields.join(', ')})`;
}
