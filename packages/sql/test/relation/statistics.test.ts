import { schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

// What Parquet's statistics leave out, DuckDB must not take for absent.

const { lake, catalog } = await openWarehouse();

async function ids(sql: string): Promise<unknown[]> {
  return (await (await lake.sql(sql)).rows()).map((row) => row['id']);
}

beforeAll(async () => {
  const table = await catalog.createTable('ns.t', {
    schema: schema({ id: t.long().required(), x: t.double(), s: t.struct({ f: t.float() }), n: t.int() }),
  });
  await table.append([
    { id: 1n, x: 0, s: { f: 1 }, n: 5 },
    { id: 2n, x: Number.NaN, s: { f: Number.NaN }, n: 6 },
  ]);
  await table.append([{ id: 3n, x: -0, s: null, n: null }]);
});

test.each([
  ['x > 5', [2n]],
  ['x <> 0', [2n]],
  ["x = 'nan'", [2n]],
  ['NOT (x <= 100)', [2n]],
  ['s.f > 100', [2n]],
  ['(x > 100 AND n = 6) OR id = -1', [2n]],
  ['x = 0', [1n, 3n]],
  ['n IS DISTINCT FROM 5 OR n = 7', [2n, 3n]],
  ['NOT (n IS NOT DISTINCT FROM 5) OR n = 7', [2n, 3n]],
])('%s', async (where, expected) => {
  expect(await ids(`SELECT id FROM ns.t WHERE ${where} ORDER BY id`)).toEqual(expected);
});

test('the greatest number is NaN', async () => {
  expect(await ids('SELECT id FROM ns.t ORDER BY x DESC NULLS LAST LIMIT 1')).toEqual([2n]);
  expect(await (await lake.sql('SELECT max(x) AS m FROM ns.t WHERE id < 3')).rows()).toEqual([{ m: Number.NaN }]);
  expect(await ids("SELECT t.id FROM ns.t JOIN (SELECT 'nan'::DOUBLE AS x) n USING (x)")).toEqual([2n]);
});
