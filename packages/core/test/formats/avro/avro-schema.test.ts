import { describe, expect, it } from 'vitest';
import { parseAvroSchema } from '../../../src/formats/avro/avro-schema.ts';
import { avroName, decimalBytes, fromAvroType, toAvroSchema } from '../../../src/formats/avro/iceberg-schema.ts';
import type { IcebergType, NestedField, PrimitiveType } from '../../../src/spec/types.ts';
import { ORDERED_TYPES } from '../../expr/arbitraries.ts';

const parse = (schema: unknown) => parseAvroSchema(JSON.stringify(schema), 'm.avro');
const field = (id: number, name: string, type: IcebergType, required = false): NestedField => ({
  id,
  name,
  required,
  type,
});

const record = (type: unknown): unknown => ({ type: 'record', name: 'r', fields: [{ name: 'x', type }] });

describe('parsing', () => {
  it('resolves names, in their namespace too', () => {
    const schema = parse({
      type: 'record',
      name: 'outer',
      namespace: 'a.b',
      fields: [
        { name: 'x', type: { type: 'fixed', name: 'f', size: 3 } },
        { name: 'y', type: ['null', 'f'] },
        { name: 'z', type: 'a.b.f' },
        { name: 'e', type: { type: 'enum', name: 'c.e', symbols: ['A'] } },
        { name: 'm', type: { type: 'map', values: 'c.e', 'key-id': 5, 'value-id': 6 } },
      ],
    });
    expect(schema).toMatchObject({
      fields: [
        { type: { kind: 'fixed', size: 3 } },
        { type: { kind: 'union', branches: [{ kind: 'null' }, { kind: 'fixed' }] } },
        { type: { kind: 'fixed' } },
        { type: { kind: 'enum', symbols: ['A'] } },
        { type: { kind: 'map', keyId: 5, valueId: 6, values: { kind: 'enum' } } },
      ],
    });
  });

  it('refuses what no schema is, each with INVALID_DATA', () => {
    const bad: [unknown, RegExp][] = [
      [5, /neither text nor an object/],
      ['nothing', /does not define/],
      [{ type: 'record', name: 'r' }, /without fields/],
      [{ type: 'record', fields: [] }, /without a name/],
      [{ type: 'fixed', name: 'f', size: -1 }, /size -1/],
      [{ type: 'enum', name: 'f' }, /without symbols/],
      [{ type: 'array' }, /neither text nor an object/],
      [record(undefined), /neither text nor an object/],
      [record('r'), /recursive/],
      [{ type: 'record', name: 'r', fields: [5] }, /not an object/],
      [{ type: 'record', name: 'r', fields: [{ type: 'int' }] }, /field without a name/],
      [{ type: 'record', name: 'r', fields: [{ name: 'x', type: 'int', 'field-id': 'one' }] }, /field-id one/],
    ];
    for (const [schema, message] of bad) expect(() => parse(schema)).toThrow(message);
    expect(() => parseAvroSchema('{', 'm.avro')).toThrow(/not JSON/);
  });

  it('refuses a schema that is nested without end', () => {
    const depth = 100_000;
    expect(() => parseAvroSchema(`${'['.repeat(depth)}"int"${']'.repeat(depth)}`, 'm.avro')).toThrow(/deeper than/);
  });

  it('refuses a schema whose references stand for more than anyone can hold', () => {
    /** Records of which each uses the one before so many times. */
    const chain = (length: number, times: number): unknown => {
      const uses = (i: number): unknown[] =>
        Array.from({ length: times }, (_, at) => ({ name: `f${at}`, type: i === 0 ? 'int' : `r${i - 1}` }));
      const fields = Array.from({ length }, (_, i) => ({
        name: `c${i}`,
        type: { type: 'record', name: `r${i}`, fields: uses(i) },
      }));
      return { type: 'record', name: 'all', fields };
    };
    expect(() => parse(chain(60, 2))).toThrow(/more than 1048576 types/);
    expect(() => parse(chain(20_000, 1))).toThrow(/deeper than 100 levels/);
    expect(parse(chain(10, 2))).toMatchObject({ kind: 'record', name: 'all' });
  });
});

