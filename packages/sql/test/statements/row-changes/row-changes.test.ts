import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partitionBy, schema, t } from '@lh/core';
import type { FormatVersion, RowLevelMode, Table } from '@lh/core';
import { tableFromArrays } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { Lakehouse } from '../../../src/index.ts';
import { openWarehouse, rejection } from '../../support.ts';

const { lake, catalog, path } = await openWarehouse();
let next = 0;

interface Layout {
  readonly formatVersion?: FormatVersion;
  readonly mode?: RowLevelMode;
}

/** A table of six rows in two files. */
async function people({ formatVersion = 2, mode = 'copy-on-write' }: Layout = {}): Promise<Table> {
  const table = await catalog.createTable(`ns.people${next++}`, {
    schema: schema({
      id: t.long().required(),
      name: t.string(),
      n: t.int(),
      place: t.struct({ city: t.string(), zip: t.int() }),
    }),
    formatVersion,
    properties: { 'write.update.mode': mode, 'write.delete.mode': mode, 'write.merge.mode': mode },
  });
  for (const first of [1, 4]) {
    await table.append(
      [first, first + 1, first + 2].map((id) => ({
        id: BigInt(id),
        name: `n${id}`,
        n: id,
        place: id === 6 ? null : { city: 'Seoul', zip: id },
      })),
    );
  }
  return table;
}

async function values(sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await (await lake.sql(sql)).rows()).map((row) => Object.values(row));
}

async function dataFiles(table: Table): Promise<readonly string[]> {
  const files = await readdir(join(path, table.location.slice(path.length), 'data'), { recursive: true });
  return files.toSorted();
}

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

describe('other tables', () => {
  test('may be Iceberg tables, older versions, files, Arrow data and tables of the session', async () => {
    const table = await people();
    const first = table.snapshots()[0]!.snapshotId;
    const csv = join(path, 'names.csv');
    await writeFile(csv, 'id,name\n1,csv\n');
    await lake.sql('CREATE OR REPLACE TEMP TABLE local AS SELECT 2::BIGINT AS id, $$local$$ AS name');
    lake.register('arrow_names', tableFromArrays({ id: BigInt64Array.of(3n), name: ['arrow'] }));
    await lake.sql(`UPDATE ${table.name} AS t SET name = s.name FROM read_csv('${csv}') AS s WHERE s.id = t.id`);
    await lake.sql(`UPDATE ${table.name} AS t SET name = s.name FROM local s WHERE s.id = t.id`);
    await lake.sql(
      `UPDATE ${table.name} AS t SET name = arrow_names.name FROM arrow_names WHERE arrow_names.id = t.id`,
    );
    await lake.sql(
      `DELETE FROM ${table.name} AS t WHERE t.id NOT IN (SELECT id FROM ${table.name} AT (VERSION => ${first}))`,
    );
    expect(await values(`SELECT id, name FROM ${table.name} ORDER BY id`)).toEqual([
      [1n, 'csv'],
      [2n, 'local'],
      [3n, 'arrow'],
    ]);
  });

  test('that give a row one value are no problem, those that give it several are', async () => {
    const table = await people();
    const twice = '(VALUES (1, 5), (1, 5), (2, 6)) AS s(id, n)';
    expect((await lake.sql(`UPDATE ${table.name} AS t SET n = s.n FROM ${twice} WHERE s.id = t.id`)).rowCount).toBe(2);
    const before = table.snapshots().length;
    const several = '(VALUES (1, 5), (1, 7)) AS s(id, n)';
    const update = await rejection(lake.sql(`UPDATE ${table.name} AS t SET n = s.n FROM ${several} WHERE s.id = t.id`));
    expect(update).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(update.message).toMatch(/Several rows of FROM match one row of ns\.people/);
    const merge = (when: string): string => `MERGE INTO ${table.name} AS t USING ${several} ON s.id = t.id ${when}`;
    const changed = await rejection(lake.sql(merge('WHEN MATCHED THEN UPDATE SET n = s.n')));
    expect(changed.message).toMatch(/Several rows of the source match one row/);
    await expect(lake.sql(merge('WHEN MATCHED THEN DELETE'))).rejects.toThrow('Several rows of the source');
    // One of them changes nothing.
    const one = await lake.sql(merge('WHEN MATCHED AND s.n = 7 THEN UPDATE SET n = s.n'));
    expect(one.rowCount).toBe(1);
    expect((await table.refresh()).snapshots()).toHaveLength(before + 2);
  });

  test('are named in WITH', async () => {
    const table = await people();
    await lake.sql(
      `WITH old AS (SELECT max(id) AS id FROM ${table.name}) DELETE FROM ${table.name} WHERE id IN (FROM old)`,
    );
    await lake.sql(`WITH s AS (SELECT 1 AS id) UPDATE ${table.name} AS t SET n = 0 FROM s WHERE s.id = t.id`);
    await lake.sql(
      `WITH s AS (SELECT 5 AS id) MERGE INTO ${table.name} AS t USING s ON t.id = s.id WHEN MATCHED THEN DELETE`,
    );
    expect(await values(`SELECT id, n FROM ${table.name} ORDER BY id`)).toEqual([
      [1n, 0],
      [2n, 2],
      [3n, 3],
      [4n, 4],
    ]);
  });
});

