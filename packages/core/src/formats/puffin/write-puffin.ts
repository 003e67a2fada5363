import { footerToJson } from './footer.ts';
import type { BlobMetadata, PuffinFooter } from './footer.ts';
import { FLAGS_BYTES, MAGIC, MAGIC_BYTES, SIZE_BYTES } from './layout.ts';

/** A blob to write, without compression. */
export interface NewBlob extends Omit<BlobMetadata, 'offset' | 'length' | 'compressionCodec'> {
  readonly content: Uint8Array;
}

export interface PuffinFile {
  readonly bytes: Uint8Array;
  /** With the places that the blobs got. */
  readonly footer: PuffinFooter;
  /** Of the whole footer, with its magic bytes. */
  readonly footerBytes: number;
}

/** What other engines are told of who wrote a file. */
const CREATED_BY_US = { 'created-by': '@lh/core' };

/** Lays out a Puffin file of blobs, in order. */
export function encodePuffin(
  blobs: readonly NewBlob[],
  properties: Readonly<Record<string, string>> = CREATED_BY_US,
): PuffinFile {
  let end = MAGIC_BYTES;
  const placed = blobs.map(({ content, ...blob }): BlobMetadata => {
    const offset = end;
    end += content.length;
    return { ...blob, offset, length: content.length, compressionCodec: null };
  });
  const footer: PuffinFooter = { blobs: placed, properties };
  const payload = new TextEncoder().encode(footerToJson(footer));
  const bytes = new Uint8Array(end + MAGIC_BYTES + payload.length + SIZE_BYTES + FLAGS_BYTES + MAGIC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  blobs.forEach(({ content }, i) => bytes.set(content, placed[i]!.offset));
  view.setUint32(end, MAGIC);
  bytes.set(payload, end + MAGIC_BYTES);
  view.setInt32(end + MAGIC_BYTES + payload.length, payload.length, true);
  view.setUint32(bytes.length - MAGIC_BYTES, MAGIC);
  return { bytes, footer, footerBytes: bytes.length - end };
}
