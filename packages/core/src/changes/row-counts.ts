import { LakehouseError } from '../errors.ts';
import { HASH_WORDS } from './row-hash.ts';

/** Of a slot without a row: counts don't get there. */
const EMPTY = -1;
const MIN_SLOTS = 64;
/** What typed arrays, and most processes, can hold. */
const MAX_SLOTS = 2 ** 27;

/** How many there are of each row, by the rows' hashes: a hash table of 20 bytes a slot that is at most two thirds full. */
export class RowCounts {
  #size = 0;
  #total = 0;
  #hashes: Int32Array;
  #counts: Int32Array;

  /** `expected`: how many different rows there may be, at a guess; there can be more. */
  constructor(expected: number = 0) {
    const slots = Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(1.5 * expected + 1))));
    this.#hashes = new Int32Array(HASH_WORDS * slots);
    this.#counts = new Int32Array(slots).fill(EMPTY);
  }

  /** How many rows there are, equal ones included. */
  get total(): number {
    return this.#total;
  }

  /** Adds the row whose hash is at a place of these. */
  add(hashes: Int32Array, at: number): void {
    if (3 * (this.#size + 1) > 2 * this.#counts.length) this.#grow();
    const slot = this.#find(hashes, at);
    this.#total++;
    if (this.#counts[slot] === EMPTY) this.#put(slot, hashes, at, 1);
    else this.#counts[slot]!++;
  }

  /** Takes one such row away; false if there is none (any more). */
  take(hashes: Int32Array, at: number): boolean {
    const slot = this.#find(hashes, at);
    if (this.#counts[slot]! <= 0) return false;
    this.#counts[slot]!--;
    this.#total--;
    return true;
  }

  /** The slot of the row, or the empty one that it would get. */
  #find(hashes: Int32Array, at: number): number {
    const mask = this.#counts.length - 1;
    let slot = hashes[at]! & mask;
    while (this.#counts[slot] !== EMPTY && !this.#isAt(slot, hashes, at)) slot = (slot + 1) & mask;
    return slot;
  }

  #isAt(slot: number, hashes: Int32Array, at: number): boolean {
    const own = HASH_WORDS * slot;
    for (let i = 0; i < HASH_WORDS; i++) if (this.#hashes[own + i] !== hashes[at + i]) return false;
    return true;
  }

  #put(slot: number, hashes: Int32Array, at: number, count: number): void {
    for (let i = 0; i < HASH_WORDS; i++) this.#hashes[HASH_WORDS * slot + i] = hashes[at + i]!;
    this.#counts[slot] = count;
    this.#size++;
  }

  #grow(): void {
    const [hashes, counts] = [this.#hashes, this.#counts];
    const slots = 2 * counts.length;
    if (slots > MAX_SLOTS) {
      throw new LakehouseError('RESOURCE_EXHAUSTED', 'A snapshot changed more rows than can be compared in memory.');
    }
    this.#hashes = new Int32Array(HASH_WORDS * slots);
    this.#counts = new Int32Array(slots).fill(EMPTY);
    this.#size = 0;
    for (const [slot, count] of counts.entries()) {
      if (count !== EMPTY) this.#put(this.#find(hashes, HASH_WORDS * slot), hashes, HASH_WORDS * slot, count);
    }
  }
}
