import { invalidArgument, invalidData } from '../errors.ts';
import { bytesToHex, hexToBytes, isUuid } from './bytes-text.ts';
import { formatDate, formatTime, formatTimestamp, parseDate, parseTime, parseTimestamp } from './datetime-text.ts';
import type { FractionDigits } from './datetime-text.ts';
import { fitsPrecision, formatDecimal, parseDecimal } from './decimal-text.ts';
import { isInt, isLong } from './integers.ts';
import { JsonNumber, setOwn } from './json.ts';
import type { JsonValue } from './json.ts';
import { isJsonObject } from './json-fields.ts';
import { typeToText } from './type-text.ts';
import type { IcebergType, TypeKind } from './types.ts';
import type { Value } from './values.ts';
import { wkbToWkt, wktToWkb } from './wkt.ts';

/**
 * The JSON form of a single value (spec: appendix D, "JSON single-value serialization"); null for null. Floats that JSON
 * lacks are the strings "NaN", "Infinity" and "-Infinity". INVALID_ARGUMENT for types without such a form.
 */
export function valueToJson(type: IcebergType, value: Value): JsonValue {
  return value === null ? null : codecOf(type).write(value, type);
}

/** The inverse of `valueToJson`. INVALID_DATA for what can't be a value of the type. */
export function valueFromJson(type: IcebergType, json: JsonValue): Value {
  if (json === null) return null;
  const value = codecOf(type).read(json, type);
  if (value === undefined) {
    throw invalidData(`${shown(json)} is not the JSON form of a value of type ${typeToText(type)}.`);
  }
  return value;
}

interface JsonCodec<T> {
  readonly write: (value: Value, type: T) => JsonValue;
  /** Undefined if the JSON can't be a value of the type. Neither side sees null. */
  readonly read: (json: JsonValue, type: T) => Value | undefined;
}

function codecOf(type: IcebergType): JsonCodec<IcebergType> {
  const codec = CODECS[type.kind] as JsonCodec<IcebergType> | null;
  if (!codec) throw invalidArgument(`Values of type ${typeToText(type)} have no single-value JSON form.`);
  return codec;
}

function textCodec(write: (value: Value) => string, read: (text: string) => Value | undefined): JsonCodec<unknown> {
  return { write, read: (json) => (typeof json === 'string' ? read(json) : undefined) };
}

const float: JsonCodec<unknown> = {
  write: (value) => {
    const number = value as number;
    if (!Number.isFinite(number)) return String(number);
    // The reference implementation refuses `1` where it expects a floating-point number.
    return Number.isInteger(number) && Math.abs(number) < 1e21
      ? new JsonNumber(`${Object.is(number, -0) ? '-0' : number}.0`)
      : number;
  },
  read: (json) => {
    if (typeof json === 'number') return json;
    if (typeof json === 'bigint') return Number(json);
    if (json instanceof JsonNumber) return Number(json.text);
    return json === 'NaN' || json === 'Infinity' || json === '-Infinity' ? Number(json) : undefined;
  },
};

function timestampCodec(digits: FractionDigits, zoned: boolean): JsonCodec<unknown> {
  return textCodec(
    (value) => formatTimestamp(value as bigint, digits) + (zoned ? '+00:00' : ''),
    (text) => {
      const parsed = parseTimestamp(text, digits);
      if (!parsed || !isLong(parsed.value)) return undefined;
      return (parsed.offsetSeconds === null) === !zoned && !parsed.offsetSeconds ? parsed.value : undefined;
    },
  );
}

const hex = textCodec((value) => bytesToHex(value as Uint8Array), hexToBytes);
const wkt = textCodec((value) => wkbToWkt(value as Uint8Array), wktToWkb);

const CODECS: { readonly [K in TypeKind]: JsonCodec<Extract<IcebergType, { kind: K }>> | null } = {
  boolean: { write: (value) => value as boolean, read: (json) => (typeof json === 'boolean' ? json : undefined) },
  int: { write: (value) => value as number, read: (json) => (isInt(json) ? json : undefined) },
  long: {
    write: (value) => value as bigint,
    read: (json) => {
      const value = typeof json === 'number' && Number.isSafeInteger(json) ? BigInt(json) : json;
      return isLong(value) ? value : undefined;
    },
  },
  float: { write: float.write, read: (json, type) => roundToFloat(float.read(json, type)) },
  double: float,
  decimal: {
    write: (value, { scale }) => formatDecimal(value as bigint, scale),
    read: (json, { precision, scale }) => {
      const unscaled = typeof json === 'string' ? parseDecimal(json, scale) : undefined;
      return unscaled !== undefined && fitsPrecision(unscaled, precision) ? unscaled : undefined;
    },
  },
  date: textCodec(
    (value) => formatDate(value as number),
    (text) => {
      const days = parseDate(text);
      return isInt(days) ? days : undefined;
    },
  ),
  time: textCodec((value) => formatTime(value as bigint), parseTime),
  timestamp: timestampCodec(6, false),
  timestamptz: timestampCodec(6, true),
  timestamp_ns: timestampCodec(9, false),
  timestamptz_ns: timestampCodec(9, true),
  string: textCodec(
    (value) => value as string,
    (text) => text,
  ),
  uuid: textCodec(
    (value) => value as string,
    (text) => (isUuid(text) ? text.toLowerCase() : undefined),
  ),
  fixed: {
    write: hex.write,
    read: (json, type) => {
      const bytes = hex.read(json, type) as Uint8Array | undefined;
      return bytes?.length === type.length ? bytes : undefined;
    },
  },
  binary: hex,
  geometry: wkt,
  geography: wkt,
  unknown: null,
  variant: null,
  struct: {
    write: (value, { fields }) => {
      const object: Record<string, JsonValue> = {};
      (value as readonly Value[]).forEach((item, i) => {
        const field = fields[i]!;
        if (item !== null) setOwn(object, String(field.id), valueToJson(field.type, item));
      });
      return object;
    },
    read: (json, { fields }) =>
      isJsonObject(json) ? fields.map((field) => valueFromJson(field.type, json[String(field.id)] ?? null)) : undefined,
  },
  list: {
    write: (value, { element }) => (value as readonly Value[]).map((item) => valueToJson(element, item)),
    read: (json, { element }) => (isList(json) ? json.map((item) => valueFromJson(element, item)) : undefined),
  },
  map: {
    write: (entries, { key, value }) => ({
      keys: (entries as readonly (readonly Value[])[]).map((entry) => valueToJson(key, entry[0]!)),
      values: (entries as readonly (readonly Value[])[]).map((entry) => valueToJson(value, entry[1]!)),
    }),
    read: (json, { key, value }) => {
      const [keys, values] = isJsonObject(json) ? [json['keys'] ?? null, json['values'] ?? null] : [null, null];
      if (!isList(keys) || !isList(values) || keys.length !== values.length) return undefined;
      return keys.map((item, i) => [valueFromJson(key, item), valueFromJson(value, values[i]!)]);
    },
  },
};

function roundToFloat(value: Value | undefined): Value | undefined {
  return typeof value === 'number' ? Math.fround(value) : undefined;
}

function isList(json: JsonValue): json is readonly JsonValue[] {
  return Array.isArray(json);
}

function shown(json: JsonValue): string {
  if (json instanceof JsonNumber) return json.text;
  if (typeof json === 'object') return isList(json) ? 'A list' : 'An object';
  return String(json).slice(0, 100);
}
