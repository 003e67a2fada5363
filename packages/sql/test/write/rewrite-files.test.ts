import { schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse({ memoryLimit: '250MB' });
const range = (length: number): readonly number[] => Array.from({ length }, (_, i) => i);
let tables = 0;

async function filled(rows: string, files: number, properties: Readonly<Record<string, string>> = {}): Promise<Table> {
  const name = `ns.t${tables++}`;
  const shape = schema({ id: t.long(), a: t.int(), b: t.double(), c: t.string() });
  await catalog.createTable(name, { schema: shape, properties });
  for (const part of range(files)) await lake.append(name, `SELECT * FROM (${rows}) WHERE id % ${files} = ${part}`);
  return lake.table(name);
}

const shuffled = (rows: number): string =>
  `SELECT range AS id, CAST(hash(range) % 1000 AS INT) AS a, (hash(range * 7) % 100000) / 7 AS b,
     'https://example.com/' || hash(range * 3) AS c FROM range(${rows})`;

test('a sort larger than one file makes files of ranges that follow each other', async () => {
  const table = await filled(shuffled(400_000), 3);
  await table.updateSortOrder(['a', { field: 'id', direction: 'desc' }]);
  const { inputBytes } = (await table.rewriteDataFiles({ rewriteAll: true, dryRun: true })).groups[0]!;
  const report = await table.rewriteDataFiles({
    strategy: 'sort',
    rewriteAll: true,
    targetFileSizeBytes: Math.ceil(inputBytes / 4),
  });
  expect(report.rewrittenDataFilesCount).toBe(3);
  expect(report.addedDataFilesCount).toBeGreaterThan(2);
  const { tasks } = await table.scan().plan();
  expect(tasks.map(({ file }) => file.sortOrderId)).toEqual(tasks.map(() => 1));
  const ranges: { min: number; max: number }[] = [];
  for (const { file } of tasks) {
    const rows = `SELECT a, id, lag(a) OVER w AS a0, lag(id) OVER w AS id0
      FROM read_parquet('${file.path}', file_row_number = true) WINDOW w AS (ORDER BY file_row_number)`;
    const sql = `SELECT min(a) AS min, max(a) AS max, count_if(a0 IS NOT NULL AND (a0, -id0) > (a, -id)) AS unsorted FROM (${rows})`;
    const [found] = (await (await lake.sql(sql)).rows()) as [{ min: number; max: number; unsorted: bigint }];
    expect(Number(found.unsorted)).toBe(0);
    ranges.push(found);
  }
  const inOrder = ranges.toSorted((x, y) => x.min - y.min);
  inOrder.slice(1).forEach(({ min }, i) => expect(min).toBeGreaterThanOrEqual(inOrder[i]!.max));
  expect(await table.scan().count()).toBe(400_000);
});

test('a sort that makes one file says so', async () => {
  const table = await filled(shuffled(10_000), 3);
  await table.updateSortOrder(['c']);
  await table.rewriteDataFiles({ strategy: 'sort', rewriteAll: true });
  const { tasks } = await table.scan().plan();
  expect(tasks.map(({ file }) => file.sortOrderId)).toEqual([1]);
  const values = (await table.scan().toRows()).map((row) => row['c'] as string);
  expect(values).toEqual(values.toSorted());
});

test.each([
  ['narrow', `SELECT range AS id, 1 AS a, 2.5 AS b, 'x' || range AS c FROM range(300000)`],
  ['of some width', shuffled(100_000)],
  [
    'wide',
    `SELECT r.range AS id, 1 AS a, 2.5 AS b, (SELECT string_agg(hash(r.range * 1000 + i.range)::VARCHAR, '') FROM range(50) i) AS c FROM range(20000) r`,
  ],
])('rows that are %s: files have the size that they should have, and are not rewritten again', async (_, rows) => {
  const table = await filled(rows, 6);
  const { inputBytes } = (await table.rewriteDataFiles({ rewriteAll: true, dryRun: true })).groups[0]!;
  for (const strategy of ['binpack', 'sort'] as const) {
    const options = {
      strategy,
      targetFileSizeBytes: Math.ceil(inputBytes / 3),
      ...(strategy === 'sort' && { sortBy: ['a'] }),
    };
    const report = await table.rewriteDataFiles({ ...options, rewriteAll: true });
    expect(report.addedDataFilesCount).toBeGreaterThan(1);
    expect(report.addedDataFilesCount).toBeLessThan(6);
    const again = await table.rewriteDataFiles({ ...options, minFileSizeBytes: 0, dryRun: true });
    expect(again.groups).toEqual([]);
  }
});

test('along the curve rows come as core has them', async () => {
  const rows = `SELECT range AS id, CAST(range % 32 AS INT) AS a,
    CASE range % 41 WHEN 0 THEN NULL WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 'infinity'::DOUBLE WHEN 3 THEN '-infinity'::DOUBLE ELSE range / 3 END AS b,
    CASE range % 17 WHEN 0 THEN NULL WHEN 1 THEN 'https://' ELSE 'https://é' || range END AS c FROM range(2000)`;
  const orders: string[][] = [];
  for (const zOrderBy of [
    ['a', 'id'],
    ['a', 'b', 'c'],
    ['id', 'a', 'b', 'c'],
  ]) {
    for (const isCore of [false, true]) {
      const table = await filled(rows, 1);
      const writer = isCore ? catalog.loadTable(table.name) : table;
      await ((await writer) as Table).rewriteDataFiles({ strategy: 'zorder', zOrderBy, rewriteAll: true });
      await table.refresh();
      orders.push((await table.scan({ select: ['id'] }).toRows()).map((row) => String(row['id'])));
    }
    const [byDuckDB, byCore] = orders.splice(0);
    expect(byDuckDB!.toSorted()).toEqual(byCore!.toSorted());
    const places = new Map(byCore!.map((id, place) => [id, place]));
    // Rows of the same key may come in any order.
    const apart = byDuckDB!.map((id, place) => Math.abs(places.get(id)! - place));
    expect(Math.max(...apart)).toBeLessThan(zOrderBy.includes('id') ? 1 : 200);
  }
});

test('columns of one value, and of none, have a place on the curve, too', async () => {
  const table = await filled(`SELECT range AS id, NULL::INT AS a, 'nan'::DOUBLE AS b, 'x' AS c FROM range(10)`, 2);
  await table.rewriteDataFiles({ strategy: 'zorder', zOrderBy: ['a', 'b', 'c'], rewriteAll: true });
  expect(await table.scan().count()).toBe(10);
});

test('more rows than memory holds are sorted on disk', async () => {
  const table = await filled(shuffled(3_000_000), 2);
  await table.rewriteDataFiles({ strategy: 'sort', sortBy: ['c'], rewriteAll: true });
  expect(await table.scan().count()).toBe(3_000_000);
});

test('it stops when it is told to, and leaves nothing behind', async () => {
  const table = await filled(shuffled(1_000_000), 2);
  const stop = new AbortController();
  const running = table.rewriteDataFiles({
    strategy: 'zorder',
    zOrderBy: ['a', 'b', 'c'],
    rewriteAll: true,
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(), 100);
  expect(await rejection(running)).toMatchObject({ code: 'ABORTED' });
  expect((await table.removeOrphanFiles({ olderThan: Date.now() + 1000 })).orphanFiles).toEqual([]);
});

test('a small job is quick', async () => {
  const table = await filled(shuffled(2000), 8);
  const started = performance.now();
  await table.rewriteDataFiles();
  // Generous, as machines differ; on an idle one it takes a tenth of it.
  expect(performance.now() - started).toBeLessThan(5000);
});
