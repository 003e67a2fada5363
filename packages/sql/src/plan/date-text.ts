import { civilFromDays, daysFromCivil } from '@lh/core/engine';
import type { Range, RangeSet } from './ranges.ts';
import { whole } from './rationals.ts';

/** How a date is written: the year first, then maybe the month, then maybe the day. */
export interface DateFormat {
  readonly beforeMonth: string | null;
  readonly beforeDay: string | null;
  /** The time of day may follow. */
  readonly hasMore: boolean;
}

/** How casts write dates, and times with more behind. */
export function castFormat(hasMore: boolean): DateFormat {
  return { beforeMonth: '-', beforeDay: '-', hasMore };
}

/** A format of `strftime` whose texts sort as its dates do; undefined for others. */
export function dateFormat(format: string): DateFormat | undefined {
  const parts = /^%Y(?:([^%]*)%m(?:([^%]*)%d(.*))?)?$/s.exec(format);
  if (!parts) return undefined;
  return { beforeMonth: parts[1] ?? null, beforeDay: parts[2] ?? null, hasMore: (parts[3] ?? '') !== '' };
}

/** What is asked of a text. */
export type TextOp = 'eq' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'prefix';

/** Years of four digits. Texts of others sort elsewhere, so these dates stay in question whatever is asked. */
const FIRST_DAY = daysFromCivil({ year: 1000, month: 1, day: 1 });
const LAST_DAY = daysFromCivil({ year: 9999, month: 12, day: 31 });

/** The days whose texts may pass, in days since 1970. */
export function daysOfText(format: DateFormat, op: TextOp, text: string): RangeSet {
  const given = format.hasMore ? text.slice(0, dayText(format, FIRST_DAY).length) : text;
  // With more behind, a day's text is only the beginning of what is compared.
  const isStrict = !format.hasMore;
  const isBelow = (day: string): boolean => (op === 'gt' && isStrict ? day <= given : day < given);
  const isNotAbove = (day: string): boolean => {
    if (op === 'prefix') return day < given || day.startsWith(given);
    return op === 'lt' && isStrict ? day < given : day <= given;
  };
  const first = op === 'lt' || op === 'lteq' ? FIRST_DAY : lastDay(format, isBelow) + 1;
  const last = op === 'gt' || op === 'gteq' ? LAST_DAY : lastDay(format, isNotAbove);
  const found: readonly Range[] = first <= last ? [days(first, last + 1)] : [];
  return { ranges: [days(null, FIRST_DAY), ...found, days(LAST_DAY + 1, null)], holdsNaN: false };
}

function days(from: number | null, to: number | null): Range {
  return {
    low: from === null ? null : { at: whole(BigInt(from)), inclusive: true },
    high: to === null ? null : { at: whole(BigInt(to)), inclusive: false },
  };
}

/** The last day that passes, where all before one that passes do as well. */
function lastDay(format: DateFormat, passes: (text: string) => boolean): number {
  let [low, high] = [FIRST_DAY - 1, LAST_DAY];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(dayText(format, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

function dayText({ beforeMonth, beforeDay }: DateFormat, day: number): string {
  const civil = civilFromDays(day);
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = beforeMonth === null ? '' : `${beforeMonth}${two(civil.month)}`;
  return `${civil.year}${month}${beforeDay === null ? '' : `${beforeDay}${two(civil.day)}`}`;
}
