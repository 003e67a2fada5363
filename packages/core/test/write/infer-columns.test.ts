import * as arrow from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import type { IcebergType } from '../../src/spec/types.ts';
import { Variant } from '../../src/spec/variant.ts';
import { inferSchema } from '../../src/write/infer-columns.ts';
import type { AppendData } from '../../src/write/input.ts';
import { expectError } from '../table/support.ts';

const shape = schema({
  id: t.int(),
  geo: t.struct({ lat: t.double() }),
  tags: t.map(t.string(), t.struct({ a: t.int() })),
});

async function inferred(data: AppendData, formatVersion: 2 | 3 = 2): Promise<Record<string, unknown> | null> {
  const { newColumns } = await inferSchema(data, shape, { formatVersion });
  return newColumns && (plain(newColumns) as Record<string, unknown>);
}

/** Types as text, structs as objects, lists as arrays of one. */
function plain(type: IcebergType): unknown {
  if (type.kind === 'struct') return Object.fromEntries(type.fields.map((field) => [field.name, plain(field.type)]));
  if (type.kind === 'list') return [plain(type.element)];
  return type.kind === 'map' ? { key: plain(type.key), value: plain(type.value) } : typeToText(type);
}

describe('rows', () => {
  test('give a type to each new column, and leave known ones alone', async () => {
    const rows = [
      { id: 1.5, b: true, n: 1, l: 1n, s: 'x', d: new Date(0), u: Uint8Array.of(1), a: [] },
      { id: 'x', a: [null, 'x'], o: { x: 1, y: null } },
      { o: { y: 'z' }, m: new Map([['k', 1n]]), v: Variant.from(1) },
    ];
    expect(await inferred(rows)).toEqual({
      b: 'boolean',
      n: 'double',
      l: 'long',
      s: 'string',
      d: 'timestamptz',
      u: 'binary',
      a: ['string'],
      o: { x: 'double', y: 'string' },
      m: { key: 'string', value: 'long' },
      v: 'variant',
    });
  });

  test('give new fields of known structs, at any depth', async () => {
    expect(await inferred([{ geo: { lat: 1, lon: 2 }, tags: new Map([['k', { a: 1, b: 'x' }]]) }])).toEqual({
      geo: { lon: 'double' },
      tags: { key: 'string', value: { b: 'string' } },
    });
  });

  test('without anything new', async () => {
    expect(await inferred([{ id: 1, geo: null }, {}])).toBeNull();
    expect(await inferred([])).toBeNull();
  });

  test('can not give a type to nothing, or two kinds to one column', async () => {
    await expectError(inferred([{ x: null }]), 'INVALID_ARGUMENT', /'x' has no values.*updateSchema/);
    await expectError(inferred([{ x: [] }]), 'INVALID_ARGUMENT', /'x\.element'/);
    await expectError(
      inferred([{ x: [1] }, { x: 1 }]),
      'INVALID_ARGUMENT',
      /'x' holds values of different kinds: list and double/,
    );
  });

  test('of a stream are all written afterwards', async () => {
    let closed = false;
    const rows = (async function* () {
      try {
        for (let i = 0; i < 3000; i++) yield { id: i, x: 'x' };
      } finally {
        closed = true;
      }
    })();
    const { newColumns, data } = await inferSchema(rows, shape, { formatVersion: 2 });
    expect(plain(newColumns!)).toEqual({ x: 'string' });
    let count = 0;
    for await (const row of data as AsyncIterable<{ id: number }>) expect(row.id).toBe(count++);
    expect([count, closed]).toEqual([3000, true]);
  });
});

test.each<[arrow.DataType, string | null]>([
  [new arrow.Bool(), 'boolean'],
  [new arrow.Int16(), 'int'],
  [new arrow.Uint16(), 'int'],
  [new arrow.Uint32(), 'long'],
  [new arrow.Int64(), 'long'],
  [new arrow.Uint64(), null],
  [new arrow.Float16(), 'float'],
  [new arrow.Float64(), 'double'],
  [new arrow.Decimal(3, 10), 'decimal(10, 3)'],
  [new arrow.DateDay(), 'date'],
  [new arrow.TimeMicrosecond(), 'time'],
  [new arrow.TimestampMillisecond(), 'timestamp'],
  [new arrow.TimestampMicrosecond('Europe/Berlin'), 'timestamptz'],
  [new arrow.TimestampNanosecond('UTC'), 'timestamptz'],
  [new arrow.LargeUtf8(), 'string'],
  [new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()), 'string'],
  [new arrow.Binary(), 'binary'],
  [new arrow.FixedSizeBinary(4), 'fixed[4]'],
])('a new Arrow column of %s', async (type, expected) => {
  const empty = new arrow.Table(new arrow.Schema([new arrow.Field('c', type, true)]));
  if (expected === null) return expectError(inferred(empty), 'INVALID_ARGUMENT', /'c'/);
  expect(await inferred(empty)).toEqual({ c: expected });
});

test('nanoseconds are kept from v3 on', async () => {
  const empty = new arrow.Table(new arrow.Schema([new arrow.Field('c', new arrow.TimestampNanosecond(), true)]));
  expect(await inferred(empty, 3)).toEqual({ c: 'timestamp_ns' });
});
