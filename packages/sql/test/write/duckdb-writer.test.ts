import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { expect, test } from 'vitest';
import { DuckDBWriter } from '../../src/index.ts';
import { openWarehouse, rejection } from '../support.ts';

const { lake, path } = await openWarehouse();
const writer = new DuckDBWriter({ memoryLimit: '500MB' });
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: path, writer });
let tables = 0;

async function fresh(
  properties: Readonly<Record<string, string>>,
  options: Partial<Parameters<typeof catalog.createTable>[1]> = {},
): Promise<Table> {
  const shape = schema({ id: t.long().required(), name: t.string() });
  return catalog.createTable(`ns.w${tables++}`, { schema: shape, properties, ...options }) as unknown as Promise<Table>;
}

/** What DuckDB says of the Parquet files of a table. */
async function parquet(table: Table, columns: string): Promise<Record<string, unknown>[]> {
  const [file] = (await table.scan().plan()).tasks;
  return (await lake.sql(`SELECT DISTINCT ${columns} FROM parquet_metadata('${file!.file.path}')`)).rows();
}

const rows = Array.from({ length: 5000 }, (_, i) => ({ id: i, name: `name ${i % 10}` }));

test.each([
  ['zstd', 'ZSTD'],
  ['gzip', 'GZIP'],
  ['snappy', 'SNAPPY'],
  ['lz4', 'LZ4_RAW'],
  ['brotli', 'BROTLI'],
  ['uncompressed', 'UNCOMPRESSED'],
])('a catalog whose tables DuckDB writes: codec %s', async (codec, found) => {
  const table = await fresh({ 'write.parquet.compression-codec': codec });
  expect(await table.append(rows)).toMatchObject({ warnings: [] });
  expect(await parquet(table, 'compression')).toEqual([{ compression: found }]);
});

test('row groups, bloom filters and compression levels are as the properties say', async () => {
  const table = await fresh({
    'write.parquet.row-group-size-bytes': '65536',
    'write.parquet.bloom-filter-enabled.column.name': 'true',
    'write.parquet.bloom-filter-fpp.column.name': '0.001',
    'write.parquet.compression-level': '19',
    'write.parquet.page-size-bytes': '1000',
  });
  const { warnings } = await table.append(rows);
  expect(warnings).toEqual([
    expect.stringContaining("'write.parquet.page-size-bytes' was not followed: DuckDB sets"),
    expect.stringContaining('by a dictionary'),
  ]);
  const groups = await parquet(table, 'row_group_id, row_group_num_rows');
  expect(groups.length).toBeGreaterThan(1);
  const blooms = await parquet(table, 'path_in_schema, bloom_filter_offset IS NOT NULL AS has');
  expect(blooms).toContainEqual({ path_in_schema: 'name', has: true });
});

test('a level is for zstd only', async () => {
  const table = await fresh({ 'write.parquet.compression-codec': 'gzip', 'write.parquet.compression-level': '9' });
  expect((await table.append(rows)).warnings).toEqual([expect.stringContaining('levels for zstd only')]);
});

test('more partitions than DuckDB keeps files open are a file each', async () => {
  const table = await fresh({}, { partitionBy: [partitionBy.identity('id')] });
  const many = rows.slice(0, 400);
  await table.append([...many, ...many]);
  const { tasks } = await table.scan().plan();
  expect(tasks.map(({ file }) => file.recordCount)).toEqual(many.map(() => 2));
  expect(await table.scan().count()).toBe(800);
});

test('writes at once do not disturb each other', async () => {
  const written = await Promise.all([fresh({}), fresh({}), fresh({})]);
  await Promise.all(written.map((table, i) => table.append(i === 1 ? stream(rows) : rows)));
  for (const table of written) expect(await table.scan().count()).toBe(rows.length);
});

test('rewritten rows keep what v3 says of them', async () => {
  const table = await fresh({}, { formatVersion: 3 });
  await table.append(rows.slice(0, 10));
  const select = ['id', '_row_id', '_last_updated_sequence_number'];
  const before = (await table.scan({ select }).toRows()) as { id: bigint }[];
  await table.delete('id = 3', { mode: 'copy-on-write' });
  const after = await table.scan({ select }).toRows();
  expect(after).toEqual(before.filter(({ id }) => id !== 3n));
});

test('a closed writer says so, and leaves nothing in the temporary directory', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'lh-sql-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporary;
  const one = new DuckDBWriter();
  const table = (await fresh({})).withWriter(one);
  await table.append(rows);
  expect(await readdir(temporary)).toHaveLength(1);
  await one.close();
  expect(await readdir(temporary)).toEqual([]);
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  expect(await rejection(table.append(rows))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('closed'),
  });
});

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