describe("Iceberg's types", () => {
  it('are what they were after a detour over Avro', () => {
    const types: readonly PrimitiveType[] = [...ORDERED_TYPES, { kind: 'unknown' }];
    for (const type of types) {
      const schema = parse(toAvroSchema({ kind: 'struct', fields: [field(7, 'x', type)] }, 'r'));
      expect(schema.kind === 'record' && fromAvroType(schema.fields[0]!.type)).toEqual(type);
    }
  });

  it('are written as the specification has them', () => {
    const json = toAvroSchema(
      {
        kind: 'struct',
        fields: [
          field(1, 'a-b', { kind: 'decimal', precision: 9, scale: 2 }, true),
          field(2, 'a_x2Db', { kind: 'decimal', precision: 9, scale: 2 }),
          field(3, 'm', {
            kind: 'map',
            keyId: 12,
            key: { kind: 'int' },
            valueId: 13,
            valueRequired: false,
            value: { kind: 'uuid' },
          }),
          field(4, 'l', { kind: 'list', elementId: 9, elementRequired: true, element: { kind: 'timestamptz' } }),
          field(5, 'v', { kind: 'variant' }, true),
        ],
      },
      'r',
    );
    expect(json).toEqual({
      type: 'record',
      name: 'r',
      fields: [
        {
          name: 'a_x2Db',
          type: { type: 'fixed', name: 'decimal_9_2', size: 4, logicalType: 'decimal', precision: 9, scale: 2 },
          'iceberg-field-name': 'a-b',
          'field-id': 1,
        },
        // The second of a name, in both senses.
        {
          name: 'a_x2Db_2',
          type: [
            'null',
            { type: 'fixed', name: 'decimal_9_2_2', size: 4, logicalType: 'decimal', precision: 9, scale: 2 },
          ],
          default: null,
          'iceberg-field-name': 'a_x2Db',
          'field-id': 2,
        },
        {
          name: 'm',
          type: [
            'null',
            {
              type: 'array',
              logicalType: 'map',
              items: {
                type: 'record',
                name: 'k12_v13',
                fields: [
                  { name: 'key', type: 'int', 'field-id': 12 },
                  {
                    name: 'value',
                    type: ['null', { type: 'fixed', name: 'uuid_fixed', size: 16, logicalType: 'uuid' }],
                    default: null,
                    'field-id': 13,
                  },
                ],
              },
            },
          ],
          default: null,
          'field-id': 3,
        },
        {
          name: 'l',
          type: [
            'null',
            {
              type: 'array',
              items: { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true },
              'element-id': 9,
            },
          ],
          default: null,
          'field-id': 4,
        },
        {
          name: 'v',
          type: {
            type: 'record',
            name: 'r5',
            logicalType: 'variant',
            fields: [
              { name: 'metadata', type: 'bytes' },
              { name: 'value', type: 'bytes' },
            ],
          },
          'field-id': 5,
        },
      ],
    });
  });

  it('have names that Avro allows', () => {
    const names = ['city', '_x', 'a-b', '1st bucket', 'ünï', 'a.b', '😀', 'x9'];
    expect(names.map(avroName)).toEqual([
      'city',
      '_x',
      'a_x2Db',
      '_1st_x20bucket',
      '_xFCn_xEF',
      'a_x2Eb',
      '_xD83D_xDE00',
      'x9',
    ]);
  });

  it('take as many bytes for a decimal as its precision needs', () => {
    const sizes = [1, 2, 3, 4, 5, 9, 10, 18, 19, 38].map(decimalBytes);
    expect(sizes).toEqual([1, 1, 2, 2, 3, 4, 5, 8, 9, 16]);
  });
});
