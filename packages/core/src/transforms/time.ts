import { civilFromDays, daysFromCivil, MICROS_PER_DAY, NANOS_PER_DAY } from '../spec/datetime-text.ts';
import type { PrimitiveKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { floorDivide } from './floor.ts';

export type TimeTransformKind = 'year' | 'month' | 'day' | 'hour';

/** Units of each time type in a day: a date counts days, timestamps micro- or nanoseconds. */
const UNITS_PER_DAY: { readonly [K in PrimitiveKind]?: bigint } = {
  date: 1n,
  timestamp: MICROS_PER_DAY,
  timestamptz: MICROS_PER_DAY,
  timestamp_ns: NANOS_PER_DAY,
  timestamptz_ns: NANOS_PER_DAY,
};

/** Whole days since 1970-01-01 to years, months or days since then; all of it floors (1969-12-31 is year -1). */
const FROM_DAYS: { readonly [K in 'year' | 'month' | 'day']: (days: number) => number } = {
  year: (days) => civilFromDays(days).year - 1970,
  month: (days) => {
    const { year, month } = civilFromDays(days);
    return (year - 1970) * 12 + month - 1;
  },
  day: (days) => days,
};

/** The first day of a year, month or day that is counted from 1970-01-01. */
const TO_DAYS: { readonly [K in 'year' | 'month' | 'day']: (ordinal: number) => number } = {
  year: (year) => daysFromCivil({ year: year + 1970, month: 1, day: 1 }),
  month: (month) =>
    daysFromCivil({ year: 1970 + Math.floor(month / 12), month: month - 12 * Math.floor(month / 12) + 1, day: 1 }),
  day: (day) => day,
};

/** The transform of a non-null value of the type; null if it doesn't take this type. */
export function timeFunction(kind: TimeTransformKind, source: PrimitiveKind): ((value: Value) => number) | null {
  const perDay = UNITS_PER_DAY[source];
  if (perDay === undefined) return null;
  if (kind === 'hour') {
    return source === 'date' ? null : (value) => Number(floorDivide(value as bigint, perDay / 24n));
  }
  const fromDays = FROM_DAYS[kind];
  if (source === 'date') return (value) => fromDays(value as number);
  return (value) => fromDays(Number(floorDivide(value as bigint, perDay)));
}

/**
 * The smallest value, in the source type's units, that the transform maps to `ordinal`. It may lie outside the type's
 * range, which is why it is a bigint for dates too.
 */
export function firstOfTimeUnit(kind: TimeTransformKind, source: PrimitiveKind, ordinal: number): bigint {
  const perDay = UNITS_PER_DAY[source]!;
  return kind === 'hour' ? BigInt(ordinal) * (perDay / 24n) : BigInt(TO_DAYS[kind](ordinal)) * perDay;
}
