import { isUuid } from './bytes-text.ts';
import { formatDate, formatTime, formatTimestamp, parseDate, parseTime, parseTimestamp } from './datetime-text.ts';
import type { FractionDigits } from './datetime-text.ts';
import { fitsPrecision, formatDecimal, parseDecimal } from './decimal-text.ts';
import { isInt, isLong } from './integers.ts';
import { isBytes, isDate } from './recognise.ts';
import type { DecimalType, PrimitiveKind, PrimitiveType } from './types.ts';
import type { Value } from './values.ts';
import { Variant } from './variant.ts';

export interface FromValueOptions {
  /** 'Date' gives dates and timestamps as Date objects, cut to milliseconds; text otherwise. */
  readonly dates?: 'Date';
}

/** How one primitive type's values come from users and go back to them. Neither side sees null. */
export interface UserScalar<T> {
  /** Undefined for what the type doesn't take. */
  readonly fromUser: (input: unknown, type: T, what: () => string) => Value | undefined;
  readonly toUser: (value: Value, type: T, options: FromValueOptions) => unknown;
  /** What `fromUser` takes, for the error message. */
  readonly accepts: (type: T) => string;
}

const asItIs = (value: Value): unknown => value;

const bytes: UserScalar<unknown> = {
  fromUser: (input) => (isBytes(input) ? input : undefined),
  toUser: asItIs,
  accepts: () => 'a Uint8Array',
};

const wkb: UserScalar<unknown> = { ...bytes, accepts: () => 'WKB in a Uint8Array' };

/** By primitive type: what users may give, and what they get. */
export const USER_SCALARS: { readonly [K in PrimitiveKind]: UserScalar<Extract<PrimitiveType, { kind: K }>> } = {
  boolean: {
    fromUser: (input) => (typeof input === 'boolean' ? input : undefined),
    toUser: asItIs,
    accepts: () => 'a boolean',
  },
  int: {
    fromUser: (input) => {
      const value = typeof input === 'bigint' ? Number(input) : input;
      return isInt(value) ? value + 0 : undefined; // -0 + 0 is 0
    },
    toUser: asItIs,
    accepts: () => 'a whole number of 32 bits',
  },
  long: {
    fromUser: (input) => {
      const value = Number.isSafeInteger(input) ? BigInt(input as number) : input;
      return isLong(value) ? value : undefined;
    },
    toUser: asItIs,
    accepts: () => 'a bigint of 64 bits, or a whole number up to 2^53',
  },
  float: {
    fromUser: (input) => {
      if (typeof input !== 'number') return undefined;
      const value = Math.fround(input);
      return Number.isFinite(input) && !Number.isFinite(value) ? undefined : value;
    },
    toUser: asItIs,
    accepts: () => 'a number in the range of 32-bit floats',
  },
  double: {
    fromUser: (input) => (typeof input === 'number' ? input : undefined),
    toUser: asItIs,
    accepts: () => 'a number',
  },
  decimal: {
    fromUser: decimalFromUser,
    toUser: (value, { scale }) => formatDecimal(value as bigint, scale),
    accepts: ({ precision, scale }) =>
      `decimal text, a bigint, or a number that is exact, with at most ${scale} of ${precision} digits after the point`,
  },
  date: {
    fromUser: dateFromUser,
    toUser: (value, _, { dates }) =>
      dates === 'Date' ? new Date((value as number) * 86_400_000) : formatDate(value as number),
    accepts: () => "'YYYY-MM-DD' or a Date",
  },
  time: {
    fromUser: (input) => (typeof input === 'string' ? parseTime(input) : undefined),
    toUser: (value) => formatTime(value as bigint),
    accepts: () => "'HH:MM:SS' with up to 6 more digits after a point",
  },
  timestamp: timestamp(6, false),
  timestamptz: timestamp(6, true),
  timestamp_ns: timestamp(9, false),
  timestamptz_ns: timestamp(9, true),
  string: {
    // Half of a surrogate pair has no UTF-8 form; it would come back as another character.
    fromUser: (input) => (typeof input === 'string' && !/[\ud800-\udfff]/u.test(input) ? input : undefined),
    toUser: asItIs,
    accepts: () => 'a string of valid Unicode',
  },
  uuid: {
    fromUser: (input) => (typeof input === 'string' && isUuid(input) ? input.toLowerCase() : undefined),
    toUser: asItIs,
    accepts: () => 'a UUID as text with hyphens',
  },
  fixed: {
    fromUser: (input, { length }) => (isBytes(input) && input.length === length ? input : undefined),
    toUser: asItIs,
    accepts: ({ length }) => `a Uint8Array of ${length} bytes`,
  },
  binary: bytes,
  geometry: wkb,
  geography: wkb,
  unknown: { fromUser: () => undefined, toUser: () => null, accepts: () => 'null only' },
  variant: {
    fromUser: (input, _, what) => asVariant(input) ?? Variant.from(input, what()),
    toUser: asItIs,
    accepts: () => 'a Variant or a JSON value',
  },
};

