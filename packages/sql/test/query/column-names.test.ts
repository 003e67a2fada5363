import { schema, t } from '@lh/core';
import { tableFromArrays } from 'apache-arrow';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake, catalog } = await openWarehouse();
let first: bigint;

beforeAll(async () => {
  const table = await catalog.createTable('ns.t', { schema: schema({ x: t.int(), y: t.int() }) });
  first = (await table.append([{ x: 1, y: 2 }])).snapshotId!;
  await table.append([{ x: 3, y: 3 }]);
  await catalog.createNamespace('odd ns');
  await catalog.createTable(['odd ns', 'T 1'], { schema: schema({ x: t.int() }) });
  lake.register('arrow', tableFromArrays({ x: Int32Array.of(5) }));
});

async function names(sql: string): Promise<readonly string[]> {
  return (await lake.sql(sql)).columns.map(({ name }) => name);
}

/** What DuckDB calls the columns, with tables of its own in the place of the catalog's. */
async function duckdbNames(sql: string): Promise<readonly string[]> {
  const { connection } = lake;
  await connection.run("ATTACH ':memory:' AS own");
  await connection.run('CREATE SCHEMA own.ns');
  await connection.run('CREATE TABLE own.ns.t (x INTEGER, y INTEGER)');
  await connection.run('CREATE SCHEMA own."odd ns"');
  await connection.run('CREATE TABLE own."odd ns"."T 1" (x INTEGER)');
  await connection.run('CREATE TABLE own.arrow (x INTEGER)');
  try {
    await connection.run('USE own');
    return (await connection.run(sql)).columnNames();
  } finally {
    await connection.run('USE memory');
    await connection.run('DETACH own');
  }
}

test.each([
  'SELECT (SELECT max(x) FROM ns.t)',
  'SELECT (SELECT max(x) FROM "ns"."t" AS "f g")',
  'SELECT (SELECT max(e.x) FROM ns.t e), x + 1, count(*) FROM ns.t GROUP BY ALL ORDER BY x + 1',
  'SELECT x IN (SELECT y FROM ns.t), EXISTS (FROM ns.t WHERE x > 7), * FROM ns.t',
  'SELECT 1 + (SELECT max(x) FROM "odd ns"."T 1")',
  'SELECT (SELECT max(x) FROM arrow)',
  'SELECT (SELECT max(x) FROM ns.t) AS named, (SELECT min(x) FROM ns.t)',
  'SELECT * FROM (SELECT (SELECT max(x) FROM ns.t), (SELECT 1))',
  'WITH c AS (SELECT (SELECT max(x) FROM ns.t)) FROM c',
  'SELECT (SELECT max(a.x) FROM ns.t AS a JOIN ns.t AS b ON a.x = b.y)',
])('%s', async (sql) => {
  expect(await names(sql)).toEqual(await duckdbNames(sql));
});

test('rows keep their order and their values', async () => {
  const result = await lake.sql('SELECT x, (SELECT max(y) FROM ns.t) FROM ns.t ORDER BY x DESC');
  expect(await result.rows()).toEqual([
    { x: 3, '(SELECT max(y) FROM ns.t)': 3 },
    { x: 1, '(SELECT max(y) FROM ns.t)': 3 },
  ]);
});

test('time travel is part of the name, and a table made from the query has it, too', async () => {
  const sql = `SELECT (SELECT max(x) FROM ns.t AT (VERSION => ${first}))`;
  expect(await (await lake.sql(sql)).rows()).toEqual([{ [`(SELECT max(x) FROM ns.t AT (VERSION => ${first}))`]: 1 }]);
  await lake.sql(`CREATE TEMP TABLE made AS ${sql}`);
  expect(await names('FROM made')).toEqual([`(SELECT max(x) FROM ns.t AT (VERSION => ${first}))`]);
});
