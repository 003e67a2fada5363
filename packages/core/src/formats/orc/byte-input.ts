import { invalidData } from '../../errors.ts';
import { joinBytes, orcChunks, type OrcCompression } from './compression.ts';

/** A cursor over a stream, whose chunks are decompressed as they are reached. */
export class ByteInput {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(stream: Uint8Array, compression: OrcCompression) {
    this.#chunks = orcChunks(stream, compression);
  }

  byte(): number {
    while (this.#at === this.#chunk.length) this.#next();
    return this.#chunk[this.#at++]!;
  }

  /** The next bytes: a view that others may share. */
  bytes(length: number): Uint8Array {
    if (length <= this.#chunk.length - this.#at) {
      this.#at += length;
      return this.#chunk.subarray(this.#at - length, this.#at);
    }
    // Gathered first, so that nothing is allocated for bytes that aren't there.
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      while (this.#at === this.#chunk.length) this.#next();
      const part = this.#chunk.subarray(this.#at, this.#at + missing);
      parts.push(part);
      this.#at += part.length;
      missing -= part.length;
    }
    return joinBytes(parts);
  }

  /** An unsigned base-128 number, least significant group first, of any length; a bigint beyond 2^49. */
  varint(): number | bigint {
    let low = 0;
    for (let i = 0, factor = 1; i < 7; i++, factor *= 128) {
      const byte = this.byte();
      low += (byte & 0x7f) * factor;
      if (byte < 0x80) return low;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < MAX_VARINT_BITS; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw invalidData('a number is too long');
  }

  #next(): void {
    const { value, done } = this.#chunks.next();
    if (done === true) throw invalidData('a stream ends too early');
    // Never a Buffer, whose `slice` does not copy.
    this.#chunk = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    this.#at = 0;
  }
}

/** The longest are decimals of 38 digits with a sign. */
const MAX_VARINT_BITS = 140n;

/** Zigzag: even numbers stand for what is not negative. */
export function signed(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  return (value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n);
}
