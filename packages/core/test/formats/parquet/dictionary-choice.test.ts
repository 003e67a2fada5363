import { describe, expect, test } from 'vitest';

import type { Column } from '../../../src/columns/column.ts';
import { isWorthDictionary } from '../../../src/formats/parquet/dictionary-choice.ts';

const LIMIT = 2 * 1024 * 1024;

function longs(count: number, value: (i: number) => number): Column {
  const values = BigInt64Array.from({ length: count }, (_, i) => BigInt(value(i)));
  return { layout: 'numbers', length: count, validity: null, values };
}

function texts(count: number, value: (i: number) => string): Column {
  const all = Array.from({ length: count }, (_, i) => value(i));
  const offsets = new Int32Array(count + 1);
  for (const [i, one] of all.entries()) offsets[i + 1] = offsets[i]! + one.length;
  return { layout: 'variable', length: count, validity: null, offsets, bytes: new TextEncoder().encode(all.join('')) };
}

/** Without a pattern that a sample could miss or hit. */
const scattered = (i: number): number => Math.imul(i, 0x9e3779b1) >>> 4;

describe('a dictionary', () => {
  const cases: readonly (readonly [name: string, expected: boolean | null, column: Column, limit?: number])[] = [
    ['values that are all different', false, longs(100_000, (i) => i)],
    ['different texts', false, texts(100_000, (i) => `https://example.com/a/long/path/of/${i}`)],
    ['values of which most are there twice', false, longs(100_000, (i) => scattered(i) % 50_000)],
    ['few values', true, longs(100_000, (i) => scattered(i) % 7)],
    ['thousands of values, each many times', true, longs(1_000_000, (i) => scattered(i) % 5000)],
    ['many values, each many times on end', true, longs(1_000_000, (i) => Math.floor(i / 100))],
    ['more values than it may have', false, longs(1_000_000, (i) => scattered(i) % 5000), 4096],
    ['few texts', true, texts(10_000, (i) => ['GET', 'POST', 'PUT'][scattered(i) % 3]!)],
    ['one row', false, longs(1, () => 1)],
    ['no row', null, longs(0, () => 1)],
    ['nulls', null, { ...longs(8, (i) => i), validity: new Uint8Array(1) }],
    ['booleans', null, { layout: 'bits', length: 8, validity: null, bits: new Uint8Array(1) }],
  ];
  for (const [name, expected, column, limit = LIMIT] of cases) {
    test(`of ${name}: ${expected}`, () => {
      expect(isWorthDictionary([column], limit)).toBe(expected);
    });
  }

  test('is chosen by all parts of a column', () => {
    const parts = Array.from({ length: 50 }, (_, part) => longs(1000, () => part % 5));
    expect(isWorthDictionary(parts, LIMIT)).toBe(true);
    expect(
      isWorthDictionary(
        Array.from({ length: 50 }, (_, part) => longs(1000, (i) => part * 1000 + i)),
        LIMIT,
      ),
    ).toBe(false);
  });
});