describe('columns of a MERGE', () => {
  test('go by name, in any case', async () => {
    const table = await people();
    const source = `(SELECT 1 AS ID, 'one' AS Name, 11 AS n, NULL AS place, true AS extra
      UNION ALL SELECT 8, 'eight', 18, struct_pack(zip := 8, city := 'x'), false) AS s`;
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING ${source} ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
    );
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (2, 'two'), (9, 'nine')) AS s(id, name) USING (id)
       WHEN MATCHED THEN UPDATE BY NAME WHEN NOT MATCHED THEN INSERT BY NAME`,
    );
    expect(await values(`SELECT * FROM ${table.name} WHERE id IN (1, 2, 8, 9) ORDER BY id`)).toEqual([
      [1n, 'one', 11, null],
      [2n, 'two', 2, { city: 'Seoul', zip: 2 }],
      [8n, 'eight', 18, { city: 'x', zip: 8 }],
      [9n, 'nine', null, null],
    ]);
    const lacks = await rejection(
      lake.sql(
        `MERGE INTO ${table.name} AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET *`,
      ),
    );
    expect(lacks.message).toMatch(
      /^The source has no column 'name'; name the columns, or go BY NAME\.\nLINE 1: .*\n +\^$/,
    );
  });

  test('that source and table share are the source in clauses about rows that the table has not', async () => {
    const table = await people();
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (9, 'x', 1), (10, 'y', 2)) AS s(id, name, n) ON t.id = s.id
       WHEN NOT MATCHED AND n > 1 AND name IN (SELECT name FROM (VALUES ('y')) AS o(name))
       THEN INSERT (id, name, n) VALUES (id + 1, list_transform([name], lambda id: id || '!')[1], s.n)`,
    );
    expect(await values(`SELECT id, name, n FROM ${table.name} WHERE id > 6`)).toEqual([[11n, 'y!', 2]]);
  });

  test('may have defaults', async () => {
    const table = await people({ formatVersion: 3 });
    await table.updateSchema((s) => s.addColumn('level', t.int().default(7)));
    await lake.sql(`UPDATE ${table.name} SET level = 1`);
    await lake.sql(`UPDATE ${table.name} SET level = DEFAULT, n = DEFAULT WHERE id = 1`);
    await lake.sql(
      `MERGE INTO ${table.name} AS t USING (VALUES (8), (9)) AS s(id) ON t.id = s.id
       WHEN NOT MATCHED AND s.id = 8 THEN INSERT (id) VALUES (s.id) WHEN NOT MATCHED THEN INSERT (id, level) VALUES (s.id, DEFAULT)`,
    );
    expect(await values(`SELECT id, n, level FROM ${table.name} WHERE id NOT BETWEEN 3 AND 6 ORDER BY id`)).toEqual([
      [1n, null, 7],
      [2n, 2, 1],
      [8n, null, 7],
      [9n, null, 7],
    ]);
  });
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

