import { allValid, bitmapSize, setBit } from './column.ts';

/** Buffers that grow by doubling while a column is put together. */
export const INITIAL_CAPACITY = 64;

export function grownCapacity(needed: number, capacity: number): number {
  return Math.max(needed, capacity * 2, INITIAL_CAPACITY);
}

export function grown(bytes: Uint8Array, needed: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const larger = new Uint8Array(grownCapacity(needed, bytes.length));
  larger.set(bytes);
  return larger;
}

export function grownOffsets(offsets: Int32Array, needed: number): Int32Array {
  if (needed <= offsets.length) return offsets;
  const larger = new Int32Array(grownCapacity(needed, offsets.length));
  larger.set(offsets);
  return larger;
}

/** Which rows are not null; no bitmap is made while none is. */
export class ValidityBuilder {
  length = 0;
  #bits: Uint8Array | null = null;

  append(valid: boolean): void {
    const row = this.length++;
    if (this.#bits === null) {
      if (valid) return;
      this.#bits = grown(allValid(row), grownCapacity(bitmapSize(row + 1), 0));
    }
    this.#bits = grown(this.#bits, bitmapSize(row + 1));
    if (valid) setBit(this.#bits, row);
  }

  finish(): Uint8Array | null {
    const validity = this.#bits && this.#bits.slice(0, bitmapSize(this.length));
    this.#bits = null;
    this.length = 0;
    return validity;
  }
}
