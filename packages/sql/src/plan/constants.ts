import type { Literal, PrimitiveKind, PrimitiveType } from '@lh/core';
import { JsonNumber, formatDate, formatDecimal, formatTime } from '@lh/core/engine';
import type { JsonObject, JsonValue } from '@lh/core/engine';
import { isObject, object, text } from '../query/serialized.ts';
import type { PlanConstant } from './plan-expression.ts';
import { decimalRational, doubleRational, whole } from './rationals.ts';
import type { Rational } from './rationals.ts';

/** The constant as a literal of an Iceberg type whose DuckDB type it has; undefined if it isn't of that type. */
export function constantLiteral(type: PrimitiveType, constant: PlanConstant): Literal | undefined {
  const { duckdb, read } = CONSTANTS[type.kind];
  if (constant.value === null || !duckdb.includes(typeId(constant.type))) return undefined;
  return read(constant.value, constant.type);
}

/** The id of the DuckDB type that a column has. */
export function columnTypeId(type: PrimitiveType): string | undefined {
  return CONSTANTS[type.kind].duckdb[0];
}

/** A finite number, or a date in days or a time in its unit; undefined for what is neither, or endless. */
export function constantMeasure({ type, value }: PlanConstant): Rational | undefined {
  if (value === null) return undefined;
  const id = typeId(type);
  if (id === 'DOUBLE' || id === 'FLOAT') {
    const number = floatingNumber(value);
    return number !== undefined && Number.isFinite(number) ? doubleRational(number) : undefined;
  }
  const number = wholeNumber(value);
  if (number === undefined) return undefined;
  if (id === 'DECIMAL') return decimalRational(number, decimalScale(type));
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(id) || id === 'TIME') return whole(number);
  const ends = ENDLESS[id];
  return ends !== undefined && number > -ends && number < ends ? whole(number) : undefined;
}

/** DuckDB's infinite dates and times. */
const ENDLESS: Readonly<Record<string, bigint>> = {
  DATE: 2n ** 31n - 1n,
  TIMESTAMP: 2n ** 63n - 1n,
  TIMESTAMP_NS: 2n ** 63n - 1n,
  'TIMESTAMP WITH TIME ZONE': 2n ** 63n - 1n,
};

export function typeId(type: JsonObject): string {
  return text(type['id']) ?? '';
}

/** `DECIMAL(width, scale)` of a plan's type. */
export function decimalScale(type: JsonObject): number {
  return Number(object(type['type_info'])['scale'] ?? 0);
}

interface ConstantReader {
  /** Ids of the DuckDB types that the Iceberg type's columns have. */
  readonly duckdb: readonly string[];
  readonly read: (value: JsonValue, type: JsonObject) => Literal | undefined;
}

const never: ConstantReader = { duckdb: [], read: () => undefined };
const bytes: ConstantReader = { duckdb: ['BLOB'], read: (value) => blobBytes(value) };
const zoned = 'TIMESTAMP WITH TIME ZONE';

const CONSTANTS: { readonly [K in PrimitiveKind]: ConstantReader } = {
  boolean: { duckdb: ['BOOLEAN'], read: (value) => (typeof value === 'boolean' ? value : undefined) },
  int: { duckdb: ['INTEGER'], read: wholeNumber },
  long: { duckdb: ['BIGINT'], read: wholeNumber },
  float: { duckdb: ['FLOAT'], read: (value) => mapNumber(value, Math.fround) },
  double: { duckdb: ['DOUBLE'], read: (value) => mapNumber(value, (number) => number) },
  decimal: {
    duckdb: ['DECIMAL'],
    read: (value, type) => {
      const unscaled = wholeNumber(value);
      return unscaled === undefined ? undefined : formatDecimal(unscaled, decimalScale(type));
    },
  },
  date: {
    duckdb: ['DATE'],
    read: (value) => (typeof value === 'number' ? formatDate(value) : undefined),
  },
  time: {
    duckdb: ['TIME'],
    read: (value) => {
      const micros = wholeNumber(value);
      return micros === undefined ? undefined : formatTime(micros);
    },
  },
  timestamp: { duckdb: ['TIMESTAMP'], read: wholeNumber },
  timestamptz: { duckdb: [zoned], read: wholeNumber },
  timestamp_ns: { duckdb: ['TIMESTAMP_NS'], read: wholeNumber },
  timestamptz_ns: { duckdb: ['TIMESTAMP_NS'], read: wholeNumber },
  string: { duckdb: ['VARCHAR'], read: (value) => (typeof value === 'string' ? value : undefined) },
  uuid: { duckdb: ['UUID'], read: uuidText },
  fixed: bytes,
  binary: bytes,
  geometry: never,
  geography: never,
  variant: never,
  unknown: never,
};

/** An integer of any width: numbers of 128 bits come in two halves. */
export function wholeNumber(value: JsonValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (!isObject(value)) return undefined;
  const [upper, lower] = [wholeNumber(value['upper'] ?? null), wholeNumber(value['lower'] ?? null)];
  return upper === undefined || lower === undefined ? undefined : (upper << 64n) + lower;
}

export function floatingNumber(value: JsonValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof JsonNumber) return Number(value.text);
  return typeof value === 'string' ? SPECIAL_DOUBLES[value.toLowerCase()] : undefined;
}

const SPECIAL_DOUBLES: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  '-nan': Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

function mapNumber(value: JsonValue, change: (number: number) => number): number | undefined {
  const number = floatingNumber(value);
  return number === undefined ? undefined : change(number);
}

/** DuckDB holds a UUID as a signed 128-bit number with its top bit flipped, so that it sorts. */
export function uuidText(value: JsonValue): string | undefined {
  const number = wholeNumber(value);
  if (number === undefined) return undefined;
  const hex = (BigInt.asUintN(128, number) ^ (1n << 127n)).toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** DuckDB writes the bytes of a BLOB as ASCII, others as `\xAB`; a backslash is `\x5C`. */
function blobBytes(value: JsonValue): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytesOut: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const escaped = /^\\x([0-9A-Fa-f]{2})/.exec(value.slice(i, i + 4));
    if (escaped) {
      bytesOut.push(Number.parseInt(escaped[1]!, 16));
      i += 3;
    } else {
      bytesOut.push(value.charCodeAt(i));
    }
  }
  return Uint8Array.from(bytesOut);
}
