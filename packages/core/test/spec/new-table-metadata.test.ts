import { describe, expect, it } from 'vitest';
import { currentSchema, currentSortOrder, currentSpec } from '../../src/spec/metadata-accessors.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import type { NewTable } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { schemaFromJson } from '../../src/spec/schema-json.ts';
import { parseTableMetadata, serializeTableMetadata } from '../../src/spec/table-metadata-json.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';

const shape = schema(
  {
    id: t.long().required(),
    ts: t.timestamptz(),
    city: t.string(),
    amount: t.decimal(10, 2),
    d: t.double(),
    s: t.struct({ day: t.date() }),
    tags: t.list(t.string()),
    v: t.map(t.string(), t.int()),
  },
  { identifier: ['id'] },
);

const create = (changes: Partial<NewTable> = {}): TableMetadata =>
  newTableMetadata({ schema: shape, location: 's3://b/t', uuid: 'u', nowMs: 5, ...changes });

describe('newTableMetadata', () => {
  it('is an empty table that can be written and read', () => {
    const metadata = create();
    expect(metadata).toMatchObject({
      formatVersion: 2,
      tableUuid: 'u',
      location: 's3://b/t',
      lastUpdatedMs: 5,
      lastSequenceNumber: 0n,
      lastColumnId: 12,
      lastPartitionId: 999,
      currentSnapshotId: null,
      snapshots: [],
      refs: {},
      sortOrders: [{ orderId: 0, fields: [] }],
    });
    expect(parseTableMetadata(serializeTableMetadata(metadata), 'x')).toEqual(metadata);
  });

  it('names and numbers partition fields as Java does', () => {
    const metadata = create({
      partitionBy: [
        partitionBy.day('ts'),
        partitionBy.bucket(16, 'id'),
        partitionBy.truncate(4, 'city'),
        partitionBy.identity('city'),
        partitionBy.month('s.day'),
        partitionBy.void('d'),
        partitionBy.identity('amount', { name: 'how_much' }),
      ],
    });
    expect(currentSpec(metadata).fields.map((field) => [field.name, field.fieldId])).toEqual([
      ['ts_day', 1000],
      ['id_bucket', 1001],
      ['city_trunc', 1002],
      ['city', 1003],
      ['s.day_month', 1004],
      ['d_null', 1005],
      ['how_much', 1006],
    ]);
    expect(metadata.lastPartitionId).toBe(1006);
  });

  it('sorts with the defaults of the spec', () => {
    const metadata = create({
      sortBy: [
        'id',
        { field: 'ts', direction: 'desc' },
        { field: 'city', nulls: 'last' },
        { field: 'id', transform: { kind: 'bucket', buckets: 4 } },
      ],
    });
    expect(currentSortOrder(metadata)).toMatchObject({
      orderId: 1,
      fields: [
        { sourceIds: [1], direction: 'asc', nullOrder: 'nulls-first' },
        { sourceIds: [2], direction: 'desc', nullOrder: 'nulls-last' },
        { sourceIds: [3], direction: 'asc', nullOrder: 'nulls-last' },
        { sourceIds: [1], transform: { kind: 'bucket', buckets: 4 } },
      ],
    });
  });

  it('gives fields new ids, whatever they had', () => {
    const given = schemaFromJson({
      type: 'struct',
      'schema-id': 7,
      'identifier-field-ids': [50],
      fields: [
        {
          id: 40,
          name: 'a',
          required: false,
          type: { type: 'list', 'element-id': 41, element: 'int', 'element-required': false },
        },
        { id: 50, name: 'b', required: true, type: 'int' },
      ],
    });
    const metadata = create({ schema: given, partitionBy: [partitionBy.identity('b')] });
    expect(currentSchema(metadata)).toMatchObject({
      schemaId: 0,
      identifierFieldIds: [2],
      fields: [{ id: 1, type: { elementId: 3 } }, { id: 2 }],
    });
    expect(currentSpec(metadata).fields[0]?.sourceIds).toEqual([2]);
  });

  it('takes the format version as an option or as the property others use', () => {
    expect(create({ formatVersion: 3 }).formatVersion).toBe(3);
    expect(create({ properties: { 'format-version': '1', a: 'b' } })).toMatchObject({
      formatVersion: 1,
      properties: { a: 'b' },
    });
  });

  it.each<[string, Partial<NewTable>, string]>([
    ['an unknown partition column', { partitionBy: [partitionBy.day('tz')] }, "no column 'tz'"],
    ['a transform of the wrong type', { partitionBy: [partitionBy.day('city')] }, "doesn't take string"],
    ['a bucket of doubles', { partitionBy: [partitionBy.bucket(4, 'd')] }, "doesn't take double"],
    ['a column inside a list', { partitionBy: [partitionBy.identity('tags.element')] }, 'inside the list'],
    ['a column inside a map', { partitionBy: [partitionBy.identity('v.value')] }, 'inside the map'],
    ['a struct', { partitionBy: [partitionBy.identity('s')] }, "doesn't take struct"],
    [
      'two fields of a name',
      { partitionBy: [partitionBy.day('ts'), partitionBy.bucket(2, 'id', { name: 'ts_day' })] },
      "'ts_day'",
    ],
    ['two time fields of a column', { partitionBy: [partitionBy.day('ts'), partitionBy.hour('ts')] }, 'redundant'],
    [
      'a field called like another column',
      { partitionBy: [partitionBy.day('ts', { name: 'id' })] },
      'would hide the column',
    ],
    [
      'an unknown transform',
      { partitionBy: [{ column: 'id', transform: { kind: 'unknown', text: 'zorder' } }] },
      "isn't known",
    ],
    ['an unknown sort column', { sortBy: ['x'] }, "no column 'x'"],
    ['a column sorted twice', { sortBy: ['id', { field: 'id', direction: 'desc' }] }, 'twice'],
    ['a sort direction', { sortBy: [{ field: 'id', direction: 'up' as 'asc' }] }, "'up'"],
    ['version 4', { formatVersion: 4 as 3 }, '1, 2 or 3'],
    ['two versions', { formatVersion: 2, properties: { 'format-version': '3' } }, 'given twice'],
    ['a type that v2 lacks', { schema: schema({ x: t.timestamp_ns() }) }, 'format version 3'],
    ['a default that v2 lacks', { schema: schema({ x: t.int().default(1) }) }, 'format version 3'],
    ['a bad property', { properties: { 'write.target-file-size-bytes': 'big' } }, 'write.target-file-size-bytes'],
    ['a reserved property', { properties: { uuid: 'x' } }, "'uuid' is not a property"],
    ['a property that is no text', { properties: { a: 5 as never } }, "'a' must be a string"],
    ['no location', { location: '' }, 'location'],
  ])('refuses %s', (_, changes, message) => {
    expect(() => create(changes)).toThrow(expect.objectContaining({ message: expect.stringContaining(message) }));
  });

  it.each([0, -1, 1.5, 2 ** 31])('has no %d buckets', (buckets) => {
    expect(() => partitionBy.bucket(buckets, 'id')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => partitionBy.truncate(buckets, 'id')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
