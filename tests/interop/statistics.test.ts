import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, partitionBy, schema, t } from '@lh/core';
import type { ComputeStatsReport } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { newestMetadata } from './newest-metadata.ts';
import { python } from './python.ts';

const ROWS = 60_000;

interface Found {
  readonly ndv: Readonly<Record<string, number>>;
  readonly partitions: readonly (readonly [string, number, number])[] | null;
}

let warehouse: string;
let report: ComputeStatsReport;
let found: Found;

beforeAll(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-statistics-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  const table = await catalog.createTable('ns.t', {
    schema: schema({
      id: t.long(),
      code: t.string(),
      price: t.decimal(12, 2),
      flag: t.boolean(),
      day: t.date(),
      half: t.double(),
    }),
    partitionBy: [partitionBy.identity('flag')],
  });
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    id: BigInt(i),
    code: i % 10 === 0 ? null : `code-${i % 5000}`,
    price: `${i % 300}.25`,
    flag: i % 3 === 0,
    day: new Date((i % 365) * 86_400_000),
    half: i / 2,
  }));
  await table.append(rows);
  report = await table.computeStats();
  const metadata = await newestMetadata(join(warehouse, 'ns', 't'));
  found = JSON.parse(await python('read_statistics.py', JSON.stringify({ metadata }))) as Found;
});

afterAll(() => rm(warehouse, { recursive: true, force: true }));

test('other libraries estimate what we do', () => {
  const ours = Object.fromEntries(report.columns.map(({ fieldId, ndv }) => [fieldId, Number(ndv)]));
  const theirs = Object.fromEntries(Object.entries(found.ndv).map(([id, ndv]) => [id, Math.round(ndv)]));
  expect(theirs).toEqual(ours);
});

test.each([
  ['id', ROWS],
  ['code', 4500],
  ['price', 300],
  ['flag', 2],
  ['day', 365],
  ['half', ROWS],
])('the distinct values of %s are counted within 3 percent of %i', (name, exact) => {
  const { ndv } = report.columns.find((column) => column.name === name)!;
  expect(Math.abs(Number(ndv) / exact - 1)).toBeLessThan(0.03);
});

test('partition statistics', () => {
  if (process.env['INTEROP_ENGINES'] !== 'Spark') return expect(found.partitions).toBeNull();
  expect(found.partitions!.map(([, records, files]) => [records, files])).toEqual([
    [ROWS - ROWS / 3, 1],
    [ROWS / 3, 1],
  ]);
});
