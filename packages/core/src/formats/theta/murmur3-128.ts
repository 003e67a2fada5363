/** The words of constants of 64 bits. */
const C1_HIGH = 0x87c37b91 | 0;
const C1_LOW = 0x114253d5;
const C2_HIGH = 0x4cf5ad43;
const C2_LOW = 0x2745937f;
const F1_HIGH = 0xff51afd7 | 0;
const F1_LOW = 0xed558ccd | 0;
const F2_HIGH = 0xc4ceb9fe | 0;
const F2_LOW = 0x1a85ec53;

/**
 * The first half of MurmurHash3, the 128-bit variant for x64, in words of 32 bits: JavaScript has no fast ones of 64.
 * An object, because a function can't give two numbers without making garbage: read `high` and `low` after `hash`.
 */
export class Murmur3x64 {
  high = 0;
  low = 0;
  readonly #seed: number;

  /** `seed`: an integer below 2^31. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Hashes the bytes from `from` to `to`. */
  hash(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    let h1 = 0;
    let l1 = this.#seed;
    let h2 = 0;
    let l2 = this.#seed;
    let at = from;
    for (; at + 16 <= to; at += 16) {
      const mixedLow1 = wordAt(bytes, at);
      const mixedHigh1 = wordAt(bytes, at + 4);
      h1 ^= mixedHigh(mixedHigh1, mixedLow1, C1_HIGH, C1_LOW, 31, C2_HIGH, C2_LOW);
      l1 ^= mixedLow(mixedHigh1, mixedLow1, C1_HIGH, C1_LOW, 31, C2_LOW);
      let high = (h1 << 27) | (l1 >>> 5);
      let low = (l1 << 27) | (h1 >>> 5);
      let sum = (low >>> 0) + (l2 >>> 0);
      high = (high + h2 + carry(sum)) | 0;
      low = sum | 0;
      sum = (Math.imul(low, 5) >>> 0) + 0x52dce729;
      h1 = (productHigh(high, low, 0, 5) + carry(sum)) | 0;
      l1 = sum | 0;

      const mixedLow2 = wordAt(bytes, at + 8);
      const mixedHigh2 = wordAt(bytes, at + 12);
      h2 ^= mixedHigh(mixedHigh2, mixedLow2, C2_HIGH, C2_LOW, 33, C1_HIGH, C1_LOW);
      l2 ^= mixedLow(mixedHigh2, mixedLow2, C2_HIGH, C2_LOW, 33, C1_LOW);
      high = (h2 << 31) | (l2 >>> 1);
      low = (l2 << 31) | (h2 >>> 1);
      sum = (low >>> 0) + (l1 >>> 0);
      high = (high + h1 + carry(sum)) | 0;
      low = sum | 0;
      sum = (Math.imul(low, 5) >>> 0) + 0x38495ab5;
      h2 = (productHigh(high, low, 0, 5) + carry(sum)) | 0;
      l2 = sum | 0;
    }
    if (to - at > 8) {
      const low = tailWord(bytes, at + 8, to);
      const high = tailWord(bytes, at + 12, to);
      h2 ^= mixedHigh(high, low, C2_HIGH, C2_LOW, 33, C1_HIGH, C1_LOW);
      l2 ^= mixedLow(high, low, C2_HIGH, C2_LOW, 33, C1_LOW);
    }
    if (at < to) {
      const low = tailWord(bytes, at, to);
      const high = tailWord(bytes, at + 4, to);
      h1 ^= mixedHigh(high, low, C1_HIGH, C1_LOW, 31, C2_HIGH, C2_LOW);
      l1 ^= mixedLow(high, low, C1_HIGH, C1_LOW, 31, C2_LOW);
    }
    this.#finish(h1, l1 ^ length, h2, l2 ^ length);
  }

  #finish(startHigh1: number, startLow1: number, startHigh2: number, startLow2: number): void {
    let sum = (startLow1 >>> 0) + (startLow2 >>> 0);
    const h1 = (startHigh1 + startHigh2 + carry(sum)) | 0;
    const l1 = sum | 0;
    sum = (startLow2 >>> 0) + (l1 >>> 0);
    const h2 = (startHigh2 + h1 + carry(sum)) | 0;
    this.#mix(h2, sum | 0);
    const [high, low] = [this.high, this.low];
    this.#mix(h1, l1);
    sum = (this.low >>> 0) + (low >>> 0);
    this.high = (this.high + high + carry(sum)) | 0;
    this.low = sum | 0;
  }

  /** The last mixing of one half. */
  #mix(startHigh: number, startLow: number): void {
    let high = startHigh;
    let low = startLow ^ (high >>> 1);
    high = productHigh(high, low, F1_HIGH, F1_LOW);
    low = Math.imul(low, F1_LOW) ^ (high >>> 1);
    high = productHigh(high, low, F2_HIGH, F2_LOW);
    low = Math.imul(low, F2_LOW) ^ (high >>> 1);
    this.high = high;
    this.low = low;
  }
}

/** Four bytes, little-endian. */
function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Bytes past the end are zero. */
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return wordAt(bytes, at);
  let word = 0;
  for (let i = at; i < end; i++) word |= bytes[i]! << (8 * (i - at));
  return word;
}

function carry(sum: number): number {
  return sum > 0xffffffff ? 1 : 0;
}

/** The upper word of a product of 64 bits; the lower one is `Math.imul` of the lower words. */
function productHigh(high: number, low: number, byHigh: number, byLow: number): number {
  const [a0, a1] = [low & 0xffff, low >>> 16];
  const [b0, b1] = [byLow & 0xffff, byLow >>> 16];
  const middle = a1 * b0 + (Math.imul(a0, b0) >>> 16);
  const other = (middle & 0xffff) + a0 * b1;
  const upper = a1 * b1 + (middle >>> 16) + (other >>> 16);
  return (upper + Math.imul(high, byLow) + Math.imul(low, byHigh)) | 0;
}

/** The upper word of a block times a constant, rotated, times another. `bits`: 31 or 33. */
function mixedHigh(
  high: number,
  low: number,
  byHigh: number,
  byLow: number,
  bits: 31 | 33,
  thenHigh: number,
  thenLow: number,
): number {
  const h = productHigh(high, low, byHigh, byLow);
  const l = Math.imul(low, byLow);
  return productHigh(rotatedHigh(h, l, bits), rotatedLow(h, l, bits), thenHigh, thenLow);
}

function mixedLow(high: number, low: number, byHigh: number, byLow: number, bits: 31 | 33, thenLow: number): number {
  const h = productHigh(high, low, byHigh, byLow);
  return Math.imul(rotatedLow(h, Math.imul(low, byLow), bits), thenLow);
}

function rotatedHigh(high: number, low: number, bits: 31 | 33): number {
  return bits === 31 ? (high << 31) | (low >>> 1) : (low << 1) | (high >>> 31);
}

function rotatedLow(high: number, low: number, bits: 31 | 33): number {
  return bits === 31 ? (low << 31) | (high >>> 1) : (high << 1) | (low >>> 31);
}
