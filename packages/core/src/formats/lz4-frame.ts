import { MAX_LZ4_RATIO, decompressLz4Block } from './lz4-block.ts';

const MAGIC = 0x184d2204;
/** Bits of the descriptor's first byte; its upper two are the version. */
const FLAG = {
  independentBlocks: 0x20,
  blockChecksums: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
const VERSION = 1;
/** Of a block's size: it is not compressed. */
const UNCOMPRESSED = 0x8000_0000;
const CHECKSUM_BYTES = 4;

/**
 * Decompresses one LZ4 frame (lz4_Frame_format.md) that tells the size of its content, as Puffin's do. Checksums are
 * passed over. Throws a RangeError for bytes that are no such frame, or stand for more than `limit` bytes.
 */
export function decompressLz4Frame(bytes: Uint8Array, limit: number): Uint8Array {
  // Reading past the end is a RangeError of its own.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || flags >> 6 !== VERSION)
    throw new RangeError('The frame is of no known kind.');
  if ((flags & FLAG.contentSize) === 0 || (flags & FLAG.dictionary) !== 0) {
    throw new RangeError('The frame has no content size, or needs a dictionary.');
  }
  const size = Number(view.getBigUint64(6, true));
  if (size > Math.min(limit, bytes.length * MAX_LZ4_RATIO)) throw new RangeError(`The content has ${size} bytes.`);
  const content = new Uint8Array(size);
  const afterBlock = (flags & FLAG.blockChecksums) === 0 ? 0 : CHECKSUM_BYTES;
  // Magic, two bytes of flags, the size, a checksum of the header.
  let at = 15;
  let end = 0;
  for (let header = view.getUint32(at, true); header !== 0; header = view.getUint32(at, true)) {
    const start = at + 4;
    at = start + (header & ~UNCOMPRESSED);
    if (at > bytes.length) throw new RangeError('A block is cut short.');
    const block = bytes.subarray(start, at);
    if (header >= UNCOMPRESSED) {
      content.set(block, end);
      end += block.length;
    } else {
      end = decompressLz4Block(block, content, end, (flags & FLAG.independentBlocks) === 0 ? 0 : end);
    }
    at += afterBlock;
  }
  at += 4 + ((flags & FLAG.contentChecksum) === 0 ? 0 : CHECKSUM_BYTES);
  if (end !== size || at !== bytes.length) throw new RangeError('The frame does not end with its content.');
  return content;
}
