import { bitmapSize, setBit } from './column.ts';

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
  #nulls = 0;
  #bits: Uint8Array = new Uint8Array(INITIAL_CAPACITY);

  append(valid: boolean): void {
    this.#bits = grown(this.#bits, bitmapSize(this.length + 1));
    if (valid) setBit(this.#bits, this.length);
    else this.#nulls++;
    this.length++;
  }

  finish(): Uint8Array | null {
    const validity = this.#nulls === 0 ? null : this.#bits.slice(0, bitmapSize(this.length));
    this.#bits = new Uint8Array(INITIAL_CAPACITY);
    this.length = 0;
    this.#nulls = 0;
    return validity;
  }
}
