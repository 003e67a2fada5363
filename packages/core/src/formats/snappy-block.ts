/** The kinds of elements, in the lowest two bits of their first byte. */
const LITERALS = 0;
const NEAR_COPY = 1;
const COPY = 2;
/** Lengths of literals from this on are in the bytes that follow. */
const LONG_LITERALS = 60;
/** A copy of two bytes stands for 11, one of three for 64 at most: what claims to hold more than this holds less. */
const MAX_RATIO = 32;
const MAX_LENGTH_BYTES = 5;

/**
 * Decompresses one Snappy block (google/snappy, format_description.txt). Throws a RangeError for bytes that are no
 * block, or stand for more than `limit` bytes. (snappyjs, which compresses, takes negative lengths for lengths and runs
 * in circles.)
 */
export function decompressSnappyBlock(from: Uint8Array, limit: number): Uint8Array {
  let position = 0;
  /** A little-endian number. */
  const number = (bytes: number): number => {
    if (bytes > from.length - position) throw new RangeError('A number is cut short.');
    let value = 0;
    for (let i = 0; i < bytes; i++) value += from[position++]! * 256 ** i;
    return value;
  };
  const length = blockLength(() => number(1));
  if (length > Math.min(limit, MAX_RATIO * from.length)) throw new RangeError(`The content has ${length} bytes.`);
  const to = new Uint8Array(length);
  let end = 0;
  while (position < from.length) {
    const tag = from[position++]!;
    const kind = tag & 3;
    const upper = tag >> 2;
    if (kind === LITERALS) {
      const count = (upper < LONG_LITERALS ? upper : number(upper - LONG_LITERALS + 1)) + 1;
      if (count > from.length - position || count > length - end) throw new RangeError('Literals do not fit.');
      copyLiterals(from, position, to, end, count);
      position += count;
      end += count;
      continue;
    }
    const count = kind === NEAR_COPY ? (upper & 7) + 4 : upper + 1;
    const offset = kind === NEAR_COPY ? (tag >> 5) * 256 + number(1) : number(kind === COPY ? 2 : 4);
    if (offset === 0 || offset > end || count > length - end) throw new RangeError('A copy does not fit.');
    // Byte by byte: a copy may overlap what it makes.
    for (const stop = end + count; end < stop; end++) to[end] = to[end - offset]!;
  }
  if (end !== length) throw new RangeError(`The content has ${end} bytes instead of ${length}.`);
  return to;
}

/** A base-128 number, least significant group first. */
function blockLength(byte: () => number): number {
  let length = 0;
  for (let i = 0; i < MAX_LENGTH_BYTES; i++) {
    const next = byte();
    length += (next & 0x7f) * 128 ** i;
    if (next < 0x80) return length;
  }
  throw new RangeError('The length is too long.');
}

/** Below this, copying byte by byte is faster than a call. */
const SHORT_VALUE = 32;

function copyLiterals(from: Uint8Array, position: number, to: Uint8Array, end: number, count: number): void {
  if (count < SHORT_VALUE) for (let i = 0; i < count; i++) to[end + i] = from[position + i]!;
  else to.set(from.subarray(position, position + count), end);
}
