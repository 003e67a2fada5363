import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { TPCH_TABLES, loadTpch, tpchQueries } from 'lakehouse-duckdb-support';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
let lake: Lakehouse;
let queries: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lh-tpch-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: folder });
  lake = await Lakehouse.open({ catalog });
  const tables = await loadTpch(lake, catalog, { scale: 0.05, files: 4 });
  for (const [name, table] of tables) lake.register(name, table);
  queries = await tpchQueries(lake);
});

afterAll(async () => {
  await lake.close();
  await rm(folder, { recursive: true, force: true });
});

test('there are 22 queries over eight tables', () => {
  expect(queries).toHaveLength(22);
  expect(Object.keys(TPCH_TABLES)).toHaveLength(8);
});

test.each(Array.from({ length: 22 }, (_, i) => i + 1))(
  'query %i gives what DuckDB gives on plain tables',
  async (n) => {
    const query = queries[n - 1]!;
    const result = await lake.sql(query);
    await lake.connection.run('USE memory.plain');
    const plain = await lake.connection.runAndReadAll(query);
    await lake.connection.run('USE memory.main');
    // As text, since both have exact values in JavaScript types of their own.
    const rows = (await result.rows()).map((row) => Object.values(row).map(String));
    const expected = plain.getRows().map((row) => row.map(String));
    expect(rows.map((row) => row.map(normal))).toEqual(expected.map((row) => row.map(normal)));
    expect(rows.length).toBeGreaterThan(0);
    expect(result.scans.length).toBeGreaterThan(0);
  },
);

/** Sums of doubles depend on the order of rows. */
function normal(text: string): string {
  return /^-?\d+\.\d{7,}(?:e[+-]\d+)?$/.test(text) ? Number(text).toPrecision(12) : text;
}
