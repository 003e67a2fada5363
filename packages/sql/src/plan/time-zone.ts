import { MICROS_PER_DAY, floorDivide } from './calendar.ts';

const MICROS_PER_MS = 1000n;
const HOUR = 3_600_000_000n;
/** Local times were never further from UTC. */
const FURTHEST = 16n * HOUR;
/** Before the year 1650 nothing is looked up. */
const MODERN = -116_880n * MICROS_PER_DAY;
/** Countries change their rules, and DuckDB may know others than Node. */
const RULES_SLACK = HOUR;

/** How far local time may be ahead of UTC, in microseconds, at any instant around one. */
export interface Offsets {
  readonly least: bigint;
  readonly most: bigint;
}

/** A time zone, by its name. */
export class TimeZone {
  readonly isUtc: boolean;
  readonly #format: Intl.DateTimeFormat | null;

  constructor(name: string) {
    this.isUtc = /^(?:Etc\/)?(?:UTC|GMT|UCT|Zulu|Universal|Greenwich)$/i.test(name);
    this.#format = this.isUtc ? null : formatFor(name);
  }

  offsetsAround(micros: bigint): Offsets {
    if (this.isUtc) return { least: 0n, most: 0n };
    const format = this.#format;
    if (format === null || micros < MODERN || micros > LAST_INSTANT) return { least: -FURTHEST, most: FURTHEST };
    const offsets: bigint[] = [];
    for (let at = micros - FURTHEST; at <= micros + FURTHEST; at += 2n * HOUR) offsets.push(offsetAt(format, at));
    return {
      least: offsets.reduce((a, b) => (b < a ? b : a)) - RULES_SLACK,
      most: offsets.reduce((a, b) => (b > a ? b : a)) + RULES_SLACK,
    };
  }
}

/** Within what JavaScript's dates reach, with days to spare. */
const LAST_INSTANT = 8_000_000_000_000_000_000n;

/** Null for a zone that Node doesn't know. */
function formatFor(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
}

function offsetAt(format: Intl.DateTimeFormat, micros: bigint): bigint {
  const seconds = floorDivide(micros, 1000n * MICROS_PER_MS) * 1000n;
  const parts = new Map(format.formatToParts(Number(seconds)).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return (BigInt(local) - seconds) * MICROS_PER_MS;
}
