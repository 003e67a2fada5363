import { BLOB, DuckDBTypeId, STRUCT } from '@duckdb/node-api';
import type {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBEnumType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
  DuckDBUnionType,
} from '@duckdb/node-api';
import { Variant } from '@lh/core';
import { formatDate, formatDecimal, formatTime, formatTimestamp, unsupported } from '@lh/core/engine';
import {
  Binary,
  Bool,
  DateDay,
  Decimal,
  FixedSizeBinary,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  TimeMicrosecond,
  TimeNanosecond,
  TimeUnit,
  Timestamp,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from 'apache-arrow';
import type { DataType } from 'apache-arrow';
import { toHex } from '../text/quote.ts';
import { VARIANT_BYTES } from '../types/variant-bytes.ts';
import type { ColumnCodec, RowOptions } from './codec.ts';
import { enumCodec, nullCodec, stringCodec, textCodec } from './text-codecs.ts';
import { booleanCodec, fixedCodec, rewrittenCodec } from './fixed-codecs.ts';
import type { ReadValue } from './fixed-codecs.ts';
import { arrayCodec, listCodec, mapCodec, structCodec, unionCodec } from './nested-codecs.ts';

/** The codec of a result column's type. UNSUPPORTED, with what to do instead, for a type that can't leave DuckDB. */
export function codecFor(type: DuckDBType): ColumnCodec {
  const make = CODECS[type.typeId];
  if (!make) {
    throw unsupported(
      `A column of type ${type.toString()} can't be returned; cast it in the query to a type that can.`,
    );
  }
  return make(type);
}

/** A result column's type as SQL text. */
export function typeText(type: DuckDBType): string {
  if (type.typeId === DuckDBTypeId.STRUCT && isVariantStruct(type as DuckDBStructType)) return 'VARIANT';
  return type.toString().replaceAll(BYTES_TEXT, 'VARIANT');
}

const BYTES_TEXT = STRUCT(Object.fromEntries(VARIANT_BYTES.map((name) => [name, BLOB]))).toString();

type MakeCodec = (type: DuckDBType) => ColumnCodec;
type Values = ArrayLike<number>;
type BigValues = ArrayLike<bigint>;

const asIs: ReadValue<ArrayLike<unknown>> = (values, row) => values[row];

/** Milliseconds since the epoch of a number of units, cut towards the past. */
function dateOf(value: bigint, unitsPerMillisecond: bigint): Date {
  const remainder = ((value % unitsPerMillisecond) + unitsPerMillisecond) % unitsPerMillisecond;
  return new Date(Number((value - remainder) / unitsPerMillisecond));
}

const INFINITE = 2n ** 63n - 1n;

interface TimestampUnit {
  readonly arrow: TimeUnit;
  /** Micro- or nanoseconds per unit, by the digits that are printed. */
  readonly factor: bigint;
  readonly digits: 6 | 9;
}

function timestampCodec({ arrow, factor, digits }: TimestampUnit, timezone: string | null): ColumnCodec {
  const perMillisecond = 10n ** BigInt(digits - 3);
  const read = (values: BigValues, row: number, { dates }: RowOptions): unknown => {
    const value = values[row]!;
    // DuckDB's infinities are the ends of the range. Nanoseconds end in the year 2262, which tables do hold.
    if (digits === 6 && (value === INFINITE || value === -INFINITE))
      return dates === 'Date' ? new Date(Number.NaN) : value > 0n ? 'infinity' : '-infinity';
    const units = value * factor;
    if (dates === 'Date') return dateOf(units, perMillisecond);
    return formatTimestamp(units, digits) + (timezone === null ? '' : 'Z');
  };
  return fixedCodec(new Timestamp(arrow, timezone), BigInt64Array, read);
}

const MICROS: TimestampUnit = { arrow: TimeUnit.MICROSECOND, factor: 1n, digits: 6 };
const INFINITE_DAYS = 2 ** 31 - 1;

const readDate: ReadValue<Values> = (values, row, { dates }) => {
  const days = values[row]!;
  if (days === INFINITE_DAYS || days === -INFINITE_DAYS)
    return dates === 'Date' ? new Date(Number.NaN) : days > 0 ? 'infinity' : '-infinity';
  return dates === 'Date' ? new Date(days * 86_400_000) : formatDate(days);
};

function decimalCodec({ width, scale }: DuckDBDecimalType): ColumnCodec {
  const arrowType = new Decimal(scale, width, 128);
  const read: ReadValue<Uint32Array> = (words, row) => formatDecimal(int128(words, row * 4), scale);
  if (width > 18) return fixedCodec(arrowType, Uint32Array, read, 4);
  const bytes = width > 9 ? 8 : width > 4 ? 4 : 2;
  const write = (source: DataView, offset: number, target: Uint32Array, at: number): void => {
    const low =
      bytes === 8
        ? source.getInt32(offset, true)
        : bytes === 4
          ? source.getInt32(offset, true)
          : source.getInt16(offset, true);
    const high = bytes === 8 ? source.getInt32(offset + 4, true) : low >> 31;
    target[at] = low;
    target[at + 1] = high;
    target[at + 2] = target[at + 3] = high >> 31;
  };
  return rewrittenCodec(arrowType, bytes, 4, write, read);
}

function int128(words: Uint32Array, at: number): bigint {
  const high = BigInt.asIntN(64, (BigInt(words[at + 3]!) << 32n) | BigInt(words[at + 2]!));
  return (high << 64n) | (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
}

/** Stored as a little-endian number with the top bit flipped; Arrow has the bytes in the order of the text. */
const uuidCodec: ColumnCodec = rewrittenCodec(
  new FixedSizeBinary(16),
  16,
  4,
  (source, offset, target, at) => {
    const bytes = new DataView(target.buffer, target.byteOffset + at * 4, 16);
    bytes.setUint32(0, source.getUint32(offset + 12, true) ^ 0x8000_0000);
    bytes.setUint32(4, source.getUint32(offset + 8, true));
    bytes.setUint32(8, source.getUint32(offset + 4, true));
    bytes.setUint32(12, source.getUint32(offset, true));
  },
  (words, row) => {
    const hex = toHex(new Uint8Array(words.buffer, words.byteOffset + row * 16, 16));
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
);

const blob: ColumnCodec = stringCodec(new Binary(), (bytes, start, end) => new Uint8Array(bytes.subarray(start, end)));
const utf8: ColumnCodec = stringCodec(new Utf8(), (bytes, start, end) => bytes.toString('utf8', start, end));

/** Variants leave DuckDB as a struct of their bytes: `variant_to_parquet_variant`'s, or the one that they came in as. */
export function isVariantStruct({ alias, entryNames }: DuckDBStructType): boolean {
  return alias === 'PARQUET_VARIANT' || entryNames.join() === VARIANT_BYTES.join();
}

function structOrVariant(type: DuckDBStructType): ColumnCodec {
  const isVariant = isVariantStruct(type);
  const names = isVariant ? ['metadata', 'value'] : type.entryNames;
  const struct = structCodec(names.map((name, i) => ({ name, codec: codecFor(type.entryTypes[i]!) })));
  if (!isVariant) return struct;
  return {
    ...struct,
    reader: (data, options) => {
      const read = struct.reader(data, options);
      return (row) => {
        const parts = read(row) as { metadata: Uint8Array; value: Uint8Array } | null;
        return parts === null ? null : new Variant(parts.metadata, parts.value);
      };
    },
  };
}

function fixed(arrowType: () => DataType, array: Parameters<typeof fixedCodec>[1]): MakeCodec {
  return () => fixedCodec(arrowType(), array, asIs as never);
}

const CODECS: Readonly<Partial<Record<DuckDBTypeId, MakeCodec>>> = {
  [DuckDBTypeId.BOOLEAN]: () => booleanCodec(new Bool()),
  [DuckDBTypeId.TINYINT]: fixed(() => new Int8(), Int8Array),
  [DuckDBTypeId.SMALLINT]: fixed(() => new Int16(), Int16Array),
  [DuckDBTypeId.INTEGER]: fixed(() => new Int32(), Int32Array),
  [DuckDBTypeId.BIGINT]: fixed(() => new Int64(), BigInt64Array),
  [DuckDBTypeId.UTINYINT]: fixed(() => new Uint8(), Uint8Array),
  [DuckDBTypeId.USMALLINT]: fixed(() => new Uint16(), Uint16Array),
  [DuckDBTypeId.UINTEGER]: fixed(() => new Uint32(), Uint32Array),
  [DuckDBTypeId.UBIGINT]: fixed(() => new Uint64(), BigUint64Array),
  // The 128 bits are the same; of 39 digits, which a sum of longs never has, Arrow's type promises 38.
  [DuckDBTypeId.HUGEINT]: () =>
    fixedCodec(new Decimal(0, 38, 128), Uint32Array, (words, row) => int128(words, row * 4), 4),
  [DuckDBTypeId.UHUGEINT]: (type) => textCodec(type, (text) => BigInt(text)),
  [DuckDBTypeId.BIGNUM]: (type) => textCodec(type, (text) => BigInt(text)),
  [DuckDBTypeId.FLOAT]: fixed(() => new Float32(), Float32Array),
  [DuckDBTypeId.DOUBLE]: fixed(() => new Float64(), Float64Array),
  [DuckDBTypeId.DECIMAL]: (type) => decimalCodec(type as DuckDBDecimalType),
  [DuckDBTypeId.DATE]: () => fixedCodec(new DateDay(), Int32Array, readDate),
  [DuckDBTypeId.TIME]: () =>
    fixedCodec(new TimeMicrosecond(), BigInt64Array, (values, row) => formatTime(values[row]!)),
  [DuckDBTypeId.TIME_NS]: () =>
    fixedCodec(new TimeNanosecond(), BigInt64Array, (values, row) => formatTime(values[row]!, 9)),
  [DuckDBTypeId.TIME_TZ]: (type) => textCodec(type),
  [DuckDBTypeId.TIMESTAMP]: () => timestampCodec(MICROS, null),
  [DuckDBTypeId.TIMESTAMP_TZ]: () => timestampCodec(MICROS, 'UTC'),
  [DuckDBTypeId.TIMESTAMP_S]: () => timestampCodec({ arrow: TimeUnit.SECOND, factor: 1_000_000n, digits: 6 }, null),
  [DuckDBTypeId.TIMESTAMP_MS]: () => timestampCodec({ arrow: TimeUnit.MILLISECOND, factor: 1000n, digits: 6 }, null),
  [DuckDBTypeId.TIMESTAMP_NS]: () => timestampCodec({ arrow: TimeUnit.NANOSECOND, factor: 1n, digits: 9 }, null),
  [DuckDBTypeId.INTERVAL]: (type) => textCodec(type),
  [DuckDBTypeId.VARCHAR]: () => utf8,
  [DuckDBTypeId.BLOB]: () => blob,
  [DuckDBTypeId.GEOMETRY]: () => blob,
  [DuckDBTypeId.BIT]: (type) => textCodec(type),
  [DuckDBTypeId.UUID]: () => uuidCodec,
  [DuckDBTypeId.ENUM]: (type) => enumCodec(type as DuckDBEnumType),
  [DuckDBTypeId.LIST]: (type) => listCodec(codecFor((type as DuckDBListType).valueType)),
  [DuckDBTypeId.ARRAY]: (type) =>
    arrayCodec(codecFor((type as DuckDBArrayType).valueType), (type as DuckDBArrayType).length),
  [DuckDBTypeId.MAP]: (type) =>
    mapCodec(codecFor((type as DuckDBMapType).keyType), codecFor((type as DuckDBMapType).valueType)),
  [DuckDBTypeId.STRUCT]: (type) => structOrVariant(type as DuckDBStructType),
  [DuckDBTypeId.UNION]: (type) => {
    const { memberTags, memberTypes } = type as DuckDBUnionType;
    const members = memberTags.map((name, i) => ({ name, codec: codecFor(memberTypes[i]!) }));
    return unionCodec(members, fixedCodec(new Uint8(), Uint8Array, asIs as never));
  },
  [DuckDBTypeId.SQLNULL]: () => nullCodec(),
};
