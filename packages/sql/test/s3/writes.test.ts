import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { partitionBy, schema, t } from '@lh/core';
import { expect, test } from 'vitest';
import { listUploads } from '../../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../../tests/support/s3/vitest/place.ts';
import { rejection } from '../support.ts';
import { WAYS, newFolder, newWarehouse, openCatalog, openLake, openProxy, s3FileIO } from './support.ts';

/** Rows that no codec makes small: some tens of megabytes. */
const ROWS = 400_000;
const NOISE = `SELECT i AS id, i % 3 AS part, hash(i)::VARCHAR || hash(i + 1)::VARCHAR AS a, random() AS b FROM range(${ROWS}) AS r(i)`;
const shape = schema({ id: t.long(), part: t.long(), a: t.string(), b: t.double() });

// Files are staged below the system's directory for temporary files, which others use as well.
process.env['TMPDIR'] = await newFolder();

/** What is left of writes: files that were staged, objects, uploads. */
async function leftOvers(warehouse: string): Promise<unknown> {
  const staged = (await readdir(tmpdir())).filter((name) => name.startsWith('lakehouse-write-'));
  const objects: string[] = [];
  for await (const { location } of s3FileIO().list(`${warehouse}/ns/t/data/`)) objects.push(location);
  return { staged, objects, uploads: await listUploads(s3Place(), new URL(warehouse).host) };
}

test('files that DuckDB wrote are uploaded in parts, and read back the same', async () => {
  const warehouse = await newWarehouse();
  const proxy = await openProxy();
  const catalog = await openCatalog(warehouse, s3FileIO({ endpoint: proxy.endpoint }));
  const table = await catalog.createTable('ns.t', {
    schema: shape,
    partitionBy: [partitionBy.identity('part')],
    properties: { 'write.parquet.compression-codec': 'uncompressed' },
  });
  const lake = await openLake('cache', catalog);
  proxy.clear();
  const commit = await lake.append('ns.t', NOISE);
  expect(commit.summary).toMatchObject({ 'added-records': String(ROWS), 'added-data-files': '3' });
  const operations = proxy.requests.map(({ operation }) => operation);
  const parts = operations.filter((operation) => operation === 'UploadPart').length;
  await table.refresh();
  const { tasks } = await table.scan().plan();
  // Each file is one upload or one object, and nothing of it is read back.
  expect(parts + operations.filter((operation) => operation === 'PutObject').length).toBeGreaterThanOrEqual(3);
  const reads = proxy.requests.filter(({ operation, key }) => operation === 'GetObject' && key.endsWith('.parquet'));
  expect(reads).toEqual([]);
  expect(tasks.every(({ file }) => file.fileSizeInBytes > 1e6)).toBe(true);
  const sums =
    'count(*)::INT AS n, sum(id)::BIGINT AS ids, sum(hash(a))::VARCHAR AS a, count(DISTINCT part)::INT AS parts';
  const source = await (await lake.sql(`SELECT ${sums} FROM (${NOISE})`)).rows();
  for (const way of WAYS) {
    const reader = await openLake(way, await openCatalog(warehouse));
    expect(await (await reader.sql(`SELECT ${sums} FROM ns.t`)).rows()).toEqual(source);
  }
  const left = (await leftOvers(warehouse)) as { staged: unknown; objects: unknown[]; uploads: unknown };
  expect(left).toMatchObject({ staged: [], uploads: [] });
  expect(left.objects).toHaveLength(3);
});

test('a write that fails leaves nothing', async () => {
  const warehouse = await newWarehouse();
  await (await openCatalog(warehouse)).createTable('ns.t', { schema: shape });
  const proxy = await openProxy();
  const io = s3FileIO({ endpoint: proxy.endpoint, retry: { maxAttempts: 2, baseDelayMs: 1 } });
  const lake = await openLake('cache', await openCatalog(warehouse, io));
  proxy.rules = [
    { fault: 'slow-down', when: ({ key, operation }) => key.endsWith('.parquet') && /^(?:Put|Upload)/.test(operation) },
  ];
  const error = await rejection(lake.append('ns.t', NOISE));
  expect(error).toMatchObject({ code: 'UNAVAILABLE' });
  proxy.rules = [];
  expect(await leftOvers(warehouse)).toEqual({ staged: [], objects: [], uploads: [] });
});
