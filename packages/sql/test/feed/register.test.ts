import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { schema, t } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

test('Arrow data joins tables of the catalog', async () => {
  const events = await catalog.createTable('ns.events', {
    schema: schema({ id: t.long().required(), city: t.string() }),
  });
  await events.append([
    { id: 1n, city: 'Seoul' },
    { id: 2n, city: 'Busan' },
  ]);
  lake.register(
    'Clicks',
    arrow.tableFromArrays({ id: BigInt64Array.of(1n, 1n, 2n, 3n), n: Int32Array.of(1, 2, 3, 4) }),
  );
  const result = await lake.sql(
    'SELECT e.city, sum(c.n) AS n FROM ns.events e JOIN clicks c USING (id) WHERE e.id = 1 GROUP BY 1',
  );
  expect(await result.rows()).toEqual([{ city: 'Seoul', n: 3n }]);
  expect(result.scans.map((scan) => scan.table)).toEqual(['ns.events']);
});

test('a table under a name of the session', async () => {
  lake.register('mine', await catalog.loadTable('ns.events'));
  const result = await lake.sql('SELECT mine.id FROM mine WHERE id = 2');
  expect(await result.rows()).toEqual([{ id: 2n }]);
  expect(result.scans[0]!.predicate).toBe('id = 2');
  expect(lake.unregister('MINE')).toBe(true);
  expect((await rejection(lake.sql('FROM mine'))).code).toBe('NOT_FOUND');
});

test('only what is a table can be registered', async () => {
  expect(() => lake.register('x', [] as never)).toThrow(/neither/);
  expect(() => lake.register('', new arrow.Table())).toThrow(/name/);
});

test('every Arrow type arrives exactly', async () => {
  const micros = new arrow.TimestampMicrosecond();
  const table = new arrow.Table({
    b: arrow.vectorFromArray([true, null, false], new arrow.Bool()),
    i8: arrow.vectorFromArray([-128, null, 127], new arrow.Int8()),
    u16: arrow.vectorFromArray([0, null, 65_535], new arrow.Uint16()),
    u64: arrow.vectorFromArray([0n, null, 18_446_744_073_709_551_615n], new arrow.Uint64()),
    f32: arrow.vectorFromArray([1.5, null, -0], new arrow.Float32()),
    s: arrow.vectorFromArray(['', null, 'é😀 long enough to be on the heap'], new arrow.Utf8()),
    d: arrow.vectorFromArray(['x', null, 'x'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    bin: arrow.vectorFromArray([Uint8Array.of(0), null, new Uint8Array(20).fill(255)], new arrow.Binary()),
    ts: arrow.makeVector(
      arrow.makeData({
        type: micros,
        data: BigInt64Array.of(0n, 5n, -1n),
        nullBitmap: Uint8Array.of(0b101),
        nullCount: 1,
      }),
    ),
    l: arrow.vectorFromArray(
      [[1, null], null, []],
      new arrow.List(new arrow.Field('element', new arrow.Int32(), true)),
    ),
    st: arrow.vectorFromArray(
      [{ a: 1, b: 'x' }, null, { a: null, b: null }],
      new arrow.Struct([new arrow.Field('a', new arrow.Int32(), true), new arrow.Field('b', new arrow.Utf8(), true)]),
    ),
    date: arrow.makeVector(arrow.makeData({ type: new arrow.DateDay(), data: Int32Array.of(-1, 0, 19_000) })),
    dec: arrow.makeVector(
      arrow.makeData({
        type: new arrow.Decimal(2, 10, 128),
        data: new Uint32Array(new Int32Array([-150, -1, -1, -1, 0, 0, 0, 0, 12_345, 0, 0, 0]).buffer),
      }),
    ),
    uuidish: arrow.makeVector(
      arrow.makeData({ type: new arrow.FixedSizeBinary(2), data: Uint8Array.of(1, 2, 3, 4, 5, 6) }),
    ),
  });
  lake.register('types', table);
  const column = async (name: string): Promise<unknown[]> =>
    (await rows(`SELECT "${name}" AS v FROM types`)).map((row) => row['v']);
  expect(await column('b')).toEqual([true, null, false]);
  expect(await column('i8')).toEqual([-128, null, 127]);
  expect(await column('u16')).toEqual([0, null, 65_535]);
  expect(await column('u64')).toEqual([0n, null, 18_446_744_073_709_551_615n]);
  expect(await column('f32')).toEqual([1.5, null, -0]);
  expect(await column('s')).toEqual(['', null, 'é😀 long enough to be on the heap']);
  expect(await column('d')).toEqual(['x', null, 'x']);
  expect(await column('bin')).toEqual([Uint8Array.of(0), null, new Uint8Array(20).fill(255)]);
  expect(await column('ts')).toEqual(['1970-01-01T00:00:00.000000', null, '1969-12-31T23:59:59.999999']);
  expect(await column('l')).toEqual([[1, null], null, []]);
  expect(await column('st')).toEqual([{ a: 1, b: 'x' }, null, { a: null, b: null }]);
  expect(await column('date')).toEqual(['1969-12-31', '1970-01-01', '2022-01-08']);
  expect(await column('dec')).toEqual(['-1.50', '0.00', '123.45']);
  expect(await column('uuidish')).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5, 6)]);
  expect(await rows('SELECT count(*) AS n FROM types')).toEqual([{ n: 3n }]);
});

