import type { BoundExpression, BoundPredicate } from './bound-expression.ts';
import type { PredicateOp } from './expression.ts';

export const TRUE: BoundExpression = { op: 'true' };
export const FALSE: BoundExpression = { op: 'false' };

/** What `NOT` makes of each predicate. Both are unknown for the same values, so this is exact in three-valued logic. */
export const NEGATED: { readonly [O in PredicateOp]: PredicateOp } = {
  isNull: 'notNull',
  notNull: 'isNull',
  isNaN: 'notNaN',
  notNaN: 'isNaN',
  eq: 'neq',
  neq: 'eq',
  lt: 'gteq',
  gteq: 'lt',
  gt: 'lteq',
  lteq: 'gt',
  in: 'notIn',
  notIn: 'in',
  startsWith: 'notStartsWith',
  notStartsWith: 'startsWith',
};

/** All of them, simplified. Chains make a balanced tree, so that nothing that walks it runs out of stack. */
export function and(operands: readonly BoundExpression[]): BoundExpression {
  return combine('and', operands, 'true', FALSE);
}

/** Any of them, simplified. */
export function or(operands: readonly BoundExpression[]): BoundExpression {
  return combine('or', operands, 'false', TRUE);
}

function combine(
  op: 'and' | 'or',
  operands: readonly BoundExpression[],
  neutral: 'true' | 'false',
  absorbing: BoundExpression,
): BoundExpression {
  const kept = operands.flatMap((operand) => chainOperands(operand, op)).filter((operand) => operand.op !== neutral);
  if (kept.some((operand) => operand.op === absorbing.op)) return absorbing;
  if (kept.length === 0) return neutral === 'true' ? TRUE : FALSE;
  return balanced(op, kept, 0, kept.length);
}

function balanced(op: 'and' | 'or', operands: readonly BoundExpression[], start: number, end: number): BoundExpression {
  if (end - start === 1) return operands[start]!;
  const middle = (start + end + 1) >> 1;
  return { op, left: balanced(op, operands, start, middle), right: balanced(op, operands, middle, end) };
}

interface Tree {
  readonly op: string;
}

/** The operands of a chain of one operator, in order and without recursion: such chains may be thousands long. */
export function chainOperands<E extends Tree>(expression: E, op: 'and' | 'or'): readonly E[] {
  const operands: E[] = [];
  const pending: E[] = [expression];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.op === op) {
      const { left, right } = next as unknown as { left: E; right: E };
      pending.push(right, left);
    } else {
      operands.push(next);
    }
  }
  return operands;
}

/** The same TRUE, FALSE or unknown for every row, without `not`. */
export function pushNotDown(expression: BoundExpression, negated: boolean = false): BoundExpression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return (expression.op === 'true') !== negated ? TRUE : FALSE;
    case 'not':
      return pushNotDown(expression.child, !negated);
    case 'and':
    case 'or': {
      const operands = chainOperands(expression, expression.op).map((operand) => pushNotDown(operand, negated));
      return (expression.op === 'and') !== negated ? and(operands) : or(operands);
    }
    default:
      return negated ? negatePredicate(expression) : expression;
  }
}

export function negatePredicate(predicate: BoundPredicate): BoundPredicate {
  return { ...predicate, op: NEGATED[predicate.op] } as BoundPredicate;
}

/**
 * Replaces every predicate by what `replace` makes of it, and simplifies. The expression has no `not`. Where nothing
 * changes the very same object comes back.
 */
export function mapPredicates(
  expression: BoundExpression,
  replace: (predicate: BoundPredicate) => BoundExpression,
): BoundExpression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression;
    case 'not':
      return mapPredicates(pushNotDown(expression), replace);
    case 'and':
    case 'or': {
      const [neutral, absorbing] = expression.op === 'and' ? ['true', 'false'] : ['false', 'true'];
      const left = mapPredicates(expression.left, replace);
      if (left.op === absorbing) return left;
      const right = mapPredicates(expression.right, replace);
      if (right.op === absorbing || left.op === neutral) return right;
      if (right.op === neutral) return left;
      return left === expression.left && right === expression.right ? expression : { op: expression.op, left, right };
    }
    default:
      return replace(expression);
  }
}
