import { rm } from 'node:fs/promises';
import { partitionBy, schema, t } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { catalog, dataFiles, lake, people, values } from './people.ts';
import type { Layout } from './people.ts';

const layouts: readonly Layout[] = [
  { formatVersion: 1 },
  { formatVersion: 2 },
  { formatVersion: 2, mode: 'merge-on-read' },
  { formatVersion: 3 },
  { formatVersion: 3, mode: 'merge-on-read' },
];

describe.each(layouts)('%o', (layout) => {
  const isMergeOnRead = layout.mode === 'merge-on-read';

  test('UPDATE tells how many rows it changed, what it committed and what it read', async () => {
    const table = await people(layout);
    const result = await lake.sql(`UPDATE ${table.name} SET n = n * 10, name = upper(name) WHERE id > 4`);
    expect(result.rowCount).toBe(2);
    expect(result.scans).toMatchObject([{ table: table.name, filesTotal: 2, filesScanned: 1, filesSkipped: 1 }]);
    await table.refresh();
    const snapshot = table.currentSnapshot()!;
    expect(result.snapshotId).toBe(snapshot.snapshotId);
    expect(snapshot.operation).toBe('overwrite');
    expect(await values(`SELECT id, name, n FROM ${table.name} WHERE id > 3 ORDER BY id`)).toEqual([
      [4n, 'n4', 4],
      [5n, 'N5', 50],
      [6n, 'N6', 60],
    ]);
    const { tasks } = await table.scan().plan();
    expect(tasks.reduce((sum, { deletes }) => sum + deletes.length, 0)).toBe(isMergeOnRead ? 1 : 0);
  });

  test('DELETE drops files without a row that is left, and makes a snapshot of the operation delete', async () => {
    const table = await people(layout);
    const result = await lake.sql(`DELETE FROM ${table.name} p WHERE p.n < 4`);
    expect(result.rowCount).toBe(3);
    await table.refresh();
    const { summary, operation } = table.currentSnapshot()!;
    expect(operation).toBe('delete');
    expect(summary).toMatchObject({ 'deleted-data-files': '1', 'total-data-files': '1' });
    expect(summary['added-delete-files']).toBeUndefined();
  });

  test('MERGE INTO updates, deletes and adds rows in one commit', async () => {
    const table = await people(layout);
    const before = table.snapshots().length;
    const result = await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (1, 'a'), (2, 'b'), (7, 'g')) AS s(id, name) ON t.id = s.id
       WHEN MATCHED AND s.name = 'a' THEN DELETE
       WHEN MATCHED THEN UPDATE SET name = s.name, place.city = 'Busan'
       WHEN NOT MATCHED THEN INSERT (id, name) VALUES (id, upper(name))
       WHEN NOT MATCHED BY SOURCE AND t.id = 6 THEN UPDATE SET place.zip = 99`,
    );
    expect(result.rowCount).toBe(4);
    await table.refresh();
    expect(table.snapshots()).toHaveLength(before + 1);
    expect(await values(`SELECT id, name, place FROM ${table.name} WHERE id IN (1, 2, 6, 7) ORDER BY id`)).toEqual([
      [2n, 'b', { city: 'Busan', zip: 2 }],
      [6n, 'n6', { city: null, zip: 99 }],
      [7n, 'G', null],
    ]);
  });

  test('what changes nothing commits nothing', async () => {
    const table = await people(layout);
    const files = await dataFiles(table);
    for (const sql of [
      `UPDATE ${table.name} SET n = 1 WHERE id = 77`,
      `DELETE FROM ${table.name} WHERE name IS NULL`,
      `MERGE INTO ${table.name} AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN MATCHED AND s.id > 1 THEN DELETE`,
      `MERGE INTO ${table.name} AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN MATCHED THEN DO NOTHING`,
    ]) {
      const result = await lake.sql(sql);
      expect([result.rowCount, result.snapshotId]).toEqual([0, null]);
    }
    expect(await dataFiles(table)).toEqual(files);
  });
});

describe('rows of format version 3', () => {
  test.each(['copy-on-write', 'merge-on-read'] as const)('keep their ids when they are changed: %s', async (mode) => {
    const table = await people({ formatVersion: 3, mode });
    await lake.sql(`UPDATE ${table.name} SET n = 0 WHERE id = 5`);
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (4), (9)) AS s(id) ON t.id = s.id
       WHEN MATCHED THEN UPDATE SET n = -1 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)`,
    );
    const lineage = 'SELECT id, _row_id, _last_updated_sequence_number AS seq';
    const rows = await values(`${lineage} FROM ${table.name} WHERE id > 3 ORDER BY id`);
    expect(rows.slice(0, 3)).toEqual([
      [4n, 3n, 4n],
      [5n, 4n, 3n],
      [6n, 5n, 2n],
    ]);
    expect(rows[3]).toMatchObject([9n, expect.any(BigInt), 4n]);
    expect(rows[3]![1]).toBeGreaterThan(5n);
  });

  test('that a transaction has added get their ids by the commit', async () => {
    const table = await people({ formatVersion: 3 });
    // Else rows that others add are in the way.
    const isolation = { 'write.merge.isolation-level': 'snapshot', 'write.update.isolation-level': 'snapshot' };
    await table.setProperties(isolation);
    await lake.sql('BEGIN');
    await lake.sql(`MERGE INTO ${table.name} AS t USING (SELECT 9 AS id) AS s ON t.id = s.id
      WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, 1)`);
    await lake.sql(`UPDATE ${table.name} SET n = n + 1 WHERE id IN (1, 9)`);
    await table.append([{ id: 20n, name: null, n: 0, place: null }]);
    await lake.sql('COMMIT');
    const ids = await values(`SELECT id, n, _row_id FROM ${table.name} WHERE id IN (1, 9, 20) ORDER BY id`);
    expect(ids.slice(0, 2)).toMatchObject([
      [1n, 2, 0n],
      [9n, 2, expect.any(BigInt)],
    ]);
    const unique = await values(`SELECT count(DISTINCT _row_id), count(*) FROM ${table.name}`);
    expect(unique).toEqual([[8n, 8n]]);
  });
});

