import { partitionBy, schema, t } from '@lh/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';
import { filesBelow } from '../files.ts';

const { lake, catalog, path } = await openWarehouse();
let name = '';
let made = 0;

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

beforeEach(async () => {
  name = `ns.t${made++}`;
  await catalog.createTable(name, {
    schema: schema({ id: t.long().required(), city: t.string(), amount: t.decimal(10, 2) }),
  });
});

describe('what is inserted', () => {
  test.each<[string, string, readonly object[]]>([
    ['VALUES', "VALUES (1, 'a', 1.5), (2, NULL, NULL)", [row(1n, 'a', '1.50'), row(2n, null, null)]],
    ['by position, whatever the names', "SELECT 1 AS amount, 'a' AS id, 2 AS city", [row(1n, 'a', '2.00')]],
    ['by the position said so', "BY POSITION SELECT 1 AS x, 'a' AS y, 2", [row(1n, 'a', '2.00')]],
    ['by name', "BY NAME SELECT 'a' AS CITY, 1 AS id", [row(1n, 'a', null)]],
    ['columns that are listed', '(amount, ID) SELECT 2, 1', [row(1n, null, '2.00')]],
    ['columns in quotes', '("amount", "id") VALUES (2, 1)', [row(1n, null, '2.00')]],
    ['DEFAULT', "(id, city) VALUES (1, DEFAULT), (2, upper('x'))", [row(1n, null, null), row(2n, 'X', null)]],
    ['a query in brackets', "(SELECT 1, 'a', 2)", [row(1n, 'a', '2.00')]],
    ['FROM first', "FROM (SELECT 1, 'a', 2)", [row(1n, 'a', '2.00')]],
    ['WITH behind it', "WITH x AS (SELECT 1 AS i) SELECT i, 'a', 2 FROM x", [row(1n, 'a', '2.00')]],
    [
      'a set operation with an order',
      "SELECT 1, 'a', 2 UNION ALL SELECT 2, 'b', 3 ORDER BY 1",
      [row(1n, 'a', '2.00'), row(2n, 'b', '3.00')],
    ],
    ['casts as DuckDB has them', "SELECT '7', 8, '9.999'", [row(7n, '8', '10.00')]],
    ['an alias', 'AS x (id) VALUES (1)', [row(1n, null, null)]],
    [
      'values that only their column has a type for',
      "(id, city, amount) VALUES (1, 1, 1e0), ('2', 'x', 12345678.91), (3, 1.50, '-7'), (-4, NULL, DEFAULT)",
      [row(-4n, null, null), row(1n, '1', '1.00'), row(2n, 'x', '12345678.91'), row(3n, '1.50', '-7.00')],
    ],
    ['nothing', "SELECT 1, 'a', 2 WHERE false", []],
  ])('%s', async (_, source, expected) => {
    const result = await lake.sql(`INSERT INTO ${name} ${source} -- all of it`);
    expect(await rows(`FROM ${name} ORDER BY id`)).toEqual(expected);
    expect(result.rowCount).toBe(expected.length);
    const table = await catalog.loadTable(name);
    expect(result.snapshotId).toBe(table.currentSnapshot()?.snapshotId ?? null);
    expect(table.snapshots()).toHaveLength(expected.length > 0 ? 1 : 0);
  });

  function row(id: bigint, city: string | null, amount: string | null): object {
    return { id, city, amount };
  }

  test('WITH before it', async () => {
    await lake.sql(
      `WITH x AS (SELECT 1 AS i), y AS (SELECT i + 1 AS j FROM x) INSERT INTO ${name} (id) SELECT j FROM y`,
    );
    await lake.sql(`WITH x AS (SELECT 5 AS i) INSERT INTO ${name} (id, city) VALUES ((SELECT i FROM x), DEFAULT)`);
    expect(await rows(`SELECT id FROM ${name} ORDER BY id`)).toEqual([{ id: 2n }, { id: 5n }]);
  });

  test('rows of the table itself, of temporary tables, of parameters', async () => {
    await lake.sql(`INSERT INTO ${name} VALUES (?, ?, $3)`, [2n ** 62n, "it's; DROP TABLE", '1.25']);
    await lake.sql('CREATE OR REPLACE TEMP TABLE source AS SELECT 5 AS i');
    const result = await lake.sql(`INSERT INTO ${name} SELECT id - i, city, amount FROM ${name}, source`);
    expect(await rows(`FROM ${name} ORDER BY id DESC`)).toEqual([
      { id: 2n ** 62n, city: "it's; DROP TABLE", amount: '1.25' },
      { id: 2n ** 62n - 5n, city: "it's; DROP TABLE", amount: '1.25' },
    ]);
    expect(result.scans).toMatchObject([{ table: name, filesScanned: 1 }]);
    expect(result.table()).toBe(`1 row inserted, snapshot ${result.snapshotId}`);
  });

  test('defaults of columns', async () => {
    await lake.sql(
      `CREATE TABLE ${name}d (id BIGINT DEFAULT -9223372036854775808, ts TIMESTAMP, kind VARCHAR NOT NULL DEFAULT 'it''s')
       TBLPROPERTIES ('format-version' = '3')`,
    );
    await lake.sql(`INSERT INTO ${name}d DEFAULT VALUES`);
    await lake.sql(`INSERT INTO ${name}d VALUES (DEFAULT, TIMESTAMP '2024-01-01 00:00:00.000001', default)`);
    await lake.sql(`INSERT INTO ${name}d (ts) SELECT NULL`);
    expect(await rows(`FROM ${name}d ORDER BY ts NULLS FIRST`)).toEqual([
      { id: -(2n ** 63n), ts: null, kind: "it's" },
      { id: -(2n ** 63n), ts: null, kind: "it's" },
      { id: -(2n ** 63n), ts: '2024-01-01T00:00:00.000001', kind: "it's" },
    ]);
  });

  test('names that need quotes', async () => {
    const hostile = ['ns', 'a "b".c; --'];
    await catalog.createTable(hostile, { schema: schema({ 'select "x"': t.int(), 'ü.': t.string() }) });
    await lake.sql('INSERT INTO ns."a ""b"".c; --" ("ü.", "select ""x""") VALUES (\'"\', 1)');
    expect(await rows('FROM ns."a ""b"".c; --"')).toEqual([{ 'select "x"': 1, 'ü.': '"' }]);
  });

  test('a handle that was registered sees what was inserted', async () => {
    lake.register('mine', await catalog.loadTable(name));
    await lake.sql('INSERT INTO mine (id) VALUES (1)');
    expect(await rows('SELECT id FROM mine')).toEqual([{ id: 1n }]);
  });
});

