import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../../src/spec/datetime-text.ts';
import { parseTransform } from '../../src/spec/transform-text.ts';
import { parseType } from '../../src/spec/type-text.ts';
import type { StructType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { partitionPath } from '../../src/transforms/partition-path.ts';

function pathOf(type: string, transform: string, value: Value, name = 'p'): string {
  const schema: StructType = { kind: 'struct', fields: [{ id: 1, name: 'c', required: false, type: parseType(type) }] };
  const field = { sourceIds: [1], fieldId: 1000, name, transform: parseTransform(transform) };
  return partitionPath({ specId: 0, fields: [field] }, schema, [value]);
}

const at = (text: string, digits: 6 | 9 = 6): bigint => parseTimestamp(text, digits)!.value;

/** What Iceberg Java makes of the same values. */
const CASES: [string, string, Value, string][] = [
  ['string', 'identity', null, 'p=null'],
  ['string', 'identity', "a b/c=d?é😀*-_.~!'()", 'p=a+b%2Fc%3Dd%3F%C3%A9%F0%9F%98%80*-_.%7E%21%27%28%29'],
  ['string', 'identity', '', 'p='],
  ['boolean', 'identity', false, 'p=false'],
  ['long', 'identity', -9223372036854775808n, 'p=-9223372036854775808'],
  ['float', 'identity', Math.fround(0.1), 'p=0.1'],
  ['float', 'identity', -0, 'p=-0.0'],
  ['float', 'identity', Math.fround(3.4e38), 'p=3.4E38'],
  ['double', 'identity', 1e7, 'p=1.0E7'],
  ['double', 'identity', 9999999, 'p=9999999.0'],
  ['double', 'identity', 0.001, 'p=0.001'],
  ['double', 'identity', 1.25e-4, 'p=1.25E-4'],
  ['double', 'identity', -Infinity, 'p=-Infinity'],
  ['double', 'identity', NaN, 'p=NaN'],
  ['decimal(9,2)', 'identity', -705n, 'p=-7.05'],
  ['decimal(9,2)', 'truncate[50]', 0n, 'p=0.00'],
  ['date', 'identity', -1, 'p=1969-12-31'],
  ['time', 'identity', 3_600_000_001n, 'p=01%3A00%3A00.000001'],
  ['time', 'identity', 3_600_000_000n, 'p=01%3A00'],
  ['time', 'identity', 3_601_500_000n, 'p=01%3A00%3A01.500'],
  ['timestamp', 'identity', at('1970-01-01T00:00:00'), 'p=1970-01-01T00%3A00%3A00'],
  ['timestamp', 'identity', at('1969-12-31T23:59:59.999990'), 'p=1969-12-31T23%3A59%3A59.99999'],
  ['timestamptz', 'identity', at('2001-09-09T01:46:40Z'), 'p=2001-09-09T01%3A46%3A40%2B00%3A00'],
  ['timestamp_ns', 'identity', 1n, 'p=1970-01-01T00%3A00%3A00.000000001'],
  ['binary', 'identity', Uint8Array.of(0xab), 'p=qw%3D%3D'],
  ['fixed[2]', 'identity', Uint8Array.of(0, 0xab), 'p=AKs%3D'],
  ['uuid', 'identity', '80000000-0000-0000-0000-000000000001', 'p=80000000-0000-0000-0000-000000000001'],
  ['int', 'bucket[16]', 7, 'p=7'],
  ['timestamp', 'year', -13, 'p=1957'],
  ['timestamp', 'month', -13, 'p=1968-12'],
  ['timestamp', 'day', -366, 'p=1968-12-31'],
  ['timestamptz', 'hour', -8761, 'p=1968-12-31-23'],
  ['int', 'void', null, ''],
];

describe('partitionPath', () => {
  it.each(CASES)('%s %s %s', (type, transform, value, expected) => {
    expect(pathOf(type, transform, value)).toBe(expected);
  });

  it('encodes names as well, and joins fields with slashes', () => {
    expect(pathOf('int', 'bucket[2]', 0, '1st bucket')).toBe('1st+bucket=0');
    const schema: StructType = {
      kind: 'struct',
      fields: [{ id: 1, name: 'c', required: false, type: parseType('int') }],
    };
    const fields = ['a', 'b'].map((name, i) => ({
      sourceIds: [1],
      fieldId: 1000 + i,
      name,
      transform: parseTransform('identity'),
    }));
    expect(partitionPath({ specId: 0, fields }, schema, [1, null])).toBe('a=1/b=null');
    const [first, second] = fields;
    expect(
      partitionPath({ specId: 0, fields: [{ ...first!, transform: parseTransform('void') }, second!] }, schema, [
        null,
        1,
      ]),
    ).toBe('a=null/b=1');
    expect(partitionPath({ specId: 0, fields: [] }, schema, [])).toBe('');
  });

  it('prints values of a column that is gone from the schema', () => {
    const fields = [{ sourceIds: [9], fieldId: 1000, name: 'gone', transform: parseTransform('identity') }];
    expect(partitionPath({ specId: 0, fields }, { kind: 'struct', fields: [] }, ['x'])).toBe('gone=x');
  });
});
