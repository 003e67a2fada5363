import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expr } from '../../src/expr/expr.ts';
import type { ComparisonPredicate, Expression, Literal, Term } from '../../src/expr/expression.ts';
import { chainOperands } from '../../src/expr/logic.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { expressionToText } from '../../src/expr/to-text.ts';

const name = fc.oneof(
  fc.constantFrom(
    'a',
    'b.c',
    'Ünï',
    'odd name',
    'say "hi"',
    'and',
    'x',
    'date',
    'year',
    'null',
    '1st',
    'a..b',
    'true',
    "it's",
    'startswith',
  ),
  fc.string({ unit: 'grapheme', minLength: 1 }),
);

const literal: Arbitrary<Literal> = fc.oneof(
  fc.boolean(),
  fc.integer(),
  // Whole numbers beyond 2^53 are read back as bigints, which bind to the same.
  fc.double().filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)),
  fc.bigInt({ min: 1n << 53n, max: 1n << 90n }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 5 }),
  fc.constantFrom<Literal>(
    { type: 'date', text: '2024-02-29' },
    { type: 'time', text: '12:00:00.5' },
    { type: 'timestamp', text: '2024-02-29T12:00:00.123456789' },
    { type: 'timestamptz', text: '2024-02-29 12:00:00+01:00' },
    { type: 'decimal', text: '-12345678901234567890.12345' },
  ),
);

/** Literals of year, month and hour are text, each in its own form. */
const termAndLiteral: Arbitrary<readonly [Term, Literal]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      name.map((column): Term => ({ column })),
      literal,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      name.map((column) => expr.bucket(16, column)),
      fc.nat(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      name.map((column) => expr.truncate(3, column)),
      literal,
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      name.map((column) => expr.day(column)),
      fc.constant<Literal>({ type: 'date', text: '2024-02-29' }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      name.map((column) => expr.year(column)),
      fc.constant<Literal>('2024'),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      name.map((column) => expr.hour(column)),
      fc.constant<Literal>('2024-02-29-12'),
    ),
  },
);

const predicate: Arbitrary<Expression> = fc.oneof(
  fc
    .tuple(fc.constantFrom('eq', 'neq', 'lt', 'lteq', 'gt', 'gteq' as const), termAndLiteral)
    .map(([op, [term, value]]) => ({ op, term, value }) as ComparisonPredicate),
  fc
    .tuple(fc.constantFrom('in' as const, 'notIn' as const), termAndLiteral, fc.nat(3))
    .map(([op, [term, value], count]) => ({ op, term, values: Array<Literal>(count).fill(value) })),
  fc
    .tuple(fc.constantFrom('startsWith' as const, 'notStartsWith' as const), name, fc.string({ unit: 'grapheme' }))
    .map(([op, column, value]) => ({ op, term: { column }, value })),
  fc
    .tuple(fc.constantFrom('isNull' as const, 'notNull' as const, 'isNaN' as const, 'notNaN' as const), termAndLiteral)
    .map(([op, [term]]) => ({ op, term })),
);

const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    predicate,
    tie('tree').map((child): Expression => ({ op: 'not', child })),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), tie('tree'), tie('tree'))
      .map(([op, left, right]): Expression => ({ op, left, right })),
    fc.constantFrom<Expression>({ op: 'true' }, { op: 'false' }),
  ),
}));

/** The same with chains grouped to the left, and terms without the undefined properties that builders leave. */
function regrouped(expression: Expression): Expression {
  if (expression.op === 'not') return { op: 'not', child: regrouped(expression.child) };
  if (expression.op !== 'and' && expression.op !== 'or') return expression;
  const { op } = expression;
  return chainOperands<Expression>(expression, op)
    .map(regrouped)
    .reduce((left, right) => ({ op, left, right }));
}

describe('the text of an expression', () => {
  it('is read back as the same', () => {
    fc.assert(
      fc.property(tree, (expression) => {
        expect(parseExpression(expressionToText(expression))).toEqual(regrouped(expression));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[Expression, string]>([
    [
      expr.and(expr.or(expr.eq('a', 1), expr.eq('b', 2)), expr.not(expr.isNull('c'))),
      '(a = 1 OR b = 2) AND NOT c IS NULL',
    ],
    [expr.not(expr.and(expr.eq('a', 1), expr.eq('b', 2))), 'NOT (a = 1 AND b = 2)'],
    [expr.or(expr.and(expr.eq('a', 1), expr.eq('b', 2)), expr.eq('c', 3)), 'a = 1 AND b = 2 OR c = 3'],
    [expr.in('point.x', [1, 2n, 1.5]), 'point.x IN (1, 2, 1.5)'],
    [expr.eq('t', new Date(0)), "t = TIMESTAMPTZ '1970-01-01T00:00:00.000Z'"],
    [expr.eq(expr.month('ts'), -1), "month(ts) = '1969-12'"],
    [expr.eq('x', NaN), "x = DOUBLE 'NaN'"],
    [expr.startsWith('odd name', '50%'), `starts_with("odd name", '50%')`],
  ])('case %#', (expression, text) => {
    expect(expressionToText(expression)).toBe(text);
  });
});

describe('the builder', () => {
  it('has neutral elements for no operands', () => {
    expect([expr.and(), expr.or()]).toEqual([{ op: 'true' }, { op: 'false' }]);
  });

  it.each<[() => unknown, RegExp]>([
    [() => expr.eq('', 1), /given by its name/],
    [() => expr.eq(undefined as unknown as string, 1), /undefined is none/],
    [() => expr.eq('a', null as unknown as number), /'a' can't be compared with null.*isNull/],
    [() => expr.in('a', 'abc'), /needs a list of values/],
    [() => expr.in('a', 5 as unknown as number[]), /needs a list of values/],
    [() => expr.in('a', [1, null as unknown as number]), /can't be compared with null/],
    [() => expr.bucket(0, 'a'), /positive whole number/],
  ])('refuses %s', (build, message) => {
    expect(build).toThrow(message);
  });
});
