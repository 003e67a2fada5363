import { invalidArgument } from '../errors.ts';
import { isUuid } from '../spec/bytes-text.ts';
import { MICROS_PER_DAY, NANOS_PER_DAY, parseDate, parseTime, parseTimestamp } from '../spec/datetime-text.ts';
import { parseDecimal } from '../spec/decimal-text.ts';
import { MAX_INT, MAX_LONG, MIN_INT, MIN_LONG } from '../spec/integers.ts';
import { typeToText } from '../spec/type-text.ts';
import type { PrimitiveKind, PrimitiveType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { floorDivide } from '../transforms/floor.ts';
import type { Literal, TypedLiteral } from './expression.ts';
import { literalToText } from './literal-text.ts';

/**
 * Where a literal lies among the values of a type. A literal needn't be one of them: 3.5 lies after the int 3, and
 * 3000000000 above all ints. Comparisons with it still have an exact answer.
 */
export type LiteralPosition =
  | { readonly at: 'value'; readonly value: Value }
  /** Greater than `value`, and less than the next greater value of the type. */
  | { readonly at: 'after'; readonly value: Value }
  | { readonly at: 'above' }
  | { readonly at: 'below' };

/** INVALID_ARGUMENT if the literal can't be compared with values of the type; `what` names the column. */
export function literalPosition(type: PrimitiveType, literal: Literal, what: string): LiteralPosition {
  const position = POSITIONS[type.kind](literal, type);
  if (position) return position;
  throw invalidArgument(
    `${what} is of type ${typeToText(type)} and can't be compared with ${literalToText(literal)}; give ${EXPECTED[type.kind]}.`,
  );
}

/** The position of a whole number of a type's units: days of a date, the unscaled value of a decimal. */
export function unitsPosition(type: PrimitiveType, units: bigint): LiteralPosition {
  const { min, max } = rangeOf(type);
  if (units > max) return { at: 'above' };
  if (units < min) return { at: 'below' };
  return { at: 'value', value: type.kind === 'int' || type.kind === 'date' ? Number(units) : units };
}

type ToPosition = (literal: Literal, type: PrimitiveType) => LiteralPosition | undefined;

const POSITIONS: { readonly [K in PrimitiveKind]: ToPosition } = {
  boolean: (literal) => exactly(typeof literal === 'boolean' ? literal : undefined),
  int: numeric,
  long: numeric,
  decimal: numeric,
  float: floating,
  double: floating,
  date: (literal, type) => temporal(dateNanos(literal), NANOS_PER_DAY, type),
  time: (literal, type) => temporal(timeNanos(literal), 1000n, type),
  timestamp: (literal, type) => temporal(timestampNanos(literal, false, 1000n), 1000n, type),
  timestamptz: (literal, type) => temporal(timestampNanos(literal, true, 1000n), 1000n, type),
  timestamp_ns: (literal, type) => temporal(timestampNanos(literal, false, 1n), 1n, type),
  timestamptz_ns: (literal, type) => temporal(timestampNanos(literal, true, 1n), 1n, type),
  // Half of a surrogate pair has no UTF-8 form, so no stored string can hold it.
  string: (literal) => exactly(typeof literal === 'string' && !/[\ud800-\udfff]/u.test(literal) ? literal : undefined),
  uuid: (literal) => exactly(typeof literal === 'string' && isUuid(literal) ? literal.toLowerCase() : undefined),
  fixed: (literal, type) =>
    exactly(
      literal instanceof Uint8Array && type.kind === 'fixed' && literal.length === type.length ? literal : undefined,
    ),
  binary: (literal) => exactly(literal instanceof Uint8Array ? literal : undefined),
  unknown: () => ({ at: 'above' }),
  variant: () => undefined,
  geometry: () => undefined,
  geography: () => undefined,
};

const TIMESTAMP = "a timestamp such as '2024-01-31T12:00:00', a Date, or a bigint of";
const ZONED = "a timestamp such as '2024-01-31T12:00:00Z', a Date, or a bigint of";
const NUMBER = 'a number';
const NOTHING = 'no literal at all';

const EXPECTED: { readonly [K in PrimitiveKind]: string } = {
  boolean: 'true or false',
  int: NUMBER,
  long: NUMBER,
  decimal: NUMBER,
  float: NUMBER,
  double: NUMBER,
  date: "a date such as '2024-01-31'",
  time: "a time of day such as '12:00:00'",
  timestamp: `${TIMESTAMP} microseconds, and no zone but UTC`,
  timestamptz: `${ZONED} microseconds`,
  timestamp_ns: `${TIMESTAMP} nanoseconds, and no zone but UTC`,
  timestamptz_ns: `${ZONED} nanoseconds`,
  string: 'a string of valid Unicode',
  uuid: 'a UUID as text with hyphens',
  fixed: 'as many bytes as the type has',
  binary: 'bytes',
  unknown: NOTHING,
  variant: NOTHING,
  geometry: NOTHING,
  geography: NOTHING,
};

function exactly(value: Value | undefined): LiteralPosition | undefined {
  return value === undefined ? undefined : { at: 'value', value };
}

function rangeOf(type: PrimitiveType): { readonly min: bigint; readonly max: bigint } {
  if (type.kind === 'int' || type.kind === 'date') return { min: BigInt(MIN_INT), max: BigInt(MAX_INT) };
  if (type.kind === 'time') return { min: 0n, max: MICROS_PER_DAY - 1n };
  if (type.kind !== 'decimal') return { min: MIN_LONG, max: MAX_LONG };
  const max = 10n ** BigInt(type.precision) - 1n;
  return { min: -max, max };
}

function numeric(literal: Literal, type: PrimitiveType): LiteralPosition | undefined {
  const text = numberText(literal);
  if (text === undefined) return undefined;
  if (text === 'NaN' || text === 'Infinity') return { at: 'above' };
  if (text === '-Infinity') return { at: 'below' };
  const scale = type.kind === 'decimal' ? type.scale : 0;
  // Digits enough to hold the text exactly, then cut to the type's scale.
  const digits = /^[^.eE]*\.?(\d*)(?:[eE](.*))?$/.exec(text);
  const exactScale = Math.max(scale, (digits?.[1]?.length ?? 0) - Number(digits?.[2] ?? 0));
  const unscaled = parseDecimal(text, exactScale);
  if (unscaled === undefined) return undefined;
  return between(unscaled, 10n ** BigInt(exactScale - scale), type);
}

function floating(literal: Literal, type: PrimitiveType): LiteralPosition | undefined {
  const text = numberText(literal);
  if (text === undefined) return undefined;
  const double = Number(text);
  const value = type.kind === 'float' ? Math.fround(double) : double;
  // Beyond the largest float, but not infinite.
  if (value === Infinity && Number.isFinite(double)) return { at: 'after', value: MAX_FLOAT };
  if (value === -Infinity && Number.isFinite(double)) return { at: 'after', value: -Infinity };
  // Both zeros are equal, so one will do.
  return { at: 'value', value: value === 0 ? 0 : value };
}

const MAX_FLOAT = 2 ** 128 - 2 ** 104;

/** The text of a number; strings are taken as SQL takes them. */
function numberText(literal: Literal): string | undefined {
  if (typeof literal === 'number' || typeof literal === 'bigint') return String(literal);
  const text = typeof literal === 'string' ? literal.trim() : isTyped(literal, 'decimal') ? literal.text : undefined;
  if (text === undefined) return undefined;
  const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(text);
  if (special) return special[2]!.toLowerCase() === 'nan' ? 'NaN' : special[1] === '-' ? '-Infinity' : 'Infinity';
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/.test(text) ? text : undefined;
}

/** The position of `amount` in a type whose values are whole multiples of `step`. */
function between(amount: bigint, step: bigint, type: PrimitiveType): LiteralPosition {
  const units = floorDivide(amount, step);
  const position = unitsPosition(type, units);
  if (units * step === amount) return position;
  // Just below the smallest value, or just above the largest.
  if (position.at === 'below') return position;
  return position.at === 'value' ? { at: 'after', value: position.value } : position;
}

function temporal(nanos: bigint | undefined, step: bigint, type: PrimitiveType): LiteralPosition | undefined {
  return nanos === undefined ? undefined : between(nanos, step, type);
}

function isTyped(literal: Literal, ...kinds: readonly TypedLiteral['type'][]): literal is TypedLiteral {
  return typeof literal === 'object' && 'type' in literal && kinds.includes(literal.type);
}

function textOf(literal: Literal, ...kinds: readonly TypedLiteral['type'][]): string | undefined {
  if (typeof literal === 'string') return literal.trim();
  return isTyped(literal, ...kinds) ? literal.text : undefined;
}

/** A Date given for a date column means its UTC day; text with a time of day is compared as a timestamp. */
function dateNanos(literal: Literal): bigint | undefined {
  if (literal instanceof Date) {
    return Number.isNaN(literal.getTime())
      ? undefined
      : BigInt(Math.floor(literal.getTime() / 86_400_000)) * NANOS_PER_DAY;
  }
  const text = textOf(literal, 'date', 'timestamp', 'timestamptz');
  if (text === undefined) return undefined;
  const days = parseDate(text);
  return days === undefined ? parseTimestamp(text, 9)?.value : BigInt(days) * NANOS_PER_DAY;
}

function timeNanos(literal: Literal): bigint | undefined {
  const text = textOf(literal, 'time');
  return text === undefined ? undefined : parseTime(text, 9);
}

/** A bigint counts the column's own units, which are `unit` nanoseconds long. */
function timestampNanos(literal: Literal, zoned: boolean, unit: bigint): bigint | undefined {
  if (typeof literal === 'bigint') return literal * unit;
  if (literal instanceof Date)
    return Number.isNaN(literal.getTime()) ? undefined : BigInt(literal.getTime()) * 1_000_000n;
  const text = textOf(literal, 'date', 'timestamp', 'timestamptz');
  const parsed = text === undefined ? undefined : parseTimestamp(text, 9);
  // A local time has no place on the time line, so an offset could only be dropped or misread; UTC changes nothing.
  return parsed && (zoned || !parsed.offsetSeconds) ? parsed.value : undefined;
}
