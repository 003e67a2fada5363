import { invalidData } from '../../errors.ts';

const wide = new DataView(new ArrayBuffer(8));

/**
 * A cursor over Avro's binary encoding. Every read checks what it is about to take, so that malformed bytes end in
 * INVALID_DATA. Past the end a typed array gives undefined, which reads as a final zero byte of a varint: loops still
 * stop, and `checkEnd` at the end of each record reports it. That keeps a test per byte out of the hot path.
 */
export class AvroReader {
  readonly bytes: Uint8Array;
  readonly location: string;
  readonly #text: Buffer;
  readonly #view: DataView;
  position = 0;

  constructor(bytes: Uint8Array, location: string) {
    // Never a Buffer, whose `slice` does not copy and which would show in what users get.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.location = location;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** An int: 32 bits. */
  readInt(): number {
    const value = this.readNumber();
    if (value !== (value | 0)) throw this.invalid(`${value} is no 32-bit integer`);
    return value;
  }

  /** A long that a number holds exactly, as every count and size does. */
  readNumber(): number {
    const bytes = this.bytes;
    let byte = bytes[this.position++]!;
    let low = byte & 0x7f;
    if ((byte & 0x80) !== 0) {
      byte = bytes[this.position++]!;
      low |= (byte & 0x7f) << 7;
      if ((byte & 0x80) !== 0) {
        byte = bytes[this.position++]!;
        low |= (byte & 0x7f) << 14;
        if ((byte & 0x80) !== 0) {
          byte = bytes[this.position++]!;
          low |= (byte & 0x7f) << 21;
          if ((byte & 0x80) !== 0) return this.#wideNumber(low);
        }
      }
    }
    return (low >>> 1) ^ -(low & 1);
  }

  /** A long, exact. */
  readLong(): bigint {
    const bytes = this.bytes;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.position++]!;
      low |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return BigInt((low >>> 1) ^ -(low & 1));
    }
    this.#wideLong(low);
    return wide.getBigInt64(0);
  }

  /** A long, exact, written as two 32-bit halves: it needs no bigint. */
  readLongInto(halves: Int32Array, index: number): void {
    const bytes = this.bytes;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.position++]!;
      low |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) {
        const value = (low >>> 1) ^ -(low & 1);
        halves[2 * index] = value;
        halves[2 * index + 1] = value >> 31;
        return;
      }
    }
    this.#wideLong(low);
    halves[2 * index] = wide.getInt32(4);
    halves[2 * index + 1] = wide.getInt32(0);
  }

  skipVarint(): void {
    const bytes = this.bytes;
    while ((bytes[this.position++]! & 0x80) !== 0);
  }

  readBoolean(): boolean {
    const byte = this.bytes[this.position++];
    if (byte !== 0 && byte !== 1) throw this.invalid(`${String(byte)} is no boolean`);
    return byte === 1;
  }

  readFloat(): number {
    const at = this.#take(4);
    return this.#view.getFloat32(at, true);
  }

  readDouble(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  /** The length of bytes or text that follow, known to be there. */
  readLength(): number {
    const length = this.readNumber();
    if (length < 0 || length > this.bytes.length - this.position) {
      throw this.invalid(`a length of ${length} does not fit the ${this.bytes.length - this.position} bytes left`);
    }
    return length;
  }

  /** A view on the next `length` bytes; it keeps the whole block alive, so copy what is to be kept. */
  readFixed(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  readBytes(): Uint8Array {
    return this.readFixed(this.readLength());
  }

  readString(): string {
    const length = this.readLength();
    this.position += length;
    return this.text(this.position - length, this.position);
  }

  /** UTF-8 text between two positions. */
  text(start: number, end: number): string {
    const text = this.#text.toString('utf8', start, end);
    // A replacement character may stand for itself; then encoding gives the same bytes again.
    if (text.includes('\ufffd') && !this.#text.subarray(start, end).equals(Buffer.from(text, 'utf8'))) {
      throw this.invalid('text is not UTF-8');
    }
    return text;
  }

  skip(length: number): void {
    this.#take(length);
  }

  /**
   * The number of items in the next block of an array or map; 0 ends it. Each item takes a byte at least, unless
   * `most` allows for more items than bytes.
   */
  readBlockCount(most = 0): number {
    let count = this.readNumber();
    if (count < 0) {
      count = -count;
      this.readLength();
    }
    if (count > Math.max(most, this.bytes.length - this.position))
      throw this.invalid(`a block of ${count} items is cut short`);
    return count;
  }

  /** Which branch of a union follows. */
  readBranch(branches: number): number {
    const branch = this.readNumber();
    if (branch < 0 || branch >= branches) throw this.invalid(`${branch} is no branch of a union of ${branches}`);
    return branch;
  }

  /** To be called after every record: were all its bytes there? */
  checkEnd(): void {
    if (this.position > this.bytes.length) throw this.invalid('a record is cut short');
  }

  invalid(what: string): Error {
    return invalidData(`${this.location} is damaged: ${what} (byte ${this.position}).`, {
      location: this.location,
    });
  }

  #take(length: number): number {
    const at = this.position;
    if (length > this.bytes.length - at) throw this.invalid(`${length} bytes are cut short`);
    this.position = at + length;
    return at;
  }

  #wideNumber(low: number): number {
    this.#wideLong(low);
    const value = wide.getInt32(0) * 2 ** 32 + wide.getUint32(4);
    if (!Number.isSafeInteger(value))
      throw this.invalid(`${wide.getBigInt64(0)} is out of the range of counts and sizes`);
    return value;
  }

  /** Reads the varint's bytes after the first four, whose 28 bits are given; leaves the decoded long in `wide`. */
  #wideLong(low: number): void {
    const bytes = this.bytes;
    let middle = 0;
    let high = 0;
    let byte = 0x80;
    for (let shift = 0; shift < 28 && (byte & 0x80) !== 0; shift += 7) {
      byte = bytes[this.position++]!;
      middle |= (byte & 0x7f) << shift;
    }
    for (let shift = 0; (byte & 0x80) !== 0; shift += 7) {
      byte = bytes[this.position++]!;
      if (shift > 7 || (shift === 7 && byte > 1)) throw this.invalid('an integer has more than 64 bits');
      high |= (byte & 0x7f) << shift;
    }
    const lowWord = (low | (middle << 28)) >>> 0;
    const highWord = ((middle >>> 4) | (high << 24)) >>> 0;
    const sign = -(lowWord & 1);
    wide.setInt32(4, ((lowWord >>> 1) | (highWord << 31)) ^ sign);
    wide.setInt32(0, (highWord >>> 1) ^ sign);
  }
}
