import { Variant, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake, catalog } = await openWarehouse();

/** What DuckDB's VARIANT doesn't hold. */
const NANOS = Variant.fromNode({ type: 'timestamptz_ns', value: 1_700_000_000_123_456_789n });
const NULL = Variant.from(null);
const DECIMAL = Variant.fromNode({ type: 'decimal8', unscaled: 125n, scale: 2 });

await catalog.createTable('ns.things', {
  schema: schema({ id: t.int(), v: t.variant(), s: t.struct({ n: t.int(), v: t.variant() }), l: t.list(t.variant()) }),
  formatVersion: 3,
});
const things = (await catalog.loadTable('ns.things')) as unknown as Table;
await things.append([
  { id: 1, v: NANOS, s: { n: 1, v: NANOS }, l: [NANOS, null, NULL] },
  { id: 2, v: NULL, s: { n: 2, v: NULL }, l: [] },
  { id: 3, v: null, s: { n: 3, v: null }, l: null },
  { id: 4, v: DECIMAL, s: null, l: [DECIMAL] },
  { id: 5, v: Variant.from({ a: 5 }), s: { n: 5, v: Variant.from({ a: 6 }) }, l: null },
]);

const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await lake.sql(sql)).rows();

/** Variants with their physical types. */
function exact(value: unknown): unknown {
  if (value instanceof Variant) return value.toNode();
  if (Array.isArray(value)) return value.map(exact);
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exact(item)]));
}

const whole = exact(await things.scan().toRows());

test.each([
  'SELECT * FROM ns.things',
  'FROM ns.things ORDER BY id',
  'SELECT t.* FROM ns.things t WHERE id > 0',
  'SELECT id, v, s, l FROM (SELECT * FROM ns.things LIMIT 10)',
  'WITH x AS MATERIALIZED (SELECT * FROM ns.things) SELECT x.* FROM x',
  'SELECT a.* FROM ns.things a JOIN ns.things b USING (id) ORDER BY b.id',
  'SELECT * FROM ns.things WHERE id < 3 UNION ALL SELECT * FROM ns.things WHERE id >= 3',
])('variants that are handed on are exact: %s', async (sql) => {
  const found = await rows(sql);
  expect(exact(found.toSorted((a, b) => (a['id'] as number) - (b['id'] as number)))).toEqual(whole);
});

test('a column of variants is one, in rows and in Arrow', async () => {
  const result = await lake.sql('SELECT v, s FROM ns.things WHERE id = 1');
  expect(result.columns).toEqual([
    { name: 'v', type: 'VARIANT' },
    { name: 's', type: 'STRUCT("n" INTEGER, "v" VARIANT)' },
  ]);
  const value = (await result.arrow()).getChild('v')!.get(0) as { metadata: Uint8Array; value: Uint8Array };
  expect(new Variant(value.metadata, value.value).toNode()).toEqual(NANOS.toNode());
  expect((await lake.sql('SELECT v.a FROM ns.things')).columns).toEqual([{ name: 'a', type: 'VARIANT' }]);
});

test.each([
  ['v IS NULL', [3]],
  ['v IS NOT NULL', [1, 2, 4, 5]],
  ['s.v IS NULL', [3, 4]],
  ['s.v IS NOT NULL AND id > 1', [2, 5]],
  ['NOT (v IS NULL)', [1, 2, 4, 5]],
  ['CASE WHEN v IS NULL THEN 1 ELSE 2 END = 2', [1, 2, 4, 5]],
])('a variant that holds null is not NULL: %s', async (predicate, ids) => {
  expect((await rows(`SELECT id FROM ns.things WHERE ${predicate} ORDER BY id`)).map(({ id }) => id)).toEqual(ids);
});

test('counts', async () => {
  expect(await rows('SELECT count(v) AS v, count(s.v) AS sv, count(l) AS l, count(*) AS n FROM ns.things')).toEqual([
    { v: 4n, sv: 3n, l: 3n, n: 5n },
  ]);
});

