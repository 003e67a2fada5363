import type { Value } from '../spec/values.ts';
import { boundOrder, type BoundOrder, type Range } from './bound-order.ts';
import type { BoundComparison, BoundExpression, BoundPredicate, BoundSetPredicate, BoundTerm } from './bound-expression.ts';
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

function evaluator(expression: BoundExpression, compile: (predicate: BoundPredicate) => PredicateTest): StatisticsEvaluator {
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
      return ({ lowerBound, upperBound }) =>
        (lowerBound === null && upperBound === null) || test(order.range(lowerBound, upperBound));
    }
  }
}

type RangeTest = (range: Range) => boolean;

function comparisonTest(predicate: BoundComparison | BoundSetPredicate, order: BoundOrder): RangeTest {
  const { compare } = order;
  if ('values' in predicate) {
    const values = predicate.values.map(order.literal);
    return predicate.op === 'in' ? anyWithin(values, compare) : ({ lower, upper }) => !isOneOf(values, lower, upper, compare);
  }
  const value = order.literal(predicate.value);
  switch (predicate.op) {
    case 'eq':
      return (range) => within(value, range, compare);
    case 'neq':
      return ({ lower, upper }) => !isOneOf([value], lower, upper, compare);
    case 'lt':
      return ({ lower }) => lower === undefined || compare(lower, value) < 0;
    case 'lteq':
      return ({ lower }) => lower === undefined || compare(lower, value) <= 0;
    case 'gt':
      return ({ upper }) => upper === undefined || compare(upper, value) > 0;
    case 'gteq':
      return ({ upper }) => upper === undefined || compare(upper, value) >= 0;
    // Values with a prefix lie side by side, from the prefix itself on.
    case 'startsWith':
      return ({ lower, upper }) =>
        (upper === undefined || compare(upper, value) >= 0) &&
        (lower === undefined || compare(lower, value) <= 0 || beginsWith(lower, value));
    case 'notStartsWith':
      return ({ lower, upper }) => lower === undefined || upper === undefined || !beginsWith(lower, value) || !beginsWith(upper, value);
  }
}

type Compare = BoundOrder['compare'];

function within(value: Value, { lower, upper }: Range, compare: Compare): boolean {
  return (lower === undefined || compare(lower, value) <= 0) && (upper === undefined || compare(value, upper) <= 0);
}

/** Whether a literal lies within the bounds, by bisection where the literals are in order, as `bind` leaves them. */
function anyWithin(values: readonly Value[], compare: Compare): RangeTest {
  const inOrder = values.every((value, i) => i === 0 || compare(values[i - 1]!, value) <= 0);
  if (!inOrder) return (range) => values.some((value) => within(value, range, compare));
  return ({ lower, upper }) => {
    const first = lower === undefined ? 0 : firstNotBelow(values, lower, compare);
    return first < values.length && (upper === undefined || compare(values[first]!, upper) <= 0);
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
function isOneOf(values: readonly Value[], lower: Value | undefined, upper: Value | undefined, compare: Compare): boolean {
  if (lower === undefined || upper === undefined || compare(lower, upper) !== 0) return false;
  return values.some((value) => compare(value, lower) === 0);
}

function beginsWith(bound: Value, prefix: Value): boolean {
  if (typeof bound === 'string') return bound.startsWith(prefix as string);
  const [bytes, start] = [bound as Uint8Array, prefix as Uint8Array];
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}
