import type { Value } from '../spec/values.ts';
import { boundOrder, type BoundOrder } from './bound-order.ts';
import type {
  BoundComparison,
  BoundExpression,
  BoundPredicate,
  BoundSetPredicate,
  BoundTerm,
} from './bound-expression.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import { negatePredicate, pushNotDown } from './logic.ts';
import { termTest } from './row-evaluator.ts';
import { isFloating } from './value-order.ts';

export type StatisticsReader = (term: BoundTerm) => ColumnStatistics;
export type StatisticsEvaluator = (read: StatisticsReader) => boolean;

/** False only if no row can match. */
export function mayMatch(expression: BoundExpression): StatisticsEvaluator {
  return evaluator(pushNotDown(expression), mayMatchPredicate);
}

/** True only if every row matches. A null never matches `!=`, NOT IN and the like. */
export function mustMatch(expression: BoundExpression): StatisticsEvaluator {
  return evaluator(pushNotDown(expression), mustMatchPredicate);
}

type PredicateTest = (statistics: ColumnStatistics) => boolean;

function evaluator(
  expression: BoundExpression,
  compile: (predicate: BoundPredicate) => PredicateTest,
): StatisticsEvaluator {
  switch (expression.op) {
    case 'true':
      return () => true;
    case 'false':
      return () => false;
    case 'and': {
      const [left, right] = [evaluator(expression.left, compile), evaluator(expression.right, compile)];
      return (read) => left(read) && right(read);
    }
    case 'or': {
      const [left, right] = [evaluator(expression.left, compile), evaluator(expression.right, compile)];
      return (read) => left(read) || right(read);
    }
    case 'not':
      return evaluator(pushNotDown(expression), compile);
    default: {
      const test = compile(expression);
      const { term } = expression;
      return (read) => test(read(term));
    }
  }
}

function mayMatchPredicate(predicate: BoundPredicate): PredicateTest {
  const nullMatches = termTest(predicate)(null) === true;
  const nanMatches = nanTest(predicate);
  const inRange = rangeTest(predicate);
  return (statistics) =>
    (statistics.mayBeNull && nullMatches) ||
    (statistics.mayBeNaN && nanMatches) ||
    (statistics.mayBeOrdinary && inRange(statistics));
}

function mustMatchPredicate(predicate: BoundPredicate): PredicateTest {
  const nullMatches = termTest(predicate)(null) === true;
  const nanMatches = nanTest(predicate);
  // For ordinary values nothing is unknown, so all of them match just if none matches the negation.
  const negationInRange = rangeTest(negatePredicate(predicate));
  return (statistics) =>
    (nullMatches || !statistics.mayBeNull) &&
    (nanMatches || !statistics.mayBeNaN) &&
    !(statistics.mayBeOrdinary && negationInRange(statistics));
}

/** NaN is greater than every other number, so it matches `x > 5`, which bounds don't tell. */
function nanTest(predicate: BoundPredicate): boolean {
  return isFloating(predicate.term.type) && termTest(predicate)(NaN) === true;
}

/** Whether some ordinary value within the bounds may match; false is sure. */
function rangeTest(predicate: BoundPredicate): PredicateTest {
  switch (predicate.op) {
    case 'isNull':
    case 'isNaN':
      return () => false;
    case 'notNull':
    case 'notNaN':
      return () => true;
    default: {
      const order = boundOrder(predicate.term);
      const test = comparisonTest(predicate, order);
      return (statistics) => {
        if (statistics.lowerBound === null && statistics.upperBound === null) return true;
        return test(statistics) || isInverted(statistics, order);
      };
    }
  }
}

/** Bounds the wrong way round are both worth nothing. */
function isInverted(statistics: ColumnStatistics, { lower, upper, compare }: BoundOrder): boolean {
  const [low, high] = [lower(statistics), upper(statistics)];
  return low !== undefined && high !== undefined && compare(low, high) > 0;
}

function comparisonTest(predicate: BoundComparison | BoundSetPredicate, order: BoundOrder): PredicateTest {
  const { lower, upper, compare } = order;
  if ('values' in predicate) {
    const values = predicate.values.map(order.literal);
    return predicate.op === 'in' ? anyWithin(values, order) : (statistics) => !isOneOf(values, statistics, order);
  }
  const value = order.literal(predicate.value);
  // Whether the lowest value may be at most the literal, and so on; an unknown bound leaves it open.
  const lowest = (statistics: ColumnStatistics): number => orderOf(lower(statistics), value, compare, -Infinity);
  const highest = (statistics: ColumnStatistics): number => orderOf(upper(statistics), value, compare, Infinity);
  switch (predicate.op) {
    case 'eq':
      return (statistics) => lowest(statistics) <= 0 && highest(statistics) >= 0;
    case 'neq':
      return (statistics) => !isOneOf([value], statistics, order);
    case 'lt':
      return (statistics) => lowest(statistics) < 0;
    case 'lteq':
      return (statistics) => lowest(statistics) <= 0;
    case 'gt':
      return (statistics) => highest(statistics) > 0;
    case 'gteq':
      return (statistics) => highest(statistics) >= 0;
    // Values with a prefix lie side by side, from the prefix itself on.
    case 'startsWith':
      return (statistics) =>
        highest(statistics) >= 0 && (lowest(statistics) <= 0 || beginsWith(lower(statistics), value));
    case 'notStartsWith':
      return (statistics) => !beginsWith(lower(statistics), value) || !beginsWith(upper(statistics), value);
  }
}

function orderOf(bound: Value | undefined, value: Value, compare: Compare, unknown: number): number {
  return bound === undefined ? unknown : compare(bound, value);
}

type Compare = BoundOrder['compare'];

/** Whether a literal lies within the bounds, by bisection where the literals are in order, as `bind` leaves them. */
function anyWithin(values: readonly Value[], { lower, upper, compare }: BoundOrder): PredicateTest {
  const sorted = values.every((value, i) => i === 0 || compare(values[i - 1]!, value) <= 0)
    ? values
    : values.toSorted(compare);
  return (statistics) => {
    const low = lower(statistics);
    const first = low === undefined ? 0 : firstNotBelow(sorted, low, compare);
    if (first === sorted.length) return false;
    const high = upper(statistics);
    return high === undefined || compare(sorted[first]!, high) <= 0;
  };
}

function firstNotBelow(values: readonly Value[], bound: Value, compare: Compare): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(values[middle]!, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether all ordinary values are one and the same, and it is one of these. */
function isOneOf(
  values: readonly Value[],
  statistics: ColumnStatistics,
  { lower, upper, compare }: BoundOrder,
): boolean {
  const low = lower(statistics);
  const high = upper(statistics);
  if (low === undefined || high === undefined || compare(low, high) !== 0) return false;
  return values.some((value) => compare(value, low) === 0);
}

function beginsWith(bound: Value | undefined, prefix: Value): boolean {
  if (bound === undefined) return false;
  if (typeof bound === 'string') return bound.startsWith(prefix as string);
  const [bytes, start] = [bound as Uint8Array, prefix as Uint8Array];
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}
