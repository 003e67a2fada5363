import { invalidArgument } from '../errors.ts';
import { bytesToHex } from './bytes-text.ts';
import { childPlace, placeText, rootPlace } from './place.ts';
import type { Place } from './place.ts';
import { isBytes, isDate } from './recognise.ts';
import { typeToText } from './type-text.ts';
import { isPrimitive } from './types.ts';
import type { IcebergType, ListType, MapType, NestedField, NestedType, PrimitiveType, StructType } from './types.ts';
import { USER_SCALARS } from './user-scalars.ts';
import type { FromValueOptions, UserScalar } from './user-scalars.ts';
import type { Value } from './values.ts';
import { Variant } from './variant.ts';

export type { FromValueOptions } from './user-scalars.ts';

/**
 * Turns what a user gives for a value into the exact `Value` of the type, or refuses it: nothing is rounded (but a
 * double into a float column), cut or guessed. Null and undefined are null; whether that may be is the caller's to
 * check, except inside lists, maps and structs. A struct's missing fields take their write default.
 *
 * INVALID_ARGUMENT that names `what`, and the place inside it.
 */
export function toValue(type: IcebergType, input: unknown, what: string): Value {
  return convert(type, input, rootPlace(what));
}

/** The form in which users get a value back, as the README's table has it. */
export function fromValue(type: IcebergType, value: Value, options: FromValueOptions = {}): unknown {
  if (value === null) return null;
  if (isPrimitive(type)) return scalarOf(type).toUser(value, type, options);
  const toUser = NESTED[type.kind].toUser as (
    value: readonly Value[],
    type: NestedType,
    options: FromValueOptions,
  ) => unknown;
  return toUser(value as readonly Value[], type, options);
}

interface NestedCodec<T> {
  readonly fromUser: (input: unknown, type: T, place: Place) => Value;
  readonly toUser: (value: readonly Value[], type: T, options: FromValueOptions) => unknown;
}

const NESTED: { readonly [K in NestedType['kind']]: NestedCodec<Extract<NestedType, { kind: K }>> } = {
  struct: {
    fromUser: structFromUser,
    toUser: (value, { fields }, options) =>
      Object.fromEntries(fields.map((field, i) => [field.name, fromValue(field.type, value[i] ?? null, options)])),
  },
  list: {
    fromUser: listFromUser,
    toUser: (value, { element }, options) => value.map((item) => fromValue(element, item, options)),
  },
  map: {
    fromUser: mapFromUser,
    toUser: (entries, { key, value }, options) =>
      new Map(
        entries.map((entry) => {
          const [entryKey, entryValue] = entry as readonly [Value, Value];
          return [fromValue(key, entryKey, options), fromValue(value, entryValue, options)];
        }),
      ),
  },
};

function scalarOf(type: PrimitiveType): UserScalar<PrimitiveType> {
  return USER_SCALARS[type.kind] as UserScalar<PrimitiveType>;
}

function convert(type: IcebergType, input: unknown, place: Place): Value {
  if (input === null || input === undefined) return null;
  if (!isPrimitive(type)) {
    const fromUser = NESTED[type.kind].fromUser as (input: unknown, type: NestedType, place: Place) => Value;
    return fromUser(input, type, place);
  }
  const scalar = scalarOf(type);
  const value = scalar.fromUser(input, type, () => placeText(place));
  return value === undefined ? refuse(type, input, place, scalar.accepts(type)) : value;
}

function convertRequired(type: IcebergType, required: boolean, input: unknown, place: Place): Value {
  const value = convert(type, input, place);
  if (value === null && required) throw invalidArgument(`${placeText(place)} is required, but has no value.`);
  return value;
}

function structFromUser(input: unknown, type: StructType, place: Place): Value {
  if (typeof input !== 'object' || Array.isArray(input) || input instanceof Map || isBytes(input)) {
    return refuse(type, input, place, 'an object');
  }
  const given = input as Readonly<Record<string, unknown>>;
  let known = 0;
  const values = type.fields.map((field) => {
    const present = Object.hasOwn(given, field.name);
    if (present) known++;
    const fieldPlace = childPlace(place, field.name);
    if (present && given[field.name] !== undefined) {
      return convertRequired(field.type, field.required, given[field.name], fieldPlace);
    }
    return missingValue(field, fieldPlace);
  });
  if (Object.keys(given).length > known) refuseUnknownFields(given, type, place);
  return values;
}

