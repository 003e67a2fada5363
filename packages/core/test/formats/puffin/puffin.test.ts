import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLakehouseError } from '../../../src/errors.ts';
import { readBlob, readPuffinFooter } from '../../../src/formats/puffin/read-puffin.ts';
import type { PuffinFooter } from '../../../src/formats/puffin/footer.ts';
import { encodePuffin } from '../../../src/formats/puffin/write-puffin.ts';
import type { NewBlob } from '../../../src/formats/puffin/write-puffin.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { expectError } from '../../table/support.ts';

const LOCATION = 'memory:/stats.puffin';

/** Of Iceberg Java's own tests. */
const JAVA = {
  empty: 'UEZBMVBGQTF7ImJsb2JzIjpbXX0MAAAAAAAAAFBGQTE=',
  plain:
    'UEZBMWFiY2RlZmdoaXNvbWUgYmxvYiAAIGJpbmFyeSBkYXRhIPCfpK8gdGhhdCBpcyBub3QgdmVyeSB2ZXJ5IHZlcnkgdmVyeSB2ZXJ5IHZlcnkgbG9uZywgaXMgaXQ/UEZBMXsiYmxvYnMiOlt7InR5cGUiOiJzb21lLWJsb2IiLCJmaWVsZHMiOlsxXSwic25hcHNob3QtaWQiOjIsInNlcXVlbmNlLW51bWJlciI6MSwib2Zmc2V0Ijo0LCJsZW5ndGgiOjl9LHsidHlwZSI6InNvbWUtb3RoZXItYmxvYiIsImZpZWxkcyI6WzJdLCJzbmFwc2hvdC1pZCI6Miwic2VxdWVuY2UtbnVtYmVyIjoxLCJvZmZzZXQiOjEzLCJsZW5ndGgiOjgzfV0sInByb3BlcnRpZXMiOnsiY3JlYXRlZC1ieSI6IlRlc3QgMTIzNCJ9ffMAAAAAAAAAUEZBMQ==',
  zstd: 'UEZBMSi1L/0kCUkAAGFiY2RlZmdoaRNeudsotS/9JFMFAgCUA3NvbWUgYmxvYiAAIGJpbmFyeSBkYXRhIPCfpK8gdGhhdCBpcyBub3QgdmVyeWxvbmcsIGlzIGl0PwEAhV3KI9xJjlBGQTF7ImJsb2JzIjpbeyJ0eXBlIjoic29tZS1ibG9iIiwiZmllbGRzIjpbMV0sInNuYXBzaG90LWlkIjoyLCJzZXF1ZW5jZS1udW1iZXIiOjEsIm9mZnNldCI6NCwibGVuZ3RoIjoyMiwiY29tcHJlc3Npb24tY29kZWMiOiJ6c3RkIn0seyJ0eXBlIjoic29tZS1vdGhlci1ibG9iIiwiZmllbGRzIjpbMl0sInNuYXBzaG90LWlkIjoyLCJzZXF1ZW5jZS1udW1iZXIiOjEsIm9mZnNldCI6MjYsImxlbmd0aCI6NzcsImNvbXByZXNzaW9uLWNvZGVjIjoienN0ZCJ9XSwicHJvcGVydGllcyI6eyJjcmVhdGVkLWJ5IjoiVGVzdCAxMjM0In19KgEAAAAAAABQRkEx',
};

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

async function store(bytes: Uint8Array): Promise<MemoryFileIO> {
  const io = new MemoryFileIO();
  await io.write(LOCATION, bytes);
  return io;
}

async function readAll(bytes: Uint8Array): Promise<{ footer: PuffinFooter; contents: readonly Uint8Array[] }> {
  const io = await store(bytes);
  const footer = await readPuffinFooter(io, LOCATION, bytes.length);
  return { footer, contents: await Promise.all(footer.blobs.map((blob) => readBlob(io, LOCATION, blob))) };
}

const blob: fc.Arbitrary<NewBlob> = fc.record({
  type: fc.string(),
  fields: fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 3 }),
  snapshotId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  sequenceNumber: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  properties: fc.dictionary(fc.string(), fc.string(), { maxKeys: 2, noNullPrototype: true }),
  content: fc.uint8Array({ maxLength: 300 }),
});

