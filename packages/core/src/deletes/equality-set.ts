import type { Column } from '../columns/column.ts';
import { LakehouseError } from '../errors.ts';
import { finish } from '../transforms/murmur3.ts';
import { keyColumn } from './key-columns.ts';
import type { KeyColumn } from './key-columns.ts';

/**
 * The keys that equality deletes have deleted, each with the newest sequence number that it was deleted with: one set
 * serves data files of any age. A hash table whose memory is that of the keys' bytes; finding a key costs a hash, and
 * bytes are compared only where hashes are equal.
 */
export class EqualitySet {
  #size = 0;
  /** Entry number plus one by hash, or 0; a power of two, and at most half full. */
  #slots = new Int32Array(64);
  /** By entry. */
  #hashes = new Int32Array(32);
  #newest = new BigInt64Array(32);
  /** Where each key's bytes end; they start where the one before ends. */
  #ends = new Uint32Array(32);
  #keys = new Uint8Array(1024);
  /** For the bytes of a key that is looked up. */
  #scratch = new Uint8Array(64);

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** Bytes in memory. */
  get bytes(): number {
    const arrays = [this.#slots, this.#hashes, this.#newest, this.#ends, this.#keys];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** Adds the key of every row. RESOURCE_EXHAUSTED when there are more keys than memory can be had for. */
  add(columns: readonly Column[], length: number, sequenceNumber: bigint): void {
    const keys = columns.map((column) => keyColumn(column));
    const hashes = hashKeys(keys, allRows(length));
    for (let row = 0; row < length; row++) this.#insert(keys, row, hashes[row]!, sequenceNumber);
  }

  /**
   * Of some rows (null: all of them), those whose key isn't deleted by anything newer than `sequenceNumber`: the same
   * rows if none is, else their numbers in order.
   */
  without(
    columns: readonly Column[],
    length: number,
    rows: Int32Array | null,
    sequenceNumber: bigint,
  ): Int32Array | null {
    const keys = columns.map((column) => keyColumn(column));
    const candidates = rows ?? allRows(length);
    const hashes = hashKeys(keys, candidates);
    let kept: Int32Array | null = null;
    let count = 0;
    for (let i = 0; i < candidates.length; i++) {
      const entry = this.#find(keys, candidates[i]!, hashes[i]!);
      if (entry >= 0 && this.#newest[entry]! > sequenceNumber) kept ??= candidates.slice();
      else if (kept) kept[count++] = candidates[i]!;
      else count++;
    }
    return kept === null ? rows : kept.subarray(0, count);
  }

  /** The entry of a row's key, or -1. */
  #find(keys: readonly KeyColumn[], row: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (this.#hashes[entry] === hash && this.#hasKey(entry, keys, row)) return entry;
    }
    return -1;
  }

  #hasKey(entry: number, keys: readonly KeyColumn[], row: number): boolean {
    const length = keys.reduce((sum, key) => sum + key.size(row), 0);
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    const end = writeKey(keys, row, this.#scratch, 0);
    const start = entry === 0 ? 0 : this.#ends[entry - 1]!;
    if (this.#ends[entry]! - start !== end) return false;
    for (let i = 0; i < end; i++) if (this.#keys[start + i] !== this.#scratch[i]) return false;
    return true;
  }

  #insert(keys: readonly KeyColumn[], row: number, hash: number, sequenceNumber: bigint): void {
    const found = this.#find(keys, row, hash);
    if (found >= 0) {
      if (sequenceNumber > this.#newest[found]!) this.#newest[found] = sequenceNumber;
      return;
    }
    this.#makeRoom(keys, row);
    const entry = this.#size++;
    const start = entry === 0 ? 0 : this.#ends[entry - 1]!;
    this.#ends[entry] = writeKey(keys, row, this.#keys, start);
    this.#hashes[entry] = hash;
    this.#newest[entry] = sequenceNumber;
    putEntry(this.#slots, hash, entry);
  }

  #makeRoom(keys: readonly KeyColumn[], row: number): void {
    const end = this.#size === 0 ? 0 : this.#ends[this.#size - 1]!;
    const needed = keys.reduce((sum, key) => sum + key.size(row), end);
    if (needed > this.#keys.length) this.#keys = grown(this.#keys, new Uint8Array(capacityFor(needed)));
    if (this.#size < this.#hashes.length) return;
    const capacity = 2 * this.#hashes.length;
    if (capacity > MAX_KEYS) throw tooLarge();
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
    this.#newest = grown(this.#newest, new BigInt64Array(capacity));
    this.#ends = grown(this.#ends, new Uint32Array(capacity));
    this.#slots = new Int32Array(2 * capacity);
    for (let entry = 0; entry < this.#size; entry++) putEntry(this.#slots, this.#hashes[entry]!, entry);
  }
}

/** What typed arrays, and most processes, can hold. */
const MAX_KEYS = 2 ** 28;
const MAX_KEY_BYTES = 2 ** 31;

function tooLarge(): Error {
  return new LakehouseError(
    'RESOURCE_EXHAUSTED',
    'Equality deletes have more keys than fit into memory. Compact the table, which applies them for good.',
  );
}

function capacityFor(needed: number): number {
  if (needed > MAX_KEY_BYTES) throw tooLarge();
  return Math.min(MAX_KEY_BYTES, 2 * needed);
}

function grown<T extends Uint8Array | Int32Array | Uint32Array | BigInt64Array>(from: T, to: T): T {
  (to as Uint8Array).set(from as Uint8Array);
  return to;
}

function putEntry(slots: Int32Array, hash: number, entry: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = entry + 1;
}

function writeKey(keys: readonly KeyColumn[], row: number, bytes: Uint8Array, at: number): number {
  let end = at;
  for (const key of keys) end = key.write(row, bytes, end);
  return end;
}

function hashKeys(keys: readonly KeyColumn[], rows: Int32Array): Int32Array {
  const hashes = new Int32Array(rows.length);
  for (const key of keys) key.hash(rows, hashes);
  for (let i = 0; i < hashes.length; i++) hashes[i] = finish(hashes[i]!, 0);
  return hashes;
}

function allRows(length: number): Int32Array {
  const rows = new Int32Array(length);
  for (let i = 0; i < length; i++) rows[i] = i;
  return rows;
}
