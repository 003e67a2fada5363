import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompressLz4Block } from '../../../src/formats/lz4-block.ts';
import { decompressHadoopLz4 } from '../../../src/formats/parquet/hadoop-lz4.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { taskOfBytes } from '../../read/avro-support.ts';
import { batchOf, read, stream, write } from '../../write/support.ts';
import type { Row } from '../../write/support.ts';
import { hadoopLz4, lz4Block, withLz4Pages } from './hadoop-lz4.ts';

/** With repetitions near and far. */
const page = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 40 })), { maxLength: 20 })
  .map((parts) =>
    Uint8Array.from(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat())),
  );

test('blocks are decompressed, into the middle of a buffer as well', () => {
  fc.assert(
    fc.property(page, fc.nat(5), (bytes, at) => {
      const out = new Uint8Array(at + bytes.length);
      expect(decompressLz4Block(Uint8Array.from(lz4Block(bytes)), out, at)).toBe(out.length);
      expect(out.subarray(at)).toEqual(bytes);
    }),
  );
});

test('frames hold any number of blocks', () => {
  fc.assert(
    fc.property(page, fc.integer({ min: 1, max: 500 }), fc.boolean(), (bytes, blockSize, oneFrame) => {
      expect(decompressHadoopLz4(hadoopLz4(bytes, blockSize, oneFrame), bytes.length)).toEqual(bytes);
    }),
  );
});

test('whatever is no such page is a RangeError', () => {
  fc.assert(
    fc.property(page, fc.nat(), fc.nat(255), fc.nat(), (bytes, at, byte, cut) => {
      const good = hadoopLz4(bytes, 100, true);
      const bad = good.length === 0 ? good : good.with(at % good.length, byte).subarray(0, cut % (good.length + 1));
      try {
        expect(decompressHadoopLz4(bad, bytes.length)).toHaveLength(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 500 },
  );
  const zeros = (): Uint8Array => decompressHadoopLz4(new Uint8Array(100), 2 ** 31);
  expect(zeros).toThrow(RangeError);
});

const shape = schema({ id: t.long().required(), text: t.string() });
const rows: Row[] = Array.from({ length: 5000 }, (_, i) => [BigInt(i), i % 7 === 0 ? null : `text ${i % 50}`]);

test.each([
  ['one block a page', 1 << 30, true],
  ['many blocks in a frame', 3000, true],
  ['many frames', 3000, false],
])('files of %s are read', async (_, blockSize, oneFrame) => {
  const { io: written, files } = await write(shape, stream(batchOf(shape, rows)), {
    properties: { 'write.parquet.compression-codec': 'uncompressed' },
  });
  const plain = await written.read(files[0]!.path);
  const file = withLz4Pages(plain, (body) => hadoopLz4(body, blockSize, oneFrame));
  expect(file.length).toBeLessThan(plain.length);
  const { io, task } = await taskOfBytes(file, 'parquet', shape);
  expect(await read(io, task)).toEqual(rows);
});
