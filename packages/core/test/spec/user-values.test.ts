import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { ColumnType } from '../../src/spec/schema-builder.ts';
import { parseType } from '../../src/spec/type-text.ts';
import type { IcebergType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { fromValue, toValue } from '../../src/spec/user-values.ts';
import { Variant } from '../../src/spec/variant.ts';
import { nestedType, primitiveType, typeAndValue } from './arbitraries.ts';

const convert = (type: string, input: unknown): Value => toValue(parseType(type), input, "column 'c'");
const bytes = Uint8Array.of(1, 2);
const asDate = (type: string, input: unknown): unknown =>
  fromValue(parseType(type), convert(type, input), { dates: 'Date' });
const typeOf = (column: ColumnType): IcebergType => schema({ c: column }).fields.at(0)?.type ?? { kind: 'unknown' };
const valueOf = (column: ColumnType, input: unknown): Value => toValue(typeOf(column), input, "column 'c'");

describe('toValue and fromValue', () => {
  it('are inverse, for values of every type', () => {
    fc.assert(
      fc.property(typeAndValue(nestedType(primitiveType)), ([type, value]) => {
        const given = fromValue(type, value);
        expect(valuesEqual(type, toValue(type, given, 'x'), value)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it.each<[string, unknown, Value]>([
    ['boolean', true, true],
    ['int', -2147483648, -2147483648],
    ['int', 5n, 5],
    ['long', 5, 5n],
    ['long', 9223372036854775807n, 9223372036854775807n],
    ['float', 0.1, Math.fround(0.1)],
    ['float', Infinity, Infinity],
    ['double', Number.NaN, Number.NaN],
    ['decimal(10,2)', '12.50', 1250n],
    ['decimal(10,2)', '+12.500', 1250n],
    ['decimal(10,2)', '.5', 50n],
    ['decimal(10,2)', '1e3', 100000n],
    ['decimal(10,2)', 12n, 1200n],
    ['decimal(10,2)', 0.1, 10n],
    ['decimal(10,2)', -1.25, -125n],
    ['decimal(38,0)', '99999999999999999999999999999999999999', 99999999999999999999999999999999999999n],
    ['date', '1969-12-31', -1],
    ['date', '+10000-01-01', 2932897],
    ['date', '-0001-01-01', -719893],
    ['date', new Date('1969-12-31T23:59:59.999Z'), -1],
    ['time', '23:59:59.999999', 86399999999n],
    ['time', '01:02:03', 3723000000n],
    ['timestamp', '2020-01-01T00:00:00.000001', 1577836800000001n],
    ['timestamp', '2020-01-01 00:00', 1577836800000000n],
    ['timestamp', '2020-01-01', 1577836800000000n],
    ['timestamp', '2020-01-01T00:00:00Z', 1577836800000000n],
    ['timestamp', '2020-01-01T00:00:00.123456000', 1577836800123456n],
    ['timestamp', new Date(-1), -1000n],
    ['timestamp', -5n, -5n],
    ['timestamptz', '2020-01-01T01:00:00+01:00', 1577836800000000n],
    ['timestamptz', '2019-12-31T18:30:00.5-0530', 1577836800500000n],
    ['timestamptz', '2020-01-01T00:00:00', 1577836800000000n],
    ['timestamptz_ns', '2020-01-01T00:00:00.000000001Z', 1577836800000000001n],
    ['timestamp_ns', new Date(1), 1000000n],
    ['string', '\u{1f600}', '\u{1f600}'],
    ['uuid', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
    ['fixed[2]', bytes, bytes],
    ['binary', Buffer.from([1]), Buffer.from([1])],
    ['unknown', undefined, null],
    ['int', null, null],
  ])('takes for %s: %s', (type, input, value) => {
    expect(convert(type, input)).toEqual(value);
  });

  it.each<[string, unknown]>([
    ['boolean', 1],
    ['boolean', 'true'],
    ['int', 2147483648],
    ['int', 1.5],
    ['int', '1'],
    ['int', 4294967296n],
    ['int', Number.NaN],
    ['long', 9007199254740992],
    ['long', 1n << 63n],
    ['long', '1'],
    ['float', 1e39],
    ['float', 1n],
    ['double', '1'],
    ['decimal(10,2)', '1.234'],
    ['decimal(3,2)', '12.34'],
    ['decimal(3,2)', 10n],
    ['decimal(10,2)', 0.125],
    ['decimal(38,2)', 9007199254740992],
    ['decimal(10,2)', 'abc'],
    ['decimal(10,2)', ''],
    ['decimal(10,2)', '.'],
    ['decimal(10,2)', '1e99999'],
    ['decimal(10,2)', Infinity],
    ['date', '2023-02-29'],
    ['date', '2023-13-01'],
    ['date', '2023-1-1'],
    ['date', 5],
    ['date', '+999999999-01-01'],
    ['date', new Date(Number.NaN)],
    ['time', '24:00:00'],
    ['time', '12:60:00'],
    ['time', '12:00:00.0000001'],
    ['time', 5n],
    ['timestamp', '2020-01-01T00:00:00+01:00'],
    ['timestamp', '2020-01-01T00:00:00.0000001'],
    ['timestamp', '2020-01-01T25:00:00'],
    ['timestamp', 'yesterday'],
    ['timestamp', 1577836800000],
    ['timestamp', 1n << 63n],
    ['timestamp_ns', '2300-01-01T00:00:00'],
    ['timestamptz', '2020-01-01T00:00:00+19:00'],
    ['string', 5],
    ['string', '\ud800'],
    ['uuid', 'f79c3e09'],
    ['fixed[2]', Uint8Array.of(1)],
    ['fixed[2]', 'ab'],
    ['binary', [1, 2]],
    ['unknown', 1],
    ['variant', Symbol('x')],
    ['variant', new Map()],
    ['geometry', 'POINT (1 2)'],
  ])('refuses for %s: %s', (type, input) => {
    expect(() => convert(type, input)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining("column 'c'") }),
    );
  });

  it.each<[string, unknown, unknown]>([
    ['decimal(10,2)', '12.5', '12.50'],
    ['decimal(10,2)', '-0.5', '-0.50'],
    ['decimal(3,0)', '7', '7'],
    ['date', '1969-12-31', '1969-12-31'],
    ['time', '01:02:03', '01:02:03.000000'],
    ['timestamp', '1969-12-31T23:59:59.999999', '1969-12-31T23:59:59.999999'],
    ['timestamptz', '2020-01-01T01:00:00+01:00', '2020-01-01T00:00:00.000000Z'],
    ['timestamp_ns', '2020-01-01T00:00:00', '2020-01-01T00:00:00.000000000'],
    ['timestamptz_ns', -1n, '1969-12-31T23:59:59.999999999Z'],
  ])('gives back %s %s as %s', (type, input, output) => {
    expect(fromValue(parseType(type), convert(type, input))).toBe(output);
  });

  it('gives Dates on request, cut to milliseconds towards the past', () => {
    expect(asDate('date', '1969-12-31')).toEqual(new Date('1969-12-31T00:00:00Z'));
    expect(asDate('timestamptz', -1n)).toEqual(new Date(-1));
    expect(asDate('timestamp_ns', 1_999_999n)).toEqual(new Date(1));
    expect(asDate('time', '01:00:00')).toBe('01:00:00.000000');
  });
});

describe('nested values', () => {
  const point = t.struct({ lat: t.double().required(), names: t.map(t.string(), t.list(t.int().required())) });

  it('takes arrays, objects, Maps, pairs and objects as maps', () => {
    expect(valueOf(t.list(t.long()), [1, null, 2n])).toEqual([1n, null, 2n]);
    expect(valueOf(point, { lat: 1, names: new Map([['a', [1]]]) })).toEqual([1, [['a', [1]]]]);
    expect(valueOf(point, { lat: 1, names: { a: [1] } })).toEqual([1, [['a', [1]]]]);
    expect(valueOf(point, { lat: 1, names: [['a', [1]]] })).toEqual([1, [['a', [1]]]]);
    expect(valueOf(point, { lat: 1 })).toEqual([1, null]);
    expect(valueOf(t.map(t.int(), t.string()), [[1, 'x']])).toEqual([[1, 'x']]);
  });

  it('fills in the defaults of missing fields, not of nulls', () => {
    const inner = t.struct({ x: t.int().default(7), y: t.int() }).default({});
    const outer = t.struct({ inner, s: t.string().default('d') });
    expect(valueOf(outer, {})).toEqual([[7, null], 'd']);
    expect(valueOf(outer, { inner: null, s: null })).toEqual([null, null]);
  });

  it.each<[string, ColumnType, unknown, string]>([
    ['an object for a list', t.list(t.int()), { length: 1 }, 'an array'],
    ['text for a list', t.list(t.int()), 'ab', 'an array'],
    ['a bad element', t.list(t.int()), [1, 'x'], "column 'c'[1]"],
    ['a null in a list without', t.list(t.int().required()), [null], "column 'c'[0] is required"],
    ['a hole in a list without', t.list(t.int().required()), Array.from({ length: 1 }), 'required'],
    ['an array for a struct', point, [1], 'an object'],
    ['a missing required field', point, {}, "column 'c'.lat is required"],
    ['an unknown field', point, { lat: 1, lot: 2 }, "no field 'lot'"],
    ['deep down', point, { lat: 1, names: { a: [1, 2.5] } }, "column 'c'.names.a[1]"],
    ['an object for other keys', t.map(t.int(), t.int()), { 1: 1 }, 'a Map'],
    ['a null key', t.map(t.int(), t.int()), [[null, 1]], 'required'],
    [
      'a key twice',
      t.map(t.long(), t.int()),
      [
        [1, 1],
        [1n, 2],
      ],
      'twice',
    ],
    [
      'a Uint8Array key twice',
      t.map(t.binary(), t.int()),
      [
        [bytes, 1],
        [bytes.slice(), 2],
      ],
      'twice',
    ],
    ['no pairs', t.map(t.string(), t.int()), ['ab'], 'pairs'],
  ])('refuses %s', (_, column, input, message) => {
    expect(() => valueOf(column, input)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });

  it('gives back arrays, objects and Maps', () => {
    const type = typeOf(point);
    expect(
      fromValue(type, [
        1,
        [
          ['a', [1]],
          ['b', null],
        ],
      ]),
    ).toEqual({
      lat: 1,
      names: new Map<string, unknown>([
        ['a', [1]],
        ['b', null],
      ]),
    });
  });

  it('does not mind what a field is called', () => {
    const type = typeOf(
      t.struct(
        Object.fromEntries([
          ['__proto__', t.int()],
          ['constructor', t.int()],
        ]),
      ),
    );
    expect(toValue(type, {}, 'c')).toEqual([null, null]);
    const given = fromValue(type, [1, 2]) as object;
    expect(Object.entries(given)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
    expect(toValue(type, given, 'c')).toEqual([1, 2]);
  });
});

describe('values of another realm', () => {
  it('are taken like ours', () => {
    const foreign = runInNewContext(
      '({ bytes: new Uint8Array([1]), date: new Date(5), list: [1], map: { a: 1 } })',
    ) as Record<string, unknown>;
    expect(convert('binary', foreign['bytes'])).toBe(foreign['bytes']);
    expect(convert('timestamp', foreign['date'])).toBe(5000n);
    expect(valueOf(t.list(t.int()), foreign['list'])).toEqual([1]);
    expect(valueOf(t.map(t.string(), t.int()), foreign['map'])).toEqual([['a', 1]]);
    expect(Variant.from(foreign).toJSON()).toMatchObject({ bytes: 'AQ==', list: [1] });
  });
});

describe('variants', () => {
  it('takes JSON values and Variants', () => {
    const given = { a: [1, 'x', null, 1.5], b: { c: true } };
    const value = convert('variant', given) as Variant;
    expect(value).toBeInstanceOf(Variant);
    expect(value.toJSON()).toEqual(given);
    expect(convert('variant', value)).toBe(value);
  });
});
