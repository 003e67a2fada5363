import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  FLOAT,
  GEOMETRY,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  TIME,
  TIMESTAMP,
  TIMESTAMPTZ,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TIME_NS,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  UUID,
  VARCHAR,
  DuckDBStructType,
} from '@duckdb/node-api';
import type { DuckDBType } from '@duckdb/node-api';
import type { IcebergType, StructType, TypeKind } from '@lh/core';
import type { SourceField, SourceType } from '@lh/core/engine';
import { quoteName, quoteString } from '../text/quote.ts';
import { duckdbNames } from '../types/duckdb-types.ts';
import {
  fillBits,
  fillConverted,
  fillDecimal,
  fillFixedBytes,
  fillList,
  fillNulls,
  fillNumbers,
  fillStruct,
  fillUuid,
  fillVariable,
  fillVariant,
} from './fill.ts';
import type { Fill } from './fill.ts';

/** What a column is in DuckDB, and how its values get there. */
export interface FedType {
  readonly type: DuckDBType;
  readonly fill: Fill;
  /** SQL that makes the column's values of what was filled in; null if nothing is to be done. */
  readonly convert: Convert | null;
}

type Convert = (access: string) => string;

const fed = (type: DuckDBType, fill: Fill, convert: Convert | null = null): FedType => ({ type, fill, convert });

/** Columns of Iceberg types in core's layout, as `readTaskColumns` gives them. */
export function fedIcebergType(type: IcebergType): FedType {
  return (ICEBERG[type.kind] as (type: IcebergType) => FedType)(type);
}

const numbers =
  (type: DuckDBType): (() => FedType) =>
  () =>
    fed(type, fillNumbers);

const ICEBERG: { readonly [K in TypeKind]: (type: never) => FedType } = {
  boolean: () => fed(BOOLEAN, fillBits),
  int: numbers(INTEGER),
  long: numbers(BIGINT),
  float: numbers(FLOAT),
  double: numbers(DOUBLE),
  decimal: ({ precision, scale }: Extract<IcebergType, { kind: 'decimal' }>) =>
    fed(DECIMAL(precision, scale), fillDecimal(precision)),
  date: numbers(DATE),
  time: numbers(TIME),
  timestamp: numbers(TIMESTAMP),
  timestamptz: numbers(TIMESTAMPTZ),
  timestamp_ns: numbers(TIMESTAMP_NS),
  timestamptz_ns: numbers(TIMESTAMP_NS),
  string: () => fed(VARCHAR, fillVariable),
  uuid: () => fed(UUID, fillUuid),
  fixed: () => fed(BLOB, fillFixedBytes),
  binary: () => fed(BLOB, fillVariable),
  geometry: () => fed(GEOMETRY, fillVariable),
  geography: () => fed(GEOMETRY, fillVariable),
  // DuckDB's own form can't be filled in; this is Parquet's.
  variant: () => fed(BLOB, fillVariant, (access) => `variant_bytes_to_variant(${access})`),
  unknown: () => fed(INTEGER, fillNulls),
  struct: (type: StructType) => {
    const children = type.fields.map((field) => fedIcebergType(field.type));
    return structType(duckdbNames(type), children);
  },
  list: (type: Extract<IcebergType, { kind: 'list' }>) => listType(fedIcebergType(type.element)),
  map: (type: Extract<IcebergType, { kind: 'map' }>) => mapType(fedIcebergType(type.key), fedIcebergType(type.value)),
};

function structType(names: readonly string[], children: readonly FedType[]): FedType {
  const type = new DuckDBStructType(
    names,
    children.map((child) => child.type),
  );
  const convert: Convert = (access) => {
    const parts = children.map((child, i) => {
      const part = `struct_extract(${access}, ${quoteString(names[i]!)})`;
      return `${quoteName(names[i]!)} := ${child.convert?.(part) ?? part}`;
    });
    return `CASE WHEN ${access} IS NULL THEN NULL ELSE struct_pack(${parts.join(', ')}) END`;
  };
  const fill = fillStruct(children.map((child) => child.fill));
  return fed(type, fill, children.some((child) => child.convert) ? convert : null);
}

/** Lambdas nest, and each hides the names of those around it, which it doesn't need. */
const ITEM = 'x';

function listType({ type, fill, convert }: FedType): FedType {
  return fed(
    LIST(type),
    fillList(fill),
    convert && ((access) => `list_transform(${access}, lambda ${ITEM}: ${convert(ITEM)})`),
  );
}

