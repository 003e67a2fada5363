import { compare, plus, times } from './rationals.ts';
import type { Rational } from './rationals.ts';

/** An end of a range. */
export interface Bound {
  readonly at: Rational;
  readonly inclusive: boolean;
}

/** The values between two ends; null for an end that isn't there. */
export interface Range {
  readonly low: Bound | null;
  readonly high: Bound | null;
}

/** What an expression may be: numbers as themselves, dates in days, times in their own unit. */
export interface RangeSet {
  readonly ranges: readonly Range[];
  /** It holds NaN, which DuckDB sorts above every other number. */
  readonly holdsNaN: boolean;
}

export type OrderOp = 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq';

/** The values that `op` holds for, against `at`. */
export function rangesOf(op: OrderOp, at: Rational): RangeSet {
  const below = (inclusive: boolean): Range => ({ low: null, high: { at, inclusive } });
  const above = (inclusive: boolean): Range => ({ low: { at, inclusive }, high: null });
  switch (op) {
    case 'eq':
      return { ranges: [{ low: { at, inclusive: true }, high: { at, inclusive: true } }], holdsNaN: false };
    case 'neq':
      return { ranges: [below(false), above(false)], holdsNaN: true };
    case 'lt':
    case 'lteq':
      return { ranges: [below(op === 'lteq')], holdsNaN: false };
    case 'gt':
    case 'gteq':
      return { ranges: [above(op === 'gteq')], holdsNaN: true };
  }
}

export type MapBound = (bound: Bound) => Bound;

/** The same ranges with their ends moved. */
export function mapBounds({ ranges, holdsNaN }: RangeSet, low: MapBound, high: MapBound): RangeSet {
  return {
    ranges: ranges.map((range) => ({ low: range.low && low(range.low), high: range.high && high(range.high) })),
    holdsNaN,
  };
}

/** By `x + by`. */
export function shifted(set: RangeSet, by: Rational): RangeSet {
  const move: MapBound = ({ at, inclusive }) => ({ at: plus(at, by), inclusive });
  return mapBounds(set, move, move);
}

/** By `x * by`, which isn't 0; a negative factor turns the order around. */
export function scaled(set: RangeSet, by: Rational): RangeSet {
  const move: MapBound = ({ at, inclusive }) => ({ at: times(at, by), inclusive });
  const { ranges, holdsNaN } = mapBounds(set, move, move);
  return { ranges: by.numerator < 0n ? ranges.map(({ low, high }) => ({ low: high, high: low })) : ranges, holdsNaN };
}

/** Ranges that hold the given ones with some more on both sides. */
export function widened(set: RangeSet, slack: (at: Rational) => Rational): RangeSet {
  return mapBounds(
    set,
    ({ at }) => ({ at: plus(at, times(slack(at), MINUS_ONE)), inclusive: true }),
    ({ at }) => ({ at: plus(at, slack(at)), inclusive: true }),
  );
}

const MINUS_ONE: Rational = { numerator: -1n, denominator: 1n };

export function contains({ ranges }: RangeSet, at: Rational): boolean {
  return ranges.some(({ low, high }) => {
    const isAbove = low === null || compare(at, low.at) > 0 || (low.inclusive && compare(at, low.at) === 0);
    const isBelow = high === null || compare(at, high.at) < 0 || (high.inclusive && compare(at, high.at) === 0);
    return isAbove && isBelow;
  });
}

/** What isn't above all of the ranges. */
export function downFrom({ ranges, holdsNaN }: RangeSet): RangeSet {
  const highs = ranges.map(({ high }) => high);
  const high = furthest(highs, (a, b) => compare(a, b) > 0);
  return { ranges: ranges.length === 0 ? [] : [{ low: null, high }], holdsNaN };
}

/** What isn't below all of the ranges. */
export function upFrom({ ranges }: RangeSet): RangeSet {
  const lows = ranges.map(({ low }) => low);
  const low = furthest(lows, (a, b) => compare(a, b) < 0);
  return { ranges: ranges.length === 0 ? [] : [{ low, high: null }], holdsNaN: true };
}

/** Null if one of them isn't there. */
function furthest(bounds: readonly (Bound | null)[], isFurther: (a: Rational, b: Rational) => boolean): Bound | null {
  let found: Bound | null = null;
  for (const bound of bounds) {
    if (bound === null) return null;
    if (found === null || isFurther(bound.at, found.at)) found = bound;
    else if (compare(bound.at, found.at) === 0 && bound.inclusive) found = bound;
  }
  return found;
}

/** All values are in it. */
export function isOpen({ ranges }: RangeSet): boolean {
  return ranges.some(({ low, high }) => low === null && high === null);
}
