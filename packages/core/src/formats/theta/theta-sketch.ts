import { Murmur3x64 } from './murmur3-128.ts';

/** The seed of all sketches that are to be compared with others (DataSketches' default). */
const SEED = 9001;
/** Theta of a sketch that has dropped nothing: 2^63 - 1, the largest long. */
const MAX_THETA = 2n ** 63n - 1n;

const SERIAL_VERSION = 3;
const COMPACT_FAMILY = 3;
/** Of a compact sketch: READ_ONLY, COMPACT, ORDERED. */
const FLAGS = 0x1a;
const EMPTY_FLAG = 0x04;
const SINGLE_ITEM_FLAG = 0x20;

const INITIAL_SLOTS = 64;
/** How much of the table may be taken. */
const FULL = 15 / 16;

/**
 * A theta sketch: how many distinct values there are among any number, from the hashes that lie below a threshold.
 * With `size` = k hashes the standard error is 1 / sqrt(k); up to k values it is exact.
 *
 * Written in the compact form of Apache DataSketches, serial version 3, which its libraries read.
 */
export class ThetaSketch {
  readonly #size: number;
  readonly #hash: Murmur3x64 = new Murmur3x64(SEED);
  /** A hash table with linear probing, which grows up to twice the size; 0 is no hash. */
  #table = new BigUint64Array(INITIAL_SLOTS);
  /** The same memory; the lower word goes first. */
  #words = new Int32Array(this.#table.buffer);
  #count = 0;
  #theta = MAX_THETA;
  /** The upper word of theta: most hashes of a full sketch are refused by it alone. */
  #thetaHigh = 0x7fffffff;
  #thetaLow = -1;
  #isEmpty = true;

  /** `size`: how many hashes are kept at least, once there are so many values; a power of two. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Counts the value of these bytes. One without any is left out, as DataSketches does. */
  add(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#isEmpty = false;
    const hash = this.#hash;
    hash.hash(bytes, from, to);
    // Half of the hash, as a positive long.
    const high = hash.high >>> 1;
    if (high > this.#thetaHigh) return;
    const low = (hash.low >>> 1) | (hash.high << 31);
    if (high === this.#thetaHigh && low >>> 0 >= this.#thetaLow >>> 0) return;
    if ((high | low) === 0) return;
    this.#insert(high, low);
  }

  /** About how many distinct values there are. */
  get estimate(): number {
    if (this.#theta === MAX_THETA) return this.#count;
    return this.#count / (Number(this.#theta) / 2 ** 63);
  }

  /** Compact and ordered; little-endian, like all of its fields. */
  serialize(): Uint8Array {
    const isSingle = this.#count === 1 && this.#theta === MAX_THETA;
    const preambleLongs = this.#isEmpty || isSingle ? 1 : this.#theta === MAX_THETA ? 2 : 3;
    const bytes = new Uint8Array(8 * (preambleLongs + this.#count));
    const view = new DataView(bytes.buffer);
    view.setUint8(0, preambleLongs);
    view.setUint8(1, SERIAL_VERSION);
    view.setUint8(2, COMPACT_FAMILY);
    view.setUint8(5, FLAGS | (this.#isEmpty ? EMPTY_FLAG : 0) | (isSingle ? SINGLE_ITEM_FLAG : 0));
    view.setUint16(6, seedHash(), true);
    if (preambleLongs > 1) {
      view.setUint32(8, this.#count, true);
      view.setFloat32(12, 1, true);
    }
    if (preambleLongs > 2) view.setBigUint64(16, this.#theta, true);
    this.#sorted().forEach((hash, i) => view.setBigUint64(8 * (preambleLongs + i), hash, true));
    return bytes;
  }

  #insert(high: number, low: number): void {
    const words = this.#words;
    const mask = this.#table.length - 1;
    let slot = (low ^ high) & mask;
    for (;;) {
      const [thereLow, thereHigh] = [words[2 * slot]!, words[2 * slot + 1]!];
      if (thereLow === low && thereHigh === high) return;
      if ((thereLow | thereHigh) === 0) break;
      slot = (slot + 1) & mask;
    }
    words[2 * slot] = low;
    words[2 * slot + 1] = high;
    this.#count++;
    const slots = this.#table.length;
    if (this.#count <= FULL * slots) return;
    if (slots < 2 * this.#size) this.#refill(this.#sorted(), 2 * slots);
    else this.#lowerTheta();
  }

  /** Keeps the smallest hashes: the next one is the new theta, which nothing below it is. */
  #lowerTheta(): void {
    const hashes = this.#sorted();
    this.#theta = hashes[this.#size]!;
    this.#thetaHigh = Number(this.#theta >> 32n);
    this.#thetaLow = Number(BigInt.asIntN(32, this.#theta));
    this.#refill(hashes.subarray(0, this.#size), this.#table.length);
  }

  #refill(hashes: BigUint64Array, slots: number): void {
    this.#table = new BigUint64Array(slots);
    this.#words = new Int32Array(this.#table.buffer);
    this.#count = 0;
    for (const hash of hashes) this.#insert(Number(hash >> 32n), Number(BigInt.asIntN(32, hash)));
  }

  #sorted(): BigUint64Array {
    return this.#table.filter((hash) => hash !== 0n).toSorted();
  }
}

/** The hash of the seed tells sketches of different seeds apart. */
function seedHash(): number {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, SEED, true);
  const hash = new Murmur3x64(0);
  hash.hash(bytes, 0, bytes.length);
  return hash.low & 0xffff;
}
