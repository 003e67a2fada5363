import { brotliCompressSync, deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressBlock } from '../../../src/formats/avro/codecs.ts';
import { ByteInput } from '../../../src/formats/orc/byte-input.ts';
import { BitRuns, ByteRuns } from '../../../src/formats/orc/byte-runs.ts';
import type { OrcCompression } from '../../../src/formats/orc/compression.ts';
import { IntegerRuns } from '../../../src/formats/orc/integer-runs.ts';
import { hexToBytes } from '../../../src/spec/bytes-text.ts';
import { long } from '../../spec/arbitraries.ts';

const PLAIN: OrcCompression = { kind: 'none', blockSize: 0 };
const input = (bytes: Uint8Array): ByteInput => new ByteInput(bytes, PLAIN);
const times = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

describe('the examples of the specification', () => {
  test.each<[string, 1 | 2, string, number[]]>([
    ['a run of version 1', 1, '610007', times(100, () => 7)],
    ['a falling run of version 1', 1, '61ff64', Array.from({ length: 100 }, (_, i) => 100 - i)],
    ['literals of version 1', 1, 'fb020306070b', [2, 3, 6, 7, 11]],
    ['short repeat', 2, '0a2710', times(5, () => 10_000)],
    ['direct', 2, '5e035ca1ab1edeadbeef', [23_713, 43_806, 57_005, 48_879]],
    [
      'patched base',
      2,
      '8e132b2107d01e00147028323c46505a646e78828c96a0aab4befce8',
      [2030, 2000, 2020, 1_000_000, ...Array.from({ length: 16 }, (_, i) => 2040 + 10 * i)],
    ],
    ['delta', 2, 'c609020222424246', [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]],
  ])('%s', (_, version, hex, values) => {
    const runs = new IntegerRuns(input(hexToBytes(hex)!), { isSigned: false, version });
    expect(values.map(() => runs.next())).toEqual(values);
    expect(() => runs.next()).toThrow(/ends too early/);
  });

  test('bytes and booleans', () => {
    const bytes = new ByteRuns(input(hexToBytes('6100fe4445')!));
    expect(times(102, () => bytes.next())).toEqual([...times(100, () => 0), 0x44, 0x45]);
    const bits = new BitRuns(input(hexToBytes('ff80')!));
    expect(times(8, () => bits.next())).toEqual([true, false, false, false, false, false, false, false]);
  });
});

/** Zigzag, then least significant groups first. */
function varint(value: bigint, isSigned = true): number[] {
  let rest = BigInt.asUintN(64, isSigned ? (value << 1n) ^ (value >> 63n) : value);
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const WIDTHS = [...Array.from({ length: 24 }, (_, i) => i + 1), 26, 28, 30, 32, 40, 48, 56, 64];

function packed(values: readonly bigint[], width: number): number[] {
  const bits = values.map((value) => BigInt.asUintN(width, value).toString(2).padStart(width, '0')).join('');
  return (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

const widthFor = (values: readonly bigint[]): number =>
  WIDTHS.find((width) => values.every((value) => BigInt.asUintN(width, value) === value))!;

interface Run {
  readonly bytes: readonly number[];
  readonly values: readonly bigint[];
}

const header = (kind: number, widthCode: number, length: number): number[] => [
  (kind << 6) | (widthCode << 1) | ((length - 1) >> 8),
  (length - 1) & 0xff,
];
const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);
const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
const small = fc.bigInt({ min: -1000n, max: 1000n });
const number = fc.oneof(small, long);

const shortRepeat: fc.Arbitrary<Run> = fc.tuple(number, fc.integer({ min: 3, max: 10 })).map(([value, count]) => {
  const width = Math.max(1, Math.ceil(zigzag(value).toString(2).length / 8));
  return {
    bytes: [((width - 1) << 3) | (count - 3), ...packed([zigzag(value)], 8 * width)],
    values: times(count, () => value),
  };
});

const direct: fc.Arbitrary<Run> = fc.array(number, { minLength: 1, maxLength: 512, size: 'medium' }).map((values) => {
  const raw = values.map(zigzag);
  const width = widthFor(raw);
  return { bytes: [...header(1, WIDTHS.indexOf(width), values.length), ...packed(raw, width)], values };
});

const delta: fc.Arbitrary<Run> = fc
  .tuple(
    number,
    number,
    fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 500n }), fc.bigInt({ min: 0n, max: (1n << 62n) - 1n })), {
      maxLength: 40,
    }),
  )
  .map(([base, first, further]) => {
    const isFixed = further.every((step) => step === 0n);
    const sign = first < 0n ? -1n : 1n;
    const values = [base, wrapped(base + first)];
    for (const step of further) values.push(wrapped(values.at(-1)! + (isFixed ? first : sign * step)));
    // A width of one bit has no code of its own in runs of this kind.
    const width = Math.max(2, widthFor(further));
    const head = header(3, isFixed ? 0 : WIDTHS.indexOf(width), values.length);
    return { bytes: [...head, ...varint(base), ...varint(first), ...(isFixed ? [] : packed(further, width))], values };
  });

