import type { Column } from '../columns/column.ts';
import { KeyTable, grown, rowKeys } from './key-table.ts';

/**
 * The keys that equality deletes have deleted, each with the newest sequence number that it was deleted with: one set
 * serves data files of any age.
 */
export class EqualitySet {
  readonly #keys = new KeyTable('Compact the table, which applies its equality deletes for good.');
  /** By the keys' numbers. */
  #newest = new BigInt64Array(this.#keys.capacity);

  /** How many keys there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#keys.bytes + this.#newest.byteLength;
  }

  /** Adds the key of every row. RESOURCE_EXHAUSTED when there are more keys than memory can be had for. */
  add(columns: readonly Column[], length: number, sequenceNumber: bigint): void {
    const keys = rowKeys(columns, length);
    for (let row = 0; row < length; row++) {
      const key = this.#keys.add(keys, row);
      if (key >= this.#newest.length) this.#newest = grown(this.#newest, new BigInt64Array(this.#keys.capacity));
      if (sequenceNumber > this.#newest[key]!) this.#newest[key] = sequenceNumber;
    }
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
    const keys = rowKeys(columns, length, rows);
    let kept: Int32Array | null = null;
    let count = 0;
    for (let i = 0; i < keys.rows.length; i++) {
      const key = this.#keys.find(keys, i);
      if (key >= 0 && this.#newest[key]! > sequenceNumber) kept ??= keys.rows.slice();
      else if (kept) kept[count++] = keys.rows[i]!;
      else count++;
    }
    return kept === null ? rows : kept.subarray(0, count);
  }
}
