/** Collects a validity bitmap (LSB first, 1 = not null), in Arrow's layout, which is DuckDB's as well. */
export class ValidityBuilder {
  #bits: Uint8Array | null = null;
  readonly #capacity: number;
  #length = 0;

  /** `capacity` in rows; it grows if more come. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds rows `from` to `from + count` of a bitmap; null stands for one without nulls. */
  append(source: Uint8Array | null, from: number, count: number): void {
    const start = this.#length;
    this.#length += count;
    if (source === null) {
      if (this.#bits) setBits(this.#room(), start, count);
      return;
    }
    const bits = this.#room(start);
    if (start % 8 === 0 && from % 8 === 0) {
      bits.set(source.subarray(from / 8, Math.ceil((from + count) / 8)), start / 8);
      clearAfter(bits, this.#length);
      return;
    }
    for (let i = 0; i < count; i++) {
      const row = from + i;
      if ((source[row >> 3]! >> (row & 7)) & 1) bits[(start + i) >> 3]! |= 1 << ((start + i) & 7);
    }
  }

  /** Null if no row is null. */
  finish(): Uint8Array | null {
    return this.#bits?.subarray(0, Math.ceil(this.#length / 8)) ?? null;
  }

  /** The bitmap with room for all rows; at its making, the rows before `start` are valid. */
  #room(start = this.#length): Uint8Array {
    const needed = Math.ceil(this.#length / 8);
    if (!this.#bits) {
      this.#bits = new Uint8Array(Math.max(needed, Math.ceil(this.#capacity / 8)));
      setBits(this.#bits, 0, start);
    } else if (this.#bits.length < needed) {
      const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    return this.#bits;
  }
}

function setBits(bits: Uint8Array, start: number, count: number): void {
  const end = start + count;
  let bit = start;
  for (; bit < end && bit % 8 !== 0; bit++) bits[bit >> 3]! |= 1 << (bit & 7);
  bits.fill(0xff, bit >> 3, end >> 3);
  for (bit = Math.max(bit, (end >> 3) * 8); bit < end; bit++) bits[bit >> 3]! |= 1 << (bit & 7);
}

/** Bits beyond the last row must be zero for the next rows to be or'ed in. */
function clearAfter(bits: Uint8Array, length: number): void {
  if (length % 8 !== 0) bits[length >> 3]! &= (1 << (length & 7)) - 1;
}

export function isValid(bitmap: Uint8Array | null | undefined, row: number): boolean {
  return !bitmap || ((bitmap[row >> 3]! >> (row & 7)) & 1) === 1;
}
