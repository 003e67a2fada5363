import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Murmur3x64 } from '../../../src/formats/theta/murmur3-128.ts';

const MASK = 2n ** 64n - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;
const rotated = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK;
const shiftMixed = (x: bigint): bigint => x ^ (x >> 33n);
const finished = (x: bigint): bigint =>
  shiftMixed((shiftMixed((shiftMixed(x) * 0xff51afd7ed558ccdn) & MASK) * 0xc4ceb9fe1a85ec53n) & MASK);

/** The algorithm as it is published, in integers of any size. */
function reference(bytes: Uint8Array, seed: number): bigint {
  const word = (from: number, to: number): bigint =>
    bytes.subarray(from, to).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const first = (k: bigint): bigint => (rotated((k * C1) & MASK, 31n) * C2) & MASK;
  const second = (k: bigint): bigint => (rotated((k * C2) & MASK, 33n) * C1) & MASK;
  let [h1, h2] = [BigInt(seed), BigInt(seed)];
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16) {
    h1 = ((rotated(h1 ^ first(word(at, at + 8)), 27n) + h2) * 5n + 0x52dce729n) & MASK;
    h2 = ((rotated(h2 ^ second(word(at + 8, at + 16)), 31n) + h1) * 5n + 0x38495ab5n) & MASK;
  }
  h2 ^= second(word(at + 8, bytes.length));
  h1 ^= first(word(at, Math.min(at + 8, bytes.length)));
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return (finished(h1) + finished(h2)) & MASK;
}

test('hashes are those of the published algorithm', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      fc.nat(20),
      fc.constantFrom(0, 1, 9001, 2 ** 31 - 1),
      (bytes, start, seed) => {
        const from = Math.min(start, bytes.length);
        const hash = new Murmur3x64(seed);
        hash.hash(bytes, from, bytes.length);
        const got = (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0);
        expect(got).toBe(reference(bytes.subarray(from), seed));
      },
    ),
    { numRuns: 1000 },
  );
});