describe('branches', () => {
  test.each([
    '%s.branch_audit',
    "%s FOR VERSION AS OF 'audit'",
    "%s VERSION AS OF 'audit'",
    "%s AT (VERSION => 'audit')",
  ])('INSERT INTO %s', async (target) => {
    await lake.sql(`INSERT INTO ${name} (id) VALUES (1)`);
    const table = await catalog.loadTable(name);
    await table.createBranch('audit');
    const result = await lake.sql(`INSERT INTO ${target.replace('%s', name)} (id) VALUES (2)`);
    await table.refresh();
    expect(table.refs()['audit']!.snapshotId).toBe(result.snapshotId);
    expect(await rows(`SELECT id FROM ${name}`)).toEqual([{ id: 1n }]);
    expect(await rows(`SELECT id FROM ${name} FOR VERSION AS OF 'audit' ORDER BY id`)).toEqual([
      { id: 1n },
      { id: 2n },
    ]);
  });

  test('one that is not there', async () => {
    const error = await rejection(lake.sql(`INSERT INTO ${name}.branch_nope (id) VALUES (2)`));
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/no branch 'nope'/) });
  });
});

describe('errors name the place, and leave nothing', () => {
  test.each<[string, string, RegExp]>([
    ["VALUES (1, 'a')", 'INVALID_ARGUMENT', /The query has 2 columns, and 3 are wanted: id, city, amount/],
    ['(id, nope) VALUES (1, 2)', 'INVALID_ARGUMENT', /has no column 'nope'[^]*\n {28,}\^/],
    ['(id, citi) VALUES (1, 2)', 'INVALID_ARGUMENT', /Did you mean 'city'\?/],
    ['(id, ID) VALUES (1, 2)', 'INVALID_ARGUMENT', /'ID' is named twice[^]*\n {28,}\^/],
    [
      "(id) SELECT 'abc'",
      'INVALID_ARGUMENT',
      /Could not convert string 'abc' to INT64 when casting from source column id/,
    ],
    ['(id) SELECT 2::HUGEINT ** 70', 'INVALID_ARGUMENT', /out of range.*INT64|INT64/],
    ['(id) VALUES (NULL)', 'INVALID_ARGUMENT', /'id' is required, and the query gives it a null/],
    ["(city) VALUES ('a')", 'INVALID_ARGUMENT', /'id' is required, and the query lacks it/],
    ['(id) VALUES (DEFAULT)', 'INVALID_ARGUMENT', /'id' is required, and has no default[^]*\n {34,}\^/],
    ['DEFAULT VALUES', 'INVALID_ARGUMENT', /'id' is required, and has no default/],
    ['BY NAME SELECT 1 AS id, 2 AS nope', 'INVALID_ARGUMENT', /'nope', which the table lacks/],
    ['(id) BY NAME SELECT 1 AS id', 'INVALID_ARGUMENT', /BY NAME takes the columns of the query/],
    ['(id) SELECT nope FROM ns.t0', 'INVALID_ARGUMENT', /"nope" not found[^]*LINE 1: INSERT INTO[^]*\n {33,}\^/],
    ['(id) SELECT 1 FRM x', 'INVALID_ARGUMENT', /syntax error at or near "x"[^]*LINE 1: INSERT INTO/],
    ['(id)', 'INVALID_ARGUMENT', /Expected a query or VALUES, and found the end/],
    ['(id) SELECT 1 RETURNING id', 'UNSUPPORTED', /RETURNING[^]*\^/],
    ['(id) VALUES (1) ON CONFLICT DO NOTHING', 'UNSUPPORTED', /MERGE INTO/],
    ['(id) SELECT id FROM ns.nope', 'NOT_FOUND', /no table 'ns.nope'/],
  ])('%s', async (source, code, message) => {
    const before = await filesBelow(path);
    const error = await rejection(lake.sql(`INSERT INTO ${name} ${source}`));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
    expect(error.message).not.toMatch(/__lh_/);
    expect(await filesBelow(path)).toEqual(before);
  });

  test.each<[string, string, RegExp]>([
    ['INSERT OR REPLACE INTO %s (id) VALUES (1)', 'UNSUPPORTED', /MERGE INTO/],
    ['INSERT OR IGNORE INTO %s (id) VALUES (1)', 'UNSUPPORTED', /MERGE INTO/],
    ['INSERT INTO ns.nope VALUES (1)', 'NOT_FOUND', /no table 'ns.nope'/],
    ['INSERT INTO %s.snapshots VALUES (1)', 'INVALID_ARGUMENT', /metadata table, which can only be read/],
    ['INSERT %s (id) VALUES (1)', 'INVALID_ARGUMENT', /Expected INTO or OVERWRITE/],
  ])('%s', async (sql, code, message) => {
    const error = await rejection(lake.sql(sql.replace('%s', name)));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
  });

  test('rows that fail late, in one of many partitions', async () => {
    await catalog.createTable(`${name}p`, {
      schema: schema({ id: t.long().required(), part: t.long() }),
      partitionBy: [partitionBy.identity('part')],
    });
    const before = await filesBelow(path);
    const late = `SELECT CASE WHEN i < 400000 THEN i END, i % 7 FROM range(400001) AS r(i)`;
    expect(await rejection(lake.sql(`INSERT INTO ${name}p ${late}`))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await filesBelow(path)).toEqual(before);
  });

  test('an aborted one', async () => {
    const before = await filesBelow(path);
    const controller = new AbortController();
    const inserted = lake.sql(
      `INSERT INTO ${name} (id, city) SELECT i, sha256(i::VARCHAR) FROM range(200000000) AS r(i)`,
      undefined,
      { signal: controller.signal },
    );
    setTimeout(() => controller.abort(), 300);
    expect(await rejection(inserted)).toMatchObject({ code: 'ABORTED' });
    expect(await filesBelow(path)).toEqual(before);
    expect(await rows(`SELECT count(*)::INT AS n FROM ${name}`)).toEqual([{ n: 0 }]);
  });

  test('a disk that is full: a query that may keep no more', async () => {
    const small = await openWarehouse({ memoryLimit: '64MB' });
    await small.catalog.createTable('ns.t', { schema: schema({ id: t.long(), s: t.string() }) });
    await small.lake.sql("SET max_temp_directory_size = '1MB'");
    const before = await filesBelow(small.path);
    const large = "SELECT i, repeat('x', 200) || i FROM range(3000000) AS r(i) ORDER BY hash(i)";
    const error = await rejection(small.lake.sql(`INSERT INTO ns.t ${large}`));
    expect(error.code).toBe('RESOURCE_EXHAUSTED');
    expect(await filesBelow(small.path)).toEqual(before);
  });
});

test('inserts at once are all kept', async () => {
  await Promise.all(Array.from({ length: 6 }, (_, i) => lake.sql(`INSERT INTO ${name} (id) VALUES (${i})`)));
  expect(await rows(`SELECT count(DISTINCT id)::INT AS n FROM ${name}`)).toEqual([{ n: 6 }]);
});

test("tables of the session are DuckDB's", async () => {
  await lake.sql('CREATE OR REPLACE TEMP TABLE own (a INTEGER PRIMARY KEY, b INTEGER DEFAULT 5)');
  expect(await rows('INSERT INTO own (a) VALUES (1) RETURNING b')).toEqual([{ b: 5 }]);
  await lake.sql('INSERT OR REPLACE INTO own VALUES (1, 6)');
  await lake.sql(`INSERT INTO own SELECT 2, count(*) FROM ${name}`);
  expect(await rows('FROM own ORDER BY a')).toEqual([
    { a: 1, b: 6 },
    { a: 2, b: 0 },
  ]);
});
