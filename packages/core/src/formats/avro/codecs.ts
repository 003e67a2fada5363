import * as zlib from 'node:zlib';
import { compress as snappyCompress } from 'snappyjs';
import { invalidData, isLakehouseError, unsupported } from '../../errors.ts';
import { decompressZstd, inflateRaw, inflateRawBeside, nodeZstd } from '../decompress.ts';
import { decompressSnappyBlock } from '../snappy-block.ts';

/** Compression of Avro blocks (Avro specification: "Required Codecs", "Optional Codecs"). */
export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard';

interface Codec {
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** Throws, in any way, for bytes that are no such stream or hold more than `limit` bytes. */
  readonly decompress: (bytes: Uint8Array, limit: number) => Uint8Array;
  /** The same on another thread, where there is one for it. */
  readonly decompressBeside?: (bytes: Uint8Array, limit: number) => Promise<Uint8Array>;
}

/** No writer makes blocks of this size; a small damaged or hostile one could claim to. */
export const MAX_BLOCK_BYTES: number = 1 << 30;

const CRC_BYTES = 4;

const CODECS: Readonly<Record<AvroCodec, Codec>> = {
  null: { compress: (bytes) => bytes, decompress: (bytes) => bytes },
  deflate: {
    compress: (bytes) => zlib.deflateRawSync(bytes),
    decompress: inflateRaw,
    decompressBeside: inflateRawBeside,
  },
  snappy: { compress: compressSnappy, decompress: decompressWithCrc },
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
    throw damagedBlock(codec, bytes, location, cause);
  }
}

/** `decompressBlock` beside this thread, for codecs that can. */
export async function decompressBlockBeside(
  codec: AvroCodec,
  bytes: Uint8Array,
  location: string,
): Promise<Uint8Array> {
  const { decompressBeside } = CODECS[codec];
  if (decompressBeside === undefined) return decompressBlock(codec, bytes, location);
  try {
    return await decompressBeside(bytes, MAX_BLOCK_BYTES);
  } catch (cause) {
    throw damagedBlock(codec, bytes, location, cause);
  }
}

function damagedBlock(codec: AvroCodec, bytes: Uint8Array, location: string, cause: unknown): unknown {
  if (isLakehouseError(cause)) return cause;
  return invalidData(
    `${location} is damaged: a block of ${bytes.length} bytes is no ${codec} stream.`,
    { location },
    cause,
  );
}

/** Avro puts the CRC-32 of the uncompressed bytes, big-endian, after each Snappy block. */
function compressSnappy(bytes: Uint8Array): Uint8Array {
  const block = snappyCompress(bytes);
  const result = new Uint8Array(block.length + CRC_BYTES);
  result.set(block);
  new DataView(result.buffer).setUint32(block.length, zlib.crc32(bytes));
  return result;
}

function decompressWithCrc(bytes: Uint8Array, limit: number): Uint8Array {
  const end = bytes.length - CRC_BYTES;
  const crc = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(end);
  const result = decompressSnappyBlock(bytes.subarray(0, end), limit);
  if (zlib.crc32(result) !== crc) throw new Error('The CRC-32 of a Snappy block differs.');
  return result;
}

function compressZstd(bytes: Uint8Array): Uint8Array {
  if (!nodeZstd.zstdCompressSync) throw unsupported('Writing Avro with zstandard needs Node 22.15 or newer.');
  return nodeZstd.zstdCompressSync(bytes);
}