test('expressions look into variants', async () => {
  expect(await rows('SELECT id, v.a::INT AS a, s.v.a::INT AS sa FROM ns.things WHERE v.a::INT = 5')).toEqual([
    { id: 5, a: 5, sa: 6 },
  ]);
  expect(await rows("SELECT v['a']::INT AS a, variant_typeof(v) AS type FROM ns.things WHERE id = 5")).toEqual([
    { a: 5, type: 'OBJECT(a)' },
  ]);
  expect(exact(await rows('SELECT v, v.a::INT AS a FROM ns.things WHERE id = 5'))).toEqual([
    { v: Variant.from({ a: 5 }).toNode(), a: 5 },
  ]);
  expect(await rows('SELECT v::VARCHAR AS text, typeof(v) AS type FROM ns.things WHERE id = 4')).toEqual([
    { text: '1.25', type: 'VARIANT' },
  ]);
  expect(await rows('SELECT typeof(v) AS type FROM ns.things WHERE id = 4')).toEqual([{ type: 'VARIANT' }]);
  expect(exact(await rows('SELECT v::VARIANT AS v FROM ns.things WHERE id = 5'))).toEqual([
    { v: Variant.from({ a: 5 }).toNode() },
  ]);
});

test('values are compared, not their bytes', async () => {
  await catalog.createTable('ns.same', { schema: schema({ id: t.int(), v: t.variant() }), formatVersion: 3 });
  const table = await catalog.loadTable('ns.same');
  const value = { type: 'decimal4', unscaled: 50n, scale: 1 } as const;
  await table.append([
    { id: 1, v: Variant.fromNode(value) },
    { id: 2, v: Variant.fromNode({ ...value, type: 'decimal8' }) },
  ]);
  expect(await rows('SELECT count(DISTINCT v) AS n FROM ns.same')).toEqual([{ n: 1n }]);
  expect(await rows('SELECT DISTINCT v FROM ns.same')).toHaveLength(1);
  expect(await rows('SELECT v, count(*) AS n FROM ns.same GROUP BY v')).toMatchObject([{ n: 2n }]);
  expect(await rows('SELECT v FROM ns.same UNION SELECT v FROM ns.same')).toHaveLength(1);
  expect(await rows('SELECT v FROM ns.same WHERE id = 1 EXCEPT SELECT v FROM ns.same WHERE id = 2')).toEqual([]);
  expect(await rows('SELECT a.id FROM ns.same a JOIN ns.same b ON a.v = b.v')).toHaveLength(4);
  expect(await rows('SELECT id FROM ns.same WHERE v = (SELECT v FROM ns.same WHERE id = 2)')).toHaveLength(2);
});

test('a table of the session has VARIANT columns', async () => {
  await lake.sql('CREATE TEMP TABLE mine AS SELECT id, v FROM ns.things WHERE id = 5');
  expect(await rows('SELECT v.a::INT AS a FROM mine')).toEqual([{ a: 5 }]);
  expect(await rows('SELECT id, v FROM mine UNION ALL SELECT id, v FROM ns.things')).toHaveLength(6);
  await lake.sql('INSERT INTO mine SELECT id, v FROM ns.things WHERE id = 4');
  expect(await rows('SELECT v::VARCHAR AS v FROM mine ORDER BY id')).toMatchObject([{ v: '1.25' }, {}]);
  expect((await rows('DESCRIBE ns.things')).map((row) => row['column_type'])).toEqual([
    'INTEGER',
    'VARIANT',
    'STRUCT(n INTEGER, v VARIANT)',
    'VARIANT[]',
  ]);
});

test('columns of variants that nobody reads are not read', async () => {
  expect(await rows('SELECT id, s.n AS n FROM ns.things WHERE id = 5')).toEqual([{ id: 5, n: 5 }]);
  expect(await rows('SELECT count(*) AS n FROM ns.things')).toEqual([{ n: 5n }]);
});
