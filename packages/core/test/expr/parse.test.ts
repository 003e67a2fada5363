import { describe, expect, it } from 'vitest';
import { isLakehouseError } from '../../src/errors.ts';
import { expr } from '../../src/expr/expr.ts';
import type { Expression } from '../../src/expr/expression.ts';
import { parseExpression } from '../../src/expr/parse.ts';

const a = expr.isNull('a');
const b = expr.isNull('b');
const c = expr.isNull('c');

const CASES: [string, Expression][] = [
  ['a IS NULL', a],
  ['a is not null', expr.notNull('a')],
  ['a IS NULL OR b IS NULL AND c IS NULL', expr.or(a, expr.and(b, c))],
  ['(a IS NULL OR b IS NULL) AND c IS NULL', expr.and(expr.or(a, b), c)],
  ['NOT a IS NULL AND b IS NULL', expr.and(expr.not(a), b)],
  ['NOT (a IS NULL AND b IS NULL)', expr.not(expr.and(a, b))],
  ['NOT NOT a IS NULL', expr.not(expr.not(a))],
  ['a IS NULL AND b IS NULL AND c IS NULL', expr.and(a, b, c)],
  ['a IS NULL AND (b IS NULL AND c IS NULL)', expr.and(a, expr.and(b, c))],
  ['id = 1', expr.eq('id', 1)],
  ['id == 1', expr.eq('id', 1)],
  ['id != -1', expr.neq('id', -1)],
  ['id <> +1', expr.neq('id', 1)],
  ['id<=1', expr.lteq('id', 1)],
  ['5 < id', expr.gt('id', 5)],
  ['5 >= id', expr.lteq('id', 5)],
  ['id = 9223372036854775807', expr.eq('id', 9223372036854775807n)],
  ['x = 1.50', expr.eq('x', 1.5)],
  ['x = .5e-3', expr.eq('x', 0.0005)],
  ['x = -0.0', expr.eq('x', -0)],
  ['x = 0.1234567890123456789', expr.eq('x', { type: 'decimal', text: '0.1234567890123456789' })],
  ["x = DOUBLE 'NaN'", expr.eq('x', NaN)],
  ["x < DOUBLE '-Infinity'", expr.lt('x', -Infinity)],
  ["city = 'it''s'", expr.eq('city', "it's")],
  ["city = ''", expr.eq('city', '')],
  ["city IN ('a', 'b')", expr.in('city', ['a', 'b'])],
  ["city NOT IN ('a')", expr.notIn('city', ['a'])],
  ['city IN ()', expr.in('city', [])],
  ['id BETWEEN 1 AND 2 AND a IS NULL', expr.and(expr.and(expr.gteq('id', 1), expr.lteq('id', 2)), a)],
  ['id NOT BETWEEN 1 AND 2', expr.or(expr.lt('id', 1), expr.gt('id', 2))],
  ["city LIKE 'abc%'", expr.startsWith('city', 'abc')],
  ["city NOT LIKE 'abc%'", expr.notStartsWith('city', 'abc')],
  ["city LIKE 'abc'", expr.eq('city', 'abc')],
  ["city LIKE '%'", expr.startsWith('city', '')],
  ["city startsWith 'abc'", expr.startsWith('city', 'abc')],
  ["starts_with(city, '50%_')", expr.startsWith('city', '50%_')],
  ["NOT startsWith(city, 'a')", expr.not(expr.startsWith('city', 'a'))],
  ["not_starts_with(city, 'a')", expr.notStartsWith('city', 'a')],
  ['is_nan(x)', expr.isNaN('x')],
  ['x IS NAN', expr.isNaN('x')],
  ['x IS NOT NAN', expr.notNaN('x')],
  ['flag', expr.eq('flag', true)],
  ['NOT flag AND (flag)', expr.and(expr.not(expr.eq('flag', true)), expr.eq('flag', true))],
  ['flag = FALSE', expr.eq('flag', false)],
  ['TRUE OR false', expr.or(expr.alwaysTrue(), expr.alwaysFalse())],
  ['TRUE = flag', expr.eq('flag', true)],
  ["d >= DATE '2024-01-31'", expr.gteq('d', { type: 'date', text: '2024-01-31' })],
  ["ts < TIMESTAMP '2024-01-31 12:00:00.5'", expr.lt('ts', { type: 'timestamp', text: '2024-01-31 12:00:00.5' })],
  [
    "ts < timestamptz '2024-01-31T12:00:00+01:00'",
    expr.lt('ts', { type: 'timestamptz', text: '2024-01-31T12:00:00+01:00' }),
  ],
  ["t = TIME '12:00'", expr.eq('t', { type: 'time', text: '12:00' })],
  ["date = '2024-01-31'", expr.eq('date', '2024-01-31')],
  ["bin = X'00ff'", expr.eq('bin', Uint8Array.of(0, 255))],
  ['x = 1', expr.eq('x', 1)],
  ['point.lat > 1', expr.gt('point.lat', 1)],
  ['"odd name"."say ""hi""" = 1', expr.eq('odd name.say "hi"', 1)],
  ['`back``tick` = 1', expr.eq('back`tick', 1)],
  ['"and" = 1', expr.eq('and', 1)],
  ['a.and = 1', expr.eq('a.and', 1)],
  ['größe > 1', expr.gt('größe', 1)],
  ['bucket(16, id) = 3', expr.eq(expr.bucket(16, 'id'), 3)],
  ["truncate(2, city) IN ('ab')", expr.in(expr.truncate(2, 'city'), ['ab'])],
  ["day(ts) >= DATE '2024-01-31'", expr.gteq(expr.day('ts'), { type: 'date', text: '2024-01-31' })],
  ["DATE(ts) = '2024-01-31'", expr.eq(expr.day('ts'), '2024-01-31')],
  ['year(ts) = 2024', expr.eq(expr.year('ts'), '2024')],
  ['2024 <= year(ts)', expr.gteq(expr.year('ts'), '2024')],
  ["months(ts) = '2024-03'", expr.eq(expr.month('ts'), '2024-03')],
  ['year = 2024', expr.eq('year', 2024)],
  [
    "  ts >= '2024-01-01'\n  AND NOT (city IN ('a','b') OR x IS NULL) ",
    expr.and(expr.gteq('ts', '2024-01-01'), expr.not(expr.or(expr.in('city', ['a', 'b']), expr.isNull('x')))),
  ],
];

