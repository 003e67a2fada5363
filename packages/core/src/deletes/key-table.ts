import type { Column } from '../columns/column.ts';
import { LakehouseError } from '../errors.ts';
import { finish } from '../transforms/murmur3.ts';
import { keyColumn } from './key-columns.ts';
import type { KeyColumn } from './key-columns.ts';

/** The keys of some rows, ready to be looked up. */
export interface RowKeys {
  readonly columns: readonly KeyColumn[];
  readonly rows: Int32Array;
  /** By position in `rows`. */
  readonly hashes: Int32Array;
}

/** The keys of rows, by their number; null for all of them. */
export function rowKeys(columns: readonly Column[], length: number, rows: Int32Array | null = null): RowKeys {
  const keys = columns.map((column) => keyColumn(column));
  const wanted = rows ?? allRows(length);
  const hashes = new Int32Array(wanted.length);
  for (const key of keys) key.hash(wanted, hashes);
  for (let i = 0; i < hashes.length; i++) hashes[i] = finish(hashes[i]!, 0);
  return { columns: keys, rows: wanted, hashes };
}

function allRows(length: number): Int32Array {
  const rows = new Int32Array(length);
  for (let i = 0; i < length; i++) rows[i] = i;
  return rows;
}

/**
 * Numbers distinct keys from 0 on, in the order in which they are added. A hash table whose memory is that of the keys'
 * bytes; finding a key costs a hash, and bytes are compared only where hashes are equal. Keys are equal as equality
 * deletes have it: null equals null.
 */
export class KeyTable {
  /** For the user, if there are more keys than memory can be had for. */
  readonly #advice: string;
  #size = 0;
  /** Entry number plus one by hash, or 0; a power of two, and at most half full. */
  #slots = new Int32Array(64);
  /** By entry. */
  #hashes = new Int32Array(32);
  /** Where each key's bytes end; they start where the one before ends. */
  #ends = new Uint32Array(32);
  #keys = new Uint8Array(1024);
  /** For the bytes of a key that is looked up. */
  #scratch = new Uint8Array(64);

  constructor(advice: string) {
    this.#advice = advice;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** How many there may be before it grows. */
  get capacity(): number {
    return this.#hashes.length;
  }

  /** Bytes in memory. */
  get bytes(): number {
    const arrays = [this.#slots, this.#hashes, this.#ends, this.#keys];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** The number of the key at position `i` of `keys`, or -1. */
  find({ columns, rows, hashes }: RowKeys, i: number): number {
    const hash = hashes[i]!;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (this.#hashes[entry] === hash && this.#hasKey(entry, columns, rows[i]!)) return entry;
    }
    return -1;
  }

  /** The number of a key, a new one (`size` before) if it wasn't there. RESOURCE_EXHAUSTED if there is no room for it. */
  add(keys: RowKeys, i: number): number {
    const found = this.find(keys, i);
    if (found >= 0) return found;
    const row = keys.rows[i]!;
    this.#makeRoom(keys.columns, row);
    const entry = this.#size++;
    const start = entry === 0 ? 0 : this.#ends[entry - 1]!;
    this.#ends[entry] = writeKey(keys.columns, row, this.#keys, start);
    this.#hashes[entry] = keys.hashes[i]!;
    putEntry(this.#slots, keys.hashes[i]!, entry);
    return entry;
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

  #makeRoom(keys: readonly KeyColumn[], row: number): void {
    const end = this.#size === 0 ? 0 : this.#ends[this.#size - 1]!;
    const needed = keys.reduce((sum, key) => sum + key.size(row), end);
    if (needed > this.#keys.length) this.#keys = grown(this.#keys, new Uint8Array(this.#capacityFor(needed)));
    if (this.#size < this.#hashes.length) return;
    const capacity = 2 * this.#hashes.length;
    if (capacity > MAX_KEYS) throw this.#tooLarge();
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
    this.#ends = grown(this.#ends, new Uint32Array(capacity));
    this.#slots = new Int32Array(2 * capacity);
    for (let entry = 0; entry < this.#size; entry++) putEntry(this.#slots, this.#hashes[entry]!, entry);
  }

  #capacityFor(needed: number): number {
    if (needed > MAX_KEY_BYTES) throw this.#tooLarge();
    return Math.min(MAX_KEY_BYTES, 2 * needed);
  }

  #tooLarge(): Error {
    return new LakehouseError('RESOURCE_EXHAUSTED', `There are more keys than fit into memory. ${this.#advice}`);
  }
}

/** What typed arrays, and most processes, can hold. */
const MAX_KEYS = 2 ** 28;
const MAX_KEY_BYTES = 2 ** 31;

/** The longer array with what the shorter one holds. */
export function grown<T extends Uint8Array | Int32Array | Uint32Array | BigInt64Array>(from: T, to: T): T {
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
