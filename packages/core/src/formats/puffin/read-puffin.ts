import { invalidData, unsupported } from '../../errors.ts';
import type { FileIO, IOOptions } from '../../io/file-io.ts';
import { decompressZstd } from '../decompress.ts';
import { decompressLz4Frame } from '../lz4-frame.ts';
import { readRange, type ByteRange } from '../read-ranges.ts';
import { footerFromJson } from './footer.ts';
import type { BlobMetadata, PuffinFooter } from './footer.ts';
import { FLAGS_BYTES, FOOTER_COMPRESSED, MAGIC, MAGIC_BYTES, SIZE_BYTES } from './layout.ts';

/** After the payload: its size, flags and magic. */
const TRAILER_BYTES = SIZE_BYTES + FLAGS_BYTES + MAGIC_BYTES;
/** Most footers are in here, so that one request is enough. */
const TAIL_BYTES = 16 * 1024;

/** INVALID_DATA for files that aren't Puffin; UNSUPPORTED for unknown flags. `size`: of the file, in bytes. */
export async function readPuffinFooter(
  io: FileIO,
  location: string,
  size: number,
  options: IOOptions = {},
): Promise<PuffinFooter> {
  const broken = (problem: string): Error => invalidData(`The Puffin file ${location} ${problem}.`, { path: location });
  if (size < 2 * MAGIC_BYTES + TRAILER_BYTES) throw broken('is too short to be one');
  const tail = await readRange(io, location, tailRange(size, TAIL_BYTES), options.signal);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const trailer = tail.length - TRAILER_BYTES;
  if (view.getUint32(tail.length - MAGIC_BYTES) !== MAGIC) throw broken('does not end as one');
  const payloadBytes = view.getInt32(trailer, true);
  const footerBytes = MAGIC_BYTES + payloadBytes + TRAILER_BYTES;
  if (payloadBytes < 0 || footerBytes > size - MAGIC_BYTES) throw broken('has a footer that does not fit into it');
  const flags = view.getUint32(trailer + SIZE_BYTES, true);
  if ((flags & ~FOOTER_COMPRESSED) !== 0)
    throw unsupported(`The Puffin file ${location} has unknown flags.`, { path: location });
  const footer =
    footerBytes <= tail.length
      ? tail.subarray(tail.length - footerBytes)
      : await readRange(io, location, tailRange(size, footerBytes), options.signal);
  if (new DataView(footer.buffer, footer.byteOffset).getUint32(0) !== MAGIC)
    throw broken('has no footer where it says');
  const stored = footer.subarray(MAGIC_BYTES, MAGIC_BYTES + payloadBytes);
  const payload = flags === 0 ? stored : decompress('lz4', stored, location);
  const result = footerFromJson(decodeText(payload, broken), location);
  for (const blob of result.blobs) checkPlace(blob, size - footerBytes, broken);
  return result;
}

/** The content of a blob. INVALID_DATA if the file doesn't have it; UNSUPPORTED for codecs other than lz4 and zstd. */
export async function readBlob(
  io: FileIO,
  location: string,
  blob: BlobMetadata,
  options: IOOptions = {},
): Promise<Uint8Array> {
  const { compressionCodec: codec } = blob;
  if (codec !== null && codec !== 'lz4' && codec !== 'zstd') {
    throw unsupported(`A blob of ${location} is compressed with '${codec}', which can't be read.`, { path: location });
  }
  const bytes = await readRange(io, location, blob, options.signal);
  return codec === null ? bytes : decompress(codec, bytes, location);
}

const CODECS = { lz4: decompressLz4Frame, zstd: decompressZstd } as const;
/** No writer makes blobs of this size; a small damaged or hostile one could claim to. */
const MAX_CONTENT_BYTES = 1 << 30;

function decompress(codec: keyof typeof CODECS, bytes: Uint8Array, location: string): Uint8Array {
  try {
    return CODECS[codec](bytes, MAX_CONTENT_BYTES);
  } catch (cause) {
    const problem = `The Puffin file ${location} is damaged: ${bytes.length} bytes of it are no ${codec} stream.`;
    throw invalidData(problem, { path: location }, cause);
  }
}

function tailRange(size: number, length: number): ByteRange {
  return { offset: Math.max(0, size - length), length: Math.min(size, length) };
}

function decodeText(bytes: Uint8Array, broken: (problem: string) => Error): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw broken('has a footer that is not UTF-8');
  }
}

/** Blobs lie between the magic and the footer. */
function checkPlace({ type, offset, length }: BlobMetadata, end: number, broken: (problem: string) => Error): void {
  if (offset < MAGIC_BYTES || length < 0 || offset + length > end) {
    throw broken(`has a blob '${type}' of ${length} bytes at ${offset}, which is not inside it`);
  }
}
