import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/**
 * A file of the cache is a Parquet file, so that DuckDB opens it by its path. Between the magic and the first column
 * chunk, where no reader looks, it says what it is:
 *
 *     'PAR1' | 'LHC1' | CRC-32 of all that follows | length of the description | description (JSON) | chunks | footer
 *
 * It is written once, from its beginning to its end, and gets its name when it is whole.
 */
export interface CacheFileDescription {
  /** The footer only, as the whole file has it, or chunks under a footer that leaves out other row groups. */
  readonly kind: 'footer' | 'chunks';
  /** The file that it is a part of, its size in bytes, and its etag where the store has such. */
  readonly location: string;
  readonly size: number;
  readonly etag: string | null;
  /** The column chunks that it holds: these columns, by their place among the leaves, of each of these row groups. */
  readonly rowGroups: readonly number[];
  readonly leaves: readonly number[];
}

const MAGIC = 'PAR1LHC1';
const CRC_AT = MAGIC.length;
const LENGTH_AT = CRC_AT + 4;
const DESCRIPTION_AT = LENGTH_AT + 4;
/** Most descriptions are shorter. */
const FIRST_READ = 1024;
const VERIFY_BYTES = 2 ** 20;

/** The beginning of a cache file, whose checksum is not known yet. */
export function beginning(description: CacheFileDescription): Uint8Array {
  const text = Buffer.from(JSON.stringify(description));
  const bytes = Buffer.alloc(DESCRIPTION_AT + text.length);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(text.length, LENGTH_AT);
  text.copy(bytes, DESCRIPTION_AT);
  return bytes;
}

/** Writes a cache file in order; what is skipped is zeros. */
export class CacheFileWriter {
  readonly #handle: FileHandle;
  #at = 0;
  #crc = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async begin(description: CacheFileDescription): Promise<void> {
    const bytes = beginning(description);
    await this.#append(bytes, bytes.subarray(LENGTH_AT));
  }

  /** `at` is not before the end of what has been written. */
  async write(at: number, bytes: Uint8Array): Promise<void> {
    if (at > this.#at) {
      const zeros = new Uint8Array(at - this.#at);
      await this.#append(zeros, zeros);
    }
    await this.#append(bytes, bytes);
  }

  async finish(): Promise<void> {
    const crc = new Uint8Array(4);
    new DataView(crc.buffer).setUint32(0, this.#crc, true);
    await writeAll(this.#handle, crc, CRC_AT);
  }

  async #append(bytes: Uint8Array, summed: Uint8Array): Promise<void> {
    this.#crc = crc32(summed, this.#crc);
    await writeAll(this.#handle, bytes, this.#at);
    this.#at += bytes.length;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Null if it isn't the beginning of a cache file. */
export async function readDescription(handle: FileHandle): Promise<CacheFileDescription | null> {
  const head = await readSome(handle, 0, FIRST_READ);
  if (head.length < DESCRIPTION_AT || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const end = DESCRIPTION_AT + head.readUInt32LE(LENGTH_AT);
  const bytes = end <= head.length ? head : await readSome(handle, 0, Math.min(end, MAX_DESCRIPTION));
  try {
    return JSON.parse(bytes.toString('utf8', DESCRIPTION_AT, end)) as CacheFileDescription;
  } catch {
    return null;
  }
}

const MAX_DESCRIPTION = 2 ** 24;

/** Whether every byte is as it was written: a power failure or a broken disk may have changed some. */
export async function isIntact(handle: FileHandle): Promise<boolean> {
  const head = await readSome(handle, 0, DESCRIPTION_AT);
  if (head.length < DESCRIPTION_AT || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
  let crc = 0;
  for (let at = LENGTH_AT; ;) {
    const bytes = await readSome(handle, at, VERIFY_BYTES);
    if (bytes.length === 0) return crc === head.readUInt32LE(CRC_AT);
    crc = crc32(bytes, crc);
    at += bytes.length;
  }
}

/** The bytes at a place, fewer where the file ends. */
export async function readSome(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
