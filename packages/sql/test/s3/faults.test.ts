import { schema, t } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, openProxy, s3FileIO } from './support.ts';

let warehouse = '';
const ROWS = 60_000;

beforeAll(async () => {
  warehouse = await newWarehouse();
  const catalog = await openCatalog(warehouse);
  const table = await catalog.createTable('ns.t', { schema: schema({ id: t.long(), a: t.string(), b: t.string() }) });
  const text = (i: number): string => (Math.imul(i + 1, 0x9e37_79b1) >>> 0).toString(36).padStart(8, 'x');
  for (let file = 0; file < 3; file++) {
    const rows = Array.from({ length: ROWS / 3 }, (_, i) => file * (ROWS / 3) + i);
    await table.append(rows.map((i) => ({ id: BigInt(i), a: text(i), b: text(i + 1) })));
  }
});

test('requests that fail now and then are made again, and the answers are right', async () => {
  const proxy = await openProxy();
  const catalog = await openCatalog(warehouse, s3FileIO({ endpoint: proxy.endpoint, retry: { baseDelayMs: 1 } }));
  const lake = await openLake('cache', catalog);
  proxy.rules = (['reset', 'reset-response', 'slow-down'] as const).map((fault) => ({
    fault,
    probability: 0.05,
    operations: ['GetObject'],
  }));
  for (const columns of ['max(id) AS x', 'count(DISTINCT a) AS x', 'count(DISTINCT a || b) AS x']) {
    const wanted = columns.startsWith('max') ? BigInt(ROWS - 1) : BigInt(ROWS);
    expect(await (await lake.sql(`SELECT ${columns} FROM ns.t`)).rows()).toEqual([{ x: wanted }]);
  }
});

describe.each(WAYS)('by %s', (way) => {
  test('a store that is down is an error, and is there again afterwards', async () => {
    const proxy = await openProxy();
    const retry = { maxAttempts: 2, baseDelayMs: 1 };
    const catalog = await openCatalog(warehouse, s3FileIO({ endpoint: proxy.endpoint, retry }));
    const lake = await openLake(way, catalog);
    await lake.connection.run(way === 'httpfs' ? 'SET GLOBAL http_retries = 1' : 'SELECT 1');
    lake.register('t', await catalog.loadTable('ns.t'));
    expect(await (await lake.sql('SELECT max(id) AS id FROM t')).rows()).toEqual([{ id: BigInt(ROWS - 1) }]);
    proxy.rules = [{ fault: 'slow-down', when: ({ key }) => key.endsWith('.parquet') }];
    const error = await rejection(lake.sql('SELECT max(a) FROM t').then((result) => result.rows()));
    expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    proxy.rules = [];
    expect(await (await lake.sql('SELECT count(DISTINCT a) AS n FROM t')).rows()).toEqual([{ n: BigInt(ROWS) }]);
  });
});
