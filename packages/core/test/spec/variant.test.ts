import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexToBytes } from '../../src/spec/bytes-text.ts';
import { Variant } from '../../src/spec/variant.ts';
import type { VariantNode } from '../../src/spec/variant-node.ts';
import { text, variantNode } from './arbitraries.ts';
import { codeOf } from './code-of.ts';

const node = variantNode(text);

describe('encoding', () => {
  it('gives back every value with its types', () => {
    fc.assert(
      fc.property(node, (given) => {
        const variant = Variant.fromNode(given);
        expect(new Variant(variant.metadata.slice(), variant.value.slice()).toNode()).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it('gives back large objects and arrays', () => {
    const large = {
      items: Array.from({ length: 70_000 }, (_, i) => i),
      ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])),
    };
    expect(Variant.from(large).toJSON()).toEqual(large);
  });

  it('writes the bytes of the specification', () => {
    // Short string 'hi'; object {"a": 1} with a one-name dictionary; array [true, null].
    expect(Variant.from('hi').value).toEqual(hexToBytes('096869'));
    const object = Variant.from({ a: 1 });
    expect(object.metadata).toEqual(hexToBytes('1101000161'));
    expect(object.value).toEqual(hexToBytes('02010000020c01'));
    expect(Variant.from([true, null]).value).toEqual(hexToBytes('03020001020400'));
  });

  it.each<[unknown, VariantNode]>([
    [1, { type: 'int8', value: 1 }],
    [-129, { type: 'int16', value: -129 }],
    [40_000, { type: 'int32', value: 40_000 }],
    [2 ** 31, { type: 'int64', value: 2n ** 31n }],
    [5n, { type: 'int8', value: 5 }],
    [-0, { type: 'double', value: -0 }],
    [2 ** 53, { type: 'double', value: 2 ** 53 }],
    [new Date(5), { type: 'timestamptz', value: 5000n }],
    [Uint8Array.of(1), { type: 'binary', value: Uint8Array.of(1) }],
    [[undefined], { type: 'array', items: [{ type: 'null' }] }],
    [{ a: undefined }, { type: 'object', fields: new Map() }],
  ])('chooses the type for %s', (input, expected) => {
    expect(Variant.from(input).toNode()).toEqual(expected);
  });
});

describe('toJSON', () => {
  it('is the JSON value that was given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(Variant.from(value).toJSON()).toEqual(value);
      }),
    );
  });

  it.each<[VariantNode, unknown]>([
    [{ type: 'int64', value: 2n ** 60n }, '1152921504606846976'],
    [{ type: 'decimal4', unscaled: -105n, scale: 2 }, '-1.05'],
    [{ type: 'date', value: -1 }, '1969-12-31'],
    [{ type: 'time', value: 1n }, '00:00:00.000001'],
    [{ type: 'timestamptz', value: 0n }, '1970-01-01T00:00:00.000000Z'],
    [{ type: 'timestamp_ns', value: 1n }, '1970-01-01T00:00:00.000000001'],
    [{ type: 'binary', value: Uint8Array.of(255, 254) }, '//4='],
  ])('spells %s', (given, json) => {
    expect(Variant.fromNode(given).toJSON()).toBe(json);
    expect(JSON.stringify(Variant.fromNode(given))).toBe(JSON.stringify(json));
  });
});

/** An array of 200 items that all are the same bytes. */
const level = (inner: number[]): number[] => [0x07, 200, ...Array.from({ length: 201 }, () => [0, 0]).flat(), ...inner];

describe('broken bytes', () => {
  it('are INVALID_DATA and nothing else', () => {
    const { metadata, value } = Variant.from({ list: [1, 'text', { a: null }], s: 'x'.repeat(100), d: 1.5 });
    const cut = fc
      .tuple(fc.nat(metadata.length), fc.nat(value.length))
      .map(([m, v]) => [metadata.slice(0, m), value.slice(0, v)] as const);
    const flip = fc
      .tuple(fc.nat(metadata.length - 1), fc.nat(value.length - 1), fc.nat(255))
      .map(([m, v, byte]) => [metadata.with(m, byte), value.with(v, byte)] as const);
    fc.assert(
      fc.property(fc.oneof(cut, flip), ([m, v]) => {
        expect(codeOf(() => new Variant(m, v).toNode())).toBeOneOf([null, 'INVALID_DATA']);
      }),
      { numRuns: 1000 },
    );
  });

  it('do not multiply: offsets that share values are refused', () => {
    const bomb = [1, 2, 3, 4, 5, 6].reduce((inner) => level(inner), [0x00]);
    expect(() => new Variant(Uint8Array.of(1, 0, 0), Uint8Array.from(bomb)).toNode()).toThrow(/more values than bytes/);
  });

  it('nest only so deep', () => {
    const deep = Array.from({ length: 600 }).reduce((inner: unknown) => [inner], 1);
    expect(() => Variant.from(deep)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
