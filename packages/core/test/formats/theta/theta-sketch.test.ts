import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ThetaSketch } from '../../../src/formats/theta/theta-sketch.ts';

const SIZE = 16_384;

function sketchOf(values: Iterable<bigint>, size = SIZE): ThetaSketch {
  const sketch = new ThetaSketch(size);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  for (const value of values) {
    view.setBigInt64(0, value, true);
    sketch.add(bytes, 0, 8);
  }
  return sketch;
}

function* upTo(count: number): Generator<bigint> {
  for (let i = 0; i < count; i++) yield BigInt(i);
}

describe('theta sketches', () => {
  test('are exact for few values, however often they come', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -50n, max: 50n })), (values) => {
        expect(sketchOf(values, 64).estimate).toBe(new Set(values).size);
      }),
    );
  });

  test('say the same whatever the order', () => {
    const values = [...upTo(5000)];
    expect(sketchOf(values.toReversed(), 256).serialize().subarray(0, 8)).toEqual(
      sketchOf(values, 256).serialize().subarray(0, 8),
    );
    expect(sketchOf(values.toReversed()).serialize()).toEqual(sketchOf(values).serialize());
  });

  test.each([20_000, 40_000, 100_000, 400_000])('are within 3 %% of %i values', (count) => {
    expect(Math.abs(sketchOf(upTo(count)).estimate / count - 1)).toBeLessThan(0.03);
  });

  // The hashes are those that Apache DataSketches' Python library gives the same values.
  test.each([
    [0, '01030300001ecc93'],
    [1, '01030300003acc93 e56b61eec8804420'],
    [2, '02030300001acc93 02000000 0000803f 15f97dcbbd86a105 e56b61eec8804420'],
    [3, '02030300001acc93 03000000 0000803f 15f97dcbbd86a105 c397fc1281709d1e e56b61eec8804420'],
  ])('of %i values are written as DataSketches has them', (count, bytes) => {
    expect(Buffer.from(sketchOf(upTo(count)).serialize()).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  test('that have left hashes out say below which they have all', () => {
    const bytes = sketchOf(upTo(1000), 64).serialize();
    const view = new DataView(bytes.buffer);
    const theta = view.getBigUint64(16, true);
    const hashes = Array.from({ length: view.getUint32(8, true) }, (_, i) => view.getBigUint64(24 + 8 * i, true));
    expect(bytes[0]).toBe(3);
    expect(bytes).toHaveLength(24 + 8 * hashes.length);
    expect(hashes.length).toBeGreaterThanOrEqual(64);
    expect(hashes.every((hash, i) => hash < theta && (i === 0 || hash > hashes[i - 1]!))).toBe(true);
  });
});
