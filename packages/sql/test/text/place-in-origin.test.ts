import { expect, test } from 'vitest';
import { placeInOrigin } from '../../src/text/place-in-origin.ts';

const origin = 'UPDATE t SET a = b + 1 WHERE a > 1';
const made = 'SELECT (\nb + 1\n) FROM t WHERE (\na > 1\n)';

test('a place in a piece is where the piece is in the text that it is of', () => {
  expect(placeInOrigin(made, made.indexOf('b + 1'), origin)).toBe(origin.indexOf('b + 1'));
  expect(placeInOrigin(made, made.indexOf('> 1'), origin)).toBe(origin.indexOf('> 1'));
});

test('it is not told where there is no such piece, or several', () => {
  expect(placeInOrigin(made, made.indexOf('FROM'), 'xyz')).toBe(null);
  expect(placeInOrigin('SELECT a', 7, 'a,a')).toBe(null);
});
