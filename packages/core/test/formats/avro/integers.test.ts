import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroReader } from '../../../src/formats/avro/avro-reader.ts';
import { AvroWriter } from '../../../src/formats/avro/avro-writer.ts';

function written(write: (out: AvroWriter) => void): Uint8Array {
  const out = new AvroWriter(1);
  write(out);
  return out.bytes.slice();
}

const reader = (bytes: Uint8Array): AvroReader => new AvroReader(bytes, 'test.avro');
/** Varint bytes of nothing but ones, then the last. */
const ones = (count: number, last: number): Uint8Array => Uint8Array.of(...Array<number>(count).fill(0xff), last);

function throwsOutOfRange(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    return /out of the range/.test(String(error));
  }
}

const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -300n, max: 300n }),
  // Around every length that the encoding can have.
  fc
    .tuple(fc.integer({ min: 0, max: 62 }), fc.bigInt({ min: -2n, max: 2n }))
    .map(([bits, off]) => (1n << BigInt(bits)) + off),
);

describe('integers', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(long, fc.boolean())), (items) => {
        const values = items.map(([value, negative]) => (negative ? ~value : value));
        const bytes = written((out) => values.forEach((value) => out.writeInteger(value)));
        const input = reader(bytes);
        expect(values.map(() => input.readLong())).toEqual(values);
        expect(input.position).toBe(bytes.length);
        const skipping = reader(bytes);
        for (const _ of values) skipping.skipVarint();
        expect(skipping.position).toBe(bytes.length);
      }),
    );
  });

  it('are numbers up to 2^53 and refused beyond', () => {
    fc.assert(
      fc.property(long, (value) => {
        const bytes = written((out) => out.writeInteger(value));
        const read = (): number => reader(bytes).readNumber();
        const holds = Number.isSafeInteger(Number(value)) ? read() === Number(value) : throwsOutOfRange(read);
        expect(holds).toBe(true);
      }),
    );
  });

  it('take the same bytes whether they come as number or bigint', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(written((out) => out.writeInteger(value))).toEqual(written((out) => out.writeInteger(BigInt(value))));
      }),
    );
  });

  it("follow the Avro specification's examples", () => {
    const examples: [number, string][] = [
      [0, '00'],
      [-1, '01'],
      [1, '02'],
      [-2, '03'],
      [2, '04'],
      [-64, '7f'],
      [64, '8001'],
    ];
    for (const [value, hex] of examples) {
      expect(Buffer.from(written((out) => out.writeInteger(value))).toString('hex')).toBe(hex);
    }
  });

  it('have at most 64 bits', () => {
    expect(reader(ones(9, 0x01)).readLong()).toBe(-(2n ** 63n));
    expect(() => reader(ones(9, 0x02)).readLong()).toThrow(/more than 64 bits/);
    expect(() => reader(ones(10, 0x00)).readLong()).toThrow(/more than 64 bits/);
    expect(() => reader(ones(4, 0x7f)).readInt()).toThrow(/no 32-bit integer/);
  });
});

describe('what is cut short', () => {
  it('is found out at the end of the record at the latest', () => {
    const input = reader(Uint8Array.of(0x80));
    input.readLong();
    expect(() => input.checkEnd()).toThrow(/cut short/);
    expect(() => reader(Uint8Array.of(0x06, 0x61)).readString()).toThrow(/does not fit/);
    expect(() => reader(Uint8Array.of(1, 2, 3)).readFloat()).toThrow(/cut short/);
    expect(() => reader(Uint8Array.of(1, 2, 3)).readFixed(4)).toThrow(/cut short/);
    expect(() => reader(Uint8Array.of()).readBoolean()).toThrow(/no boolean/);
    expect(() => reader(Uint8Array.of(0x08, 1)).readBlockCount()).toThrow(/cut short/);
  });

  it('is not text if it is not UTF-8, a replacement character of its own aside', () => {
    expect(reader(Uint8Array.of(6, 0xef, 0xbf, 0xbd)).readString()).toBe('\ufffd');
    expect(() => reader(Uint8Array.of(4, 0xc0, 0x80)).readString()).toThrow(/not UTF-8/);
  });
});
