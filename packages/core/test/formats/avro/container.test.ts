import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AvroCodec } from '../../../src/formats/avro/codecs.ts';
import { AvroContainerWriter, readAvroContainer } from '../../../src/formats/avro/container.ts';
import { readWithAvsc, writeWithAvsc } from './avsc.ts';
import { untypedError } from './untyped-error.ts';

const SCHEMA = { type: 'record', name: 'r', fields: [{ name: 'text', type: 'string', 'field-id': 1 }] };

function write(
  texts: readonly string[],
  codec: AvroCodec = 'deflate',
  metadata: Record<string, string> = {},
): Uint8Array {
  const container = new AvroContainerWriter({ schema: SCHEMA, metadata, codec, name: 'test.avro' });
  for (const text of texts) container.append((block) => block.writeString(text));
  return container.finish();
}

function read(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  for (const { count, reader } of readAvroContainer(bytes, 'test.avro').blocks()) {
    for (let i = 0; i < count; i++) {
      texts.push(reader.readString());
      reader.checkEnd();
    }
  }
  return texts;
}

describe('container files', () => {
  it('come back as they were written, in blocks of every codec', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 50 });
    fc.assert(
      fc.property(texts, fc.constantFrom<AvroCodec>('null', 'deflate', 'snappy'), (values, codec) => {
        expect(read(write(values, codec))).toEqual(values);
      }),
    );
  });

  it('are split into blocks', () => {
    const texts = Array.from({ length: 3000 }, (_, i) => `${i} ${'x'.repeat(i % 200)}`);
    const bytes = write(texts);
    expect([...countBlocks(bytes)].length).toBeGreaterThan(2);
    expect(read(bytes)).toEqual(texts);
  });

  it('keep the metadata of the header', () => {
    const { metadata, schema } = readAvroContainer(
      write([], 'null', { schema: '{"ünï": 1}', content: 'data' }),
      'test.avro',
    );
    expect(Object.fromEntries(metadata)).toEqual({ schema: '{"ünï": 1}', content: 'data' });
    expect(schema).toMatchObject({ kind: 'record', fields: [{ name: 'text', fieldId: 1, type: { kind: 'string' } }] });
  });

  it('have the same bytes when written again, and a sync marker of their own', () => {
    expect(write(['a', 'b'])).toEqual(write(['a', 'b']));
    const other = new AvroContainerWriter({ schema: SCHEMA, metadata: {}, codec: 'null', name: 'other.avro' }).finish();
    expect(other.subarray(-16)).not.toEqual(write([], 'null').subarray(-16));
  });

  it('are read and written like avsc reads and writes them', async () => {
    const texts = ['a', '', '😀é', 'x'.repeat(70_000)];
    expect(await readWithAvsc(write(texts, 'deflate'))).toEqual(texts.map((text) => ({ text })));
    expect(await readWithAvsc(write(texts, 'null'))).toEqual(texts.map((text) => ({ text })));
    const type = avro.Type.forSchema(SCHEMA as avro.Schema);
    for (const codec of ['null', 'deflate'] as const) {
      const bytes = await writeWithAvsc(
        type,
        texts.map((text) => ({ text })),
        codec,
      );
      expect(read(bytes)).toEqual(texts);
    }
  });
});

describe('damaged files', () => {
  const file = write(['one', 'two', 'three'], 'null', { key: 'value' });
  const damaged = (change: (bytes: Uint8Array) => Uint8Array | void): (() => unknown) => {
    const bytes = file.slice();
    return () => read(change(bytes) ?? bytes);
  };

  it('are told from others by their magic', () => {
    expect(damaged((bytes) => void (bytes[3] = 2))).toThrow(/not an Avro file/);
    expect(() => read(new Uint8Array(0))).toThrow(/not an Avro file/);
  });

  it('end with the sync marker', () => {
    expect(damaged((bytes) => void (bytes[bytes.length - 1]! ^= 1))).toThrow(/sync marker/);
  });

  it('hold what their blocks count', () => {
    const count = file.length - 16 - 14 - 2;
    expect(file[count]).toBe(6);
    expect(damaged((bytes) => void (bytes[count] = 4))).toThrow(/does not end with its last record/);
    expect(damaged((bytes) => void (bytes[count] = 8))).toThrow(/does not fit|cut short/);
    expect(damaged((bytes) => void (bytes[count] = 1))).toThrow(/counts -1 records/);
    expect(damaged((bytes) => void (bytes[count] = 0x7e))).toThrow(/counts 63 records/);
  });

  it('give nothing but typed errors, wherever they are cut or changed', async () => {
    const compressed = write(Array.from({ length: 50 }, (_, i) => `text ${i}`));
    const bytes = fc.constantFrom(file, compressed);
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(), fc.option(fc.integer({ min: 1, max: 255 })), async (whole, at, flip) => {
        const changed = flip === null ? whole.slice(0, at % whole.length) : whole.slice();
        if (flip !== null) changed[at % whole.length]! ^= flip;
        expect(await untypedError(() => read(changed))).toBeNull();
      }),
      { numRuns: 1000 },
    );
  });
});

function* countBlocks(bytes: Uint8Array): Generator<number> {
  for (const { count, reader } of readAvroContainer(bytes, 'test.avro').blocks()) {
    reader.position = reader.bytes.length;
    yield count;
  }
}