const patchedBase: fc.Arbitrary<Run> = fc
  .tuple(
    fc.bigInt({ min: -(1n << 40n), max: 1n << 40n }),
    fc.array(fc.bigInt({ min: 0n, max: 255n }), { minLength: 3, maxLength: 300 }),
    fc.uniqueArray(fc.nat(), { maxLength: 5 }),
    fc.integer({ min: 1, max: 24 }),
  )
  .map(([base, low, where, patchWidth]) => {
    const places = [...new Set(where.map((place) => place % low.length))].toSorted((a, b) => a - b);
    const values = low.map((value) => base + value);
    const entries: bigint[] = [];
    let at = 0;
    for (const place of places) {
      // A gap of more than 255 takes entries that patch nothing.
      for (; place - at > 255; at += 255) entries.push(255n << BigInt(patchWidth));
      const patch = (1n << BigInt(patchWidth)) - 1n - BigInt(place % 2);
      entries.push((BigInt(place - at) << BigInt(patchWidth)) | patch);
      values[place] = base + (low[place]! | (patch << 8n));
      at = place;
    }
    const baseBytes = 6;
    const magnitude = base < 0n ? -base | (1n << 47n) : base;
    const third = ((baseBytes - 1) << 5) | WIDTHS.indexOf(patchWidth);
    const fourth = (7 << 5) | entries.length;
    const entryWidth = WIDTHS.find((width) => width >= patchWidth + 8)!;
    return {
      bytes: [
        ...header(2, 7, low.length),
        third,
        fourth,
        ...packed([magnitude], 48),
        ...packed(low, 8),
        ...packed(entries, entryWidth),
      ],
      values,
    };
  });

test('runs of every kind, one after the other', () => {
  const runs = fc.array(fc.oneof(shortRepeat, direct, delta, patchedBase), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(runs, (given) => {
      const reader = new IntegerRuns(input(Uint8Array.from(given.flatMap((run) => run.bytes))), {
        isSigned: true,
        version: 2,
      });
      for (const { values } of given) expect(values.map(() => reader.nextLong())).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('runs of version 1', () => {
  const run = fc
    .tuple(number, fc.integer({ min: -128, max: 127 }), fc.integer({ min: 3, max: 130 }))
    .map(([base, step, count]) => ({
      bytes: [count - 3, step & 0xff, ...varint(base)],
      values: Array.from({ length: count }, (_, i) => wrapped(base + BigInt(i * step))),
    }));
  const literals = fc.array(number, { minLength: 1, maxLength: 128 }).map((values) => ({
    bytes: [0x100 - values.length, ...values.flatMap((value) => varint(value))],
    values,
  }));
  fc.assert(
    fc.property(fc.array(fc.oneof(run, literals), { minLength: 1, maxLength: 5 }), (given) => {
      const reader = new IntegerRuns(input(Uint8Array.from(given.flatMap(({ bytes }) => bytes))), {
        isSigned: true,
        version: 1,
      });
      for (const { values } of given) expect(values.map(() => reader.nextLong())).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

test('numbers that a double holds can be had as such, others are refused', () => {
  fc.assert(
    fc.property(long, (value) => {
      const reader = new IntegerRuns(input(Uint8Array.from([0xff, ...varint(value)])), { isSigned: true, version: 1 });
      if (Number.isSafeInteger(Number(value))) expect(reader.next()).toBe(Number(value));
      else expect(() => reader.next()).toThrow(/out of range/);
    }),
  );
});

describe('compressed chunks', () => {
  const content = new TextEncoder().encode('abcd'.repeat(50));
  const chunkOf = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.of((bytes.length << 1) & 0xff, (bytes.length >> 7) & 0xff, bytes.length >> 15, ...bytes);

  test.each<[Exclude<OrcCompression['kind'], 'none' | 'lz4' | 'zstd'>, Uint8Array]>([
    ['zlib', deflateRawSync(content)],
    // Avro's has a checksum at the end.
    ['snappy', compressBlock('snappy', content).slice(0, -4)],
    ['brotli', brotliCompressSync(content)],
  ])('%s', (kind, compressed) => {
    const chunks = new Uint8Array([...chunkOf(compressed), ...chunkOf(compressed)]);
    const both = new ByteInput(chunks, { kind, blockSize: content.length });
    expect(Buffer.from(both.bytes(400)).toString()).toBe('abcd'.repeat(100));
    const tooSmall = new ByteInput(chunks, { kind, blockSize: content.length - 1 });
    expect(() => tooSmall.byte()).toThrow(new RegExp(`no ${kind} stream`));
  });

  test('a chunk of LZ4 takes no more memory than it can fill', () => {
    // A literal, and a match of it: in a file with the largest blocks, thousands of such chunks would take gigabytes.
    const chunk = chunkOf(Uint8Array.of(0x15, 0x61, 1, 0, 0x10, 0x62));
    const bytes = new ByteInput(chunk, { kind: 'lz4', blockSize: 1 << 24 }).bytes(11);
    expect(Buffer.from(bytes).toString()).toBe('aaaaaaaaaab');
    expect(bytes.buffer.byteLength).toBeLessThan(4096);
  });
});