/** The write default. A struct's can only be empty: its fields then take theirs (spec: "Default values"). */
function missingValue(field: NestedField, place: Place): Value {
  const value = field.writeDefault ?? null;
  if (value !== null && field.type.kind === 'struct') return structFromUser({}, field.type, place);
  return value ?? convertRequired(field.type, field.required, null, place);
}

function refuseUnknownFields(given: Readonly<Record<string, unknown>>, type: StructType, place: Place): void {
  const names = type.fields.map((field) => field.name);
  const unknown = Object.keys(given).find((name) => given[name] !== undefined && !names.includes(name));
  if (unknown === undefined) return;
  const known = names.map((name) => `'${name}'`).join(', ');
  throw invalidArgument(`${placeText(place)} has no field '${unknown}'; its fields are ${known}.`);
}

function listFromUser(input: unknown, type: ListType, place: Place): Value {
  if (!Array.isArray(input)) return refuse(type, input, place, 'an array');
  // A loop takes holes for nulls, which map() doesn't, at a tenth of what Array.from takes.
  const values: Value[] = [];
  for (let i = 0; i < input.length; i++) {
    values.push(convertRequired(type.element, type.elementRequired, input[i], childPlace(place, i)));
  }
  return values;
}

function mapFromUser(input: unknown, type: MapType, place: Place): Value {
  const pairs = pairsOf(input, type);
  if (!pairs) {
    const accepts = `a Map or an array of [key, value] pairs${type.key.kind === 'string' ? ', or an object' : ''}`;
    return refuse(type, input, place, accepts);
  }
  const seen = new Set<string>();
  return pairs.map(([key, value], i) => {
    const entryPlace = typeof key === 'string' ? childPlace(place, key) : childPlace(place, i);
    const entryKey = convertRequired(type.key, true, key, childPlace(entryPlace, 'key'));
    const identity = keyIdentity(entryKey);
    if (seen.has(identity)) throw invalidArgument(`${placeText(place)} has the key ${show(key)} twice.`);
    seen.add(identity);
    return [entryKey, convertRequired(type.value, type.valueRequired, value, entryPlace)];
  });
}

function pairsOf(input: unknown, type: MapType): readonly (readonly [unknown, unknown])[] | undefined {
  if (input instanceof Map) return [...(input as ReadonlyMap<unknown, unknown>)];
  if (Array.isArray(input)) return input.every(isPair) ? input : undefined;
  const isObject = typeof input === 'object' && input !== null && !isBytes(input) && !isDate(input);
  return isObject && type.key.kind === 'string' ? Object.entries(input) : undefined;
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

/** Text that is equal for equal keys: values are told apart by their own form, so the type need not be in it. */
function keyIdentity(key: Value): string {
  if (key instanceof Variant) return keyIdentity([key.metadata, key.value]);
  if (key instanceof Uint8Array) return `0x${bytesToHex(key)}`;
  if (typeof key === 'object' && key !== null) return `[${key.map(keyIdentity).join(',')}]`;
  return typeof key === 'string' ? JSON.stringify(key) : Object.is(key, -0) ? '-0' : String(key);
}

function refuse(type: IcebergType, input: unknown, place: Place, accepts: string): never {
  throw invalidArgument(`${placeText(place)} can't hold ${show(input)}: ${typeToText(type)} takes ${accepts}.`);
}

function show(input: unknown): string {
  if (typeof input === 'string') return `'${input.length > 40 ? `${input.slice(0, 40)}…` : input}'`;
  if (typeof input === 'bigint') return `${input}n`;
  if (typeof input === 'number' || typeof input === 'boolean') return `the ${typeof input} ${String(input)}`;
  if (isDate(input)) return Number.isNaN(input.getTime()) ? 'an invalid Date' : `the Date ${input.toISOString()}`;
  if (isBytes(input)) return `${input.length} bytes`;
  if (Array.isArray(input)) return 'an array';
  return typeof input === 'object' ? `an object (${input?.constructor?.name ?? 'Object'})` : `a ${typeof input}`;
}