describe('parseExpression', () => {
  it.each(CASES)('%s', (text, expected) => {
    expect(parseExpression(text)).toEqual(expected);
  });

  it('keeps the sign of a floating-point zero and gives whole zeros none', () => {
    expect(parseExpression('x = -0.0')).toEqual(expr.eq('x', -0));
    expect(parseExpression('x = -0')).toEqual(expr.eq('x', 0));
  });

  it('reads chains of any length and refuses only deep nesting', () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `id = ${i}`).join(' OR ');
    expect(parseExpression(long).op).toBe('or');
    expect(() => parseExpression('('.repeat(600) + 'a' + ')'.repeat(600))).toThrow(/nested more than 500 levels/);
  });
});

/** Text, the offset of the caret, and what the message says. */
const ERRORS: [string, number, RegExp][] = [
  ['', 0, /filter is empty/],
  ['id = ', 5, /Expected a literal .* the filter ends/],
  ['id = 1 AND', 10, /Expected a column, but the filter ends/],
  ['id = 1 name = 2', 7, /Expected AND, OR or the end of the filter, but found name/],
  ['id & 1', 3, /Unexpected character '&'/],
  ["city = 'abc", 7, /no closing quote/],
  ['"city = 1', 0, /no closing quote/],
  ['id = NULL', 5, /IS NULL/],
  ['id IN (1, NULL)', 10, /IS NULL/],
  ['id IN (1, 2', 11, /Expected ',' or '\)'/],
  ['(id = 1', 7, /Expected '\)'/],
  ['id = 1)', 6, /found \)/],
  ['a = b', 4, /'b' is a name: columns can't be compared with each other, and text needs single quotes/],
  ['city = "x"', 7, /text needs single quotes/],
  ['5 = 5', 4, /One side of a comparison has to be a column/],
  ['5', 1, /Expected a comparison/],
  ["city LIKE '%abc'", 10, /LIKE takes a prefix/],
  ["city LIKE 'a_c%'", 10, /LIKE takes a prefix/],
  ['city LIKE 5', 10, /text in single quotes/],
  ['id NOT 5', 7, /IN, BETWEEN or LIKE/],
  ['id BETWEEN 1 OR 2', 13, /AND and the upper end/],
  ['id IS 5', 6, /NULL, NOT NULL/],
  ["d = DATE '2024-02-30'", 9, /DATE needs text like/],
  ["ts = TIMESTAMP 'yesterday'", 15, /TIMESTAMP needs text like/],
  ["bin = X'0'", 6, /pairs of hexadecimal digits/],
  ['lower(city) = 5', 0, /no function 'lower'/],
  ['bucket(0, id) = 1', 7, /positive whole number/],
  ['bucket(id) = 1', 7, /positive whole number/],
  ['day(ts', 6, /Expected '\)'/],
  ['month(ts) = 3', 12, /ambiguous .* '2024-03'/],
  ['and = 1', 0, /AND|keyword/],
  ['1abc = 1', 1, /A number ends here/],
  ['- = 1', 2, /a number after the sign/],
];

describe('errors', () => {
  it.each(ERRORS)('%s', (text, offset, message) => {
    let error: unknown;
    try {
      parseExpression(text);
    } catch (thrown) {
      error = thrown;
    }
    if (!isLakehouseError(error, 'INVALID_ARGUMENT'))
      throw new Error('expected an INVALID_ARGUMENT error', { cause: error });
    expect(error.message).toMatch(message);
    if (text === '') return;
    expect(error.context['offset']).toBe(offset);
    const [line = '', caret = ''] = error.message.split('\n').slice(-2);
    expect(line.trim()).toBe(text.trim());
    expect(caret.length - 1 - 2).toBe(offset);
  });

  it('shows the line of a filter over several lines, and cuts long ones', () => {
    expect(() => parseExpression('a = 1\n\tAND b ! 2')).toThrow(/\(line 2\):\n {2}\tAND b ! 2\n {2}\t {6}\^$/);
    const long = `${'a = 1 AND '.repeat(50)} b ! 2 ${'AND a = 1 '.repeat(50)}`;
    expect(() => parseExpression(long)).toThrow(/\n {2}….{60}! 2 .*…\n {63}\^$/);
  });
});
