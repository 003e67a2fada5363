/**
 * The 32-bit Murmur3 hash, x86 variant, seed 0 (spec: appendix B). Results are signed 32-bit integers, as Java prints
 * them.
 */

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593 | 0;

/** Hashes the first `length` bytes. */
export function hashBytes(bytes: Uint8Array, length: number = bytes.length): number {
  let hash = 0;
  const blocksEnd = length & ~3;
  for (let i = 0; i < blocksEnd; i += 4) {
    hash = mixBlock(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= blocksEnd; i--) tail = (tail << 8) | bytes[i]!;
  if (length > blocksEnd) hash ^= scramble(tail);
  return finish(hash, length);
}

/** Hashes the 8 little-endian bytes of a 64-bit integer. */
export function hashLong(value: bigint): number {
  return hashWords(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** The same hash as `hashLong` for a number that is an integer of at most 32 bits. */
export function hashInt(value: number): number {
  return hashWords(value | 0, value < 0 ? -1 : 0);
}

function hashWords(low: number, high: number): number {
  return finish(mixBlock(mixBlock(0, low), high), 8);
}

function scramble(block: number): number {
  const mixed = Math.imul(block, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

/** Takes four more bytes into a hash; the first hash is 0, the last one goes through `finish`. */
export function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** `length`: of all that was hashed, in bytes. */
export function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
