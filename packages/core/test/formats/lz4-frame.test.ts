import { expect, test } from 'vitest';
import { decompressLz4Frame } from '../../src/formats/lz4-frame.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const text = (frame: string): string => Buffer.from(decompressLz4Frame(hex(frame), 1000)).toString();

/** Magic, flags (content size), block size code, size, header checksum. */
const header = (flags: string, size: string): string => `04224d18 ${flags} 40 ${size}00000000000000 00`;

test('frames of the reference implementation', () => {
  // Of Python's lz4 4.4, without checksums and with all of them.
  const content = `${'abcd'.repeat(6)}!`;
  expect(text('04224d18684019000000000000007a0d0000004c61626364040050616263642100000000')).toBe(content);
  const checked = '04224d187c401900000000000000b10d0000004c6162636404005061626364217ad53e3200000000af60d7f2';
  expect(text(checked)).toBe(content);
});

test('blocks that are linked reach into those before them', () => {
  const blocks = '08000080 6162636465666768 05000000 0408001078 00000000';
  expect(text(`${header('48', '11')} ${blocks}`)).toBe('abcdefghabcdefghx');
  expect(() => text(`${header('68', '11')} ${blocks}`)).toThrow(/does not fit/);
});

test.each([
  ['no frame', '', /bounds/i],
  ['another magic', `05${header('68', '00').slice(2)} 00000000`, /no known kind/],
  ['another version', `${header('a8', '00')} 00000000`, /no known kind/],
  ['no content size', '04224d18 6040 82 00000000 0000000000000000000000', /no content size/],
  ['a dictionary', `${header('69', '00')} 00000000`, /dictionary/],
  ['more than the limit', `04224d18 6840 ffff000000000000 00 00000000`, /65535 bytes/],
  ['less than it says', `${header('68', '02')} 01000080 61 00000000`, /does not end/],
  ['bytes after it', `${header('68', '01')} 01000080 61 00000000 00`, /does not end/],
  ['no end', `${header('68', '01')} 01000080 61`, /bounds/i],
  ['a block that is cut short', `${header('68', '01')} 05000080 61`, /cut short/],
])('%s is refused', (_, frame, message) => {
  expect(() => text(frame)).toThrow(RangeError);
  expect(() => text(frame)).toThrow(message);
});