describe('puffin files', () => {
  test('what was written is read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(blob, { maxLength: 4 }), async (blobs) => {
        const { bytes, footer } = encodePuffin(blobs, { 'created-by': 'a test' });
        const read = await readAll(bytes);
        expect(read.footer).toEqual(footer);
        expect(read.contents.map((content) => [...content])).toEqual(blobs.map(({ content }) => [...content]));
      }),
    );
  });

  test('of Iceberg Java, compressed blobs too', async () => {
    expect((await readAll(bytesOf(JAVA.empty))).footer).toEqual({ blobs: [], properties: {} });
    expect(Buffer.from(encodePuffin([], {}).bytes).toString('utf8')).toContain('{"blobs":[]');
    const expected = [
      'abcdefghi',
      'some blob \0 binary data 🤯 that is not very very very very very very long, is it?',
    ];
    for (const base64 of [JAVA.plain, JAVA.zstd]) {
      const { footer, contents } = await readAll(bytesOf(base64));
      expect(footer.blobs.map(({ type }) => type)).toEqual(['some-blob', 'some-other-blob']);
      expect(footer.properties).toEqual({ 'created-by': 'Test 1234' });
      expect(contents.map((content) => new TextDecoder().decode(content))).toEqual(expected);
    }
  });

  test('compressed by LZ4: the footer, and blobs', async () => {
    // Python's lz4 made of it, and of {"blobs":[],"properties":{"created-by":"a test","a":"aaa…"}}.
    const content = '04224d18684019000000000000007a0d0000004c61626364040050616263642100000000';
    const payload =
      '04224d1868405d000000000000003140000000f0237b22626c6f6273223a5b5d2c2270726f70657274696573223a7b22637265617465642d6279223a22612074657374222c22610d000f01000f506161227d7d00000000';
    const size = `${(payload.length / 2).toString(16)}000000`;
    const bytes = Uint8Array.from(Buffer.from(`50464131${content}50464131${payload}${size}0100000050464131`, 'hex'));
    const { footer } = await readAll(bytes);
    expect(footer).toEqual({ blobs: [], properties: { 'created-by': 'a test', a: 'a'.repeat(37) } });
    const place = { type: 'x', fields: [], snapshotId: 1n, sequenceNumber: 1n, properties: {}, offset: 4 };
    const length = content.length / 2;
    const read = await readBlob(await store(bytes), LOCATION, { ...place, length, compressionCodec: 'lz4' });
    expect(Buffer.from(read).toString()).toBe(`${'abcd'.repeat(6)}!`);
  });

  test('a footer that is longer than the first read', async () => {
    const blobs = Array.from({ length: 500 }, (_, i) => ({
      type: `blob-${i}`,
      fields: [i],
      snapshotId: 1n,
      sequenceNumber: 1n,
      properties: { padding: 'x'.repeat(50) },
      content: Uint8Array.of(i & 0xff),
    }));
    const { bytes, footer } = encodePuffin(blobs, {});
    expect((await readAll(bytes)).footer).toEqual(footer);
  });

  test('damage is INVALID_DATA, or shows in what is read', async () => {
    const original = bytesOf(JAVA.zstd);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(original.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const bytes = cut ? original.slice(0, at) : original.with(at, original[at]! ^ flip);
          try {
            await readAll(bytes);
          } catch (error) {
            if (!isLakehouseError(error)) throw error;
            expect(['INVALID_DATA', 'UNSUPPORTED']).toContain(error.code);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('each problem of a footer is named', async () => {
    const good = bytesOf(JAVA.plain);
    const broken = async (
      change: (bytes: Uint8Array) => Uint8Array,
      code: 'INVALID_DATA' | 'UNSUPPORTED',
      message: RegExp,
    ) => expectError(readAll(change(good.slice())), code, message);
    const end = good.length;
    await broken((bytes) => bytes.slice(0, 19), 'INVALID_DATA', /too short/);
    await broken((bytes) => bytes.with(end - 1, 0), 'INVALID_DATA', /does not end/);
    await broken((bytes) => bytes.with(end - 10, 0x7f), 'INVALID_DATA', /does not fit/);
    await broken((bytes) => bytes.with(end - 9, 0xff), 'INVALID_DATA', /does not fit/);
    await broken((bytes) => bytes.with(end - 12, bytes[end - 12]! - 1), 'INVALID_DATA', /no footer/);
    await broken((bytes) => bytes.with(end - 8, 1), 'INVALID_DATA', /no lz4 stream/);
    await broken((bytes) => bytes.with(end - 5, 1), 'UNSUPPORTED', /flags/);
    const text = new TextDecoder().decode(good);
    const blobs = async (from: string, to: string): Promise<unknown> => {
      expect(text).toContain(from);
      const at = Buffer.from(good).indexOf(from);
      return readAll(
        Uint8Array.from(Buffer.concat([good.subarray(0, at), Buffer.from(to), good.subarray(at + from.length)])),
      );
    };
    await expectError(blobs('"length":9', '"length":-'), 'INVALID_DATA');
    await expectError(blobs('"offset":4', '"offset":3'), 'INVALID_DATA', /not inside/);
    await expectError(blobs('"length":83', '"length":84'), 'INVALID_DATA', /not inside/);
    await expectError(blobs('some-blob', 'some\xff\xfeblo'), 'INVALID_DATA');
  });

  test('a codec that is not known is UNSUPPORTED', async () => {
    const io = await store(bytesOf(JAVA.plain));
    const { blobs } = await readPuffinFooter(io, LOCATION, bytesOf(JAVA.plain).length);
    await expectError(readBlob(io, LOCATION, { ...blobs[0]!, compressionCodec: 'gzip' }), 'UNSUPPORTED', /gzip/);
    await expectError(readBlob(io, LOCATION, { ...blobs[0]!, compressionCodec: 'lz4' }), 'INVALID_DATA', /no lz4/);
    await expectError(readBlob(io, LOCATION, { ...blobs[0]!, offset: 10_000 }), 'INVALID_DATA', /no 9 bytes at 10000/);
  });
});
