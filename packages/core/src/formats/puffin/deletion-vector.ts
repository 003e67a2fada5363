import * as zlib from 'node:zlib';
import { invalidData } from '../../errors.ts';
import type { PositionBitmap } from './position-bitmap.ts';
import { decodeRoaring, encodeRoaring } from './roaring.ts';

/** The type of a deletion vector's blob (Puffin spec: "Blob types"). */
export const DELETION_VECTOR = 'deletion-vector-v1';

const MAGIC = 0xd1d33964;
/** Length of the rest without the checksum, and the checksum; both big-endian, unlike the bitmap. */
const LENGTH_BYTES = 4;
const MAGIC_BYTES = 4;
const CRC_BYTES = 4;
const BITMAP_START = LENGTH_BYTES + MAGIC_BYTES;

/** INVALID_DATA, with the file's location, for a blob that isn't a whole deletion vector. */
export function decodeDeletionVector(blob: Uint8Array, location: string): PositionBitmap {
  const broken = (problem: string, cause?: unknown): Error =>
    invalidData(`The deletion vector in ${location} is damaged: ${problem}.`, { path: location }, cause);
  if (blob.length < BITMAP_START + CRC_BYTES) throw broken(`${blob.length} bytes are too few`);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const end = blob.length - CRC_BYTES;
  const length = view.getUint32(0);
  if (length !== end - LENGTH_BYTES) {
    throw broken(`it says that it has ${length} bytes where its manifest has ${end - LENGTH_BYTES}`);
  }
  if (view.getUint32(LENGTH_BYTES) !== MAGIC) throw broken('it does not start as one');
  if (zlib.crc32(blob.subarray(LENGTH_BYTES, end)) !== view.getUint32(end)) throw broken('its checksum differs');
  try {
    return decodeRoaring(blob.subarray(BITMAP_START, end));
  } catch (cause) {
    throw broken('its bitmap does not decode', cause);
  }
}

/** The blob of a deletion vector, as Puffin files have it. */
export function encodeDeletionVector(positions: PositionBitmap): Uint8Array {
  const bitmap = encodeRoaring(positions);
  const blob = new Uint8Array(BITMAP_START + bitmap.length + CRC_BYTES);
  const view = new DataView(blob.buffer);
  const end = blob.length - CRC_BYTES;
  view.setUint32(0, end - LENGTH_BYTES);
  view.setUint32(LENGTH_BYTES, MAGIC);
  blob.set(bitmap, BITMAP_START);
  view.setUint32(end, zlib.crc32(blob.subarray(LENGTH_BYTES, end)));
  return blob;
}
