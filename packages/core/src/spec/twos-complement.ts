/** The shortest big-endian two's complement form, as decimals are stored (spec: appendix D); zero takes one byte. */
export function bigintToBytes(value: bigint): Uint8Array {
  // A negative number needs as many bits as its complement, and both need one for the sign.
  const magnitude = value < 0n ? ~value : value;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const bytes = new Uint8Array(Math.floor(bits / 8) + 1);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Reads big-endian two's complement of any length; no bytes are zero. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return bytes.length > 0 && bytes[0]! >= 0x80 ? value - (1n << BigInt(8 * bytes.length)) : value;
}
