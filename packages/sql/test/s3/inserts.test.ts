import { partitionBy, schema, t } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, openProxy, s3FileIO } from './support.ts';

async function objects(location: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const file of s3FileIO().list(location)) found.push(file.location);
  return found.toSorted();
}

describe.each(WAYS)('by %s', (way) => {
  test('INSERT, INSERT OVERWRITE, TRUNCATE, CREATE TABLE AS and a transaction', async () => {
    const warehouse = await newWarehouse();
    const catalog = await openCatalog(warehouse);
    await catalog.createTable('ns.t', {
      schema: schema({ id: t.long().required(), city: t.string() }),
      partitionBy: [partitionBy.identity('city')],
    });
    const lake = await openLake(way, catalog);
    const rows = async (sql: string): Promise<unknown[][]> =>
      (await (await lake.sql(sql)).rows()).map((row) => Object.values(row));
    await lake.sql("INSERT INTO ns.t VALUES (1, 'a b'), (2, 'é#ü'), (3, NULL)");
    await lake.sql("INSERT OVERWRITE ns.t VALUES (10, 'a b')");
    await lake.sql("INSERT OVERWRITE ns.t PARTITION (city = 'é#ü') SELECT id + 20 FROM ns.t WHERE city IS NULL");
    const expected = [
      [3n, null],
      [10n, 'a b'],
      [23n, 'é#ü'],
    ];
    expect(await rows('FROM ns.t ORDER BY id')).toEqual(expected);
    await lake.sql("BEGIN; INSERT INTO ns.t VALUES (30, 'x'); DELETE FROM ns.t WHERE id = 3");
    expect(await rows('SELECT id FROM ns.t ORDER BY id')).toEqual([[10n], [23n], [30n]]);
    const before = await objects(`${warehouse}/ns/`);
    await rejection(lake.sql("INSERT INTO ns.t VALUES (CAST('x' AS BIGINT), 'y')"));
    await lake.sql('ROLLBACK');
    expect(await rows('FROM ns.t ORDER BY id')).toEqual(expected);
    expect((await objects(`${warehouse}/ns/`)).length).toBeLessThan(before.length);
    await lake.sql('BEGIN; CREATE OR REPLACE TABLE ns.t AS SELECT id FROM ns.t; INSERT INTO ns.t VALUES (40); COMMIT');
    await lake.sql('CREATE TABLE ns.copy PARTITIONED BY (bucket(2, id)) AS SELECT id * 2 AS id FROM ns.t');
    expect(await rows('FROM ns.copy ORDER BY id')).toEqual([[6n], [20n], [46n], [80n]]);
    expect((await catalog.loadTable('ns.copy')).metadata.metadataLog).toEqual([]);
    expect((await lake.sql('TRUNCATE TABLE ns.t')).rowCount).toBe(4);
    expect(await rows('FROM ns.t')).toEqual([]);
  });
});

test('CREATE TABLE AS and INSERT whose files the store refuses leave nothing', async () => {
  const warehouse = await newWarehouse();
  await (await openCatalog(warehouse)).createTable('ns.t', { schema: schema({ id: t.long() }) });
  const proxy = await openProxy();
  const io = s3FileIO({ endpoint: proxy.endpoint, retry: { maxAttempts: 2, baseDelayMs: 1 } });
  const lake = await openLake('cache', await openCatalog(warehouse, io));
  const before = await objects(`${warehouse}/`);
  proxy.rules = [
    { fault: 'slow-down', when: ({ key, operation }) => key.endsWith('.parquet') && /^(?:Put|Upload)/.test(operation) },
  ];
  for (const sql of [
    'CREATE TABLE ns.new AS SELECT 1 AS id',
    'INSERT INTO ns.t VALUES (1)',
    'INSERT OVERWRITE ns.t VALUES (1)',
  ]) {
    expect(await rejection(lake.sql(sql))).toMatchObject({ code: 'UNAVAILABLE' });
  }
  proxy.rules = [];
  expect(await objects(`${warehouse}/`)).toEqual(before);
});
