import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappyjs';
import { invalidData, isLakehouseError, unsupported } from '../../errors.ts';

/** Compression of Avro blocks (Avro specification: "Required Codecs", "Optional Codecs"). */
export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard';

interface Codec {
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** Throws, in any way, for bytes that are no such stream or hold more than `limit` bytes. */
  readonly decompress: (bytes: Uint8Array, limit: number) => Uint8Array;
}

/** No writer makes blocks of this size; a small damaged or hostile one could claim to. */
export const MAX_BLOCK_BYTES: number = 1 << 30;

const CRC_BYTES = 4;

const CODECS: Readonly<Record<AvroCodec, Codec>> = {
  null: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
  deflate: {
    compress: (bytes) => zlib.deflateRawSync(bytes),
    decompress: inflate,
  },
  snappy: { compress: compressSnappy, decompress: decompressSnappy },
  zstandard: { compress: compressZstd, decompress: decompressZstd },
};

/** UNSUPPORTED for codecs that Iceberg files don't have (bzip2, xz). */
export function parseAvroCodec(name: string, location: string): AvroCodec {
  if (!Object.hasOwn(CODECS, name)) {
    throw unsupported(`${location} is compressed with the Avro codec '${name}', which can't be read here.`, {
      location,
    });
  }
  return name as AvroCodec;
}

export function compressBlock(codec: AvroCodec, bytes: Uint8Array): Uint8Array {
  return CODECS[codec].compress(bytes);
}

/** INVALID_DATA for bytes that are not a stream of the codec. */
export function decompressBlock(codec: AvroCodec, bytes: Uint8Array, location: string): Uint8Array {
  try {
    return CODECS[codec].decompress(bytes, MAX_BLOCK_BYTES);
  } catch (cause) {
    if (isLakehouseError(cause)) throw cause;
    throw invalidData(
      `${location} is damaged: a block of ${bytes.length} bytes is no ${codec} stream.`,
      { location },
      cause,
    );
  }
}

/** Output comes in chunks that are put together at the end; one that holds all of a usual block saves that. */
function inflate(bytes: Uint8Array, limit: number): Uint8Array {
  const chunkSize = Math.min(1 << 20, Math.max(1 << 14, 4 * bytes.length));
  return zlib.inflateRawSync(bytes, { maxOutputLength: limit, chunkSize });
}

/** Avro puts the CRC-32 of the uncompressed bytes, big-endian, after each Snappy block. */
function compressSnappy(bytes: Uint8Array): Uint8Array {
  const block = snappyCompress(bytes);
  const result = new Uint8Array(block.length + CRC_BYTES);
  result.set(block);
  new DataView(result.buffer).setUint32(block.length, zlib.crc32(bytes));
  return result;
}

function decompressSnappy(bytes: Uint8Array, limit: number): Uint8Array {
  const end = bytes.length - CRC_BYTES;
  const crc = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(end);
  // An element of two bytes copies 64 at most: a claim of more than that is not worth allocating for.
  const result = snappyUncompress(bytes.subarray(0, end), Math.min(limit, 32 * end));
  if (zlib.crc32(result) !== crc) throw new Error('The CRC-32 of a Snappy block differs.');
  return result;
}

/** Node has Zstandard from 22.15 and 23.8 on. */
const nodeZstd = zlib as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
  readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array;
};

function compressZstd(bytes: Uint8Array): Uint8Array {
  if (!nodeZstd.zstdCompressSync) throw unsupported('Writing Avro with zstandard needs Node 22.15 or newer.');
  return nodeZstd.zstdCompressSync(bytes);
}

function decompressZstd(bytes: Uint8Array, limit: number): Uint8Array {
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
