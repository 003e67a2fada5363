import { formatDate, formatTime, formatTimestamp } from '../spec/datetime-text.ts';
import { formatDecimal } from '../spec/decimal-text.ts';
import { transformToText } from '../spec/transform-text.ts';
import type { Transform, TransformKind } from '../spec/transform.ts';
import type { IcebergType, TypeKind } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { partitionValueToText } from '../transforms/human-text.ts';
import type { BoundExpression, BoundPredicate } from './bound-expression.ts';
import type { Expression, Literal, PredicateOp } from './expression.ts';
import { literalToText, quoteText } from './literal-text.ts';
import { chainOperands } from './logic.ts';
import { nameToText } from './names.ts';
import { ordinalExample } from './ordinal-text.ts';

type AnyExpression = Expression | BoundExpression;
type AnyPredicate = Extract<AnyExpression, { op: PredicateOp }>;

/** A filter as text that `parseExpression` reads back; only how chains of AND or OR are grouped is lost. */
export function expressionToText(expression: AnyExpression): string {
  return toText(expression, 'none');
}

/** What stands around an expression, which decides on parentheses. */
type Surrounding = 'none' | 'or' | 'and' | 'not';

const BINDS_TIGHTER: Readonly<Record<Surrounding, number>> = { none: 0, or: 1, and: 2, not: 3 };

function toText(expression: AnyExpression, around: Surrounding): string {
  switch (expression.op) {
    case 'true':
      return 'TRUE';
    case 'false':
      return 'FALSE';
    case 'not':
      return `NOT ${toText(expression.child, 'not')}`;
    case 'and':
    case 'or': {
      const operands = chainOperands<AnyExpression>(expression, expression.op);
      const text = operands.map((operand) => toText(operand, expression.op)).join(` ${expression.op.toUpperCase()} `);
      return BINDS_TIGHTER[around] > BINDS_TIGHTER[expression.op] ? `(${text})` : text;
    }
    default:
      return predicateText(expression);
  }
}

const SYMBOLS: Readonly<Record<'eq' | 'neq' | 'lt' | 'lteq' | 'gt' | 'gteq', string>> = {
  eq: '=',
  neq: '!=',
  lt: '<',
  lteq: '<=',
  gt: '>',
  gteq: '>=',
};

function predicateText(predicate: AnyPredicate): string {
  const { op } = predicate;
  const term = termText(predicate);
  switch (op) {
    case 'isNull':
      return `${term} IS NULL`;
    case 'notNull':
      return `${term} IS NOT NULL`;
    case 'isNaN':
      return `${term} IS NAN`;
    case 'notNaN':
      return `${term} IS NOT NAN`;
    case 'startsWith':
      return `starts_with(${term}, ${valueText(predicate, predicate.value)})`;
    case 'notStartsWith':
      return `not_starts_with(${term}, ${valueText(predicate, predicate.value)})`;
    case 'in':
    case 'notIn': {
      const values = predicate.values.map((value) => valueText(predicate, value));
      return `${term} ${op === 'in' ? 'IN' : 'NOT IN'} (${values.join(', ')})`;
    }
    default:
      return `${term} ${SYMBOLS[op]} ${valueText(predicate, predicate.value)}`;
  }
}

function termText({ term }: AnyPredicate): string {
  return termToText('path' in term ? term.path.join('.') : term.column, term.transform);
}

/** A column, or a transform of it: `day(ts)`, `bucket(16, id)`. */
export function termToText(column: string, transform: Transform | null | undefined): string {
  const name = nameToText(column);
  return transform ? TERM_TEXT[transform.kind](name, transform) : name;
}

const call = (name: string, transform: Transform): string => `${transformToText(transform)}(${name})`;

const TERM_TEXT: { readonly [K in TransformKind]: (name: string, transform: Transform) => string } = {
  identity: (name) => name,
  bucket: (name, transform) => `bucket(${transform.kind === 'bucket' ? transform.buckets : ''}, ${name})`,
  truncate: (name, transform) => `truncate(${transform.kind === 'truncate' ? transform.width : ''}, ${name})`,
  year: call,
  month: call,
  day: call,
  hour: call,
  void: call,
  unknown: call,
};

function valueText(predicate: AnyPredicate, value: Literal | Value): string {
  const { term } = predicate;
  if (typeof value === 'number' && term.transform && ordinalExample(term.transform.kind)) {
    return quoteText(partitionValueToText(term.transform, { kind: 'int' }, value));
  }
  return isBound(predicate) ? boundValueText(predicate.term.type, value as Value) : literalToText(value as Literal);
}

function isBound(predicate: AnyPredicate): predicate is BoundPredicate {
  return 'path' in predicate.term;
}

function boundValueText(type: IcebergType, value: Value): string {
  return VALUE_TEXT[type.kind]?.(value, type) ?? literalToText(value as Literal);
}

const timestamp = (digits: 6 | 9): ((value: Value) => string) => {
  return (value) => `TIMESTAMP '${formatTimestamp(value as bigint, digits)}'`;
};
const timestamptz = (digits: 6 | 9): ((value: Value) => string) => {
  return (value) => `TIMESTAMPTZ '${formatTimestamp(value as bigint, digits)}Z'`;
};

/** Types whose values aren't literals as they are. */
const VALUE_TEXT: { readonly [K in TypeKind]?: (value: Value, type: IcebergType) => string } = {
  decimal: (value, type) => formatDecimal(value as bigint, type.kind === 'decimal' ? type.scale : 0),
  date: (value) => `DATE '${formatDate(value as number)}'`,
  time: (value) => `TIME '${formatTime(value as bigint)}'`,
  timestamp: timestamp(6),
  timestamptz: timestamptz(6),
  timestamp_ns: timestamp(9),
  timestamptz_ns: timestamptz(9),
};
