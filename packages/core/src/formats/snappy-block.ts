/** The kinds of elements, in the lowest two bits of their first byte. */
const LITERALS = 0;
const NEAR_COPY = 1;
const COPY = 2;
/** Lengths of literals from this on are in the bytes that follow. */
const LONG_LITERALS = 60;
/** A copy of two bytes stands for 11, one of three for 64 at most: what claims to hold more than this holds less. */
const MAX_RATIO = 32;
const MAX_LENGTH_BYTES = 5;
/** Below this, copying byte by byte is faster than a call. */
const SHORT_VALUE = 32;

/**
 * Decompresses one Snappy block (google/snappy, format_description.txt). Throws a RangeError for bytes that are no
 * block, or stand for more than `limit` bytes. (snappyjs, which compresses, takes negative lengths for lengths and runs
 * in circles.)
 */
export function decompressSnappyBlock(from: Uint8Array, limit: number): Uint8Array {
  const { length, start } = readLength(from);
  if (length > Math.min(limit, MAX_RATIO * from.length)) throw new RangeError(`The content has ${length} bytes.`);
  const to = new Uint8Array(length);
  let position = start;
  let end = 0;
  while (position < from.length) {
    const tag = from[position++]!;
    const kind = tag & 3;
    const upper = tag >> 2;
    if (kind === LITERALS) {
      const more = Math.max(0, upper - LONG_LITERALS + 1);
      const count = (more === 0 ? upper : littleEndian(from, position, more)) + 1;
      position += more;
      if (count > from.length - position || count > length - end) throw new RangeError('Literals do not fit.');
      if (count >= SHORT_VALUE) to.set(from.subarray(position, position + count), end);
      else for (let i = 0; i < count; i++) to[end + i] = from[position + i]!;
      position += count;
      end += count;
      continue;
    }
    let offset: number;
    if (kind === NEAR_COPY) offset = ((tag >> 5) << 8) | from[position++]!;
    else {
      const width = kind === COPY ? 2 : 4;
      offset = littleEndian(from, position, width);
      position += width;
    }
    const count = kind === NEAR_COPY ? (upper & 7) + 4 : upper + 1;
    if (offset === 0 || offset > end || position > from.length || count > length - end) {
      throw new RangeError('A copy does not fit.');
    }
    // Byte by byte: a copy may overlap what it makes.
    for (const stop = end + count; end < stop; end++) to[end] = to[end - offset]!;
  }
  if (end !== length) throw new RangeError(`The content has ${end} bytes instead of ${length}.`);
  return to;
}

/** Past the end there are zeros; whoever reads on finds out. */
function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = bytes[at]! | (bytes[at + 1]! << 8);
  if (width === 1) value = bytes[at] ?? 0;
  else if (width > 2) value += (bytes[at + 2] ?? 0) * 2 ** 16 + (width > 3 ? (bytes[at + 3] ?? 0) * 2 ** 24 : 0);
  return value;
}

/** A base-128 number, least significant group first, and where it ends. */
function readLength(bytes: Uint8Array): { readonly length: number; readonly start: number } {
  let length = 0;
  for (let i = 0; i < Math.min(bytes.length, MAX_LENGTH_BYTES); i++) {
    length += (bytes[i]! & 0x7f) * 128 ** i;
    if (bytes[i]! < 0x80) return { length, start: i + 1 };
  }
  throw new RangeError('The length has no end.');
}
