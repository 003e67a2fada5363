const CHUNK_BYTES = 1 << 16;

/**
 * Keeps copies of many small byte strings in few large buffers: a bound of eight bytes then costs little more than
 * these, and does not keep the block alive that it was read from.
 */
export class ByteArena {
  #chunk = new Uint8Array(0);
  #used = 0;

  copy(bytes: Uint8Array): Uint8Array {
    const length = bytes.length;
    if (length > CHUNK_BYTES >> 2) return bytes.slice();
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const copy = this.#chunk.subarray(this.#used, this.#used + length);
    copy.set(bytes);
    this.#used += length;
    return copy;
  }
}
