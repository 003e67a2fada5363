import { invalidData, unsupported } from '../../errors.ts';
import { decompressBrotli, decompressZstd, inflateRaw } from '../decompress.ts';
import { decompressLz4 } from '../lz4-block.ts';
import { decompressSnappyBlock } from '../snappy-block.ts';

/** How a file's streams and metadata are compressed: in chunks, each on its own (ORC specification: "Compression"). */
export interface OrcCompression {
  readonly kind: OrcCompressionKind;
  /** The most bytes that a chunk stands for. */
  readonly blockSize: number;
}

export type OrcCompressionKind = 'none' | 'zlib' | 'snappy' | 'lz4' | 'zstd' | 'brotli';

/** By the codes of the enum CompressionKind. */
const KINDS: readonly (OrcCompressionKind | 'lzo')[] = ['none', 'zlib', 'snappy', 'lzo', 'lz4', 'zstd', 'brotli'];

/** Chunks are shorter than this: their length has 23 bits. */
const MAX_BLOCK_SIZE = 1 << 24;

export function orcCompression(code: number, blockSize: number, location: string): OrcCompression {
  const kind = KINDS[code];
  if (kind === undefined || kind === 'lzo') {
    const name = kind ?? `of code ${code}`;
    throw unsupported(`The ORC file ${location} is compressed by the codec ${name}, which can't be read.`, {
      path: location,
    });
  }
  return { kind, blockSize: Math.min(blockSize, MAX_BLOCK_SIZE) };
}

const DECOMPRESS: Readonly<
  Record<Exclude<OrcCompressionKind, 'none'>, (bytes: Uint8Array, limit: number) => Uint8Array>
> = {
  zlib: inflateRaw,
  snappy: decompressSnappyBlock,
  zstd: decompressZstd,
  lz4: decompressLz4,
  brotli: decompressBrotli,
};

const CHUNK_HEADER_BYTES = 3;

/** Decompresses the chunks of a stream one by one. INVALID_DATA, once it is reached, for a chunk that is broken. */
export function* orcChunks(stream: Uint8Array, { kind, blockSize }: OrcCompression): Generator<Uint8Array> {
  if (kind === 'none') {
    if (stream.length > 0) yield stream;
    return;
  }
  for (let at = 0; at < stream.length;) {
    const header = stream[at]! | (stream[at + 1]! << 8) | (stream[at + 2]! << 16);
    const start = at + CHUNK_HEADER_BYTES;
    const end = start + (header >>> 1);
    if (end > stream.length) throw invalidData('a compressed chunk is cut short');
    const chunk = stream.subarray(start, end);
    // The lowest bit says that compression would not have made it smaller.
    yield (header & 1) === 1 ? chunk : decompressChunk(chunk, kind, blockSize);
    at = end;
  }
}

function decompressChunk(chunk: Uint8Array, kind: Exclude<OrcCompressionKind, 'none'>, blockSize: number): Uint8Array {
  try {
    return DECOMPRESS[kind](chunk, blockSize);
  } catch (cause) {
    throw invalidData(`a chunk of ${chunk.length} bytes is no ${kind} stream`, undefined, cause);
  }
}

/** A stream as a whole. */
export function decompressOrc(stream: Uint8Array, compression: OrcCompression): Uint8Array {
  return joinBytes([...orcChunks(stream, compression)]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
