import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../../src/spec/bytes-text.ts';
import { wkbToWkt, wktToWkb } from '../../src/spec/wkt.ts';
import { codeOf } from './code-of.ts';

const TEXTS = [
  'POINT (30 10)',
  'POINT EMPTY',
  'POINT Z (1 2 3)',
  'POINT M (1 2 -3.5)',
  'POINT ZM (1 2 3 4e-20)',
  'LINESTRING (30 10, 10 30, 40 40)',
  'LINESTRING EMPTY',
  'POLYGON ((30 10, 40 40, 20 40, 30 10), (20 30, 35 35, 30 20, 20 30))',
  'MULTIPOINT ((10 40), (40 30))',
  'MULTIPOINT Z (EMPTY, (40 30 1))',
  'MULTILINESTRING ((10 10, 20 20), EMPTY)',
  'MULTIPOLYGON (((30 20, 45 40, 10 40, 30 20)), ((15 5, 40 10, 10 20, 15 5)))',
  'GEOMETRYCOLLECTION (POINT (40 10), GEOMETRYCOLLECTION (LINESTRING (10 10, 20 20), POLYGON EMPTY))',
  'GEOMETRYCOLLECTION EMPTY',
];

describe('WKT and WKB', () => {
  it.each(TEXTS)('give back %s', (text) => {
    expect(wkbToWkt(wktToWkb(text) ?? new Uint8Array())).toBe(text);
  });

  it('write the bytes of the standard', () => {
    expect(bytesToHex(wktToWkb('POINT (1 2)') ?? new Uint8Array())).toBe('0101000000000000000000f03f0000000000000040');
  });

  it('read big-endian bytes and free-form text', () => {
    expect(wkbToWkt(hexToBytes('00000000013ff00000000000004000000000000000') ?? new Uint8Array())).toBe('POINT (1 2)');
    expect(wkbToWkt(wktToWkb('  point z( +1   2.50 .5 )') ?? new Uint8Array())).toBe('POINT Z (1 2.5 0.5)');
  });

  it.each([
    '',
    'POINT',
    'POINT (1)',
    'POINT (1 2',
    'POINT (1 2))',
    'POINT (1 2, 3 4)',
    'POINT Z (1 2)',
    'CIRCLE (1 2)',
    'GEOMETRY EMPTY',
    'POLYGON (1 2)',
    'POINT (a b)',
  ])('refuse %j', (text) => {
    expect(wktToWkb(text)).toBeUndefined();
  });

  it('refuse broken bytes with INVALID_DATA', () => {
    const whole = TEXTS.map((text) => wktToWkb(text) ?? new Uint8Array());
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(), fc.nat(255), fc.boolean(), (bytes, at, byte, cut) => {
        const broken = cut ? bytes.slice(0, at % bytes.length) : bytes.with(at % bytes.length, byte);
        expect(codeOf(() => wkbToWkt(broken))).toBeOneOf([null, 'INVALID_DATA']);
      }),
    );
    expect(codeOf(() => wkbToWkt(Uint8Array.of(1, 2, 0, 0, 0, 255, 255, 255, 255)))).toBe('INVALID_DATA');
  });
});
