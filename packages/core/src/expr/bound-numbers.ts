import type { Value } from '../spec/values.ts';

/**
 * Readers of numeric bounds that allocate nothing in the common case; undefined for bytes that aren't such a number.
 * Four bytes where eight are due are from before the column was promoted (spec: "Schema Evolution").
 */

const scratch = new DataView(new ArrayBuffer(8));

export function readInt(bytes: Uint8Array): number | undefined {
  return bytes.length === 4 ? int32(bytes, 0) : undefined;
}

/** A number where that is exact, else a bigint. */
export function readLong(bytes: Uint8Array): number | bigint | undefined {
  if (bytes.length !== 8) return readInt(bytes);
  const high = int32(bytes, 4);
  const low = int32(bytes, 0) >>> 0;
  // Within 53 bits.
  if (high >= -0x20_0000 && high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The form in which `readLong` gives a value; comparing two numbers is much faster than comparing with a bigint. */
export function narrowLong(value: Value): Value {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function readFloat(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 4) return undefined;
  scratch.setInt32(0, int32(bytes, 0));
  return scratch.getFloat32(0);
}

export function readDouble(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return readFloat(bytes);
  scratch.setInt32(0, int32(bytes, 4));
  scratch.setInt32(4, int32(bytes, 0));
  return scratch.getFloat64(0);
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
