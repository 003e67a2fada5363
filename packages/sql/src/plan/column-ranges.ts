import type { Expression, Literal, PrimitiveType } from '@lh/core';
import { expr } from '@lh/core';
import { formatDate, formatDecimal, formatTime } from '@lh/core/engine';
import type { Bound, Range, RangeSet } from './ranges.ts';
import { ceil, compare, doubleRational, floor, magnitude, scaleUp, toDouble } from './rationals.ts';
import type { Rational } from './rationals.ts';

/** A column comparison that is put in the place of one about an expression of the column. */
export interface Derived {
  readonly expression: Expression;
  /** False if it only follows from the original: then it can't stand under a NOT. */
  readonly exact: boolean;
}

/** `column` is in one of the ranges; undefined for a type whose values aren't on a line of numbers. */
export function columnRanges(column: string, type: PrimitiveType, set: RangeSet): Derived | undefined {
  const ends = type.kind === 'float' || type.kind === 'double' ? floatingEnds(type.kind) : wholeEnds(type);
  if (!ends) return undefined;
  const parts = set.ranges.map((range) => inRange(column, range, ends));
  const isEndless = set.ranges.some(({ high }) => high === null);
  // A range without an upper end has NaN in it; one that came from such by turning the order around has not.
  const isFloating = type.kind === 'float' || type.kind === 'double';
  const nan = isFloating && set.holdsNaN && !isEndless ? [expr.isNaN(column)] : [];
  const hasRightNaN = !isFloating || set.holdsNaN === isEndless;
  return {
    expression: expr.or(...parts.map(({ expression }) => expression), ...nan),
    // Of a null `false` is false, and the original NULL.
    exact: hasRightNaN && parts.length > 0 && parts.every(({ exact }) => exact),
  };
}

/** An end of a range as a value of a column: one that isn't beyond it, and as near as it can be. */
interface Ends {
  readonly low: (bound: Bound) => End | null;
  readonly high: (bound: Bound) => End | null;
}

interface End {
  readonly value: Literal;
  readonly inclusive: boolean;
  /** No value of the column is between this end and the range's. */
  readonly exact: boolean;
}

function inRange(column: string, { low, high }: Range, ends: Ends): Derived {
  const from = low && ends.low(low);
  const to = high && ends.high(high);
  const exact = (low === null || from?.exact === true) && (high === null || to?.exact === true);
  if (from && to && isPoint(low!, high!)) {
    if (from.inclusive && to.inclusive && from.value === to.value)
      return { expression: expr.eq(column, from.value), exact };
    // Nothing that the column may hold is exactly there.
    if (from.exact && to.exact) return { expression: expr.alwaysFalse(), exact: false };
  }
  const parts = [
    ...(from ? [expr[from.inclusive ? 'gteq' : 'gt'](column, from.value)] : []),
    ...(to ? [expr[to.inclusive ? 'lteq' : 'lt'](column, to.value)] : []),
  ];
  return { expression: parts.length === 0 ? expr.notNull(column) : expr.and(...parts), exact };
}

function isPoint(low: Bound, high: Bound): boolean {
  return compare(low.at, high.at) === 0;
}

/** For columns that hold whole multiples of one unit. */
function wholeEnds(type: PrimitiveType): Ends | undefined {
  const unit = unitOf(type);
  if (!unit) return undefined;
  const { scale, literal } = unit;
  return {
    low: ({ at, inclusive }) => {
      const units = scaleUp(at, scale);
      return { value: literal(inclusive ? ceil(units) : floor(units)), inclusive, exact: true };
    },
    high: ({ at, inclusive }) => {
      const units = scaleUp(at, scale);
      return { value: literal(inclusive ? floor(units) : ceil(units)), inclusive, exact: true };
    },
  };
}

interface ColumnUnit {
  /** So many units are 1. */
  readonly scale: bigint;
  readonly literal: (units: bigint) => Literal;
}

function unitOf(type: PrimitiveType): ColumnUnit | undefined {
  switch (type.kind) {
    case 'int':
    case 'long':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return { scale: 1n, literal: (units) => units };
    case 'decimal':
      return { scale: 10n ** BigInt(type.scale), literal: (units) => formatDecimal(units, type.scale) };
    case 'date':
      return { scale: 1n, literal: (units) => formatDate(Number(units)) };
    case 'time':
      return { scale: 1n, literal: (units) => formatTime(units) };
    default:
      return undefined;
  }
}

/** Numbers up to here divide to the double that is nearest. */
const EXACT_LIMIT = 2n ** 53n;

function floatingEnds(kind: 'float' | 'double'): Ends {
  const nearest = (at: Rational): number => (kind === 'float' ? Math.fround(toDouble(at)) : toDouble(at));
  const end = ({ at, inclusive }: Bound, outward: -1 | 1): End | null => {
    const value = nearest(at);
    if (!Number.isFinite(value)) return null;
    const side = compare(doubleRational(value), at) * outward;
    if (side === 0) return { value, inclusive, exact: true };
    const isNeighbour = kind === 'float' || (magnitude(at).numerator <= EXACT_LIMIT && at.denominator <= EXACT_LIMIT);
    if (isNeighbour) return { value, inclusive: side < 0, exact: true };
    return { value: value + outward * (Math.abs(value) * 2 ** -50 + Number.MIN_VALUE), inclusive: true, exact: false };
  };
  return { low: (bound) => end(bound, -1), high: (bound) => end(bound, 1) };
}