test('random nested data in batches of any size makes the round trip', async () => {
  const row = fc.record({
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    s: fc.option(fc.string({ maxLength: 30, unit: 'grapheme' })),
    l: fc.option(fc.array(fc.option(fc.string({ maxLength: 20 })), { maxLength: 4 })),
    st: fc.option(fc.record({ x: fc.option(fc.double()), l: fc.option(fc.array(fc.integer(), { maxLength: 3 })) })),
  });
  const type = new arrow.Struct([
    new arrow.Field('id', new arrow.Int64(), true),
    new arrow.Field('s', new arrow.Utf8(), true),
    new arrow.Field('l', new arrow.List(new arrow.Field('element', new arrow.Utf8(), true)), true),
    new arrow.Field(
      'st',
      new arrow.Struct([
        new arrow.Field('x', new arrow.Float64(), true),
        new arrow.Field('l', new arrow.List(new arrow.Field('element', new arrow.Int32(), true)), true),
      ]),
      true,
    ),
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      async (batches) => {
        const fields = new arrow.Schema(type.children);
        lake.register(
          'random',
          new arrow.Table(
            fields,
            batches.map((batch) => new arrow.RecordBatch(fields, arrow.vectorFromArray(batch, type).data[0])),
          ),
        );
        expect(await rows('FROM random')).toEqual(batches.flat());
      },
    ),
    { numRuns: 40 },
  );
});

test('more rows than a chunk has, with nested values', async () => {
  const count = 10_000;
  const values = Array.from({ length: count }, (_, i) =>
    i % 3 === 0 ? null : { k: `key ${i} that is long enough`, l: Array.from({ length: i % 4 }, (__, j) => j) },
  );
  const type = new arrow.Struct([
    new arrow.Field('k', new arrow.Utf8(), true),
    new arrow.Field('l', new arrow.List(new arrow.Field('element', new arrow.Int32(), true)), true),
  ]);
  lake.register(
    'long',
    new arrow.Table({
      v: arrow.vectorFromArray(values, type),
      w: arrow.vectorFromArray(
        values.map((_, i) => (i === 77 ? Array.from({ length: 9000 }, (__, j) => j) : [i])),
        new arrow.List(new arrow.Field('element', new arrow.Int32(), true)),
      ),
    }),
  );
  const got = await rows('SELECT v, w FROM long');
  expect(got.map((row) => row['v'])).toEqual(values);
  expect((got[77]!['w'] as number[]).length).toBe(9000);
});