test('a whole table is emptied by its metadata', async () => {
  const table = await people();
  await lake.sql(`DELETE FROM ${table.name} WHERE id = 2`);
  const result = await lake.sql(`DELETE FROM ${table.name}`);
  expect(result.rowCount).toBe(5);
  await table.refresh();
  expect(table.currentSnapshot()!.summary).toMatchObject({ 'total-data-files': '0' });
  expect((await lake.sql(`DELETE FROM ${table.name}`)).snapshotId).toBe(null);
});

test('whole files are deleted by what metadata tells of them', async () => {
  const table = await catalog.createTable('ns.by_day', {
    schema: schema({ id: t.long(), day: t.date(), kind: t.string() }),
    partitionBy: [partitionBy.identity('day')],
  });
  const days = ['2024-01-01', '2024-01-02', '2024-01-03'];
  await table.append(Array.from({ length: 9 }, (_, id) => ({ id: BigInt(id), day: days[id % 3]!, kind: 'x' })));
  const { tasks } = await table.scan({ filter: "day <= '2024-01-02'" }).plan();
  // Nothing of them is read: they aren't there any more.
  for (const { file } of tasks) await rm(file.path);
  const result = await lake.sql("DELETE FROM ns.by_day WHERE day BETWEEN '2024-01-01' AND '2024-01-02' AND kind = 'x'");
  expect([result.rowCount, result.scans]).toEqual([6, []]);
  expect(await values('SELECT count(*), min(id) FROM ns.by_day')).toEqual([[3n, 2n]]);
  expect((await lake.sql("DELETE FROM ns.by_day AS d WHERE d.day = '2024-01-03' AND id > 2")).rowCount).toBe(2);
});

test('conditions mean what they mean in the session', async () => {
  const table = await catalog.createTable('ns.session_zone', {
    schema: schema({ moment: t.timestamptz(), name: t.string() }),
    partitionBy: [partitionBy.hour('moment')],
  });
  await table.append(['2024-01-01T00:00:00Z', '2024-01-01T10:00:00Z'].map((moment) => ({ moment, name: 'A' })));
  await lake.sql("SET TimeZone = 'Asia/Seoul'");
  await lake.sql(`DELETE FROM ns.session_zone WHERE moment < '2024-01-01 12:00:00'`);
  await lake.sql("SET TimeZone = 'UTC'");
  expect(await values('SELECT count(*) FROM ns.session_zone')).toEqual([[1n]]);
  await lake.sql("SET default_collation = 'NOCASE'");
  await lake.sql("DELETE FROM ns.session_zone WHERE name = 'a'");
  await lake.sql('RESET default_collation');
  expect(await values('SELECT count(*) FROM ns.session_zone')).toEqual([[0n]]);
});

test('a row of values, or of a query, goes to several columns', async () => {
  const table = await people();
  await lake.sql(
    `UPDATE ${table.name} AS t SET (name, n) = (SELECT 'q' || s.k, s.k FROM range(10) AS s(k) WHERE s.k = t.id) WHERE id < 3`,
  );
  await lake.sql(`UPDATE ${table.name} SET (name, place.zip) = ROW('r', 5) WHERE id = 3`);
  expect(await values(`SELECT id, name, n, place.zip FROM ${table.name} WHERE id < 4 ORDER BY id`)).toEqual([
    [1n, 'q1', 1, 1],
    [2n, 'q2', 2, 2],
    [3n, 'r', 3, 5],
  ]);
});

