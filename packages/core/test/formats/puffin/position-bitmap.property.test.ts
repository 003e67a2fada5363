import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTAINER_SIZE, PositionBitmap } from '../../../src/formats/puffin/position-bitmap.ts';
import { decodeRoaring, encodeRoaring } from '../../../src/formats/puffin/roaring.ts';
import { bitmapOf, expectPositions, pieces, positionsIn } from './arbitraries.ts';

describe('a set of positions', () => {
  test('has what was added, in order, whatever the order of adding', () => {
    fc.assert(
      fc.property(pieces, fc.boolean(), (parts, descending) => {
        const positions = positionsIn(parts);
        const bitmap = bitmapOf(descending ? positions.toReversed() : positions);
        expectPositions(bitmap, positions);
        expect(bitmap.size).toBe(positions.length);
        for (const position of positions.slice(0, 5)) expect(bitmap.has(position)).toBe(true);
        expect(bitmap.bytes).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });

  test('marks the rows of a range that are in it, and no others', () => {
    fc.assert(
      fc.property(
        pieces,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        (parts, where, length) => {
          const positions = positionsIn(parts);
          const first = Math.max(0, (positions[Math.floor(where * (positions.length - 1))] ?? 0) - (length >> 1));
          const set = new Set(positions);
          const expected = Uint8Array.from({ length }, (_, i) => (set.has(first + i) ? 1 : 0));
          // Also of decoded ones, which have runs.
          for (const bitmap of [bitmapOf(positions), decodeRoaring(encodeRoaring(bitmapOf(positions)))]) {
            const flags = new Uint8Array(length);
            expect(bitmap.mark(first, flags)).toBe(expected.includes(1));
            expect(Buffer.compare(flags, expected)).toBe(0);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is joined with another, which stays as it is', () => {
    fc.assert(
      fc.property(pieces, pieces, fc.boolean(), (a, b, decoded) => {
        const [left, right] = [positionsIn(a), positionsIn(b)];
        const joined = bitmapOf(left);
        const other = decoded ? decodeRoaring(encodeRoaring(bitmapOf(right))) : bitmapOf(right);
        joined.addAll(other);
        expectPositions(
          joined,
          [...new Set([...left, ...right])].toSorted((x, y) => x - y),
        );
        // What is added to the one must not show in the other.
        for (const position of right.slice(0, 3)) joined.add(position ^ 1);
        expectPositions(other, right);
      }),
      { numRuns: 40 },
    );
  });

  test('takes more positions after it was decoded', () => {
    fc.assert(
      fc.property(pieces, pieces, (a, b) => {
        const [left, right] = [positionsIn(a), positionsIn(b)];
        const bitmap = decodeRoaring(encodeRoaring(bitmapOf(left)));
        for (const position of right) bitmap.add(position);
        expectPositions(
          bitmap,
          [...new Set([...left, ...right])].toSorted((x, y) => x - y),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('positions up to 2^53 - 1', () => {
    const positions = [0, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];
    expectPositions(decodeRoaring(encodeRoaring(bitmapOf(positions))), positions);
  });

  test('an empty one', () => {
    const empty = new PositionBitmap();
    expect([...empty]).toEqual([]);
    expect(empty.has(0)).toBe(false);
    expect(empty.mark(0, new Uint8Array(CONTAINER_SIZE))).toBe(false);
    expect([...decodeRoaring(encodeRoaring(empty))]).toEqual([]);
  });
});
