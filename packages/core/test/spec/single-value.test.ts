import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignTypeIds, freshIds } from '../../src/spec/assign-ids.ts';
import { bytesToHex, hexToBytes } from '../../src/spec/bytes-text.ts';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import { stringifyJson, parseJson } from '../../src/spec/json.ts';
import { valueFromJson, valueToJson } from '../../src/spec/single-value-json.ts';
import { bytesToValue, valueToBytes } from '../../src/spec/single-value.ts';
import { parseType } from '../../src/spec/type-text.ts';
import type { IcebergType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { nestedType, orderedType, typeAndValue } from './arbitraries.ts';

const type = (text: string): IcebergType => parseType(text);
const hex = (text: string): Uint8Array => hexToBytes(text)!;

describe('binary', () => {
  it('gives back every value', () => {
    fc.assert(
      fc.property(typeAndValue(orderedType), ([given, value]) => {
        expect(valuesEqual(given, bytesToValue(given, valueToBytes(given, value)), value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  // The first column is the text of a type; the bytes follow from the table in appendix D.
  it.each<[string, Value, string]>([
    ['boolean', true, '01'],
    ['boolean', false, '00'],
    ['int', 1234, 'd2040000'],
    ['long', -1n, 'ffffffffffffffff'],
    ['float', -4.5, '000090c0'],
    ['double', 6, '0000000000001840'],
    ['date', 1000, 'e8030000'],
    ['time', 10000000000n, '00e40b5402000000'],
    ['timestamp', 400000n, '801a060000000000'],
    ['string', 'ABC', '414243'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
    ['fixed[4]', hex('0001ff00'), '0001ff00'],
    ['binary', hex('ff'), 'ff'],
    ['decimal(9,2)', 12345n, '3039'],
    ['decimal(9,2)', 0n, '00'],
    ['decimal(9,2)', 127n, '7f'],
    ['decimal(9,2)', 128n, '0080'],
    ['decimal(9,2)', -128n, '80'],
    ['decimal(9,2)', -129n, 'ff7f'],
    ['decimal(9,2)', -1n, 'ff'],
  ])('writes %s %s as %s', (text, value, bytes) => {
    expect(bytesToHex(valueToBytes(type(text), value))).toBe(bytes);
    expect(bytesToValue(type(text), hex(bytes))).toEqual(value);
  });

  it.each<[string, string, Value]>([
    ['long', 'd2040000', 1234n],
    ['double', '000090c0', -4.5],
    ['timestamp', '01000000', 86_400_000_000n],
    ['timestamp_ns', 'ffffffff', -86_400_000_000_000n],
    ['boolean', '07', true],
    ['decimal(9,2)', '00000000003039', 12345n],
    ['decimal(9,2)', 'ffffffffff', -1n],
  ])('reads a %s that was promoted or padded: %s', (text, bytes, value) => {
    expect(bytesToValue(type(text), hex(bytes))).toEqual(value);
  });

  it.each([
    ['int', '0102030405060708'],
    ['long', '010203'],
    ['float', '0000000000001840'],
    ['date', ''],
    ['timestamptz', '01000000'],
    ['timestamp_ns', '00000070'],
    ['uuid', '00'],
    ['string', 'ff'],
    ['decimal(9,2)', ''],
    ['decimal(9,2)', '00'.repeat(17)],
  ])('refuses bytes that are no %s: %s', (text, bytes) => {
    expect(() => bytesToValue(type(text), hex(bytes))).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });

  it('reads from a view into a larger buffer', () => {
    const buffer = hex('ffff0000d2040000ffff');
    expect(bytesToValue(type('int'), buffer.subarray(4, 8))).toBe(1234);
  });

  it.each(['variant', 'unknown'])('has no form for %s', (text) => {
    expect(() => valueToBytes(type(text), null)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('JSON', () => {
  it('gives back every value, through text', () => {
    fc.assert(
      fc.property(
        typeAndValue(nestedType(orderedType).map((given) => assignTypeIds(given, freshIds(1).newId))),
        ([given, value]) => {
          const json = parseJson(stringifyJson(valueToJson(given, value)));
          const back = valueFromJson(given, json);
          expect(valuesEqual(given, back, value)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each<[string, Value, string]>([
    ['boolean', true, 'true'],
    ['int', 34, '34'],
    ['long', 9007199254740993n, '9007199254740993'],
    ['float', 1, '1.0'],
    ['double', -0, '-0.0'],
    ['double', 1e22, '1e+22'],
    ['double', 0.1, '0.1'],
    ['double', Number.NaN, '"NaN"'],
    ['decimal(9,2)', 1420n, '"14.20"'],
    ['decimal(9,2)', -5n, '"-0.05"'],
    ['decimal(9,0)', 7n, '"7"'],
    ['date', 17486, '"2017-11-16"'],
    ['time', 81068123456n, '"22:31:08.123456"'],
    ['timestamp', 1510871468123456n, '"2017-11-16T22:31:08.123456"'],
    ['timestamptz', 1510871468123456n, '"2017-11-16T22:31:08.123456+00:00"'],
    ['timestamp_ns', 1510871468123456789n, '"2017-11-16T22:31:08.123456789"'],
    ['timestamptz_ns', 1510871468123456789n, '"2017-11-16T22:31:08.123456789+00:00"'],
    ['timestamp', -1n, '"1969-12-31T23:59:59.999999"'],
    ['string', 'iceberg', '"iceberg"'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', '"f79c3e09-677c-4bbd-a479-3f349cb785e7"'],
    ['fixed[4]', hex('000102ff'), '"000102ff"'],
    ['binary', hex('000102ff'), '"000102ff"'],
    ['geometry', hex('01010000000000000000003e400000000000002440'), '"POINT (30 10)"'],
  ])('writes %s as in appendix D', (text, value, json) => {
    expect(stringifyJson(valueToJson(type(text), value))).toBe(json);
    expect(valueFromJson(type(text), parseJson(json))).toEqual(value);
  });

  it('writes nested values as in appendix D', () => {
    const struct: IcebergType = {
      kind: 'struct',
      fields: [
        { id: 1, name: 'a', required: false, type: { kind: 'int' } },
        { id: 2, name: 'b', required: false, type: { kind: 'string' } },
      ],
    };
    const map: IcebergType = {
      kind: 'map',
      keyId: 1,
      key: { kind: 'string' },
      valueId: 2,
      valueRequired: false,
      value: { kind: 'int' },
    };
    expect(valueToJson(struct, [1, 'bar'])).toEqual({ '1': 1, '2': 'bar' });
    expect(valueToJson(struct, [null, null])).toEqual({});
    expect(
      valueToJson(map, [
        ['a', 1],
        ['b', null],
      ]),
    ).toEqual({ keys: ['a', 'b'], values: [1, null] });
  });

  it.each<[string, string]>([
    ['int', '2147483648'],
    ['int', '1.5'],
    ['int', '"1"'],
    ['long', '9223372036854775808'],
    ['boolean', '1'],
    ['double', '"1"'],
    ['decimal(9,2)', '"1.234"'],
    ['decimal(3,2)', '"12.34"'],
    ['decimal(9,2)', '14.2'],
    ['date', '"2017-02-29"'],
    ['time', '"24:00:00"'],
    ['timestamp', '"2017-11-16T22:31:08+00:00"'],
    ['timestamptz', '"2017-11-16T22:31:08"'],
    ['timestamptz', '"2017-11-16T22:31:08+01:00"'],
    ['timestamp', '"2017-11-16T22:31:08.1234567"'],
    ['uuid', '"f79c3e09677c4bbda4793f349cb785e7"'],
    ['fixed[4]', '"0001"'],
    ['binary', '"0"'],
    ['binary', '"xx"'],
    ['geometry', '"POINT (1)"'],
  ])('refuses as %s: %s', (text, json) => {
    expect(() => valueFromJson(type(text), parseJson(json))).toThrow(expect.objectContaining({ code: 'INVALID_DATA' }));
  });
});
