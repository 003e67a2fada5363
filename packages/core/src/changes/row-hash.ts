import type { Column } from '../columns/column.ts';
import type { IcebergType } from '../spec/types.ts';
import { finish } from '../transforms/murmur3.ts';
import { Words, wordWriter } from './row-words.ts';

/** Words of a row's hash. */
export const HASH_WORDS = 4;

/**
 * Hashes of 128 bits, `HASH_WORDS` words for each row. Rows whose hashes are equal are taken to be equal: of a trillion
 * different rows the odds that two share one are 1 to 10^14.
 */
export function hashRows(types: readonly IcebergType[], columns: readonly Column[], length: number): Int32Array {
  const writers = types.map((type, i) => wordWriter(type, columns[i]!));
  const words = new Words();
  const hashes = new Int32Array(HASH_WORDS * length);
  for (let row = 0; row < length; row++) {
    words.clear();
    for (const write of writers) write(row, words);
    hash128(words.buffer, words.length, hashes, HASH_WORDS * row);
  }
  return hashes;
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** MurmurHash3, the 128-bit variant for x86, seed 0, of the first `length` words. */
function hash128(words: Int32Array, length: number, into: Int32Array, at: number): void {
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  // Words past the end count as zero; the length tells them from words that are.
  for (let i = 0; i < length; i += 4) {
    h1 ^= Math.imul(rotated(Math.imul(words[i]!, C1), 15), C2);
    h1 = (Math.imul((rotated(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotated(Math.imul(i + 1 < length ? words[i + 1]! : 0, C2), 16), C3);
    h2 = (Math.imul((rotated(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotated(Math.imul(i + 2 < length ? words[i + 2]! : 0, C3), 17), C4);
    h3 = (Math.imul((rotated(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotated(Math.imul(i + 3 < length ? words[i + 3]! : 0, C4), 18), C1);
    h4 = (Math.imul((rotated(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = finish(h1, 0);
  h2 = finish(h2, 0);
  h3 = finish(h3, 0);
  h4 = finish(h4, 0);
  h1 = (h1 + h2 + h3 + h4) | 0;
  into[at] = h1;
  into[at + 1] = (h2 + h1) | 0;
  into[at + 2] = (h3 + h1) | 0;
  into[at + 3] = (h4 + h1) | 0;
}
