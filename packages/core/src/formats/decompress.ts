import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';

// Compressed streams as several formats have them. Each function throws, in any way, for bytes that are no such stream
// or hold more than `limit` bytes.

/** Output comes in chunks that are put together at the end; one that holds all of a usual block saves that. */
export function inflateRaw(bytes: Uint8Array, limit: number): Uint8Array {
  return zlib.inflateRawSync(bytes, inflateOptions(bytes, limit));
}

/** `inflateRaw` on a thread of Node's pool. */
export function inflateRawBeside(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zlib.inflateRaw(bytes, inflateOptions(bytes, limit), (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

function inflateOptions(bytes: Uint8Array, limit: number): zlib.ZlibOptions {
  return { maxOutputLength: limit, chunkSize: Math.min(1 << 20, Math.max(1 << 14, 4 * bytes.length)) };
}

export function decompressBrotli(bytes: Uint8Array, limit: number): Uint8Array {
  return zlib.brotliDecompressSync(bytes, { maxOutputLength: limit });
}

/** Node has Zstandard from 22.15 and 23.8 on. */
export const nodeZstd = zlib as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
  readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array;
};

export function decompressZstd(bytes: Uint8Array, limit: number): Uint8Array {
  return nodeZstd.zstdDecompressSync?.(bytes, { maxOutputLength: limit }) ?? decompressFzstd(bytes, limit);
}

/** Chunk by chunk, so that a few bytes that stand for gigabytes are found out before they are all there. */
export function decompressFzstd(bytes: Uint8Array, limit: number): Uint8Array {
  checkZstdClaims(bytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let finished = false;
  const stream = new Decompress((chunk, final) => {
    length += chunk.length;
    if (length > limit) throw new Error(`The content is longer than ${limit} bytes.`);
    chunks.push(chunk.slice());
    finished ||= final === true;
  });
  stream.push(bytes, true);
  if (!finished) throw new Error('The stream is cut short.');
  const result = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

/** What zstd's own decoder allows by default. */
const MAX_ZSTD_WINDOW = 1 << 27;

/** The smallest block, a repeated byte, takes 4 bytes and stands for 128 KiB. */
const MAX_ZSTD_RATIO = (1 << 17) / 4;

/** Refuses a first frame that asks a decoder to allocate more than it can need (RFC 8878, section 3.1.1.1). */
function checkZstdClaims(bytes: Uint8Array): void {
  const descriptor = bytes[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  if (!singleSegment && windowSize(bytes[5] ?? 0) > MAX_ZSTD_WINDOW) throw new Error('The window is too large.');
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const start = (singleSegment ? 5 : 6) + [0, 1, 2, 4][descriptor & 3]!;
  let size = sizeBytes === 2 ? 256 : 0;
  for (let i = 0; i < sizeBytes; i++) size += (bytes[start + i] ?? 0) * 256 ** i;
  if (size > bytes.length * MAX_ZSTD_RATIO) throw new Error('The content is larger than its blocks can hold.');
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
