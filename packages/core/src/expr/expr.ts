import { invalidArgument } from '../errors.ts';
import { partitionBy } from '../spec/partition-by.ts';
import type { ComparisonPredicate, Expression, Literal, SetPredicate, Term, UnaryPredicate } from './expression.ts';

/** A column by its full name, or a transform of one: `expr.bucket(16, 'id')`. */
export type TermInput = string | Term;

/**
 * Builds filters. All of it is SQL's three-valued logic, in which a row matches when the filter is TRUE, with two
 * additions: NaN equals itself and is greater than every other number, and `isNaN`, like `isNull`, is never unknown.
 */
export interface ExprBuilder {
  /** TRUE if there are no operands. */
  and(...operands: readonly Expression[]): Expression;
  /** FALSE if there are no operands. */
  or(...operands: readonly Expression[]): Expression;
  not(operand: Expression): Expression;
  alwaysTrue(): Expression;
  alwaysFalse(): Expression;

  isNull(term: TermInput): UnaryPredicate;
  notNull(term: TermInput): UnaryPredicate;
  isNaN(term: TermInput): UnaryPredicate;
  notNaN(term: TermInput): UnaryPredicate;
  eq(term: TermInput, value: Literal): ComparisonPredicate;
  neq(term: TermInput, value: Literal): ComparisonPredicate;
  lt(term: TermInput, value: Literal): ComparisonPredicate;
  lteq(term: TermInput, value: Literal): ComparisonPredicate;
  gt(term: TermInput, value: Literal): ComparisonPredicate;
  gteq(term: TermInput, value: Literal): ComparisonPredicate;
  startsWith(term: TermInput, prefix: string): ComparisonPredicate;
  notStartsWith(term: TermInput, prefix: string): ComparisonPredicate;
  in(term: TermInput, values: Iterable<Literal>): SetPredicate;
  notIn(term: TermInput, values: Iterable<Literal>): SetPredicate;

  col(column: string): Term;
  bucket(buckets: number, column: string): Term;
  truncate(width: number, column: string): Term;
  /** Literals are years since 1970, or text: `'2024'`. */
  year(column: string): Term;
  /** Literals are months since 1970-01, or text: `'2024-03'`. */
  month(column: string): Term;
  /** Literals are dates. */
  day(column: string): Term;
  /** Literals are hours since the epoch, or text: `'2024-03-01-17'`. */
  hour(column: string): Term;
}

function termOf(input: TermInput): Term {
  const term = typeof input === 'string' ? { column: input } : input;
  if (typeof term?.column !== 'string' || term.column === '') {
    throw invalidArgument(`A filter compares a column, given by its name; ${String(input)} is none.`);
  }
  return term;
}

/** Rejects what no column can be compared with here, where the stack still shows who gave it. */
function checkLiteral(column: string, value: unknown): Literal {
  if (value === null || value === undefined) {
    throw invalidArgument(`'${column}' can't be compared with ${value}: no row would match. Use isNull or notNull.`);
  }
  return value as Literal;
}

function unary(op: UnaryPredicate['op']): (term: TermInput) => UnaryPredicate {
  return (term) => ({ op, term: termOf(term) });
}

function comparison(op: ComparisonPredicate['op']): (term: TermInput, value: Literal) => ComparisonPredicate {
  return (input, value) => {
    const term = termOf(input);
    return { op, term, value: checkLiteral(term.column, value) };
  };
}

function membership(op: SetPredicate['op']): (term: TermInput, values: Iterable<Literal>) => SetPredicate {
  return (input, values) => {
    const term = termOf(input);
    if (
      typeof values === 'string' ||
      typeof (values as Partial<Iterable<Literal>> | null)?.[Symbol.iterator] !== 'function'
    ) {
      throw invalidArgument(`'${term.column}' needs a list of values for ${op === 'in' ? 'IN' : 'NOT IN'}.`);
    }
    return { op, term, values: Array.from(values, (value) => checkLiteral(term.column, value)) };
  };
}

const TRUE: Expression = { op: 'true' };
const FALSE: Expression = { op: 'false' };

function joined(op: 'and' | 'or', operands: readonly Expression[], none: Expression): Expression {
  return operands.length === 0 ? none : operands.reduce((left, right) => ({ op, left, right }));
}

export const expr: ExprBuilder = {
  and: (...operands) => joined('and', operands, TRUE),
  or: (...operands) => joined('or', operands, FALSE),
  not: (child) => ({ op: 'not', child }),
  alwaysTrue: () => TRUE,
  alwaysFalse: () => FALSE,
  isNull: unary('isNull'),
  notNull: unary('notNull'),
  isNaN: unary('isNaN'),
  notNaN: unary('notNaN'),
  eq: comparison('eq'),
  neq: comparison('neq'),
  lt: comparison('lt'),
  lteq: comparison('lteq'),
  gt: comparison('gt'),
  gteq: comparison('gteq'),
  startsWith: comparison('startsWith'),
  notStartsWith: comparison('notStartsWith'),
  in: membership('in'),
  notIn: membership('notIn'),
  col: (column) => ({ column }),
  // A partition field without a name is a column and a transform, which is what a term is.
  bucket: (buckets, column) => partitionBy.bucket(buckets, column),
  truncate: (width, column) => partitionBy.truncate(width, column),
  year: (column) => partitionBy.year(column),
  month: (column) => partitionBy.month(column),
  day: (column) => partitionBy.day(column),
  hour: (column) => partitionBy.hour(column),
};
