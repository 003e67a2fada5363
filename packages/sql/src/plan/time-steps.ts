import { isObject } from '../query/serialized.ts';
import { MICROS_PER_DAY, monthsLater, startAfter, startAtOrAfter, startOfYear, unitNamed } from './calendar.ts';
import { typeId, wholeNumber } from './constants.ts';
import type { PlanExpression } from './plan-expression.ts';
import { mapBounds, scaled, shifted } from './ranges.ts';
import type { Bound, RangeSet } from './ranges.ts';
import { ceil, floor, fraction, plus, times, whole } from './rationals.ts';
import type { Rational } from './rationals.ts';
import { MINUS_ONE, ZONED, constantOf, floored, idOf, measureOf, rounded, textOf, truncated } from './step.ts';
import type { CallStep, Step, StepContext } from './step.ts';
import { TimeZone } from './time-zone.ts';

export interface Interval {
  readonly months: number;
  readonly days: bigint;
  readonly micros: bigint;
}

/** The months, days and microseconds of a constant; undefined if it is no interval. */
export function constantInterval(expression: PlanExpression | undefined): Interval | undefined {
  const constant = constantOf(expression);
  const value = constant?.value;
  if (!constant || typeId(constant.type) !== 'INTERVAL' || !isObject(value)) return undefined;
  const part = (key: string): bigint | undefined => wholeNumber(value[key] ?? null);
  const [months, days, micros] = [part('months'), part('days'), part('micros')];
  if (months === undefined || days === undefined || micros === undefined) return undefined;
  return { months: Number(months), days, micros };
}

/** Beyond what a day and the months before it may differ by. */
const MONTH_SLACK = 4n * MICROS_PER_DAY;
/** A local day has 23 to 25 hours, seldom none or two days. */
const DAY_SLACK = 2n * MICROS_PER_DAY;

/** `child + interval`, or with the sign -1 `child - interval`. */
export function intervalStep(
  child: PlanExpression,
  { months, days, micros }: Interval,
  context: StepContext,
  sign: 1 | -1,
): Step | undefined {
  const id = idOf(child, context);
  if (id !== 'DATE' && id !== 'TIMESTAMP' && id !== ZONED) return undefined;
  const isLocal = id === ZONED && context.zone?.isUtc !== true && (months !== 0 || days !== 0n);
  const slack = (months === 0 ? 0n : MONTH_SLACK) + (isLocal ? DAY_SLACK : 0n);
  const by = -BigInt(sign) * (days * MICROS_PER_DAY + micros);
  const moved = (bound: Bound, away: bigint): Bound => {
    const at = plus(bound.at, whole(by));
    if (slack === 0n) return { at, inclusive: bound.inclusive };
    const moments = months === 0 ? floor(at) : monthsLater(floor(at), -sign * months);
    return { at: whole(moments + away), inclusive: true };
  };
  const preimage = (set: RangeSet): RangeSet => {
    const before = mapBounds(
      set,
      (low) => moved(low, -slack),
      (high) => moved(high, slack + 1n),
    );
    return id === 'DATE' ? scaled(before, fraction(1n, MICROS_PER_DAY)) : before;
  };
  return { child, exact: slack === 0n, preimage };
}

/** Instants whose local times are in the ranges. */
export function instantsOf(set: RangeSet, zone: TimeZone): RangeSet {
  if (zone.isUtc) return set;
  return mapBounds(
    set,
    ({ at }) => ({ at: plus(at, whole(-zone.offsetsAround(floor(at)).most)), inclusive: true }),
    ({ at }) => ({ at: plus(at, whole(-zone.offsetsAround(floor(at)).least)), inclusive: true }),
  );
}

/** Local times whose instants are in the ranges. */
export function localTimesOf(set: RangeSet, zone: TimeZone): RangeSet {
  if (zone.isUtc) return set;
  return mapBounds(
    set,
    ({ at }) => ({ at: plus(at, whole(zone.offsetsAround(floor(at)).least)), inclusive: true }),
    ({ at }) => ({ at: plus(at, whole(zone.offsetsAround(floor(at)).most)), inclusive: true }),
  );
}

/** A function of local time, given what local times in microseconds are in question. */
function ofLocalTime(
  child: PlanExpression | undefined,
  context: StepContext,
  exact: boolean,
  preimage: (set: RangeSet) => RangeSet,
): Step | undefined {
  const id = child && idOf(child, context);
  const { zone } = context;
  if (id === 'TIMESTAMP') return { child: child!, exact, preimage };
  if (id === 'DATE') {
    return { child: child!, exact, preimage: (set) => scaled(preimage(set), fraction(1n, MICROS_PER_DAY)) };
  }
  if (id !== ZONED || zone === null) return undefined;
  return { child: child!, exact: exact && zone.isUtc, preimage: (set) => instantsOf(preimage(set), zone) };
}

