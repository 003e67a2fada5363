import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressBlock } from '../../src/formats/avro/codecs.ts';
import { decompressSnappyBlock } from '../../src/formats/snappy-block.ts';

/** As Avro has it, without the checksum. */
const compress = (bytes: Uint8Array): Uint8Array => compressBlock('snappy', bytes).slice(0, -4);
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.integer({ min: 1, max: 100_000 }))
    .map(([part, length]) => Uint8Array.from({ length }, (_, i) => part[(i * i) % part.length]!)),
);

describe('snappy blocks', () => {
  test('what snappyjs compressed is read', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(Buffer.from(decompressSnappyBlock(compress(bytes), bytes.length)).equals(bytes)).toBe(true);
      }),
    );
  });

  test('copies of each kind, overlapping ones too', () => {
    const text = (block: string): string => Buffer.from(decompressSnappyBlock(hex(block), 100)).toString();
    expect(text('0a 08 616263 0d03')).toBe('abcabcabca');
    expect(text('0a 08 616263 1a0300')).toBe('abcabcabca');
    expect(text('0a 08 616263 1b03000000')).toBe('abcabcabca');
    // Literals with their length in one, two, three and four bytes.
    for (const tag of ['f002', 'f40200', 'f8020000', 'fc02000000']) expect(text(`03 ${tag} 616263`)).toBe('abc');
  });

  test.each([
    ['nothing', ''],
    ['a length without an end', 'ffffffffffff'],
    ['less than it says', '64 00 61'],
    ['more than it says', '01 04 6162'],
    ['a copy of what is not there', '05 00 61 0102'],
    ['a copy from nowhere', '05 00 61 0100'],
    ['a copy that is cut short', '05 00 61 02'],
    ['literals that are cut short', '05 0c 61'],
    ['literals of a negative length', '0a fc00000080 0102030405'],
    ['far more than so few bytes can hold', 'ffffff7f 00 61'],
  ])('%s is refused', (_, block) => {
    expect(() => decompressSnappyBlock(hex(block), 2 ** 30)).toThrow(RangeError);
  });

  test('damage never hangs, nor gives more than the limit', () => {
    fc.assert(
      fc.property(content, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 6 }), (bytes, at, noise) => {
        const block = compress(bytes);
        block.set(noise.subarray(0, block.length - (at % block.length)), at % block.length);
        try {
          expect(decompressSnappyBlock(block, 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
