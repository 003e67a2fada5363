import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressBlock, decompressBlock, parseAvroCodec, type AvroCodec } from '../../../src/formats/avro/codecs.ts';
import { decompressFzstd } from '../../../src/formats/decompress.ts';
import { untypedError } from './untyped-error.ts';

const CODECS: readonly AvroCodec[] = ['zstdCompressSync' in zlib ? 'zstandard' : 'null', 'null', 'deflate', 'snappy'];
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc
    .tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(5000))
    .map(([part, times]) => Uint8Array.from({ length: times }, (_, i) => part[i % 20] ?? 0)),
);

describe('codecs', () => {
  it.each([...new Set(CODECS)])('%s gives back what it was given', (codec) => {
    fc.assert(
      fc.property(bytes, (content) => {
        const back = decompressBlock(codec, compressBlock(codec, content), 'm.avro');
        expect(Buffer.from(back).equals(content)).toBe(true);
      }),
    );
  });

  it.each([...new Set<AvroCodec>(['deflate', 'snappy', 'zstandard'])])(
    '%s refuses damaged blocks with INVALID_DATA',
    async (codec) => {
      await fc.assert(
        fc.asyncProperty(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), async (content, at, flip) => {
          const block = codec === 'zstandard' ? zstdFrame(content) : compressBlock(codec, content).slice();
          block[at % block.length]! ^= flip;
          expect(await untypedError(() => decompressBlock(codec, block, 'm.avro'), 'INVALID_DATA')).toBeNull();
        }),
      );
    },
  );

  it('checks the CRC of Snappy blocks', () => {
    const block = compressBlock('snappy', Buffer.from('some text')).slice();
    block[block.length - 1]! ^= 1;
    expect(() => decompressBlock('snappy', block, 'm.avro')).toThrow(/no snappy stream/);
    expect(() => decompressBlock('snappy', Uint8Array.of(1, 2), 'm.avro')).toThrow(/no snappy stream/);
  });

  it('names codecs that Iceberg files do not have', () => {
    expect(() => parseAvroCodec('bzip2', 'm.avro')).toThrow(/bzip2/);
    expect(() => parseAvroCodec('constructor', 'm.avro')).toThrow(/constructor/);
  });
});

describe('zstandard without the help of Node', () => {
  it('reads frames of several blocks', () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    expect(Buffer.from(decompressFzstd(zstdFrame(content), 1 << 20)).equals(content)).toBe(true);
    expect(decompressFzstd(zstdFrame(new Uint8Array(0)), 1 << 20)).toHaveLength(0);
  });

  it('stops at the limit before it has allocated what a frame claims', () => {
    // A window of gigabytes, then blocks that repeat one byte 128 KiB at a time.
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00);
    expect(() => decompressFzstd(window, 1 << 20)).toThrow(/window/);
    const content = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0);
    expect(() => decompressFzstd(content, 1 << 20)).toThrow(/larger than its blocks/);
    const repeated = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for (let i = 0; i < 100; i++) repeated.push(...blockHeader(1, 1 << 17, i === 99), 0x61);
    expect(() => decompressFzstd(Uint8Array.from(repeated), 1 << 20)).toThrow(/longer than/);
  });

  it('knows a stream that is cut short', () => {
    const frame = zstdFrame(Uint8Array.from({ length: 1000 }, (_, i) => i));
    for (const length of [3, 4, 5, 8, 10, 500, frame.length - 1]) {
      expect(() => decompressBlock('zstandard', frame.subarray(0, length), 'm.avro')).toThrow(/no zstandard stream/);
    }
  });
});

/** A Zstandard frame of uncompressed blocks (RFC 8878), as Node 20 has no encoder. */
function zstdFrame(content: Uint8Array): Uint8Array {
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, content.length, true);
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0), new Uint8Array(size.buffer)];
  const blocks = Math.max(1, Math.ceil(content.length / 100_000));
  for (let i = 0; i < blocks; i++) {
    const block = content.subarray(i * 100_000, (i + 1) * 100_000);
    parts.push(Uint8Array.from(blockHeader(0, block.length, i === blocks - 1)), block);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function blockHeader(type: number, size: number, last: boolean): number[] {
  const header = (size << 3) | (type << 1) | (last ? 1 : 0);
  return [header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff];
}
