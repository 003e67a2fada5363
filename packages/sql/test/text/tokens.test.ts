import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dialectEdits } from '../../src/text/dialect.ts';
import { applyEdits, byteOffsetMap } from '../../src/text/edits.ts';
import { literal, parameterEdits } from '../../src/text/parameters.ts';
import { classify, splitStatements } from '../../src/text/statements.ts';
import { pointAt, tokenize } from '../../src/text/tokens.ts';

const connection = await (await DuckDBInstance.create()).connect();

test('tokens cover the text, in order, and leave out nothing but blanks and comments', () => {
  const piece = fc.constantFrom(
    "'it''s'",
    '"q""n"',
    '$$ $x ? $$',
    '$tag$ -- $tag$',
    'a.b',
    '12.5e-3',
    '.5',
    '-- c\n',
    '/* /* n */ */',
    '?',
    '?12',
    '$x',
    '$1',
    "e'\\''",
    "x'AB'",
    '<>',
    '::',
    ' ',
    '\n',
    'é',
    '😀x',
    '(',
    ')',
    ';',
    '[1]',
    '%',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join(' ');
      let end = 0;
      for (const token of tokenize(text)) {
        expect(token.start).toBeGreaterThanOrEqual(end);
        expect(text.slice(end, token.start)).toMatch(/^(?:\s|--[^\n]*\n|\/\*[^]*\*\/)*$/);
        end = token.end;
      }
      expect(text.slice(end)).toMatch(/^(?:\s|--[^\n]*\n?|\/\*[^]*\*\/)*$/);
    }),
  );
});

test.each([
  ["SELECT 'a;b'; SELECT 2 -- ;\n; /* ; */", 2],
  [';;', 0],
  ['SELECT $$ ; $$', 1],
])('%j has %i statements', (text, count) => {
  expect(splitStatements(tokenize(text)).length).toBe(count);
});

test.each([
  ['SELECT 1', 'query'],
  ['(SELECT 1) UNION SELECT 2', 'query'],
  ['WITH a AS (SELECT 1) SELECT * FROM a', 'query'],
  ['WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a', 'change'],
  ['FROM t', 'query'],
  ['EXPLAIN ANALYZE SELECT 1', 'wrapped'],
  ['EXPLAIN (FORMAT json) SELECT 1', 'wrapped'],
  ['CREATE OR REPLACE TEMP TABLE IF NOT EXISTS t AS SELECT 1', 'wrapped'],
  ['CREATE TEMP TABLE t (id INTEGER)', 'session'],
  ['CREATE TABLE t AS SELECT 1', 'change'],
  ['CREATE VIEW v(a) AS SELECT 1', 'session'],
  ['CREATE MACRO m(x) AS x', 'session'],
  ["COPY (SELECT 1) TO 'x'", 'wrapped'],
  ['DELETE FROM t', 'change'],
  ['MERGE INTO t USING s ON true', 'change'],
  ['DROP MACRO m', 'session'],
  ['DROP TABLE IF EXISTS ns.t', 'change'],
  ["SET TimeZone = 'UTC'", 'session'],
  ['BEGIN', 'session'],
])('%j is a %s', (text, kind) => {
  expect(classify(tokenize(text)).kind).toBe(kind);
});

test('every value comes out of DuckDB as it went in', async () => {
  const scalar = fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom("'", '"', '\\', '\0', '\n', '$', '?', ';', '-', '😀') }),
  );
  await fc.assert(
    fc.asyncProperty(scalar, async (value) => {
      const reader = await connection.runAndReadAll(`SELECT ${literal(value, 'p')} AS v`);
      const [got] = reader.getRows()[0]!;
      // A small integer comes as a number, whatever it was given as.
      if (typeof value === 'number') expect(Object.is(Number(got), value)).toBe(true);
      else if (typeof value === 'bigint') expect(String(got)).toBe(String(value));
      else expect(got).toEqual(value);
    }),
    { numRuns: 200 },
  );
});

test('nested parameters', async () => {
  await connection.run("SET TimeZone = 'UTC'");
  const value = { a: [1, null], m: new Map([['k', 'v']]), b: Uint8Array.of(0, 255), d: new Date(-1) };
  const reader = await connection.runAndReadAll(`SELECT ${literal(value, 'p')}::VARCHAR`);
  expect(reader.getRows()[0]![0]).toBe(
    "{'a': [1, NULL], 'm': {k=v}, 'b': \\x00\\xFF, 'd': '1969-12-31 23:59:59.999+00'}",
  );
});

test('what has no value in SQL is refused by name', () => {
  expect(() => literal(undefined, 'Parameter $x')).toThrow(/Parameter \$x is undefined/);
  expect(() => literal({ a: [Symbol.iterator] }, 'Parameter $x')).toThrow(/\$x\.a\[0\] is a symbol/);
  expect(() => literal(new Date(Number.NaN), 'Parameter $x')).toThrow(/invalid Date/);
  expect(() => parameterEdits(tokenize('SELECT $a, $b'), { a: 1 }, true)).toThrow(/\$b/);
});

test.each([
  ['SELECT * FROM t FOR VERSION AS OF 5 WHERE x', 'SELECT * FROM t AT (VERSION => 5) WHERE x'],
  [
    "SELECT * FROM a.t FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01' AS x JOIN b",
    "SELECT * FROM a.t AS x AT (TIMESTAMP => TIMESTAMP '2024-01-01') JOIN b",
  ],
  ['FROM t VERSION AS OF (1 + 2) e', 'FROM t e AT (VERSION => (1 + 2))'],
  ['FROM t AT (VERSION => 1) AS e (a, b)', 'FROM t AS e (a, b) AT (VERSION => 1)'],
  ['FROM t AS e AT (VERSION => 1)', 'FROM t AS e AT (VERSION => 1)'],
  ['SELECT a.b.c.d FROM x', 'SELECT a.b.c.d FROM x'],
  ['SELECT 1 FROM x, a.b.c.d WHERE f(y, a.b.c.d)', 'SELECT 1 FROM x, "a\u001fb\u001fc"."d" WHERE f(y, a.b.c.d)'],
  [
    'SELECT extract(year FROM x.a.b.c) FROM t WHERE x IS NOT DISTINCT FROM a.b.c.d',
    'SELECT extract(year FROM x.a.b.c) FROM t WHERE x IS NOT DISTINCT FROM a.b.c.d',
  ],
  ['SELECT (SELECT 1 FROM a.b.c.d)', 'SELECT (SELECT 1 FROM "a\u001fb\u001fc"."d")'],
])('%s', (text, expected) => {
  expect(applyEdits(text, dialectEdits(text, tokenize(text))).text).toBe(expected);
});

test('places in an edited text are found in the original', () => {
  const original = 'abc DEF ghi';
  const edited = applyEdits(original, [
    { start: 4, end: 7, text: 'something longer' },
    { start: 0, end: 0, text: '>>' },
  ]);
  expect(edited.text).toBe('>>abc something longer ghi');
  for (const word of ['abc', 'ghi']) expect(edited.toOriginal(edited.text.indexOf(word))).toBe(original.indexOf(word));
  expect(edited.toOriginal(edited.text.indexOf('longer'))).toBe(4);
  expect(byteOffsetMap('é😀x')(6)).toBe(3);
  expect(pointAt('one\ntwo three', 8)).toBe('LINE 2: two three\n            ^');
});