/** A Variant of another copy of this library is taken as well. */
function asVariant(input: unknown): Variant | undefined {
  if (input instanceof Variant) return input;
  if (typeof input !== 'object' || input === null) return undefined;
  const { kind, metadata, value } = input as Partial<Variant>;
  return kind === 'variant' && isBytes(metadata) && isBytes(value) ? new Variant(metadata, value) : undefined;
}

/** A number counts as exact if no other decimal of the same scale shares its double. */
function decimalFromUser(input: unknown, { precision, scale }: DecimalType): Value | undefined {
  if (typeof input !== 'string' && typeof input !== 'bigint' && typeof input !== 'number') return undefined;
  const unscaled = parseDecimal(String(input), scale);
  if (unscaled === undefined || !fitsPrecision(unscaled, precision)) return undefined;
  return typeof input === 'number' && !Number.isSafeInteger(Number(unscaled)) ? undefined : unscaled;
}

function dateFromUser(input: unknown): Value | undefined {
  const days = isDate(input)
    ? Math.floor(input.getTime() / 86_400_000)
    : typeof input === 'string'
      ? parseDate(input)
      : undefined;
  return isInt(days) ? days : undefined;
}

function timestamp(digits: FractionDigits, zoned: boolean): UserScalar<unknown> {
  const perMillisecond = 10n ** BigInt(digits - 3);
  return {
    fromUser: (input) => {
      const value = timestampFromUser(input, digits, zoned, perMillisecond);
      return isLong(value) ? value : undefined;
    },
    toUser: (value, _, { dates }) => {
      if (dates === 'Date') return new Date(floorDivide(value as bigint, perMillisecond));
      return formatTimestamp(value as bigint, digits) + (zoned ? 'Z' : '');
    },
    accepts: () =>
      `ISO-8601 text with up to ${digits} digits of a second${zoned ? '' : ' and no zone but UTC'}, a Date, or ` +
      `a bigint of ${digits === 6 ? 'micro' : 'nano'}seconds since the epoch, in 64 bits`,
  };
}

function timestampFromUser(
  input: unknown,
  digits: FractionDigits,
  zoned: boolean,
  perMillisecond: bigint,
): bigint | undefined {
  if (typeof input === 'bigint') return input;
  if (isDate(input)) {
    return Number.isNaN(input.getTime()) ? undefined : BigInt(input.getTime()) * perMillisecond;
  }
  const parsed = typeof input === 'string' ? parseTimestamp(input, digits) : undefined;
  // A local time has no place on the time line, so an offset could only be dropped or misread; UTC changes nothing.
  return parsed && (zoned || !parsed.offsetSeconds) ? parsed.value : undefined;
}

function floorDivide(value: bigint, by: bigint): number {
  return Number((value - (((value % by) + by) % by)) / by);
}
