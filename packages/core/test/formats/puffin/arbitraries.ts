import * as fc from 'fast-check';
import { expect } from 'vitest';
import { CONTAINER_SIZE, PositionBitmap } from '../../../src/formats/puffin/position-bitmap.ts';

/** Some positions that lie together: few, every n-th, or a run. */
export interface Piece {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

const start: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 3 * CONTAINER_SIZE }),
  fc.integer({ min: -300, max: 300 }).map((offset) => 2 ** 32 + offset),
  fc.integer({ min: 0, max: 2 ** 30 }).map((n) => n * 1024),
);

const piece: fc.Arbitrary<Piece> = fc.oneof(
  fc.record({ start, count: fc.constant(1), step: fc.constant(1) }),
  fc.record({ start, count: fc.integer({ min: 2, max: 200 }), step: fc.integer({ min: 1, max: 5000 }) }),
  // Enough for bits, and for runs.
  fc.record({ start, count: fc.integer({ min: 4000, max: 6000 }), step: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ start, count: fc.constantFrom(100, 4096, 4097, CONTAINER_SIZE), step: fc.constant(1) }),
);

export const pieces: fc.Arbitrary<readonly Piece[]> = fc.array(piece, { maxLength: 4 });

/** Distinct and ascending. */
export function positionsIn(parts: readonly Piece[]): number[] {
  const all = new Set<number>();
  for (const { start: first, count, step } of parts) for (let i = 0; i < count; i++) all.add(first + i * step);
  return [...all].toSorted((a, b) => a - b);
}

export function bitmapOf(positions: Iterable<number>): PositionBitmap {
  const bitmap = new PositionBitmap();
  for (const position of positions) bitmap.add(position);
  return bitmap;
}

/** By a loop: the matchers take long for as many numbers. */
export function expectPositions(bitmap: PositionBitmap, positions: readonly number[]): void {
  const found = [...bitmap];
  expect(found.length).toBe(positions.length);
  expect(found.findIndex((position, i) => position !== positions[i])).toBe(-1);
}
