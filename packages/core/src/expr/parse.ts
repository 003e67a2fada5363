import { invalidArgument } from '../errors.ts';
import { expr } from './expr.ts';
import type { ComparisonPredicate, Expression, Literal, PredicateOp, Term } from './expression.ts';
import { NEGATED } from './logic.ts';
import { isConstantWord, parseLiteral } from './parse-literal.ts';
import { checkOrdinal, parseTerm, TERM_FUNCTIONS } from './parse-term.ts';
import { TokenReader } from './token-reader.ts';

type Comparison = Exclude<ComparisonPredicate['op'], 'startsWith' | 'notStartsWith'>;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '=': 'eq',
  '==': 'eq',
  '!=': 'neq',
  '<>': 'neq',
  '<': 'lt',
  '<=': 'lteq',
  '>': 'gt',
  '>=': 'gteq',
};

/** `5 < x` is `x > 5`. */
const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  eq: 'eq',
  neq: 'neq',
  lt: 'gt',
  lteq: 'gteq',
  gt: 'lt',
  gteq: 'lteq',
};

const MAX_DEPTH = 500;

/**
 * Reads a filter's text, a subset of SQL: comparisons, IN, BETWEEN, IS [NOT] NULL, LIKE 'prefix%', AND, OR, NOT,
 * literals such as `DATE '2024-01-31'`, quoted names, and transforms as functions (`bucket(16, id) = 3`,
 * `year(ts) = 2024`). INVALID_ARGUMENT that points at the character where it stops making sense.
 */
export function parseExpression(text: string): Expression {
  const reader = new TokenReader(text);
  if (reader.peek().kind === 'end') throw invalidArgument('The filter is empty; leave it out to match every row.');
  const expression = parseOr(reader, 0);
  if (reader.peek().kind !== 'end') throw reader.unexpected('AND, OR or the end of the filter');
  return expression;
}

function parseOr(reader: TokenReader, depth: number): Expression {
  let left = parseAnd(reader, depth);
  while (reader.takeWord('OR')) left = { op: 'or', left, right: parseAnd(reader, depth) };
  return left;
}

function parseAnd(reader: TokenReader, depth: number): Expression {
  let left = parseNot(reader, depth);
  while (reader.takeWord('AND')) left = { op: 'and', left, right: parseNot(reader, depth) };
  return left;
}

function parseNot(reader: TokenReader, depth: number): Expression {
  if (depth > MAX_DEPTH) throw reader.error(`The filter is nested more than ${MAX_DEPTH} levels deep`);
  if (reader.takeWord('NOT')) return { op: 'not', child: parseNot(reader, depth + 1) };
  if (!reader.takeSymbol('(')) return parsePredicate(reader);
  const inner = parseOr(reader, depth + 1);
  reader.expectSymbol(')');
  return inner;
}

function parsePredicate(reader: TokenReader): Expression {
  const token = reader.peek();
  if (token.kind === 'word' && reader.peek(1).text === '(') {
    const predicate = PREDICATE_FUNCTIONS[token.text.toLowerCase()];
    if (predicate) return parseFunction(reader, predicate);
  }
  if (token.kind === 'word' && isConstantWord(token.text) && !COMPARISONS[reader.peek(1).text]) {
    reader.next();
    return token.text.toUpperCase() === 'TRUE' ? expr.alwaysTrue() : expr.alwaysFalse();
  }
  const literal = parseLiteral(reader);
  return literal === undefined ? parseTail(reader, parseTerm(reader)) : parseFlipped(reader, literal);
}

type PredicateFunction = (term: Term, reader: TokenReader) => Expression;

/** Predicates that are written as functions. */
const PREDICATE_FUNCTIONS: Readonly<Record<string, PredicateFunction>> = {
  starts_with: (term, reader) => expr.startsWith(term, secondString(reader)),
  startswith: (term, reader) => expr.startsWith(term, secondString(reader)),
  not_starts_with: (term, reader) => expr.notStartsWith(term, secondString(reader)),
  is_nan: (term) => expr.isNaN(term),
  isnan: (term) => expr.isNaN(term),
  not_nan: (term) => expr.notNaN(term),
};

function parseFunction(reader: TokenReader, predicate: PredicateFunction): Expression {
  reader.next();
  reader.expectSymbol('(');
  const result = predicate(parseTerm(reader), reader);
  reader.expectSymbol(')');
  return result;
}

function secondString(reader: TokenReader): string {
  reader.expectSymbol(',');
  return expectString(reader);
}

function expectString(reader: TokenReader): string {
  if (reader.peek().kind !== 'string') throw reader.unexpected("text in single quotes, such as 'abc'");
  return reader.next().text;
}

