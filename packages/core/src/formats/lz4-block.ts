/** The shortest match that a sequence can stand for. */
const MIN_MATCH = 4;
/** A length of this much in the token goes on in the next bytes. */
const MORE = 15;

/** A byte of a block stands for this many at most. */
export const MAX_LZ4_RATIO = 255;

/** One block by itself, of up to `limit` bytes. */
export function decompressLz4(bytes: Uint8Array, limit: number): Uint8Array {
  const out = new Uint8Array(Math.min(limit, bytes.length * MAX_LZ4_RATIO));
  return out.subarray(0, decompressLz4Block(bytes, out, 0));
}

/**
 * Decompresses one LZ4 block (lz4_Block_format.md) to `to` from position `at` on, and returns where it ends. Matches
 * never reach back before `first`. Throws a RangeError for bytes that are no block or don't fit.
 */
export function decompressLz4Block(from: Uint8Array, to: Uint8Array, at: number, first: number = at): number {
  let position = 0;
  let end = at;
  const longLength = (start: number): number => {
    let length = start;
    for (let byte = 0xff; byte === 0xff;) {
      if (position >= from.length) throw new RangeError('A length is cut short.');
      byte = from[position++]!;
      length += byte;
    }
    return length;
  };
  while (position < from.length) {
    const token = from[position++]!;
    const literals = token >> 4 === MORE ? longLength(MORE) : token >> 4;
    if (literals > from.length - position || literals > to.length - end) throw new RangeError('Literals do not fit.');
    to.set(from.subarray(position, position + literals), end);
    position += literals;
    end += literals;
    // The last sequence has no match.
    if (position === from.length) break;
    if (from.length - position < 2) throw new RangeError('An offset is cut short.');
    const offset = from[position]! | (from[position + 1]! << 8);
    position += 2;
    const length = ((token & 0x0f) === MORE ? longLength(MORE) : token & 0x0f) + MIN_MATCH;
    if (offset === 0 || offset > end - first || length > to.length - end) throw new RangeError('A match does not fit.');
    // Byte by byte: a match may overlap what it makes.
    for (const stop = end + length; end < stop; end++) to[end] = to[end - offset]!;
  }
  return end;
}
