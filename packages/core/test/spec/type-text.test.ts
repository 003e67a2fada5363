import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transformAccepts } from '../../src/spec/transform-sources.ts';
import { parseTransform, transformToText } from '../../src/spec/transform-text.ts';
import { parseType, typeToText } from '../../src/spec/type-text.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import { primitiveType, transform } from './arbitraries.ts';

describe('types', () => {
  it('survive their text, however it is spaced and cased', () => {
    fc.assert(
      fc.property(primitiveType, fc.constantFrom('', ' ', '  '), (type, space) => {
        const text = typeToText(type);
        expect(parseType(text)).toEqual(type);
        expect(parseType(text.replaceAll(/([(,)[\]])\s*/g, `${space}$1${space}`))).toEqual(type);
      }),
    );
  });

  it.each<[string, PrimitiveType]>([
    ['long', { kind: 'long' }],
    ['LONG', { kind: 'long' }],
    ['decimal(9,2)', { kind: 'decimal', precision: 9, scale: 2 }],
    ['decimal( 9 , 2 )', { kind: 'decimal', precision: 9, scale: 2 }],
    ['fixed[16]', { kind: 'fixed', length: 16 }],
    ['geometry', { kind: 'geometry', crs: null }],
    ['geometry(OGC:CRS84)', { kind: 'geometry', crs: null }],
    ['geometry(srid:4326)', { kind: 'geometry', crs: 'srid:4326' }],
    ['geography', { kind: 'geography', crs: null, algorithm: null }],
    ['geography(srid:4326)', { kind: 'geography', crs: 'srid:4326', algorithm: null }],
    ['geography(srid:4326, spherical)', { kind: 'geography', crs: 'srid:4326', algorithm: null }],
    ['geography(OGC:CRS84,karney)', { kind: 'geography', crs: null, algorithm: 'karney' }],
  ])('reads %s', (text, type) => {
    expect(parseType(text)).toEqual(type);
  });

  it.each([
    '',
    'strnig',
    'decimal',
    'decimal(39,0)',
    'decimal(3,4)',
    'decimal(0,0)',
    'decimal(9)',
    'decimal(9,-2)',
    'fixed',
    'fixed[0]',
    'fixed[-1]',
    'fixed[99999999999]',
    'geometry()',
    'geography(a, nearest)',
    'geometry(a',
    'constructor',
    '__proto__',
    'struct',
    'list<int>',
  ])('refuses %j', (text) => {
    expect(() => parseType(text)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('show what is inside', () => {
    const list = { kind: 'list', elementId: 1, elementRequired: false, element: { kind: 'int' } } as const;
    const map = {
      kind: 'map',
      keyId: 1,
      key: { kind: 'string' },
      valueId: 2,
      valueRequired: false,
      value: list,
    } as const;
    expect(typeToText({ kind: 'struct', fields: [{ id: 3, name: 'm', required: false, type: map }] })).toBe(
      'struct<m: map<string, list<int>>>',
    );
  });
});

const accepted = (text: string): string[] =>
  [
    'int',
    'long',
    'decimal(9,2)',
    'float',
    'double',
    'boolean',
    'date',
    'time',
    'timestamp',
    'timestamptz_ns',
    'string',
    'uuid',
    'fixed[2]',
    'binary',
    'variant',
    'geometry',
    'unknown',
  ].filter((type) => transformAccepts(parseTransform(text), parseType(type)));

describe('transforms', () => {
  it('survive their text', () => {
    fc.assert(
      fc.property(transform, (given) => {
        expect(parseTransform(transformToText(given))).toEqual(given);
      }),
    );
  });

  it('are read in any case; names of the future are kept', () => {
    expect(parseTransform('Bucket[4]')).toEqual({ kind: 'bucket', buckets: 4 });
    expect(parseTransform('DAY')).toEqual({ kind: 'day' });
    for (const text of ['bucket', 'bucket[x]', 'days', 'bucketv2[4]', '']) {
      expect(parseTransform(text)).toEqual({ kind: 'unknown', text });
    }
  });

  it.each(['bucket[0]', 'truncate[0]', 'truncate[2147483648]'])('refuses %s', (text) => {
    expect(() => parseTransform(text)).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('take the types that the table of the spec gives', () => {
    expect(accepted('bucket[4]')).toEqual([
      'int',
      'long',
      'decimal(9,2)',
      'date',
      'time',
      'timestamp',
      'timestamptz_ns',
      'string',
      'uuid',
      'fixed[2]',
      'binary',
    ]);
    expect(accepted('truncate[4]')).toEqual(['int', 'long', 'decimal(9,2)', 'string', 'binary']);
    expect(accepted('day')).toEqual(['date', 'timestamp', 'timestamptz_ns']);
    expect(accepted('hour')).toEqual(['timestamp', 'timestamptz_ns']);
    expect(accepted('identity')).not.toContain('variant');
    expect(accepted('identity')).not.toContain('geometry');
    expect(accepted('void')).toHaveLength(17);
  });
});
