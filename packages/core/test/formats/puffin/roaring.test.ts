import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRoaring, encodeRoaring } from '../../../src/formats/puffin/roaring.ts';
import { bitmapOf, expectPositions, pieces, positionsIn } from './arbitraries.ts';

/** Bitmaps of RoaringFormatSpec's own tests (`testdata/64map…`). */
const OFFICIAL = {
  empty: 'AAAAAAAAAAA=',
  small: 'AQAAAAAAAAAAAAAAOjAAAAEAAAAAAAkAEAAAAAAAAQACAAMABAAFAAYABwAIAAkA',
};

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('roaring', () => {
  test('what was encoded decodes to the same positions', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const positions = positionsIn(parts);
        expectPositions(decodeRoaring(encodeRoaring(bitmapOf(positions))), positions);
      }),
      { numRuns: 40 },
    );
  });

  test('the smallest container is taken: lists, bits, runs', () => {
    const sizeOf = (positions: number[]): number => encodeRoaring(bitmapOf(positions)).length;
    const HEAD = 8 + 4;
    // Without runs: cookie, count, one key and count, one offset.
    expect(sizeOf(range(0, 100).map((i) => i * 7))).toBe(HEAD + 8 + 4 + 4 + 200);
    expect(sizeOf(range(0, 20_000).map((i) => i * 3))).toBe(HEAD + 8 + 4 + 4 + 8192);
    // With: cookie, flags, one key and count, number of runs, one run.
    expect(sizeOf(range(0, 60_000))).toBe(HEAD + 4 + 1 + 4 + 2 + 4);
  });

  test('bitmaps of others', () => {
    expect([...decodeRoaring(bytesOf(OFFICIAL.empty))]).toEqual([]);
    expect([...decodeRoaring(bytesOf(OFFICIAL.small))]).toEqual(range(0, 10));
    expect(Buffer.from(encodeRoaring(bitmapOf(range(0, 0)))).toString('base64')).toBe(OFFICIAL.empty);
  });

  test('a bitmap of no containers is one, between others too', () => {
    const one = bytesOf(OFFICIAL.small);
    const empty = Uint8Array.of(0, 0, 0, 0, 0x3a, 0x30, 0, 0, 0, 0, 0, 0);
    const two = Uint8Array.from([2, ...one.subarray(1, 8), ...empty, 1, ...one.subarray(9)]);
    expect([...decodeRoaring(two)]).toEqual(range(2 ** 32, 2 ** 32 + 10));
  });

  test('tables of places, which there are from four containers on, are jumped over', () => {
    for (const containers of [3, 4, 5]) {
      const positions = range(0, containers).flatMap((i) => range(i * 65536, i * 65536 + 100));
      const bytes = encodeRoaring(bitmapOf(positions));
      expect(bytes.length).toBe(8 + 4 + 4 + 1 + containers * (4 + 6 + (containers < 4 ? 0 : 4)));
      expect([...decodeRoaring(bytes)]).toEqual(positions);
    }
  });

  test('damage is noticed, or gives another set of as many bytes', () => {
    const bytes = encodeRoaring(bitmapOf([5, 7, ...range(65536, 66536), ...range(0, 5000).map((i) => 131072 + 3 * i)]));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at]! ^= flip;
        try {
          expect(encodeRoaring(decodeRoaring(damaged)).length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
    for (const length of [0, 7, 8, 20, bytes.length - 1]) expect(() => decodeRoaring(bytes.slice(0, length))).toThrow();
    expect(() => decodeRoaring(Uint8Array.from([...bytes, 0]))).toThrow('after');
  });

  test.each([
    ['keys out of order', [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x3a, 0x30, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 'keys'],
    ['positions past 2^53', [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0x3a, 0x30, 0, 0, 0, 0, 0, 0], '2\\^53'],
    ['another cookie', [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3c, 0x30, 0, 0], 'start'],
    [
      'more containers than there are',
      [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x30, 0, 0, 1, 0, 1, 0],
      'containers',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeRoaring(Uint8Array.from(bytes))).toThrow(new RegExp(message));
  });
});
