import { MemoryCatalog, MemoryFileIO, schema, t } from '@lh/core';
import type { ColumnBatch } from '@lh/core/engine';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { Feeds } from '../../src/feed/feeds.ts';
import { QueryRows } from '../../src/feed/query-rows.ts';
import { openWarehouse } from '../support.ts';

const instance = await DuckDBInstance.create(':memory:', { memory_limit: '100MB' });
const connection = await instance.connect();
const feeds = new Feeds(connection);
const lend = () => Promise.resolve({ connection, release: () => undefined });
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

const SHAPE = schema({ n: t.long() });

async function* numbers(batches: number, rows: number): AsyncGenerator<ColumnBatch> {
  for (let i = 0; i < batches; i++) {
    const values = BigInt64Array.from({ length: rows }, (_, row) => BigInt(i * rows + row));
    yield { length: rows, columns: [{ layout: 'numbers', length: rows, validity: null, values }] };
  }
}

const databases = async (): Promise<number> => {
  const reader = await connection.runAndReadAll(
    "SELECT count(*) FROM duckdb_databases() WHERE starts_with(database_name, '__lh')",
  );
  return Number(reader.getRows()[0]![0]);
};

test.each([
  ['in memory', 1 << 20, 0],
  ['in a table of DuckDB', 20_000, 1],
])('rows are kept %s, and forgotten', async (_, memoryBytes, tables) => {
  const rows = new QueryRows(feeds, lend, memoryBytes);
  const sql = await rows.collect(SHAPE, numbers(10, 1000));
  expect(await databases()).toBe(tables);
  const reader = await connection.runAndReadAll(`SELECT count(*), sum(n) FROM (${sql})`);
  expect(reader.getRows()).toEqual([[10_000n, 49_995_000n]]);
  rows.dispose();
  await expect.poll(databases).toBe(0);
});

test('a transaction that began before the rows were read sees them', async () => {
  const { lake } = await openWarehouse();
  const catalog = new MemoryCatalog({ io: new MemoryFileIO() });
  await catalog.createNamespace('ns');
  const table = await catalog.createTable('ns.wide', { schema: schema({ text: t.string() }) });
  // More than what is kept in memory.
  await table.append(Array.from({ length: 40 }, (_, i) => ({ text: `${i}`.padEnd(2 << 20, 'x') })));
  lake.register('wide', table);
  await lake.sql('CREATE TEMP TABLE mine AS SELECT 1 AS one');
  await lake.sql('BEGIN');
  await lake.sql('INSERT INTO mine VALUES (2)');
  for (let i = 0; i < 2; i++) {
    const [row] = await (await lake.sql('SELECT count(*) AS n, sum(length(text)) AS bytes FROM wide, mine')).rows();
    expect(row).toEqual({ n: 80n, bytes: 80n * (2n << 20n) });
  }
  await lake.sql('ROLLBACK');
});

test('of a file that core reads, a query that wants few rows or columns gets no more', async () => {
  const { lake } = await openWarehouse();
  const catalog = new MemoryCatalog({ io: new MemoryFileIO() });
  await catalog.createNamespace('ns');
  const table = await catalog.createTable('ns.files', { schema: schema({ id: t.int(), text: t.string() }) });
  for (const from of [0, 10, 20]) {
    await table.append(Array.from({ length: 10 }, (_, i) => ({ id: from + i, text: 'x' })));
  }
  lake.register('files', table);
  const count = async (sql: string): Promise<number> => (await (await lake.sql(sql)).rows()).length;
  expect(await count('SELECT * FROM files LIMIT 12')).toBe(12);
  expect(await count('SELECT id FROM files LIMIT 12 OFFSET 25')).toBe(5);
  expect(await count('SELECT id FROM files WHERE id > 15 LIMIT 12')).toBe(12);
  expect(await count('SELECT a.id FROM files a JOIN files b USING (id) ORDER BY 1 LIMIT 30')).toBe(30);
  expect(await count('SELECT DISTINCT text FROM files LIMIT 2')).toBe(1);
  expect(await (await lake.sql('SELECT count(*) AS n FROM files')).rows()).toEqual([{ n: 30n }]);
  expect(
    await (await lake.sql('SELECT max(id) AS n FROM (SELECT id FROM files ORDER BY id DESC LIMIT 1)')).rows(),
  ).toEqual([{ n: 29 }]);
});
