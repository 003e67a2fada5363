import { invalidArgument } from '../errors.ts';
import { typeToText } from '../spec/type-text.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { bindTerm } from './bind-term.ts';
import type { BoundExpression, BoundTerm } from './bound-expression.ts';
import type { ComparisonPredicate, Expression, Literal, SetPredicate, UnaryPredicate } from './expression.ts';
import { literalPosition, type LiteralPosition } from './literal-position.ts';
import { and, chainOperands, FALSE, NEGATED, or, TRUE } from './logic.ts';
import { ordinalPosition } from './ordinal-text.ts';
import { canUnwrap, unwrapComparison } from './unwrap-transform.ts';
import { checkOrdered, isFloating, sqlOrder } from './value-order.ts';

export interface BindOptions {
  /** True unless given. */
  readonly caseSensitive?: boolean;
}

/**
 * Resolves columns and turns literals into exact values. The result is TRUE for the same rows, but not always FALSE
 * and unknown for the same ones: `not` is pushed down to the predicates, and what can't be TRUE becomes `false`.
 * A literal that no value of the column can equal, such as 3.5 for an int, is compared exactly all the same.
 *
 * INVALID_ARGUMENT for unknown columns and for literals of a wrong type.
 */
export function bindExpression(schema: StructType, expression: Expression, options: BindOptions = {}): BoundExpression {
  const { caseSensitive = true } = options;
  const bind = (node: Expression, negated: boolean): BoundExpression => {
    switch (node.op) {
      case 'true':
      case 'false':
        return (node.op === 'true') !== negated ? TRUE : FALSE;
      case 'not':
        return bind(node.child, !negated);
      case 'and':
      case 'or': {
        const operands = chainOperands(node, node.op).map((operand) => bind(operand, negated));
        return (node.op === 'and') !== negated ? and(operands) : or(operands);
      }
      default: {
        if (!Object.hasOwn(NEGATED, node.op))
          throw invalidArgument(`A filter has no operation '${String((node as { op: unknown }).op)}'.`);
        const predicate = negated ? ({ ...node, op: NEGATED[node.op] } as typeof node) : node;
        return bindPredicate(predicate, bindTerm(schema, node.term, caseSensitive));
      }
    }
  };
  return bind(expression, false);
}

function bindPredicate(
  predicate: UnaryPredicate | ComparisonPredicate | SetPredicate,
  term: BoundTerm,
): BoundExpression {
  if ('values' in predicate) return bindMembership(predicate, term);
  if ('value' in predicate) return bindComparison(predicate, term);
  return bindUnary(predicate, term);
}

function bindUnary({ op }: UnaryPredicate, term: BoundTerm): BoundExpression {
  if (op === 'isNull') return isNull(term);
  if (op === 'notNull') return notNull(term);
  if (!isFloating(term.type)) {
    throw invalidArgument(`${name(term)} is of type ${typeToText(term.type)}; only a float or double can be NaN.`);
  }
  return { op, term };
}

function isNull(term: BoundTerm): BoundExpression {
  if (isAlwaysNull(term)) return TRUE;
  return term.nullable ? { op: 'isNull', term } : FALSE;
}

function notNull(term: BoundTerm): BoundExpression {
  if (isAlwaysNull(term)) return FALSE;
  return term.nullable ? { op: 'notNull', term } : TRUE;
}

function isAlwaysNull({ type, transform }: BoundTerm): boolean {
  return type.kind === 'unknown' || transform?.kind === 'void';
}

function bindComparison({ op, value }: ComparisonPredicate, term: BoundTerm): BoundExpression {
  if (isAlwaysNull(term)) return FALSE;
  if (op === 'startsWith' || op === 'notStartsWith') return bindPrefix(op, value, term);
  return comparison(op, term, positionOf(term, value));
}

function bindPrefix(op: 'startsWith' | 'notStartsWith', value: Literal, term: BoundTerm): BoundExpression {
  if (term.type.kind !== 'string') {
    throw invalidArgument(`${name(term)} is of type ${typeToText(term.type)}; only a string can start with something.`);
  }
  const position = positionOf(term, value);
  const prefix = position.at === 'value' ? position.value : null;
  if (prefix === '') return op === 'startsWith' ? notNull(term) : FALSE;
  return { op, term, value: prefix };
}

type OrderOp = Exclude<ComparisonPredicate['op'], 'startsWith' | 'notStartsWith'>;

function comparison(op: OrderOp, term: BoundTerm, position: LiteralPosition): BoundExpression {
  switch (position.at) {
    case 'value':
      return valueComparison(op, term, position.value);
    case 'after':
      if (op === 'eq') return FALSE;
      if (op === 'neq') return notNull(term);
      return valueComparison(op === 'lt' || op === 'lteq' ? 'lteq' : 'gt', term, position.value);
    case 'above':
      return op === 'lt' || op === 'lteq' || op === 'neq' ? notNull(term) : FALSE;
    case 'below':
      return op === 'gt' || op === 'gteq' || op === 'neq' ? notNull(term) : FALSE;
  }
}

function valueComparison(op: OrderOp, term: BoundTerm, value: Value): BoundExpression {
  if (Number.isNaN(value)) return nanComparison(op, term);
  if (canUnwrap(term)) return unwrapComparison(op, term, BigInt(value as number | bigint), comparison);
  return { op, term, value };
}

/** NaN is the greatest number and equals itself, so comparing with it comes down to asking for it. */
function nanComparison(op: OrderOp, term: BoundTerm): BoundExpression {
  switch (op) {
    case 'eq':
    case 'gteq':
      return { op: 'isNaN', term };
    case 'neq':
    case 'lt':
      return and([{ op: 'notNaN', term }, notNull(term)]);
    case 'lteq':
      return notNull(term);
    case 'gt':
      return FALSE;
  }
}

function bindMembership({ op, values }: SetPredicate, term: BoundTerm): BoundExpression {
  // Nothing is in an empty list, whether it is known or not.
  if (values.length === 0) return op === 'in' ? FALSE : TRUE;
  if (isAlwaysNull(term)) return FALSE;

  const positions = values.map((value) => positionOf(term, value));
  const found = positions.flatMap((position) => (position.at === 'value' ? [position.value] : []));
  const ordinary = distinct(
    term,
    found.filter((value) => !Number.isNaN(value)),
  );
  const single = op === 'in' ? 'eq' : 'neq';
  const parts = found.some(Number.isNaN) ? [nanComparison(single, term)] : [];
  if (ordinary.length > 1 && !canUnwrap(term)) parts.push({ op, term, values: ordinary });
  else parts.push(...ordinary.map((value) => valueComparison(single, term, value)));
  // Every literal was one that the column can't hold: a value, not null, differs from them all.
  if (parts.length === 0) return op === 'in' ? FALSE : notNull(term);
  return op === 'in' ? or(parts) : and(parts);
}

function distinct(term: BoundTerm, values: readonly Value[]): readonly Value[] {
  const compare = sqlOrder(term.type);
  const sorted = values.toSorted(compare);
  return sorted.filter((value, i) => i === 0 || compare(value, sorted[i - 1]!) !== 0);
}

function positionOf(term: BoundTerm, literal: Literal): LiteralPosition {
  const [type, what] = [term.type, name(term)];
  checkOrdered(type, what);
  return (
    (term.transform && ordinalPosition(term.transform.kind, literal, what)) ?? literalPosition(type, literal, what)
  );
}

function name(term: BoundTerm): string {
  const column = `'${term.path.join('.')}'`;
  return term.transform ? `The ${term.transform.kind} of ${column}` : column;
}
