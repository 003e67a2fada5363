import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatcher } from '../../src/io/glob.ts';

test.each([
  ['*.parquet', ['a.parquet', 'x/y/a.parquet'], ['a.parquet.crc', 'a.orc']],
  ['x/*.parquet', ['x/a.parquet'], ['a.parquet', 'x/y/a.parquet', 'z/x/a.parquet']],
  ['./x/*', ['x/a'], ['x/y/a']],
  ['year=2024/**', ['year=2024/a', 'year=2024/b/c'], ['year=2025/a', 'year=2024']],
  ['**/b/*', ['b/x', 'a/b/x', 'a/a/b/x'], ['ab/x', 'b/x/y']],
  ['a?.{csv,parquet}', ['ab.csv', 'ab.parquet'], ['a.csv', 'abc.csv', 'ab.orc']],
  ['part-[0-9].x', ['part-7.x'], ['part-a.x', 'part-77.x']],
  ['[!a]*', ['b', 'x/b'], ['a', 'x/ab']],
  ['a(b)+.$^|,}', ['a(b)+.$^|,}'], ['ab']],
  ['\\*', ['*'], ['a']],
  ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'd']],
] as const)('%s', (pattern, matching, others) => {
  const matches = globMatcher(pattern);
  expect(matching.filter((path) => !matches(path))).toEqual([]);
  expect(others.filter((path) => matches(path))).toEqual([]);
});

test('a pattern without special characters means its own text', () => {
  const name = fc
    .string({ unit: 'binary', minLength: 1 })
    .filter((text) => !/[*?{}[\]\\/]/.test(text) && !text.startsWith('.'));
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(globMatcher(a)(a)).toBe(true);
      expect(globMatcher(`x/${a}`)(`x/${b}`)).toBe(a === b);
    }),
  );
});

test.each(['{a', 'x/[z-a]'])("'%s' is no pattern", (pattern) => {
  expect(() => globMatcher(pattern)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