test.each(['copy-on-write', 'merge-on-read'] as const)(
  'a session with allowedPaths changes its tables: %s',
  async (mode) => {
    const table = await people({ mode });
    await using fenced = await Lakehouse.open({ catalog, allowedPaths: [path] });
    expect((await fenced.sql(`UPDATE ${table.name} SET n = 0 WHERE id > 4`)).rowCount).toBe(2);
    expect((await fenced.sql(`DELETE FROM ${table.name} WHERE n = 0 AND id = 5`)).rowCount).toBe(1);
    const outside = `UPDATE ${table.name} SET n = 1 FROM read_csv('/etc/passwd') AS s WHERE true`;
    await expect(fenced.sql(outside)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(await values(`SELECT count(*), sum(n)::INT FROM ${table.name}`)).toEqual([[5n, 10]]);
  },
);

describe('a statement that fails', () => {
  test.each([
    ['a value', 'UPDATE t SET n = CAST(name AS INTEGER)', /Could not convert string 'n1' to INT32/],
    ['a null where one is required', 'UPDATE t SET id = NULL WHERE id = 5', /'id' is required/],
    [
      'a column',
      'UPDATE t SET nme = 1',
      /^The table has no column 'nme'\. Did you mean 'name' or 'n'\?\nLINE 1: .*\n +\^$/,
    ],
    ['a field', 'UPDATE t SET place.town = 1', /no column 'place\.town'/],
    ['no struct', 'UPDATE t SET n.x = 1', /'n' is no struct/],
    ['twice', 'UPDATE t SET place.zip = 1, place = NULL', /'place' is assigned twice/],
    [
      'an unknown column',
      'DELETE FROM t WHERE  town = 1',
      /Referenced column "town" not found[^]*\nLINE 1: .*WHERE  town = 1\n +\^$/,
    ],
    ['a syntax error', 'DELETE FROM t WHERE id = = 1', /syntax error.*\nLINE 1: .*id = = 1\n +\^$/],
    ['RETURNING', 'DELETE FROM t WHERE id = 1 RETURNING id', /RETURNING isn't supported/],
    [
      'an error of a clause',
      "MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN ERROR 'no ' || s.id",
      /no 1/,
    ],
    [
      'an unknown column of INSERT',
      'MERGE INTO t USING (SELECT 9 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (idd) VALUES (1)',
      /no column 'idd'/,
    ],
    [
      'too few values',
      'MERGE INTO t USING (SELECT 9 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (1)',
      /has 4 columns, and there are 1 values/,
    ],
  ])('%s: leaves nothing behind', async (_, statement, message) => {
    const table = await people({ formatVersion: 3, mode: 'merge-on-read' });
    const files = await dataFiles(table);
    const sql = statement.replace(/(?<=UPDATE |FROM |INTO )t\b/, `${table.name} AS t`);
    const error = await rejection(lake.sql(sql));
    expect(error).toMatchObject({ code: expect.stringMatching(/INVALID_ARGUMENT|UNSUPPORTED/) });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('__lh');
    expect(await dataFiles(table)).toEqual(files);
    expect((await table.refresh()).snapshots()).toHaveLength(2);
    expect(await values("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%lh_changes%'")).toEqual([[0n]]);
  });

  test('because it was aborted leaves nothing behind', async () => {
    const table = await people();
    const files = await dataFiles(table);
    const abort = new AbortController();
    const running = rejection(
      lake.sql(
        `UPDATE ${table.name} SET n = (SELECT count(*) FROM range(3000000) a, range(100000) b WHERE hash(a.range + b.range) = 1)`,
        undefined,
        {
          signal: abort.signal,
        },
      ),
    );
    setTimeout(() => abort.abort(), 300);
    expect(await running).toMatchObject({ code: 'ABORTED' });
    expect(await dataFiles(table)).toEqual(files);
    expect((await table.refresh()).snapshots()).toHaveLength(2);
  });

  test('as the target can only be read, or is none', async () => {
    await expect(lake.sql('DELETE FROM ns.nothing')).rejects.toThrow("There is no table 'ns.nothing'");
    const table = await people();
    await expect(lake.sql(`DELETE FROM ${table.name}.files`)).rejects.toThrow('can only be read');
    await expect(lake.sql(`DELETE FROM ${table.name}.branch_x WHERE id = 1`)).rejects.toThrow(/branch/);
  });
});
