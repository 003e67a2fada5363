/**
 * ISO-8601 text of dates, times and timestamps, exact for every value of Iceberg's types. JavaScript's own Date covers
 * neither microseconds nor the range of a 32-bit day count. All of it is UTC and the proleptic Gregorian calendar.
 */

export const MICROS_PER_DAY: bigint = 86_400_000_000n;
export const NANOS_PER_DAY: bigint = 86_400_000_000_000n;

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Units of a timestamp's fraction of a second: 6 digits are microseconds, 9 are nanoseconds. */
export type FractionDigits = 6 | 9;

export interface ParsedTimestamp {
  /** Since the epoch, with the offset taken off. */
  readonly value: bigint;
  /** Seconds east of UTC; null if the text has no zone. */
  readonly offsetSeconds: number | null;
}

const DAYS_PER_ERA = 146_097;
const DATE = /^([+-]?\d{4,9})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?$/;
const ZONE = /(?:[zZ]|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)$/;

/** Days since 1970-01-01. The algorithm counts 400-year eras from 0000-03-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
export function daysFromCivil({ year, month, day }: CivilDate): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - 719_468;
}

/** The inverse of `daysFromCivil`. */
export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/** `2024-02-29`; years beyond four digits carry a sign. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${formatYear(year)}-${twoDigits(month)}-${twoDigits(day)}`;
}

/** Undefined if the text is not a date that exists. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  if (date.month < 1 || date.month > 12 || date.day < 1) return undefined;
  const days = daysFromCivil(date);
  return civilFromDays(days).day === date.day ? days : undefined;
}

/** `12:34:56.000001` for units of one `digits`-digit fraction since midnight. */
export function formatTime(value: bigint, digits: FractionDigits = 6): string {
  return formatTimeOfDay(Number(value), digits);
}

/** A day has fewer units than a double can count. Every row of a result may come by here. */
function formatTimeOfDay(units: number, digits: FractionDigits): string {
  const perSecond = digits === 6 ? 1e6 : 1e9;
  const seconds = Math.floor(units / perSecond);
  const clock = `${twoDigits(Math.floor(seconds / 3600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return `${clock}.${pad(units - seconds * perSecond, digits)}`;
}

/** Undefined if the text is not a time of day, or has more digits than the unit can hold and they aren't zero. */
export function parseTime(text: string, digits: FractionDigits = 6): bigint | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? '0')];
  const fraction = match[4] ?? '';
  if (hour > 23 || minute > 59 || second > 59 || /[1-9]/.test(fraction.slice(digits))) return undefined;
  const units = BigInt(fraction.slice(0, digits).padEnd(digits, '0'));
  return BigInt((hour * 60 + minute) * 60 + second) * 10n ** BigInt(digits) + units;
}

/** `2024-02-29T12:34:56.000001` without a zone. */
export function formatTimestamp(value: bigint, digits: FractionDigits): string {
  const units = Number(value);
  if (digits === 6 && Number.isSafeInteger(units)) {
    const days = Math.floor(units / 86_400e6);
    return `${formatDate(days)}T${formatTimeOfDay(units - days * 86_400e6, digits)}`;
  }
  const perDay = perDayOf(digits);
  const timeOfDay = ((value % perDay) + perDay) % perDay;
  return `${formatDate(Number((value - timeOfDay) / perDay))}T${formatTime(timeOfDay, digits)}`;
}

/**
 * Reads `2024-02-29`, `2024-02-29T12:34`, `2024-02-29 12:34:56.000001+01:00` and what lies between. Undefined if the
 * text is none of these or can't be held exactly in the unit.
 */
export function parseTimestamp(text: string, digits: FractionDigits): ParsedTimestamp | undefined {
  const dateEnd = text.search(/[tT ]/);
  if (dateEnd < 0) {
    const days = parseDate(text);
    return days === undefined ? undefined : { value: BigInt(days) * perDayOf(digits), offsetSeconds: null };
  }
  const days = parseDate(text.slice(0, dateEnd));
  const rest = text.slice(dateEnd + 1);
  const zone = ZONE.exec(rest);
  const time = parseTime((zone ? rest.slice(0, zone.index) : rest).trimEnd(), digits);
  const offsetSeconds = zone ? offsetOf(zone) : null;
  if (days === undefined || time === undefined || offsetSeconds === undefined) return undefined;
  const value = BigInt(days) * perDayOf(digits) + time - BigInt(offsetSeconds ?? 0) * 10n ** BigInt(digits);
  return { value, offsetSeconds };
}

function perDayOf(digits: FractionDigits): bigint {
  return digits === 6 ? MICROS_PER_DAY : NANOS_PER_DAY;
}

/** At most 18 hours, as ISO zone offsets go. */
function offsetOf([, sign, hours, minutes, seconds]: RegExpExecArray): number | undefined {
  if (sign === undefined) return 0;
  const [hour, minute, second] = [Number(hours), Number(minutes ?? '0'), Number(seconds ?? '0')];
  const total = (hour * 60 + minute) * 60 + second;
  if (minute > 59 || second > 59 || total > 18 * 3600) return undefined;
  return sign === '-' ? -total : total;
}

function formatYear(year: number): string {
  if (year > 9999) return `+${year}`;
  return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4);
}

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, value) => pad(value, 2));

function twoDigits(value: number): string {
  return TWO_DIGITS[value] ?? pad(value, 2);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