test('parameters are values, wherever they stand', async () => {
  const table = await people();
  const name = "'; DROP TABLE x; --";
  const result = await lake.sql(`UPDATE ${table.name} SET name = $name, n = $n WHERE id = $id`, {
    name,
    n: null,
    id: 2n,
  });
  expect(result.rowCount).toBe(1);
  expect(await values(`SELECT name, n FROM ${table.name} WHERE id = 2`)).toEqual([[name, null]]);
  await lake.sql(`DELETE FROM ${table.name} WHERE id = ? OR name = ?`, [1, name]);
  expect(await values(`SELECT min(id) FROM ${table.name}`)).toEqual([[3n]]);
});

test('names may be anything', async () => {
  const table = await catalog.createTable(['ns', 'select "from" é.x'], {
    schema: schema({ 'set "a".b': t.int(), where: t.string(), DEFAULT: t.int() }),
    partitionBy: [partitionBy.identity('where')],
  });
  await table.append([
    { 'set "a".b': 1, where: "o'x", DEFAULT: 1 },
    { 'set "a".b': 2, where: null, DEFAULT: 1 },
  ]);
  const own = 'ns."select ""from"" é.x"';
  await lake.sql(
    `UPDATE ${own} SET "set ""a"".b" = ${own}."set ""a"".b" + 1, "DEFAULT" = DEFAULT WHERE "where" = 'o''x'`,
  );
  await lake
    .sql(`MERGE INTO ${own} AS "t" USING ${own} AS "s t" ON "t"."set ""a"".b" = "s t"."set ""a"".b" AND "s t"."where" IS NULL
    WHEN MATCHED THEN UPDATE SET "where" = 'y'`)
    .catch(() => undefined);
  expect(await values(`SELECT * FROM ${own} ORDER BY 1, 2`)).toHaveLength(2);
  const result = await lake.sql(`DELETE FROM ${own} WHERE "DEFAULT" IS NULL`);
  expect(result.rowCount).toBe(1);
});

test('branches are changed by their names', async () => {
  const table = await people();
  await table.createBranch('audit');
  const main = await values(`SELECT * FROM ${table.name} ORDER BY id`);
  await lake.sql(`UPDATE ${table.name}.branch_audit SET n = 0 WHERE id < 3`);
  await lake.sql(`DELETE FROM ${table.name}.branch_audit AS b WHERE b.n = 0 AND b.id = 1`);
  await lake.sql(`MERGE INTO ${table.name}.branch_audit AS t USING ${table.name} AS s ON t.id = s.id
    WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id + 100, s.n)`);
  const audit = await values(`SELECT id, n FROM ${table.name} AT (VERSION => 'audit') ORDER BY id`);
  expect(audit).toEqual([
    [2n, 0],
    [3n, 3],
    [4n, 4],
    [5n, 5],
    [6n, 6],
    [101n, 1],
  ]);
  expect(await values(`SELECT * FROM ${table.name} ORDER BY id`)).toEqual(main);
});

test('BEGIN … COMMIT makes several changes one commit, each of which sees those before', async () => {
  const table = await people({ mode: 'merge-on-read' });
  const versions = table.metadata.metadataLog.length;
  await lake.sql('BEGIN');
  const update = await lake.sql(`UPDATE ${table.name} SET n = n + 100 WHERE id < 4`);
  expect([update.rowCount, update.snapshotId]).toEqual([3, null]);
  expect((await lake.sql(`DELETE FROM ${table.name} WHERE n > 101`)).rowCount).toBe(2);
  expect(await values(`SELECT id, n FROM ${table.name} ORDER BY id`)).toEqual([
    [1n, 101],
    [4n, 4],
    [5n, 5],
    [6n, 6],
  ]);
  const commit = await lake.sql('COMMIT');
  await table.refresh();
  expect(commit.snapshotId).toBe(table.currentSnapshot()!.snapshotId);
  expect(table.metadata.metadataLog.length).toBe(versions + 1);
  await lake.sql('BEGIN');
  await lake.sql(`UPDATE ${table.name} SET n = 0`);
  await lake.sql('ROLLBACK');
  expect(await values(`SELECT sum(n)::INT FROM ${table.name}`)).toEqual([[116]]);
});

test('tables of the session are changed by DuckDB', async () => {
  await lake.sql('CREATE OR REPLACE TEMP TABLE own AS SELECT range AS id, range AS n FROM range(5)');
  expect((await lake.sql('UPDATE own SET n = 7 WHERE id = 1')).rowCount).toBe(1);
  expect((await lake.sql('DELETE FROM own AS o WHERE o.id > 3')).rowCount).toBe(1);
  await lake.sql('MERGE INTO own USING (SELECT 1 AS id) AS s ON own.id = s.id WHEN MATCHED THEN DELETE');
  expect(await values('SELECT count(*) FROM own')).toEqual([[3n]]);
  expect(await values("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '\\_\\_lh%' ESCAPE '\\'")).toEqual([
    [0n],
  ]);
});
