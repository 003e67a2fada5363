/** How much is decoded at once. */
const CHUNK_BYTES = 1 << 20;

/**
 * Whether all values of a column are UTF-8. They are if together they are, and none begins within a character: that
 * takes a few calls into the platform, not one for each.
 */
export function areUtf8(bytes: Uint8Array, offsets: Int32Array): boolean {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      utf8.decode(bytes.subarray(at, at + CHUNK_BYTES), { stream: true });
    }
    utf8.decode();
  } catch {
    return false;
  }
  return !offsets.some((offset) => (bytes[offset] ?? 0) >> 6 === 0b10);
}
