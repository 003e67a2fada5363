import type { PrimitiveKind, PrimitiveType } from '@lh/core';
import { duckdbType } from '../types/duckdb-types.ts';

/** DuckDB's name for a type where `parquet_schema` and casts use different ones. */
const ZONED = 'TIMESTAMP WITH TIME ZONE';

/**
 * SQL that gives a file's leaf, `access` of DuckDB's type `from`, the exact type of the column; null where DuckDB has
 * none that is exact, so that core has to read the file. `access` itself where nothing is to be done.
 */
export function leafCast(type: PrimitiveType, from: string, access: string): string | null {
  const cast = LEAF_CASTS[type.kind](from, type);
  return cast === null ? null : cast(access);
}

type Wrap = (access: string) => string;

const asIs: Wrap = (access) => access;
const to =
  (type: string): Wrap =>
  (access) =>
    `CAST(${access} AS ${type})`;

/** Each rule is a promotion of the spec's, or another physical form of the same values. */
function oneOf(rules: Readonly<Record<string, Wrap>>): (from: string, type: PrimitiveType) => Wrap | null {
  return (from) => rules[from] ?? null;
}

const utcOf: Wrap = (access) => `timezone('UTC', ${access})`;
const SMALL_INTEGERS = ['TINYINT', 'SMALLINT', 'UTINYINT', 'USMALLINT'] as const;
const fromSmall = (type: string): Readonly<Record<string, Wrap>> =>
  Object.fromEntries(SMALL_INTEGERS.map((small) => [small, to(type)]));
const bytes = oneOf({ BLOB: asIs, VARCHAR: (access) => `encode(${access})` });
const geometry = oneOf({ GEOMETRY: to('GEOMETRY'), BLOB: (access) => `ST_GeomFromWKB(${access})` });

const LEAF_CASTS: { readonly [K in PrimitiveKind]: (from: string, type: PrimitiveType) => Wrap | null } = {
  boolean: oneOf({ BOOLEAN: asIs }),
  int: oneOf({ INTEGER: asIs, ...fromSmall('INTEGER') }),
  long: oneOf({ BIGINT: asIs, INTEGER: to('BIGINT'), UINTEGER: to('BIGINT'), ...fromSmall('BIGINT') }),
  float: oneOf({ FLOAT: asIs }),
  double: oneOf({ DOUBLE: asIs, FLOAT: to('DOUBLE') }),
  decimal: (from, type) => {
    const [, precision, scale] = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(from) ?? [];
    if (type.kind !== 'decimal' || Number(scale) !== type.scale || Number(precision) > type.precision) return null;
    return Number(precision) === type.precision ? asIs : to(duckdbType(type));
  },
  date: oneOf({ DATE: asIs }),
  time: oneOf({ TIME: asIs }),
  timestamp: oneOf({
    TIMESTAMP: asIs,
    TIMESTAMP_S: to('TIMESTAMP'),
    TIMESTAMP_MS: to('TIMESTAMP'),
    DATE: to('TIMESTAMP'),
    [ZONED]: utcOf,
  }),
  timestamptz: oneOf({ [ZONED]: asIs, TIMESTAMP: utcOf }),
  timestamp_ns: oneOf({ TIMESTAMP_NS: asIs, TIMESTAMP: to('TIMESTAMP_NS'), DATE: to('TIMESTAMP_NS') }),
  // DuckDB reads these as microseconds.
  timestamptz_ns: () => null,
  string: oneOf({ VARCHAR: asIs, JSON: to('VARCHAR'), BLOB: (access) => `decode(${access})` }),
  uuid: oneOf({ UUID: asIs, BLOB: (access) => `CAST(hex(${access}) AS UUID)` }),
  fixed: bytes,
  binary: bytes,
  geometry,
  geography: geometry,
  variant: () => null,
  unknown: () => () => 'CAST(NULL AS INTEGER)',
};