/** What follows a column: an operator and what it is compared with. */
function parseTail(reader: TokenReader, term: Term): Expression {
  const comparison = reader.peek().kind === 'symbol' ? COMPARISONS[reader.peek().text] : undefined;
  if (comparison) {
    reader.next();
    return expr[comparison](term, expectLiteral(reader, term));
  }
  if (reader.takeWord('IS')) return parseIs(reader, term);
  const negated = reader.takeWord('NOT');
  for (const [word, parse] of Object.entries(WORD_OPERATORS)) {
    if (reader.takeWord(word)) return parse(reader, term, negated);
  }
  if (negated) throw reader.unexpected('IN, BETWEEN or LIKE');
  // A boolean column is a condition by itself.
  if (!term.transform && atEndOfPredicate(reader)) return expr.eq(term, true);
  throw reader.unexpected('a comparison, IN, BETWEEN, LIKE or IS NULL');
}

type WordOperator = (reader: TokenReader, term: Term, negated: boolean) => Expression;

const WORD_OPERATORS: Readonly<Record<string, WordOperator>> = {
  IN: (reader, term, negated) => {
    const values = parseList(reader, term);
    return negated ? expr.notIn(term, values) : expr.in(term, values);
  },
  BETWEEN: (reader, term, negated) => {
    const low = expectLiteral(reader, term);
    if (!reader.takeWord('AND')) throw reader.unexpected('AND and the upper end of BETWEEN');
    const high = expectLiteral(reader, term);
    return negated
      ? expr.or(expr.lt(term, low), expr.gt(term, high))
      : expr.and(expr.gteq(term, low), expr.lteq(term, high));
  },
  LIKE: parseLike,
  STARTSWITH: (reader, term, negated) => negatedOnce(expr.startsWith(term, expectString(reader)), negated),
};

function parseIs(reader: TokenReader, term: Term): Expression {
  const negated = reader.takeWord('NOT');
  if (reader.takeWord('NULL')) return negatedOnce(expr.isNull(term), negated);
  if (reader.takeWord('NAN')) return negatedOnce(expr.isNaN(term), negated);
  throw reader.unexpected(negated ? 'NULL or NAN' : 'NULL, NOT NULL, NAN or NOT NAN');
}

function parseList(reader: TokenReader, term: Term): Literal[] {
  reader.expectSymbol('(');
  const values: Literal[] = [];
  if (reader.takeSymbol(')')) return values;
  do values.push(expectLiteral(reader, term));
  while (reader.takeSymbol(','));
  if (!reader.takeSymbol(')')) throw reader.unexpected("',' or ')'");
  return values;
}

/** Only patterns that are text, or text with one `%` at its end: others can't be answered from bounds. */
function parseLike(reader: TokenReader, term: Term, negated: boolean): Expression {
  const token = reader.peek();
  const pattern = expectString(reader);
  const wildcard = pattern.search(/[%_]/);
  if (wildcard < 0) return negatedOnce(expr.eq(term, pattern), negated);
  if (pattern[wildcard] === '%' && wildcard === pattern.length - 1) {
    return negatedOnce(expr.startsWith(term, pattern.slice(0, -1)), negated);
  }
  throw reader.errorAt(
    token.start,
    `LIKE takes a prefix with % at its end and no other wildcard here; use starts_with(${term.column}, …) for a prefix that holds % or _`,
  );
}

function parseFlipped(reader: TokenReader, literal: Literal): Expression {
  const comparison = COMPARISONS[reader.peek().text];
  if (!comparison || reader.peek().kind !== 'symbol') throw reader.unexpected('a comparison such as = or <');
  reader.next();
  const token = reader.peek();
  if (parseLiteral(reader) !== undefined)
    throw reader.errorAt(token.start, 'One side of a comparison has to be a column');
  const term = parseTerm(reader);
  return expr[FLIPPED[comparison]](term, checkOrdinal(reader, token.start, term, literal));
}

/** The predicate, or the one that is its negation: `x NOT LIKE 'a%'` is a predicate by itself. */
function negatedOnce(predicate: Expression & { readonly op: PredicateOp }, negated: boolean): Expression {
  return negated ? ({ ...predicate, op: NEGATED[predicate.op] } as Expression) : predicate;
}

function expectLiteral(reader: TokenReader, term: Term): Literal {
  const token = reader.peek();
  const literal = parseLiteral(reader);
  if (literal !== undefined) return checkOrdinal(reader, token.start, term, literal);
  if (token.kind === 'word' && token.text.toUpperCase() === 'NULL') {
    throw reader.error('Nothing is equal to NULL; write IS NULL or IS NOT NULL');
  }
  const isColumn = token.kind === 'quoted' || (token.kind === 'word' && !TERM_FUNCTIONS.has(token.text.toLowerCase()));
  if (isColumn) {
    throw reader.error(
      `Expected a literal, but '${token.text}' is a name: columns can't be compared with each other, and text needs single quotes`,
    );
  }
  throw reader.unexpected("a literal such as 5, 'abc' or DATE '2024-01-31'");
}

function atEndOfPredicate(reader: TokenReader): boolean {
  const { kind, text } = reader.peek();
  return kind === 'end' || (kind === 'symbol' && text === ')') || (kind === 'word' && /^(and|or)$/i.test(text));
}
