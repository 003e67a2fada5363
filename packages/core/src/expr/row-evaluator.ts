import type { Value } from '../spec/values.ts';
import { applyTransform } from '../transforms/transforms.ts';
import { isPrimitive } from '../spec/types.ts';
import type { BoundExpression, BoundPredicate, BoundTerm } from './bound-expression.ts';
import { equalityKey, sqlOrder } from './value-order.ts';

/** Gives the value of the column `term.field` in a row, before any transform of the term. */
export type ColumnReader = (term: BoundTerm) => Value;

type Evaluate = (read: ColumnReader) => boolean | null;

/**
 * Evaluates an expression on rows with three-valued logic: null is SQL's unknown, and a row matches only when the
 * result is true. The work that doesn't depend on the row is done here, once.
 */
export function rowEvaluator(expression: BoundExpression): Evaluate {
  switch (expression.op) {
    case 'true':
      return () => true;
    case 'false':
      return () => false;
    case 'not': {
      const child = rowEvaluator(expression.child);
      return (read) => {
        const result = child(read);
        return result === null ? null : !result;
      };
    }
    case 'and':
      return junction(expression.left, expression.right, false);
    case 'or':
      return junction(expression.left, expression.right, true);
    default: {
      const test = valueTest(expression);
      const { term } = expression;
      return (read) => test(read(term));
    }
  }
}

/** AND is decided by the first FALSE, OR by the first TRUE; without it, an unknown side leaves the whole unknown. */
function junction(leftSide: BoundExpression, rightSide: BoundExpression, decisive: boolean): Evaluate {
  const [left, right] = [rowEvaluator(leftSide), rowEvaluator(rightSide)];
  return (read) => {
    const first = left(read);
    if (first === decisive) return decisive;
    const second = right(read);
    if (second === decisive) return decisive;
    return first === null || second === null ? null : !decisive;
  };
}

/** A predicate as a function of its column's value. */
export function valueTest(predicate: BoundPredicate): (value: Value) => boolean | null {
  const { transform, field } = predicate.term;
  const test = termTest(predicate);
  if (!transform || !isPrimitive(field.type)) return test;
  const apply = applyTransform(transform, field.type);
  return (value) => test(apply(value));
}

/** A predicate as a function of its term's value. */
export function termTest(predicate: BoundPredicate): (value: Value) => boolean | null {
  switch (predicate.op) {
    case 'isNull':
      return (value) => value === null;
    case 'notNull':
      return (value) => value !== null;
    // Like IS NULL these two are never unknown, as in Spark and in Iceberg's own evaluators.
    case 'isNaN':
      return (value) => Number.isNaN(value);
    case 'notNaN':
      return (value) => !Number.isNaN(value);
    case 'in':
    case 'notIn': {
      const keys = new Set(predicate.values.map(equalityKey));
      const found = predicate.op === 'in';
      return (value) => (value === null ? null : keys.has(equalityKey(value)) === found);
    }
    case 'startsWith':
    case 'notStartsWith': {
      const prefix = predicate.value as string;
      const found = predicate.op === 'startsWith';
      return (value) => (value === null ? null : (value as string).startsWith(prefix) === found);
    }
    default:
      return orderTest(predicate.op, predicate.value, sqlOrder(predicate.term.type));
  }
}

type OrderOp = 'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq';

/** What each comparison asks of the sign of `value - literal`. */
export const ORDER_HOLDS: { readonly [O in OrderOp]: (order: number) => boolean } = {
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
  lt: (order) => order < 0,
  lteq: (order) => order <= 0,
  gt: (order) => order > 0,
  gteq: (order) => order >= 0,
};

function orderTest(
  op: OrderOp,
  literal: Value,
  compare: (a: Value, b: Value) => number,
): (value: Value) => boolean | null {
  const holds = ORDER_HOLDS[op];
  return (value) => (value === null ? null : holds(compare(value, literal)));
}
