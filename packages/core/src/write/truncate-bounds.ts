/** Bounds of text and binary, cut short so that manifests stay small, and still outer bounds (spec: "Data File Fields"). */

const MAX_CODE_POINT = 0x10ffff;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The first `length` code points: no greater than the text. */
export function truncateTextLower(utf8: Uint8Array, length: number): Uint8Array {
  return utf8.subarray(0, prefixSize(utf8, length));
}

/**
 * The first `length` code points with the last one that can be incremented incremented: greater than every text that
 * begins as this one does. Null if there is no such text. Short text is returned as it is.
 */
export function truncateTextUpper(utf8: Uint8Array, length: number): Uint8Array | null {
  const size = prefixSize(utf8, length);
  if (size === utf8.length) return utf8;
  const codePoints = Array.from(decoder.decode(utf8.subarray(0, size)), (character) => character.codePointAt(0)!);
  for (let i = codePoints.length - 1; i >= 0; i--) {
    const next = nextCodePoint(codePoints[i]!);
    if (next !== null) return encoder.encode(String.fromCodePoint(...codePoints.slice(0, i), next));
  }
  return null;
}

function nextCodePoint(codePoint: number): number | null {
  // Surrogates are not characters and have no UTF-8 form.
  if (codePoint === FIRST_SURROGATE - 1) return LAST_SURROGATE + 1;
  return codePoint === MAX_CODE_POINT ? null : codePoint + 1;
}

/** Bytes of the first `length` code points: continuation bytes begin none. */
function prefixSize(utf8: Uint8Array, length: number): number {
  let count = 0;
  for (let i = 0; i < utf8.length; i++) {
    if ((utf8[i]! & 0xc0) !== 0x80 && ++count > length) return i;
  }
  return utf8.length;
}

export function truncateBytesLower(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.subarray(0, length);
}

/** As for text, by bytes: null if all of them are 0xff. */
export function truncateBytesUpper(bytes: Uint8Array, length: number): Uint8Array | null {
  if (bytes.length <= length) return bytes;
  for (let i = length - 1; i >= 0; i--) {
    const byte = bytes[i]!;
    if (byte === 0xff) continue;
    const upper = bytes.slice(0, i + 1);
    upper[i] = byte + 1;
    return upper;
  }
  return null;
}
