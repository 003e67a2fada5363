import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringifyJson } from '../../src/spec/json.ts';
import { parseTableMetadata, serializeTableMetadata, tableMetadataToJson } from '../../src/spec/table-metadata-json.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import { tableMetadata } from './arbitraries.ts';
import { codeOf } from './code-of.ts';

const bytesOf = (json: unknown): Uint8Array =>
  new TextEncoder().encode(typeof json === 'string' ? json : stringifyJson(json));
const count = (value: string): number => value.split('12345678901234567890').length - 1;
const parse = (json: unknown): TableMetadata => parseTableMetadata(bytesOf(json), 's3://b/t/metadata/v1.metadata.json');

const COLUMNS = [
  { id: 1, name: 'x', required: true, type: 'long' },
  { id: 2, name: 'y', required: true, type: 'long', doc: 'comment' },
  { id: 3, name: 'z', required: true, type: 'decimal(9,2)' },
];

const V2 = {
  'format-version': 2,
  'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
  location: 's3://bucket/test/location',
  'last-sequence-number': 34,
  'last-updated-ms': 1602638573590,
  'last-column-id': 3,
  'current-schema-id': 1,
  schemas: [
    { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'x', required: true, type: 'long' }] },
    {
      type: 'struct',
      'schema-id': 1,
      'identifier-field-ids': [1, 2],
      fields: COLUMNS,
    },
  ],
  'default-spec-id': 0,
  'partition-specs': [
    { 'spec-id': 0, fields: [{ name: 'x', transform: 'identity', 'source-id': 1, 'field-id': 1000 }] },
  ],
  'last-partition-id': 1000,
  'default-sort-order-id': 3,
  'sort-orders': [
    {
      'order-id': 3,
      fields: [{ transform: 'bucket[4]', 'source-id': 3, direction: 'desc', 'null-order': 'nulls-last' }],
    },
  ],
  properties: { 'read.split.target.size': '134217728' },
  'current-snapshot-id': 3055729675574597004n,
  snapshots: [
    {
      'snapshot-id': 3051729675574597004n,
      'timestamp-ms': 1515100955770,
      'sequence-number': 0,
      summary: { operation: 'append' },
      'manifest-list': 's3://a/b/1.avro',
    },
    {
      'snapshot-id': 3055729675574597004n,
      'parent-snapshot-id': 3051729675574597004n,
      'timestamp-ms': 1555100955770,
      'sequence-number': 1,
      summary: { operation: 'append' },
      'manifest-list': 's3://a/b/2.avro',
      'schema-id': 1,
    },
  ],
  'snapshot-log': [
    { 'snapshot-id': 3051729675574597004n, 'timestamp-ms': 1515100955770 },
    { 'snapshot-id': 3055729675574597004n, 'timestamp-ms': 1555100955770 },
  ],
  'metadata-log': [],
};

const V1 = {
  'format-version': 1,
  location: 's3://bucket/test/location',
  'last-updated-ms': 1602638573874,
  'last-column-id': 3,
  schema: {
    type: 'struct',
    fields: [
      { id: 1, name: 'x', required: true, type: 'long' },
      { id: 2, name: 'y', required: true, type: 'long' },
      { id: 3, name: 'z', required: true, type: 'long' },
    ],
  },
  'partition-spec': [
    { name: 'x', transform: 'identity', 'source-id': 1 },
    { name: 'y_bucket', transform: 'bucket[4]', 'source-id': 2 },
  ],
  properties: {},
  'current-snapshot-id': -1,
  snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1515100955770, manifests: ['s3://a/m0.avro', 's3://a/m1.avro'] }],
};

