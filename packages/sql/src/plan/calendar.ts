import { civilFromDays, daysFromCivil } from '@lh/core/engine';

export const MICROS_PER_DAY = 86_400_000_000n;

/** A unit that `date_trunc` takes, in whole months or in microseconds. */
type Unit = { readonly months: number } | { readonly micros: bigint; readonly origin: bigint };

const ofMicros = (micros: bigint, origin = 0n): Unit => ({ micros, origin });

const UNITS: Readonly<Record<string, Unit>> = {
  year: { months: 12 },
  quarter: { months: 3 },
  month: { months: 1 },
  // Weeks begin on Mondays, and day 0 was a Thursday.
  week: ofMicros(7n * MICROS_PER_DAY, -3n * MICROS_PER_DAY),
  day: ofMicros(MICROS_PER_DAY),
  hour: ofMicros(3_600_000_000n),
  minute: ofMicros(60_000_000n),
  second: ofMicros(1_000_000n),
};

/** A unit by one of the names that DuckDB has for it. */
export function unitNamed(name: string): Unit | undefined {
  const lower = name.toLowerCase();
  const singular = lower.endsWith('s') ? lower.slice(0, -1) : lower;
  return Object.hasOwn(UNITS, singular) ? UNITS[singular] : undefined;
}

/** The first start of a unit that isn't before `micros`. */
export function startAtOrAfter(unit: Unit, micros: bigint): bigint {
  const start = startAtOrBefore(unit, micros);
  return start === micros ? start : startAfter(unit, micros);
}

/** The first start of a unit after `micros`. */
export function startAfter(unit: Unit, micros: bigint): bigint {
  const start = startAtOrBefore(unit, micros);
  return 'micros' in unit ? start + unit.micros : microsOfMonth(monthOf(start) + unit.months);
}

function startAtOrBefore(unit: Unit, micros: bigint): bigint {
  if ('micros' in unit) return floorDivide(micros - unit.origin, unit.micros) * unit.micros + unit.origin;
  return microsOfMonth(Math.floor(monthOf(micros) / unit.months) * unit.months);
}

/** Months since the year 0. */
function monthOf(micros: bigint): number {
  const { year, month } = civilFromDays(Number(floorDivide(micros, MICROS_PER_DAY)));
  return year * 12 + month - 1;
}

function microsOfMonth(months: number): bigint {
  const year = Math.floor(months / 12);
  return BigInt(daysFromCivil({ year, month: months - year * 12 + 1, day: 1 })) * MICROS_PER_DAY;
}

export function startOfYear(year: number): bigint {
  return microsOfMonth(year * 12);
}

/** So many months later, on the same day and time, which may be a few days into the month after. */
export function monthsLater(micros: bigint, months: number): bigint {
  const month = monthOf(micros);
  return microsOfMonth(month + months) + (micros - microsOfMonth(month));
}

export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}