function mapType(key: FedType, value: FedType): FedType {
  const entry = structType(['key', 'value'], [key, value]);
  const { convert } = entry;
  return fed(
    MAP(key.type, value.type),
    fillList(entry.fill),
    convert &&
      ((access) =>
        `CASE WHEN ${access} IS NULL THEN NULL ELSE map_from_entries(list_transform(map_entries(${access}), lambda ${ITEM}: ${convert(ITEM)})) END`),
  );
}

/** Columns of Arrow data. */
export function fedArrowType({ type, extension }: SourceField): FedType {
  if (extension === 'arrow.uuid' && type.kind === 'fixed' && type.width === 16) return fed(UUID, fillUuid);
  return (ARROW[type.kind] as (type: SourceType) => FedType)(type);
}

type OfSource<K extends SourceType['kind']> = Extract<SourceType, { readonly kind: K }>;

const DAY_MS = 86_400_000n;
const toMicros = (factor: bigint): Fill => fillConverted(BigInt64Array, (value) => BigInt(value) * factor);

const ARROW: { readonly [K in SourceType['kind']]: (type: never) => FedType } = {
  null: () => fed(INTEGER, fillNulls),
  bool: () => fed(BOOLEAN, fillBits),
  utf8: () => fed(VARCHAR, fillVariable),
  binary: () => fed(BLOB, fillVariable),
  int: ({ bits, signed }: OfSource<'int'>) => fed(signed ? SIGNED[bits] : UNSIGNED[bits], fillNumbers),
  float: ({ bits }: OfSource<'float'>) => fed(bits === 32 ? FLOAT : DOUBLE, fillNumbers),
  decimal: ({ precision, scale }: OfSource<'decimal'>) => fed(DECIMAL(precision, scale), fillDecimal(precision)),
  date: ({ unit }: OfSource<'date'>) =>
    fed(
      DATE,
      unit === 'day'
        ? fillNumbers
        : fillConverted(Int32Array, (value) =>
            Number((BigInt(value) - (((BigInt(value) % DAY_MS) + DAY_MS) % DAY_MS)) / DAY_MS),
          ),
    ),
  time: ({ unit }: OfSource<'time'>) => TIMES[unit](),
  timestamp: ({ unit, zoned }: OfSource<'timestamp'>) =>
    zoned ? ZONED_TIMESTAMPS[unit]() : fed(TIMESTAMPS[unit], fillNumbers),
  fixed: () => fed(BLOB, fillFixedBytes),
  struct: ({ fields }: OfSource<'struct'>) => {
    const names = duckdbNames({
      kind: 'struct',
      fields: fields.map(({ name }) => ({ id: 0, name, required: false, type: { kind: 'unknown' } })),
    });
    return structType(names, fields.map(fedArrowType));
  },
  list: ({ item }: OfSource<'list'>) => listType(fedArrowType(item)),
  map: ({ key, value }: OfSource<'map'>) => mapType(fedArrowType(key), fedArrowType(value)),
};

const SIGNED: Readonly<Record<8 | 16 | 32 | 64, DuckDBType>> = { 8: TINYINT, 16: SMALLINT, 32: INTEGER, 64: BIGINT };
const UNSIGNED: Readonly<Record<8 | 16 | 32 | 64, DuckDBType>> = {
  8: UTINYINT,
  16: USMALLINT,
  32: UINTEGER,
  64: UBIGINT,
};
type Unit = OfSource<'time'>['unit'];

const TIMES: Readonly<Record<Unit, () => FedType>> = {
  s: () => fed(TIME, toMicros(1_000_000n)),
  ms: () => fed(TIME, toMicros(1000n)),
  us: () => fed(TIME, fillNumbers),
  ns: () => fed(TIME_NS, fillNumbers),
};
const TIMESTAMPS: Readonly<Record<Unit, DuckDBType>> = {
  s: TIMESTAMP_S,
  ms: TIMESTAMP_MS,
  us: TIMESTAMP,
  ns: TIMESTAMP_NS,
};
const ZONED_TIMESTAMPS: Readonly<Record<Unit, () => FedType>> = {
  s: () => fed(TIMESTAMPTZ, toMicros(1_000_000n)),
  ms: () => fed(TIMESTAMPTZ, toMicros(1000n)),
  us: () => fed(TIMESTAMPTZ, fillNumbers),
  // DuckDB has no zoned type of nanoseconds: the UTC time keeps every digit.
  ns: () => fed(TIMESTAMP_NS, fillNumbers),
};