describe('round trips', () => {
  it('gives back any metadata', () => {
    fc.assert(
      fc.property(tableMetadata, (metadata) => {
        expect(parseTableMetadata(serializeTableMetadata(metadata), 'x')).toEqual(metadata);
      }),
      { numRuns: 150 },
    );
  });

  it('writes each version of a list in full, whatever of it was written before', () => {
    const items = Array.from({ length: 6 }, (_, i) => ({ timestampMs: i, snapshotId: BigInt(i) }));
    const lists = fc.array(fc.subarray(items), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(tableMetadata, lists, (metadata, versions) => {
        for (const snapshotLog of versions) {
          const version = { ...metadata, snapshotLog };
          const json = stringifyJson(tableMetadataToJson(version));
          expect(new TextDecoder().decode(serializeTableMetadata(version))).toBe(json);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('reads gzip by content, whatever the name', () => {
    const metadata = parse(V2);
    expect(parseTableMetadata(gzipSync(serializeTableMetadata(metadata)), 'v1.metadata.json')).toEqual(metadata);
  });

  it('keeps 64-bit ids exact', () => {
    const written = new TextDecoder().decode(serializeTableMetadata(parse(V2)));
    expect(written).toContain('"current-snapshot-id":3055729675574597004');
    expect(parse(V2).snapshots[1]?.parentSnapshotId).toBe(3051729675574597004n);
  });

  it('carries fields that it does not know, at every level', () => {
    const extra = { 'x-new': [1, { deep: 12345678901234567890n }], 'x-number': 2 };
    const nested = {
      type: 'struct',
      fields: [{ id: 5, name: 'in', required: false, type: 'int', ...extra }],
      ...extra,
    };
    const json = {
      ...V2,
      'last-column-id': 9,
      ...extra,
      schemas: [
        {
          ...V2.schemas[1],
          fields: [
            ...COLUMNS.map((field) => ({ ...field, ...extra })),
            { id: 4, name: 's', required: false, type: nested },
            {
              id: 6,
              name: 'l',
              required: false,
              type: { type: 'list', 'element-id': 7, element: 'int', 'element-required': true, ...extra },
            },
          ],
          ...extra,
        },
      ],
      'partition-specs': V2['partition-specs'].map((spec) => ({
        ...spec,
        fields: spec.fields.map((f) => ({ ...f, ...extra })),
        ...extra,
      })),
      'sort-orders': V2['sort-orders'].map((order) => ({
        ...order,
        fields: order.fields.map((f) => ({ ...f, ...extra })),
        ...extra,
      })),
      snapshots: V2.snapshots.map((snapshot) => ({ ...snapshot, ...extra })),
      'snapshot-log': V2['snapshot-log'].map((entry) => ({ ...entry, ...extra })),
      'metadata-log': [{ 'timestamp-ms': 1, 'metadata-file': 'a', ...extra }],
      refs: { main: { 'snapshot-id': 3055729675574597004n, type: 'branch', ...extra } },
      statistics: [
        {
          'snapshot-id': 1,
          'statistics-path': 'p',
          'file-size-in-bytes': 1,
          'file-footer-size-in-bytes': 1,
          'blob-metadata': [{ type: 't', 'snapshot-id': 1, 'sequence-number': 1, fields: [1], ...extra }],
          ...extra,
        },
      ],
      'partition-statistics': [{ 'snapshot-id': 1, 'statistics-path': 'p', 'file-size-in-bytes': 1, ...extra }],
      'encryption-keys': [{ 'key-id': 'k', 'encrypted-key-metadata': 'aWNl', ...extra }],
    };
    const written = new TextDecoder().decode(serializeTableMetadata(parse(json)));
    expect(count(written)).toBe(count(stringifyJson(json)));
    expect(count(written)).toBe(22);
  });
});

describe('v1', () => {
  it('reads the single schema and spec, and numbers the partition fields', () => {
    const metadata = parse(V1);
    expect(metadata.schemas).toHaveLength(1);
    expect(metadata.schemas[0]?.schemaId).toBe(0);
    expect(metadata.partitionSpecs[0]?.fields.map((field) => field.fieldId)).toEqual([1000, 1001]);
    expect(metadata.lastPartitionId).toBe(1001);
    expect(metadata.sortOrders).toEqual([{ orderId: 0, fields: [] }]);
    expect(metadata.currentSnapshotId).toBeNull();
    expect(metadata.refs).toEqual({});
    expect(metadata.lastSequenceNumber).toBe(0n);
    expect(metadata.snapshots[0]).toMatchObject({
      manifestList: null,
      manifests: ['s3://a/m0.avro', 's3://a/m1.avro'],
    });
  });

  it('makes up the same UUID at every load, another one for another table', () => {
    const uuid = parse(V1).tableUuid;
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parse({ ...V1, 'last-updated-ms': 5 }).tableUuid).toBe(uuid);
    expect(parse({ ...V1, location: 's3://other' }).tableUuid).not.toBe(uuid);
  });

  it('writes what old readers look for', () => {
    const json = tableMetadataToJson(parse(V1));
    expect(json['schema']).toMatchObject({ type: 'struct', 'schema-id': 0 });
    expect(json['partition-spec']).toMatchObject([{ 'field-id': 1000 }, { 'field-id': 1001 }]);
    expect(json['current-snapshot-id']).toBe(-1);
    expect(json['snapshots']).toMatchObject([{ manifests: ['s3://a/m0.avro', 's3://a/m1.avro'] }]);
    expect(json).not.toHaveProperty('last-sequence-number');
    expect(json).not.toHaveProperty('next-row-id');
  });

  it('does not guess what is current in lists', () => {
    const { schema, ...rest } = V1;
    expect(() => parse({ ...rest, schemas: [{ ...schema, 'schema-id': 0 }] })).toThrow(/current-schema-id/);
  });
});

describe('current snapshot and refs', () => {
  it('makes the main branch where refs are missing or leave it out', () => {
    const main = { snapshotId: 3055729675574597004n, type: 'branch' };
    expect(parse(V2).refs).toMatchObject({ main });
    const tagged = parse({
      ...V2,
      refs: { old: { 'snapshot-id': 3051729675574597004n, type: 'tag', 'max-ref-age-ms': 9223372036854775807n } },
    });
    expect(tagged.refs).toMatchObject({ main, old: { type: 'tag', maxRefAgeMs: Number.MAX_SAFE_INTEGER } });
  });

  it.each([[-1], [null], [undefined]])('takes %s for none', (none) => {
    expect(parse({ ...V2, 'current-snapshot-id': none }).currentSnapshotId).toBeNull();
  });

  it('writes null for none since v3', () => {
    const json = { ...V2, 'format-version': 3, 'next-row-id': 0, 'current-snapshot-id': null };
    expect(tableMetadataToJson(parse(json))['current-snapshot-id']).toBeNull();
    expect(tableMetadataToJson(parse({ ...V2, 'current-snapshot-id': null }))['current-snapshot-id']).toBe(-1);
  });
});

describe('leniency that other writers need', () => {
  it('keeps an operation that the spec does not name', () => {
    const snapshots = [{ ...V2.snapshots[0], summary: { operation: 'merge-into', k: 'v' } }];
    const metadata = parse({ ...V2, snapshots, 'current-snapshot-id': -1, 'snapshot-log': [] });
    expect(metadata.snapshots[0]?.operation).toBeNull();
    expect(tableMetadataToJson(metadata)['snapshots']).toMatchObject([
      { summary: { operation: 'merge-into', k: 'v' } },
    ]);
  });

  it('strips slashes from the end of the location', () => {
    expect(parse({ ...V2, location: 's3://bucket/table//' }).location).toBe('s3://bucket/table');
    expect(parse({ ...V2, location: '/' }).location).toBe('/');
    expect(parse({ ...V2, location: 's3://' }).location).toBe('s3://');
  });

  it('never gives out a partition field id again', () => {
    expect(parse({ ...V2, 'last-partition-id': 999 }).lastPartitionId).toBe(1000);
  });

  it('adds the unsorted order where it is current and not listed', () => {
    expect(parse({ ...V2, 'default-sort-order-id': 0 }).sortOrders.map((order) => order.orderId)).toEqual([0, 3]);
  });

  it('keeps unknown transforms and multi-argument ones', () => {
    const fields = [
      { name: 'h', transform: 'hilbert[3]', 'source-id': 1, 'field-id': 1000 },
      { name: 'z', transform: 'zorder', 'source-ids': [1, 2], 'field-id': 1001 },
    ];
    const metadata = parse({ ...V2, 'partition-specs': [{ 'spec-id': 0, fields }] });
    expect(metadata.partitionSpecs[0]?.fields[0]?.transform).toEqual({ kind: 'unknown', text: 'hilbert[3]' });
    expect(tableMetadataToJson(metadata)['partition-specs']).toEqual([{ 'spec-id': 0, fields }]);
  });
});

describe('bad input', () => {
  const without = (key: string): unknown => Object.fromEntries(Object.entries(V2).filter(([name]) => name !== key));
  const field = (changes: object): unknown => ({
    ...V2,
    schemas: [{ ...V2.schemas[1], fields: [...COLUMNS.slice(1), { ...COLUMNS[0], ...changes }] }],
  });

  it.each<[string, unknown, string]>([
    ['no bytes', '', 'end of the text'],
    ['text that ends early', stringifyJson(V2).slice(0, 700), 'not valid JSON'],
    ['an array', [1, 2], 'JSON object'],
    ['a number', 5, 'JSON object'],
    ['no version', without('format-version'), "'format-version'"],
    ['a version as text', { ...V2, 'format-version': 'two' }, 'format-version'],
    ['version 0', { ...V2, 'format-version': 0 }, 'format version 0'],
    ['no uuid', without('table-uuid'), "'table-uuid'"],
    ['no location', without('location'), "'location'"],
    ['no schemas', without('schemas'), "'schemas'"],
    ['no sequence number', without('last-sequence-number'), "'last-sequence-number'"],
    ['an unknown current schema', { ...V2, 'current-schema-id': 77 }, 'schema-id 77'],
    ['an unknown default spec', { ...V2, 'default-spec-id': 5 }, 'spec-id 5'],
    ['an unknown default order', { ...V2, 'default-sort-order-id': 5 }, 'order-id 5'],
    ['two schemas of one id', { ...V2, schemas: [V2.schemas[1], V2.schemas[1]] }, 'twice'],
    ['a bad type', field({ type: 'strnig' }), 'schemas[0].fields[2].type'],
    ['a nested type that is none', field({ type: { type: 'set' } }), "'struct', 'list' or 'map'"],
    ['one id for two columns', field({ id: 2 }), 'field id 2'],
    ['one name for two columns', field({ name: 'y' }), "'y'"],
    ['an id that is no number', field({ id: '1' }), 'fields[2].id'],
    ['a default of another type', field({ 'write-default': 'x' }), 'write-default'],
    ['a column id above the last', { ...V2, 'last-column-id': 2 }, 'last-column-id'],
    ['snapshots as text', { ...V2, snapshots: 'none' }, 'snapshots must be a list'],
    ['one snapshot twice', { ...V2, snapshots: [...V2.snapshots, V2.snapshots[0]] }, 'twice'],
    ['a fraction of an id', { ...V2, 'current-snapshot-id': 1.5 }, 'current-snapshot-id'],
    ['an id beyond 64 bits', { ...V2, 'current-snapshot-id': 1n << 63n }, 'current-snapshot-id'],
    ['an unknown current snapshot', { ...V2, 'current-snapshot-id': 12 }, 'snapshot 12'],
    ['a ref to nowhere', { ...V2, refs: { b: { 'snapshot-id': 1, type: 'tag' } } }, "'b'"],
    ['main elsewhere', { ...V2, refs: { main: { 'snapshot-id': 3051729675574597004n, type: 'branch' } } }, "'main'"],
    ['main as a tag', { ...V2, refs: { main: { 'snapshot-id': 3055729675574597004n, type: 'tag' } } }, "'main'"],
    ['a sequence number above the last', { ...V2, 'last-sequence-number': 0 }, 'sequence number 1'],
    ['no manifest list', { ...V2, snapshots: [{ ...V2.snapshots[1], 'manifest-list': null }] }, 'manifest-list'],
    ['a property that is no text', { ...V2, properties: { a: 1 } }, 'properties.a'],
    [
      'a bucket of none',
      { ...V2, 'partition-specs': [{ 'spec-id': 0, fields: [{ name: 'x', transform: 'bucket[0]', 'source-id': 1 }] }] },
      'bucket[0]',
    ],
    ['nothing but depth', '['.repeat(200_000), 'levels deep'],
    [
      'depth in an unknown field',
      { ...V2, 'x-deep': Array.from({ length: 450 }).reduce((inner: unknown) => [[inner]], 1) },
      'levels deep',
    ],
  ])('refuses %s', (_, json, message) => {
    const text = typeof json === 'string' ? json : shallowText(json);
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        message: expect.stringContaining(message),
        context: { location: 's3://b/t/metadata/v1.metadata.json' },
      }),
    );
  });

  it('tells a table of the future from a broken one', () => {
    expect(() => parse({ ...V2, 'format-version': 4 })).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  it('refuses broken gzip and text', () => {
    const zipped = gzipSync(bytesOf(V2));
    expect(() => parseTableMetadata(zipped.subarray(0, 200), 'x')).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA' }),
    );
    const invalid = bytesOf(V2).map((byte) => (byte === 0x63 ? 0xff : byte));
    expect(() => parseTableMetadata(invalid, 'x')).toThrow(/UTF-8/);
  });

  it('never fails in another way, whatever is broken', () => {
    const whole = bytesOf(V2);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const broken = cut ? whole.slice(0, at) : whole.with(at, byte);
        expect(codeOf(() => parseTableMetadata(broken, 'x'))).toBeOneOf([null, 'INVALID_DATA', 'UNSUPPORTED']);
      }),
      { numRuns: 500 },
    );
  });

  it('never fails in another way, whatever JSON is in a place', () => {
    const keys = Object.keys(V2) as (keyof typeof V2)[];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        expect(codeOf(() => parse({ ...V2, [key]: value }))).toBeOneOf([null, 'INVALID_DATA', 'UNSUPPORTED']);
      }),
      { numRuns: 300 },
    );
  });

  it('is not written either', () => {
    const metadata = parse(V2);
    expect(() => serializeTableMetadata({ ...metadata, currentSchemaId: 9 })).toThrow(/schema-id 9/);
  });
});

/** JSON text of values that are nested deeper than the writer allows. */
function shallowText(json: unknown): string {
  return JSON.stringify(json, (_, value: unknown) =>
    typeof value === 'bigint' ? `bigint:${value}` : value,
  ).replaceAll(/"bigint:(\d+)"/g, '$1');
}

describe('speed', () => {
  it('reads 50,000 snapshots quickly', () => {
    const summary = { operation: 'append', 'added-data-files': '4', 'total-records': '100000', 'engine-name': 'spark' };
    const snapshots = Array.from({ length: 50_000 }, (_, i) => ({
      ...V2.snapshots[1],
      'snapshot-id': 3055729675574597004n + BigInt(i),
      summary,
      'manifest-list': `s3://bucket/warehouse/table/metadata/snap-${i}.avro`,
    }));
    const bytes = bytesOf({ ...V2, snapshots, 'current-snapshot-id': 3055729675574597004n });
    const before = process.cpuUsage();
    expect(parseTableMetadata(bytes, 'x').snapshots).toHaveLength(50_000);
    const { user, system } = process.cpuUsage(before);
    // Microseconds of processor time, which a busy machine stretches little.
    expect(user + system).toBeLessThan(2_500_000);
  });
});
