import { formatTimestamp, parseTimestamp } from '../spec/datetime-text.ts';
import type { JsonObject, JsonValue } from '../spec/json.ts';
import { valueToJson } from '../spec/single-value-json.ts';
import { transformToText } from '../spec/transform-text.ts';
import type { BoundExpression, BoundPredicate } from './bound-expression.ts';
import type { Expression, Literal, PredicateOp, TypedLiteral } from './expression.ts';
import { chainOperands } from './logic.ts';

type AnyExpression = Expression | BoundExpression;
type AnyPredicate = Extract<AnyExpression, { op: PredicateOp }>;

/** Names of the REST specification ("ExpressionType"). */
const TYPES: Readonly<Record<PredicateOp, string>> = {
  isNull: 'is-null',
  notNull: 'not-null',
  isNaN: 'is-nan',
  notNaN: 'not-nan',
  eq: 'eq',
  neq: 'not-eq',
  lt: 'lt',
  lteq: 'lt-eq',
  gt: 'gt',
  gteq: 'gt-eq',
  startsWith: 'starts-with',
  notStartsWith: 'not-starts-with',
  in: 'in',
  notIn: 'not-in',
};

/**
 * A filter as the REST specification's "Predicate", with `term` and `value`, which servers of every age understand.
 * Bound literals have their type's single-value form; unbound ones the form of the type that they say, or look like.
 */
export function expressionToJson(expression: AnyExpression): JsonValue {
  switch (expression.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'not':
      return { type: 'not', child: expressionToJson(expression.child) };
    case 'and':
    case 'or': {
      const operands = chainOperands<AnyExpression>(expression, expression.op).map(expressionToJson);
      return balanced(expression.op, operands, 0, operands.length);
    }
    default:
      return predicateToJson(expression);
  }
}

/** A chain may be thousands long; as a list of pairs in pairs it would be nested as deeply. */
function balanced(type: 'and' | 'or', operands: readonly JsonValue[], start: number, end: number): JsonValue {
  if (end - start === 1) return operands[start]!;
  const middle = (start + end + 1) >> 1;
  return { type, left: balanced(type, operands, start, middle), right: balanced(type, operands, middle, end) };
}

function predicateToJson(predicate: AnyPredicate): JsonObject {
  const type = TYPES[predicate.op];
  const term = termToJson(predicate);
  if ('values' in predicate) return { type, term, values: literalsOf(predicate, predicate.values) };
  if ('value' in predicate) return { type, term, value: literalsOf(predicate, [predicate.value])[0]! };
  return { type, term };
}

function termToJson({ term }: AnyPredicate): JsonValue {
  const column = 'column' in term ? term.column : term.path.join('.');
  return term.transform ? { type: 'transform', transform: transformToText(term.transform), term: column } : column;
}

function literalsOf(predicate: AnyPredicate, values: readonly unknown[]): readonly JsonValue[] {
  return isBound(predicate)
    ? values.map((value) => valueToJson(predicate.term.type, value as Parameters<typeof valueToJson>[1]))
    : values.map((value) => literalToJson(value as Literal));
}

function isBound(predicate: AnyPredicate): predicate is BoundPredicate {
  return 'field' in predicate.term;
}

function literalToJson(literal: Literal): JsonValue {
  // JSON has no number for NaN and the infinities (spec: "JSON single-value serialization").
  if (typeof literal === 'number') return Number.isFinite(literal) ? literal : String(literal);
  if (typeof literal !== 'object') return literal;
  if (literal instanceof Uint8Array) return valueToJson({ kind: 'binary' }, literal);
  if (literal instanceof Date) return `${formatTimestamp(BigInt(literal.getTime()) * 1000n, 6)}+00:00`;
  return typedToJson(literal);
}

function typedToJson({ type, text }: TypedLiteral): JsonValue {
  if (type !== 'timestamp' && type !== 'timestamptz') return text;
  const digits = parseTimestamp(text, 6) ? 6 : 9;
  const parsed = parseTimestamp(text, digits);
  return parsed ? `${formatTimestamp(parsed.value, digits)}${type === 'timestamptz' ? '+00:00' : ''}` : text;
}
