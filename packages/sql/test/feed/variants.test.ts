import { MemoryCatalog, MemoryFileIO, Variant, schema, t } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake } = await openWarehouse();

// Nothing in memory can be read by DuckDB itself, so that the rows are handed to it.
const catalog = new MemoryCatalog({ io: new MemoryFileIO() });
await catalog.createNamespace('ns');

const variant = (value: unknown): Variant => Variant.from(value);

test('variants that core has read are variants in DuckDB', async () => {
  const table = await catalog.createTable('ns.variants', {
    schema: schema({
      id: t.int(),
      v: t.variant(),
      s: t.struct({ n: t.int(), v: t.variant() }),
      l: t.list(t.variant()),
      m: t.map(t.string(), t.variant()),
    }),
    formatVersion: 3,
  });
  await table.append([
    {
      id: 1,
      v: variant({ a: 1, b: ['x', null, true], c: 'a text that is longer than what fits in place' }),
      s: { n: 1, v: variant(1.5) },
      l: [variant('x'), null, variant(7)],
      m: new Map([['k', variant({ z: 'deep' })]]),
    },
    { id: 2, v: null, s: null, l: null, m: null },
    { id: 3, v: variant('plain'), s: { n: 2, v: null }, l: [], m: new Map() },
  ]);
  lake.register('variants', table);
  const rows = await (await lake.sql('SELECT * EXCLUDE (s, l, m) FROM variants ORDER BY id')).rows();
  expect(rows.map(({ v }) => (v as Variant | null)?.toJSON() ?? null)).toEqual([
    { a: 1, b: ['x', null, true], c: 'a text that is longer than what fits in place' },
    null,
    'plain',
  ]);
  const inside = `SELECT id, v.c::VARCHAR AS c, s.n AS n, s.v::DOUBLE AS sv, s IS NULL AS no_s, len(l) AS items,
    l[3]::INT AS last, l[2] IS NULL AS no_item, m['k'].z::VARCHAR AS z FROM variants ORDER BY id`;
  const empty = { c: null, sv: null, last: null, no_item: true, z: null };
  expect(await (await lake.sql(inside)).rows()).toEqual([
    {
      id: 1,
      c: 'a text that is longer than what fits in place',
      n: 1,
      sv: 1.5,
      no_s: false,
      items: 3n,
      last: 7,
      no_item: true,
      z: 'deep',
    },
    { id: 2, ...empty, n: null, no_s: true, items: null },
    { id: 3, ...empty, n: 2, no_s: false, items: 0n },
  ]);
});
