import { invalidData } from '../errors.ts';
import { MAX_INT, MIN_INT, isLong } from './integers.ts';
import { setOwn } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { childPlace, placeText } from './place.ts';
import type { Place } from './place.ts';
import type { UnknownFields } from './unknown-fields.ts';

/** Takes one JSON value as what it must be; INVALID_DATA that names the place otherwise. */
export type JsonReader<T> = (value: JsonValue, place: Place) => T;

export function wrong(place: Place, expected: string, cause?: unknown): Error {
  return invalidData(`${placeText(place)} must be ${expected}.`, undefined, cause);
}

export const asObject: JsonReader<JsonObject> = (value, place) => {
  if (!isJsonObject(value)) throw wrong(place, 'a JSON object');
  return value;
};

export const asString: JsonReader<string> = (value, place) => {
  if (typeof value !== 'string') throw wrong(place, 'a string');
  return value;
};

export const asBoolean: JsonReader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw wrong(place, 'true or false');
  return value;
};

/** A whole number of 32 bits. */
export const asInt: JsonReader<number> = (value, place) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < MIN_INT || value > MAX_INT) {
    throw wrong(place, 'a whole number of 32 bits');
  }
  return value;
};

/** A whole number of 64 bits. */
export const asLong: JsonReader<bigint> = (value, place) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (!isLong(value)) throw wrong(place, 'a whole number of 64 bits');
  return value;
};

/** A whole number up to 2^53, as times and sizes are. */
export const asSafeInteger: JsonReader<number> = (value, place) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(place, 'a whole number up to 2^53');
  return value;
};

export function asList<T>(item: JsonReader<T>): JsonReader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw wrong(place, 'a list');
    return (value as readonly JsonValue[]).map((entry, i) => item(entry, childPlace(place, i)));
  };
}

/** Values by name; the names are data, so `__proto__` is one like any other. */
export function asRecord<T>(item: JsonReader<T>): JsonReader<Readonly<Record<string, T>>> {
  return (value, place) => {
    const record: Record<string, T> = {};
    for (const [key, entry] of Object.entries(asObject(value, place)))
      setOwn(record, key, item(entry, childPlace(place, key)));
    return record;
  };
}

export const asStringRecord: JsonReader<Readonly<Record<string, string>>> = (value, place) => {
  const object = asObject(value, place);
  // The object becomes part of the model as it is: nothing but strings may be in it.
  for (const key in object) if (typeof object[key] !== 'string') throw wrong(childPlace(place, key), 'a string');
  return object as Readonly<Record<string, string>>;
};

/** A field that must be there and not null. */
export function required<T>(object: JsonObject, key: string, read: JsonReader<T>, place: Place): T {
  const value = own(object, key);
  if (value === null) throw invalidData(`${placeText(place)} lacks the field '${key}'.`);
  return read(value, childPlace(place, key));
}

/** A field that may be missing or null, which mean the same. */
export function optional<T, D>(object: JsonObject, key: string, read: JsonReader<T>, place: Place, missing: D): T | D {
  const value = own(object, key);
  return value === null ? missing : read(value, childPlace(place, key));
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const NONE: UnknownFields = Object.freeze({});

/** The fields that aren't among the known ones, to be written back as they are. */
export function unknownFields(object: JsonObject, known: ReadonlySet<string>): UnknownFields {
  let unknown: Record<string, unknown> | undefined;
  for (const key in object) {
    if (!known.has(key)) setOwn((unknown ??= {}), key, object[key]);
  }
  return unknown ?? NONE;
}

/** The same as a property to spread, so that objects without unknown fields stay as they are. */
export function withUnknownFields(object: JsonObject, known: ReadonlySet<string>): { unknownFields?: UnknownFields } {
  const unknown = unknownFields(object, known);
  return unknown === NONE ? {} : { unknownFields: unknown };
}

function own(object: JsonObject, key: string): JsonValue {
  return Object.hasOwn(object, key) ? object[key]! : null;
}
