import { invalidData, isLakehouseError, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { readRange } from '../read-ranges.ts';
import { AvroReader } from './avro-reader.ts';
import type { AvroType } from './avro-schema.ts';
import { MAX_BLOCK_BYTES, decompressBlock } from './codecs.ts';
import { SYNC_BYTES, readAvroHeader, type AvroHeader } from './header.ts';

/** An Avro object container file that is read front to back, some of it at a time. */
export interface AvroStream {
  readonly schema: AvroType;
  /** To be gone through once. */
  blocks(): AsyncIterable<AvroStreamBlock>;
}

export interface AvroStreamBlock {
  readonly count: number;
  /** Decompresses the block's records. The bytes are valid until the next block is asked for. */
  readonly records: () => AvroReader;
}

/** What is asked of the store at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_BYTES = 64 * 1024 * 1024;
/** A block begins with two longs. */
const MAX_LONG_BYTES = 10;

/** Opens the file of `size` bytes. INVALID_DATA if it is no Avro file; what is wrong further on shows when it is reached. */
export async function openAvroStream(
  io: FileIO,
  location: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<AvroStream> {
  const input = new ForwardInput(io, location, size, signal);
  const header = await readHeader(input, location);
  input.skip(header.length);
  return { schema: header.schema, blocks: () => readBlocks(input, header, location, signal) };
}

/** A header is a few kilobytes; one that doesn't end within the first chunk gets a second try with more. */
async function readHeader(input: ForwardInput, location: string): Promise<AvroHeader> {
  try {
    return readAvroHeader(await input.peek(Math.min(input.left, CHUNK_BYTES)), location);
  } catch (error) {
    if (input.left <= CHUNK_BYTES || !isLakehouseError(error, 'INVALID_DATA')) throw error;
    return readAvroHeader(await input.peek(Math.min(input.left, MAX_HEADER_BYTES)), location);
  }
}

async function* readBlocks(
  input: ForwardInput,
  { codec, sync }: AvroHeader,
  location: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<AvroStreamBlock> {
  while (input.left > 0) {
    throwIfAborted(signal);
    const start = new AvroReader(await input.peek(Math.min(input.left, 2 * MAX_LONG_BYTES)), location);
    const [count, length] = [start.readNumber(), start.readNumber()];
    const end = start.position + length + SYNC_BYTES;
    if (count < 0 || length < 0 || length > MAX_BLOCK_BYTES || end > input.left) {
      throw damaged(
        location,
        `a block of ${count} records has ${length} bytes where ${input.left} are left of the file`,
      );
    }
    const block = await input.peek(end);
    const marker = block.subarray(end - SYNC_BYTES);
    if (marker.some((byte, i) => byte !== sync[i])) {
      throw damaged(location, "a block does not end with the file's sync marker");
    }
    const payload = block.subarray(start.position, end - SYNC_BYTES);
    yield { count, records: () => new AvroReader(decompressBlock(codec, payload, location), location) };
    input.skip(end);
  }
}

function damaged(location: string, what: string): Error {
  return invalidData(`${location} is damaged: ${what}.`, { location });
}

/** A file from its first byte to its last, in large requests, of which one is made ahead of its need. */
class ForwardInput {
  readonly #io: FileIO;
  readonly #location: string;
  readonly #size: number;
  readonly #signal: AbortSignal | undefined;
  /** Bytes that have been fetched, from position `#at` on not yet passed. */
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Where the next request begins. */
  #requested = 0;
  #ahead: Promise<Uint8Array> | null = null;

  constructor(io: FileIO, location: string, size: number, signal: AbortSignal | undefined) {
    this.#io = io;
    this.#location = location;
    this.#size = size;
    this.#signal = signal;
    this.left = size;
  }

  /** Bytes of the file that have not been passed. */
  left: number;

  skip(length: number): void {
    this.#at += length;
    this.left -= length;
  }

  /** The next bytes, without passing them. There must be as many left. */
  async peek(length: number): Promise<Uint8Array> {
    if (this.#bytes.length - this.#at < length) await this.#fetch(length);
    return this.#bytes.subarray(this.#at, this.#at + length);
  }

  async #fetch(length: number): Promise<void> {
    const parts = [this.#bytes.subarray(this.#at)];
    if (this.#ahead) parts.push(await this.#ahead);
    const missing = length - parts.reduce((sum, part) => sum + part.length, 0);
    if (missing > 0) parts.push(await this.#request(missing));
    this.#bytes = joined(parts);
    this.#at = 0;
    this.#ahead = this.#requested < this.#size ? this.#request(0) : null;
    // It may fail before anyone awaits it; it is then reported when its turn comes.
    this.#ahead?.catch(() => undefined);
  }

  #request(minimum: number): Promise<Uint8Array> {
    const offset = this.#requested;
    const length = Math.min(Math.max(minimum, CHUNK_BYTES), this.#size - offset);
    this.#requested += length;
    return readRange(this.#io, this.#location, { offset, length }, this.#signal);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length === 1) return filled[0]!;
  const whole = new Uint8Array(filled.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of filled) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
