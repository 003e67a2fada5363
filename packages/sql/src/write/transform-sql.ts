import type { DecimalType, IcebergType, Transform, TransformKind, TypeKind, Value } from '@lh/core';
import { toValue } from '@lh/core/engine';
import { hashLongSql } from './murmur3-sql.ts';

/** A partition's value as DuckDB computes it. As text it tells all values apart: no two share a directory, nor does null. */
export interface TransformSql {
  readonly sql: string;
  /** The value that a text of it stands for. */
  readonly parse: (text: string) => Value;
}

/** Null for a transform that DuckDB has no expression for: a bucket of a string, say, as it has no murmur3. */
export function transformSql(transform: Transform, type: IcebergType, access: string): TransformSql | null {
  return TRANSFORMS[transform.kind](transform, type, access);
}

type Make = (transform: Transform, type: IcebergType, access: string) => TransformSql | null;

const toNumber = (text: string): Value => Number(text);
const toBigint = (text: string): Value => BigInt(text);
/** Of a text behind a letter: DuckDB has directories of its own for an empty text and for one that is called as null's. */
const toText = (text: string): Value => text.slice(1);
const toBytes = (text: string): Value =>
  Uint8Array.from(text.slice(1).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const EPOCH = "DATE '1970-01-01'";
const HOUR_MICROS = 3_600_000_000;

/** The largest multiple of the width that is not greater. */
function floorTo(number: string, width: number | bigint): string {
  return `(${number} - ((${number} % ${width}) + ${width}) % ${width})`;
}

const identityOf = (sql: (access: string) => string, parse: (text: string) => Value): Make => {
  return (_, __, access) => ({ sql: sql(access), parse });
};
const plain = (access: string): string => access;
const epochMicros = (access: string): string => `epoch_us(${access})`;

const IDENTITY: { readonly [K in TypeKind]: Make | null } = {
  boolean: identityOf(plain, (text) => text === 'true'),
  int: identityOf(plain, toNumber),
  long: identityOf(plain, toBigint),
  // Zeros of both signs are one value to DuckDB, and two to Iceberg.
  float: null,
  double: null,
  decimal: (_, type, access) => ({ sql: access, parse: (text) => toValue(type, text, 'partition') }),
  date: identityOf((access) => `(${access} - ${EPOCH})`, toNumber),
  time: identityOf(epochMicros, toBigint),
  timestamp: identityOf(epochMicros, toBigint),
  timestamptz: identityOf(epochMicros, toBigint),
  timestamp_ns: identityOf((access) => `epoch_ns(${access})`, toBigint),
  timestamptz_ns: null,
  string: identityOf((access) => `'v' || ${access}`, toText),
  uuid: identityOf(
    (access) => `CAST(${access} AS VARCHAR)`,
    (text) => text,
  ),
  fixed: null,
  binary: identityOf((access) => `'v' || hex(${access})`, toBytes),
  geometry: null,
  geography: null,
  variant: null,
  unknown: null,
  struct: null,
  list: null,
  map: null,
};

function microsOfNanos(access: string): string {
  return `CAST(${floorTo(`epoch_ns(${access})`, 1000)} // 1000 AS BIGINT)`;
}

/** The date, or the time in UTC, of a column; null for types that are neither. */
function utcTime({ kind }: IcebergType, access: string): string | null {
  switch (kind) {
    case 'date':
    case 'timestamp':
      return access;
    case 'timestamptz':
      return `make_timestamp(epoch_us(${access}))`;
    case 'timestamp_ns':
      return `make_timestamp(${microsOfNanos(access)})`;
    default:
      return null;
  }
}

const ofTime =
  (sql: (time: string) => string): Make =>
  (_, type, access) => {
    const time = utcTime(type, access);
    return time === null ? null : { sql: sql(time), parse: toNumber };
  };

const TRUNCATE: { readonly [K in TypeKind]?: (access: string, width: number) => TransformSql } = {
  // Values near the least one wrap around, as they do in Java.
  int: (access, width) => {
    const floor = floorTo(`CAST(${access} AS BIGINT)`, width);
    return { sql: `CASE WHEN ${floor} < -2147483648 THEN ${floor} + 4294967296 ELSE ${floor} END`, parse: toNumber };
  },
  long: (access, width) => {
    const floor = floorTo(`CAST(${access} AS HUGEINT)`, width);
    const wrapped = `${floor} + 18446744073709551616`;
    return { sql: `CASE WHEN ${floor} < -9223372036854775808 THEN ${wrapped} ELSE ${floor} END`, parse: toBigint };
  },
  string: (access, width) => ({ sql: `'v' || left(${access}, ${width})`, parse: toText }),
  binary: (access, width) => ({ sql: `'v' || left(hex(${access}), ${2 * width})`, parse: toBytes }),
};

/** Of a decimal the unscaled value is truncated: its digits without the point. */
function truncatedDecimal({ precision }: DecimalType, access: string, width: number): TransformSql | null {
  if (precision > 18) return null;
  const unscaled = `CAST(replace(CAST(${access} AS VARCHAR), '.', '') AS HUGEINT)`;
  return { sql: floorTo(unscaled, width), parse: toBigint };
}

/** What is hashed of a value, for the types that are hashed as a long (spec: appendix B). */
const HASHED: { readonly [K in TypeKind]?: (access: string) => string } = {
  int: (access) => `CAST(${access} AS BIGINT)`,
  long: plain,
  date: (access) => `(${access} - ${EPOCH})`,
  time: epochMicros,
  timestamp: epochMicros,
  timestamptz: epochMicros,
  timestamp_ns: microsOfNanos,
};

const TRANSFORMS: { readonly [K in TransformKind]: Make } = {
  identity: (transform, type, access) => IDENTITY[type.kind]?.(transform, type, access) ?? null,
  void: () => ({ sql: 'CAST(NULL AS INTEGER)', parse: () => null }),
  year: ofTime((time) => `year(${time}) - 1970`),
  month: ofTime((time) => `(year(${time}) - 1970) * 12 + month(${time}) - 1`),
  day: ofTime((time) => `(CAST(${time} AS DATE) - ${EPOCH})`),
  hour: (_, type, access) => {
    const time = type.kind === 'date' ? null : utcTime(type, access);
    return time === null
      ? null
      : { sql: `${floorTo(`epoch_us(${time})`, HOUR_MICROS)} // ${HOUR_MICROS}`, parse: toNumber };
  },
  truncate: (transform, type, access) => {
    const { width } = transform as Extract<Transform, { readonly kind: 'truncate' }>;
    if (type.kind === 'decimal') return truncatedDecimal(type, access, width);
    return TRUNCATE[type.kind]?.(access, width) ?? null;
  },
  bucket: (transform, type, access) => {
    const { buckets } = transform as Extract<Transform, { readonly kind: 'bucket' }>;
    const hashed = HASHED[type.kind]?.(access);
    return hashed === undefined ? null : { sql: `(${hashLongSql(hashed)} & 2147483647) % ${buckets}`, parse: toNumber };
  },
  unknown: () => null,
};
