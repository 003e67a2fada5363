import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLakehouseError } from '../../../src/errors.ts';
import { decodeDeletionVector, encodeDeletionVector } from '../../../src/formats/puffin/deletion-vector.ts';
import { bitmapOf, expectPositions, pieces, positionsIn } from './arbitraries.ts';

/** Written by Iceberg Java (its own test data): nothing; odd values; values beyond 32 bits; runs. */
const JAVA = {
  empty: 'AAAADNHTOWQAAAAAAAAAAL8YSAw=',
  alternating: 'AAAAKtHTOWQBAAAAAAAAAAAAAAA6MAAAAQAAAAAABAAQAAAAAQADAAUABwAJALP7IL4=',
  large: 'AAAAMNHTOWQBAAAAAAAAAAAAAAA6MAAAAgAAAAAAAQAAgAEAGAAAABwAAABkAGUAYwBkABXrHHw=',
  containers:
    'AAAAVtHTOWQCAAAAAAAAAAAAAAA7MAIABgAAAQABAOYDAgD9/wUABwABAAEA5gMBAAEA/f8BAAAAOzACAAYAAAEAAQDpAQIA/f8KABQAAQAKAOkBAQABAP3/yJvjlw==',
};

const blobOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const decode = (base64: string): number[] => [...decodeDeletionVector(blobOf(base64), 'x.puffin')];

describe('deletion vectors', () => {
  test('of Iceberg Java', () => {
    expect(decode(JAVA.empty)).toEqual([]);
    expect(decode(JAVA.alternating)).toEqual([1, 3, 5, 7, 9]);
    expect(decode(JAVA.large)).toEqual([100, 101, 2 ** 31 + 99, 2 ** 31 + 100]);
    const [low, high] = [
      [5, 7, ...range(65537, 66536), ...range(131073, 196607)],
      [10, 20, ...range(65546, 66036), ...range(131073, 196607)],
    ];
    expectPositions(decodeDeletionVector(blobOf(JAVA.containers), 'x.puffin'), [
      ...low,
      ...high.map((position) => 2 ** 32 + position),
    ]);
  });

  test('are written as Iceberg Java writes them', () => {
    for (const base64 of Object.values(JAVA)) {
      const encoded = encodeDeletionVector(decodeDeletionVector(blobOf(base64), 'x.puffin'));
      expect(Buffer.from(encoded).toString('base64')).toBe(base64);
    }
  });

  test('what was written is read', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const positions = positionsIn(parts);
        expectPositions(decodeDeletionVector(encodeDeletionVector(bitmapOf(positions)), 'x.puffin'), positions);
      }),
      { numRuns: 30 },
    );
  });

  test('every single damaged byte is noticed, and every cut', () => {
    const blob = encodeDeletionVector(bitmapOf([1, 5, 70_000, 2 ** 33]));
    const damaged = [
      ...range(0, blob.length).map((at) => blob.with(at, blob[at]! ^ 0x41)),
      ...range(0, blob.length).map((length) => blob.slice(0, length)),
      Uint8Array.from([...blob, 0]),
    ];
    for (const bytes of damaged) {
      let failure: unknown;
      try {
        decodeDeletionVector(bytes, 'some/x.puffin');
      } catch (error) {
        failure = error;
      }
      expect(isLakehouseError(failure, 'INVALID_DATA')).toBe(true);
      expect((failure as Error).message).toContain('some/x.puffin');
    }
  });
});
