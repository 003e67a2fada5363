import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();

beforeAll(async () => {
  const many = await catalog.createTable('ns.many', {
    schema: schema({ id: t.long().required(), part: t.int(), s: t.string() }),
    partitionBy: [partitionBy.identity('part')],
    properties: { 'write.delete.mode': 'merge-on-read' },
  });
  await many.append(Array.from({ length: 1000 }, (_, i) => ({ id: BigInt(i), part: i % 200, s: `s${i}` })));
  await many.delete('id = 7');
  const few = await catalog.createTable('ns.few', { schema: schema({ id: t.long(), name: t.string() }) });
  await few.append([{ id: 1n, name: 'one' }]);
});

async function explained(sql: string): Promise<string> {
  return (await lake.sql(sql)).table();
}

test('tells of each table what is read and why, in front of the plan', async () => {
  const result = await lake.sql(
    "EXPLAIN SELECT name FROM ns.many m JOIN ns.few f ON m.s = f.name WHERE m.part < 100 AND lower(m.s) || 'x' <> 'y'",
  );
  const rows = await result.rows();
  expect(rows.map((row) => row['explain_key'])).toEqual(['iceberg_scans', 'physical_plan']);
  const [many, few] = String(rows[0]!['explain_value']).split('\n\n');
  const snapshot = (await catalog.loadTable('ns.many')).currentSnapshot()!.snapshotId;
  expect(many).toMatch(new RegExp(`^ns\\.many, snapshot ${snapshot}\n`));
  expect(many).toMatch(/\n {2}files {6}100 of 200 to scan; skipped: 100 by partition\n/);
  expect(many).toMatch(/\n {2}manifests {2}1 of 1 read\n/);
  expect(many).toMatch(/\n {2}data {7}[\d.]+ KiB of [\d.]+ KiB, 500 rows\n/);
  expect(many).toMatch(/\n {2}deletes {4}1 delete file applied\n/);
  expect(many).toMatch(/\n {2}pruned by {2}part < 100\n/);
  expect(many).toMatch(/\n {2}not by {5}\S.*: It .*\.\n/);
  expect(many).toMatch(/\n {2}read by {4}100 files by DuckDB from the local disk$/);
  expect(few).toMatch(/^ns\.few, snapshot/);
  expect(result.scans.map(({ table }) => table)).toEqual(['ns.many', 'ns.few']);
  expect(result.table()).toMatch(/^ns\.many, snapshot[^]*┌─/);
});

test('neither the plan nor the profile shows lists of files and names of ours', async () => {
  for (const verb of ['EXPLAIN', 'EXPLAIN ANALYZE']) {
    const text = await explained(`${verb} SELECT s, count(*) FROM ns.many WHERE part < 150 AND id > 5 GROUP BY ALL`);
    expect(text).not.toMatch(/\.parquet|__lh_|Filename/i);
    expect(text.length).toBeLessThan(12_000);
    expect(text).toMatch(/READ_PARQUET/);
    if (verb === 'EXPLAIN ANALYZE') expect(text).toContain('EXPLAIN ANALYZE SELECT s, count(*) FROM ns.many');
  }
});

test('other formats are what DuckDB makes of them', async () => {
  const [row, ...more] = await (await lake.sql('EXPLAIN (FORMAT json) SELECT id FROM ns.many WHERE part = 3')).rows();
  expect(more).toEqual([]);
  expect(Array.isArray(JSON.parse(String(row!['explain_value'])))).toBe(true);
});

test('queries without tables of catalogs are explained as ever', async () => {
  const rows = await (await lake.sql('EXPLAIN SELECT 1')).rows();
  expect(rows.map((row) => row['explain_key'])).toEqual(['physical_plan']);
});

test('changes of tables of catalogs are not explained, and say so', async () => {
  for (const sql of [
    'INSERT INTO ns.few SELECT 1, s FROM ns.many',
    'DELETE FROM ns.few',
    "UPDATE ns.few SET name = 'x'",
  ]) {
    const error = await rejection(lake.sql(`EXPLAIN ${sql}`));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/'ns\.few'.*EXPLAIN a SELECT/),
    });
  }
  await lake.sql('CREATE TEMP TABLE names AS SELECT 1 AS id');
  expect(await explained('EXPLAIN INSERT INTO names VALUES (2)')).toContain('INSERT');
});
