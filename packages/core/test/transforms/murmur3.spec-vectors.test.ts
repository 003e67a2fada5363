import { describe, expect, it } from 'vitest';
import { parseDate, parseTime, parseTimestamp } from '../../src/spec/datetime-text.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { hashFunction } from '../../src/transforms/bucket.ts';
import { hashBytes, hashInt, hashLong } from '../../src/transforms/murmur3.ts';

const bytes = Uint8Array.of(0, 1, 2, 3);
const stamp = (text: string, digits: 6 | 9): bigint => parseTimestamp(text, digits)!.value;

/** The test values of the spec's appendix B. */
const VECTORS: [PrimitiveType['kind'], Value, number][] = [
  ['int', 34, 2017239379],
  ['long', 34n, 2017239379],
  ['decimal', 1420n, -500754589],
  ['date', parseDate('2017-11-16')!, -653330422],
  ['time', parseTime('22:31:08')!, -662762989],
  ['timestamp', stamp('2017-11-16T22:31:08', 6), -2047944441],
  ['timestamp', stamp('2017-11-16T22:31:08.000001', 6), -1207196810],
  ['timestamptz', stamp('2017-11-16T14:31:08-08:00', 6), -2047944441],
  ['timestamptz', stamp('2017-11-16T14:31:08.000001-08:00', 6), -1207196810],
  ['timestamp_ns', stamp('2017-11-16T22:31:08', 9), -2047944441],
  ['timestamp_ns', stamp('2017-11-16T22:31:08.000001001', 9), -1207196810],
  ['timestamptz_ns', stamp('2017-11-16T14:31:08-08:00', 9), -2047944441],
  ['timestamptz_ns', stamp('2017-11-16T14:31:08.000001001-08:00', 9), -1207196810],
  ['string', 'iceberg', 1210000089],
  ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
  ['fixed', bytes, -188683207],
  ['binary', bytes, -188683207],
];

describe('hashes of single values', () => {
  it.each(VECTORS)('%s %s', (kind, value, expected) => {
    expect(hashFunction(kind)!(value)).toBe(expected);
  });

  it('gives ints and longs the hash of their 8 little-endian bytes', () => {
    for (const value of [0, 1, -1, 34, -34, 0x7fffffff, -0x80000000]) {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigInt64(0, BigInt(value), true);
      expect(hashInt(value)).toBe(hashBytes(new Uint8Array(view.buffer)));
      expect(hashLong(BigInt(value))).toBe(hashInt(value));
    }
  });

  it('floors nanoseconds before the epoch to the microsecond they lie in', () => {
    expect(hashFunction('timestamp_ns')!(-1n)).toBe(hashFunction('timestamp')!(-1n));
    expect(hashFunction('timestamp_ns')!(-1001n)).toBe(hashFunction('timestamp')!(-2n));
  });

  it('hashes strings of any length and script by their UTF-8 bytes', () => {
    for (const text of ['', 'a', 'é', '漢字', '😀'.repeat(5), 'x'.repeat(300), '漢'.repeat(200)]) {
      expect(hashFunction('string')!(text)).toBe(hashBytes(new TextEncoder().encode(text)));
    }
  });
});
