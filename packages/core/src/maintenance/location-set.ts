const EMPTY = -1;
const REMOVED = -2;
const FIRST_CAPACITY = 1024;

/**
 * A set of texts, such as locations, that keeps 53 bits of each: some 16 to 32 bytes of memory, however long the texts
 * are. With a million of them and a million others looked up, one is found that isn't there about once in ten thousand
 * times: good where a file that is found is kept.
 */
export class LocationSet {
  /** Hashes by open addressing, at most half full. */
  #slots: Float64Array = new Float64Array(FIRST_CAPACITY).fill(EMPTY);
  #size = 0;
  /** Slots that are, or were, taken. */
  #used = 0;

  add(location: string): void {
    const hash = hash53(location);
    const slot = this.#find(hash);
    if (this.#slots[slot] === hash) return;
    this.#slots[slot] = hash;
    this.#size++;
    this.#used++;
    if (2 * this.#used > this.#slots.length) this.#rebuild();
  }

  has(location: string): boolean {
    const hash = hash53(location);
    return this.#slots[this.#find(hash)] === hash;
  }

  /** True if it was there. */
  delete(location: string): boolean {
    const hash = hash53(location);
    const slot = this.#find(hash);
    if (this.#slots[slot] !== hash) return false;
    this.#slots[slot] = REMOVED;
    this.#size--;
    return true;
  }

  get size(): number {
    return this.#size;
  }

  /** Where the hash is, or else the empty slot where its search ends. */
  #find(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const found = this.#slots[slot];
      if (found === hash || found === EMPTY) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #rebuild(): void {
    const before = this.#slots;
    let capacity = FIRST_CAPACITY;
    while (capacity < 4 * this.#size) capacity *= 2;
    this.#slots = new Float64Array(capacity).fill(EMPTY);
    this.#used = this.#size;
    for (const hash of before) if (hash >= 0) this.#slots[this.#find(hash)] = hash;
  }
}

/** Two multiplicative hashes of the UTF-16 code units, side by side: 32 bits of one, 21 of the other. */
function hash53(text: string): number {
  let low = 0x811c9dc5 | 0;
  let high = 0x2545f491 | 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
  }
  return (mixed(low) >>> 0) + (mixed(high) >>> 11) * 2 ** 32;
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return once ^ (once >>> 13);
}
