import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../src/spec/compare-values.ts';
import {
  truncateBytesLower,
  truncateBytesUpper,
  truncateTextLower,
  truncateTextUpper,
} from '../../src/write/truncate-bounds.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | null): string | null =>
  bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);

/** Characters around every edge: the ends of each length of UTF-8, the surrogates' neighbours, the last one. */
const edgy = fc
  .array(
    fc.constantFrom(
      'a',
      '\u007f',
      '\u0080',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const length = fc.integer({ min: 1, max: 6 });

describe('text', () => {
  test('the lower bound is a prefix of so many characters', () => {
    fc.assert(
      fc.property(edgy, length, (text, n) => {
        expect(textOf(truncateTextLower(utf8(text), n))).toBe([...text].slice(0, n).join(''));
      }),
    );
  });

  test('the upper bound is above every text with the same prefix, or missing only when nothing is', () => {
    fc.assert(
      fc.property(edgy, edgy, length, (text, rest, n) => {
        const upper = truncateTextUpper(utf8(text), n);
        const characters = [...text];
        if (upper === null) {
          expect(characters.length).toBeGreaterThan(n);
          expect(characters.slice(0, n).every((character) => character === '\u{10ffff}')).toBe(true);
          return;
        }
        expect([...textOf(upper)!].length).toBeLessThanOrEqual(n);
        expect(compareBytes(utf8(text), upper)).toBeLessThanOrEqual(0);
        if (characters.length > n)
          expect(compareBytes(utf8(characters.slice(0, n).join('') + rest), upper)).toBeLessThan(0);
      }),
    );
  });

  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abd'],
    ['ab\u{10ffff}x', 3, 'ac'],
    ['a\ud7ffx', 2, 'a\ue000'],
    ['a\uffffx', 2, 'a\u{10000}'],
    ['\u{10ffff}\u{10ffff}', 1, null],
  ])('%j in %i characters is below %j', (text, n, expected) => {
    expect(textOf(truncateTextUpper(utf8(text), n))).toBe(expected);
  });
});

test('bytes are cut and incremented as numbers are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 4 }), length, (bytes, rest, n) => {
      const lower = truncateBytesLower(bytes, n);
      expect(compareBytes(lower, bytes)).toBeLessThanOrEqual(0);
      const upper = truncateBytesUpper(bytes, n);
      if (upper === null) {
        expect(bytes.slice(0, n).every((byte) => byte === 0xff)).toBe(true);
        return;
      }
      expect(upper.length).toBeLessThanOrEqual(n);
      expect(compareBytes(bytes, upper)).toBeLessThanOrEqual(0);
      if (bytes.length > n) expect(compareBytes(Uint8Array.of(...lower, ...rest), upper)).toBeLessThan(0);
    }),
  );
});