const yearStep: CallStep = ([child], context) =>
  ofLocalTime(child, context, true, (set) => {
    // Beyond these years DuckDB's own calendar ends.
    const start = ({ at }: Bound): Rational => {
      const year = floor(at);
      return whole(startOfYear(Number(year < -300_000n ? -300_000n : year > 300_000n ? 300_000n : year)));
    };
    return mapBounds(
      floored(set),
      (low) => ({ at: start(low), inclusive: true }),
      (high) => ({ at: start(high), inclusive: false }),
    );
  });

const truncateStep: CallStep = ([unitName, child], context, type) => {
  const unit = unitNamed(textOf(unitName) ?? '');
  if (!unit) return undefined;
  const perUnit = type === 'DATE' ? MICROS_PER_DAY : 1n;
  return ofLocalTime(child, context, true, (set) => {
    // Of an instant it gives the instant at which the local unit begins.
    const local = type === ZONED && context.zone ? localTimesOf(set, context.zone) : scaled(set, whole(perUnit));
    return mapBounds(
      local,
      ({ at, inclusive }) => {
        const start = inclusive ? startAtOrAfter(unit, ceil(at)) : startAfter(unit, floor(at));
        return { at: whole(start), inclusive: true };
      },
      ({ at, inclusive }) => {
        const end = inclusive ? startAfter(unit, floor(at)) : startAtOrAfter(unit, ceil(at));
        return { at: whole(end), inclusive: false };
      },
    );
  });
};

/** A bucket begins at most its width before what is in it. */
const bucketStep: CallStep = ([width, child, ...others], context, type) => {
  const interval = constantInterval(width);
  if (!interval || !child || others.length > 0) return undefined;
  const { months, days, micros } = interval;
  const most = BigInt(Math.abs(months)) * 31n * MICROS_PER_DAY + days * MICROS_PER_DAY + micros;
  const perUnit = type === 'DATE' ? MICROS_PER_DAY : 1n;
  if (most <= 0n || (type !== 'DATE' && type !== 'TIMESTAMP')) return undefined;
  return ofLocalTime(child, context, false, (set) =>
    mapBounds(
      scaled(set, whole(perUnit)),
      (low) => low,
      ({ at }) => ({ at: plus(at, whole(most)), inclusive: true }),
    ),
  );
};

const lastDayStep: CallStep = ([child], context) =>
  ofLocalTime(child, context, false, (set) =>
    mapBounds(
      scaled(set, whole(MICROS_PER_DAY)),
      ({ at }) => ({ at: plus(at, whole(-31n * MICROS_PER_DAY)), inclusive: true }),
      ({ at }) => ({ at: plus(at, whole(MICROS_PER_DAY)), inclusive: true }),
    ),
  );

/** Microseconds since 1970 over a number: an instant or a local time counts alike. */
function epochStep(micros: bigint): CallStep {
  return ([child], context, type) => {
    const id = child && idOf(child, context);
    if (!child || (id !== 'TIMESTAMP' && id !== ZONED)) return undefined;
    // Those of thousands drop the fraction, and seconds are doubles.
    const preimage = (set: RangeSet): RangeSet => {
      const given = type === 'DOUBLE' ? rounded(set, type) : micros === 1n ? set : truncated(set);
      return scaled(given, whole(micros));
    };
    return { child, exact: type !== 'DOUBLE', preimage };
  };
}

/** `datediff('day', x, constant)` counts midnights between the two. */
const dayDifferenceStep: CallStep = ([part, from, to], context) => {
  const days = [from, to].map((side) => (side && idOf(side, context) === 'DATE' ? measureOf(side) : undefined));
  if (textOf(part)?.toLowerCase() !== 'day') return undefined;
  if (days[1] && from && idOf(from, context) === 'DATE') {
    return { child: from, exact: true, preimage: (set) => scaled(shifted(set, times(days[1]!, MINUS_ONE)), MINUS_ONE) };
  }
  if (days[0] && to && idOf(to, context) === 'DATE') {
    return { child: to, exact: true, preimage: (set) => shifted(set, days[0]!) };
  }
  return undefined;
};

/** `x AT TIME ZONE name`: of an instant, the local time there. */
const zoneStep: CallStep = ([name, child], context, type) => {
  const text = textOf(name);
  if (text === undefined || !child || type !== 'TIMESTAMP' || idOf(child, context) !== ZONED) return undefined;
  const zone = new TimeZone(text);
  return { child, exact: false, preimage: (set) => instantsOf(set, zone) };
};

/** Functions of times, by DuckDB's names. */
export const TIME_STEPS: Readonly<Record<string, CallStep>> = {
  year: yearStep,
  date_trunc: truncateStep,
  datetrunc: truncateStep,
  time_bucket: bucketStep,
  last_day: lastDayStep,
  epoch: epochStep(1_000_000n),
  epoch_ms: epochStep(1000n),
  epoch_us: epochStep(1n),
  datediff: dayDifferenceStep,
  date_diff: dayDifferenceStep,
  timezone: zoneStep,
};
