import { MemoryCatalog } from '@lh/core';
import { typeToText } from '@lh/core/engine';
import { beforeEach, describe, expect, test } from 'vitest';
import { Lakehouse } from '../../src/index.ts';
import { openWarehouse, rejection } from '../support.ts';
import { filesBelow } from './files.ts';

const { lake, catalog, path } = await openWarehouse();
let name = '';
let made = 0;

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

beforeEach(() => {
  name = `ns.c${made++}`;
});

describe('CREATE TABLE … AS', () => {
  test('is one version, which has the rows', async () => {
    const result = await lake.sql(
      `CREATE TABLE ${name} PARTITIONED BY (bucket(4, id)) TBLPROPERTIES ('owner' = 'me') AS
         SELECT i AS id, 'n' || i AS "the name" FROM range(2500) AS r(i) -- all`,
    );
    const table = await catalog.loadTable(name);
    expect(result.table()).toBe(`2,500 rows inserted, snapshot ${table.currentSnapshot()!.snapshotId}`);
    expect(table.metadata.metadataLog).toEqual([]);
    expect(table.spec.fields.map((field) => field.name)).toEqual(['id_bucket']);
    expect(table.properties['owner']).toBe('me');
    expect(await rows(`SELECT count(*)::INT AS n, max("the name") AS m FROM ${name}`)).toEqual([
      { n: 2500, m: 'n999' },
    ]);
  });

  test.each(['SELECT 1 AS id WHERE false', 'SELECT 1 AS id WITH NO DATA', '(SELECT 1 AS id) WITH NO DATA'])(
    'without rows: %s',
    async (query) => {
      expect(await lake.sql(`CREATE TABLE ${name} AS ${query}`)).toMatchObject({ rowCount: 0, snapshotId: null });
      expect(await rows(`FROM ${name}`)).toEqual([]);
      expect((await catalog.loadTable(name)).schema.fields.map((field) => field.name)).toEqual(['id']);
    },
  );

  test('of its own columns, with data, from a file of the session, twice named', async () => {
    await lake.sql(`CREATE TABLE ${name} AS SELECT 1 AS a, 2 AS a, count(*) FROM range(3) WITH DATA`);
    expect(await rows(`FROM ${name}`)).toEqual([{ a: 1, a_1: 2, 'count_star()': 3n }]);
  });

  test('one that is there', async () => {
    await lake.sql(`CREATE TABLE ${name} AS SELECT 1 AS a`);
    expect(await rejection(lake.sql(`CREATE TABLE ${name} AS SELECT 2 AS a`))).toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    expect(await lake.sql(`CREATE TABLE IF NOT EXISTS ${name} AS SELECT 2 AS a`)).toMatchObject({ rowCount: 0 });
    expect(await rows(`FROM ${name}`)).toEqual([{ a: 1 }]);
  });

  test.each<[string, string]>([
    ['1::TINYINT', 'int'],
    ['1::UINTEGER', 'long'],
    ['18446744073709551615::UBIGINT', 'decimal(20, 0)'],
    ["'-99999999999999999999999999999999999999'::HUGEINT", 'decimal(38, 0)'],
    ['1.5::DECIMAL(4, 1)', 'decimal(4, 1)'],
    ["'b'::ENUM('a', 'b')", 'string'],
    ["'{}'::JSON", 'string'],
    ["TIMESTAMP_S '2024-01-01 00:00:01'", 'timestamp'],
    ["TIMESTAMP_MS '2024-01-01 00:00:00.001'", 'timestamp'],
    ["TIMESTAMPTZ '2024-01-01 00:00:00Z'", 'timestamptz'],
    ["TIME '10:11:12.000001'", 'time'],
    ["'ab'::BLOB", 'binary'],
    ['NULL', 'int'],
    ['[1, 2]::INTEGER[2]', 'list<int>'],
    ["{'a': 1, 'b': {'c': [DATE '2024-01-01']}}", 'struct<a: int, b: struct<c: list<date>>>'],
    ["MAP {'k': 1.5::DOUBLE}", 'map<string, double>'],
  ])('%s is %s, and its value is kept', async (value, type) => {
    await lake.sql(`CREATE TABLE ${name} AS SELECT ${value} AS v`);
    const [field] = (await catalog.loadTable(name)).schema.fields;
    expect(typeToText(field!.type).replaceAll(/\d+: |optional /g, '')).toBe(type);
    const same = `SELECT (SELECT v FROM ${name})::VARCHAR IS NOT DISTINCT FROM (${value})::VARCHAR AS same`;
    expect(await rows(same)).toEqual([{ same: true }]);
  });

  test('types of format version 3', async () => {
    const query = "SELECT TIMESTAMP_NS '2024-01-01 00:00:00.000000001' AS ns, 1::VARIANT AS v";
    expect(await rejection(lake.sql(`CREATE TABLE ${name} AS ${query}`))).toMatchObject({
      message: expect.stringMatching(/format version 3/),
    });
    await lake.sql(`CREATE TABLE ${name} TBLPROPERTIES ('format-version' = '3') AS ${query}`);
    expect(await rows(`SELECT ns FROM ${name}`)).toEqual([{ ns: '2024-01-01T00:00:00.000000001' }]);
  });

  test.each<[string, string, RegExp]>([
    ['AS SELECT INTERVAL 1 DAY AS x', 'UNSUPPORTED', /'x' is of type INTERVAL.*cast it/],
    ["AS SELECT {'a': [TIMETZ '10:00:00+01']} AS x", 'UNSUPPORTED', /'x\.a\.element' is of type TIME/],
    ['AS SELECT nope FROM ns.source', 'INVALID_ARGUMENT', /"nope" not found[^]*LINE 1: CREATE TABLE[^]*\n {30,}\^/],
    ['AS SELECT error(id::VARCHAR) AS x FROM ns.source', 'INVALID_ARGUMENT', /^1$/],
    ['AS SELECT CAST(s AS INTEGER) AS x FROM ns.source', 'INVALID_ARGUMENT', /Could not convert string 'a'/],
    ['PARTITIONED BY (nope) AS SELECT 1 AS x', 'INVALID_ARGUMENT', /nope/],
    ['(a INTEGER) AS SELECT 1', 'INVALID_ARGUMENT', /has its columns; name and cast them in the query/],
    ['AS', 'INVALID_ARGUMENT', /a query/],
  ])('%s leaves nothing', async (rest, code, message) => {
    await lake.sql("CREATE TABLE IF NOT EXISTS ns.source AS SELECT 1 AS id, 'a' AS s");
    const before = await filesBelow(path);
    const error = await rejection(lake.sql(`CREATE TABLE ${name} ${rest}`));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
    expect(await catalog.tableExists(name)).toBe(false);
    expect(await filesBelow(path)).toEqual(before);
  });

  test('an aborted one leaves nothing', async () => {
    const before = await filesBelow(path);
    const controller = new AbortController();
    const query = 'SELECT i, sha256(i::VARCHAR) AS s FROM range(200000000) AS r(i)';
    const created = lake.sql(`CREATE TABLE ${name} AS ${query}`, undefined, { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    expect(await rejection(created)).toMatchObject({ code: 'ABORTED' });
    expect(await filesBelow(path)).toEqual(before);
  });

  test('of several at once one makes the table', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((i) => lake.sql(`CREATE TABLE ${name} AS SELECT ${i} AS a FROM range(${i})`)),
    );
    const done = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(1);
    const [{ n, a }] = (await rows(`SELECT count(*)::INT AS n, max(a) AS a FROM ${name}`)) as [
      { n: number; a: number },
    ];
    expect(n).toBe(a);
    const table = await catalog.loadTable(name);
    const report = await table.removeOrphanFiles({ olderThan: new Date(Date.now() + 60_000), dryRun: true });
    expect(report.orphanFiles).toEqual([]);
  });

  test('in a catalog in memory', async () => {
    const memory = new MemoryCatalog();
    await memory.createNamespace('ns');
    const second = await Lakehouse.open({ catalog: memory });
    await second.sql('CREATE TABLE ns.t AS SELECT 1 AS a');
    expect(await (await second.sql('FROM ns.t')).rows()).toEqual([{ a: 1 }]);
    await second.close();
  });
});

describe('CREATE OR REPLACE TABLE … AS', () => {
  test('makes another table of it in one step, and keeps uuid and history', async () => {
    await lake.sql(`CREATE TABLE ${name} PARTITIONED BY (k) AS SELECT i AS id, i % 2 AS k FROM range(10) AS r(i)`);
    const before = await catalog.loadTable(name);
    const result = await lake.sql(
      `CREATE OR REPLACE TABLE ${name} AS SELECT id * 10 AS id, 'x' AS s FROM ${name} WHERE id < 3`,
    );
    const table = await catalog.loadTable(name);
    expect(table.uuid).toBe(before.uuid);
    expect(table.metadata.metadataLog.at(-1)!.metadataFile).toBe(before.metadataLocation);
    expect(table.currentSnapshot()).toMatchObject({ snapshotId: result.snapshotId, parentSnapshotId: null });
    expect(table.spec.fields).toEqual([]);
    expect(await rows(`FROM ${name} ORDER BY id`)).toEqual([0n, 10n, 20n].map((id) => ({ id, s: 'x' })));
    const old = `SELECT count(*)::INT AS n FROM ${name} AT (VERSION => ${before.currentSnapshot()!.snapshotId})`;
    expect(await rows(old)).toEqual([{ n: 10 }]);
  });

  test('of a query without rows is empty, of one that fails is as it was', async () => {
    await lake.sql(`CREATE OR REPLACE TABLE ${name} AS SELECT 1 AS a`);
    const before = await filesBelow(path);
    expect(await rejection(lake.sql(`CREATE OR REPLACE TABLE ${name} AS SELECT error('no') AS b`))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await filesBelow(path)).toEqual(before);
    expect(await rows(`FROM ${name}`)).toEqual([{ a: 1 }]);
    await lake.sql(`CREATE OR REPLACE TABLE ${name} AS SELECT 'x' AS b WHERE false`);
    expect(await rows(`SELECT b FROM ${name}`)).toEqual([]);
  });

  test('in a transaction', async () => {
    await lake.sql(`CREATE TABLE ${name} AS SELECT 1 AS a`);
    await lake.sql(`BEGIN; CREATE OR REPLACE TABLE ${name} AS SELECT a + 1 AS b FROM ${name}`);
    await lake.sql(`INSERT INTO ${name} SELECT b + 1 FROM ${name}`);
    await lake.sql('COMMIT');
    expect(await rows(`FROM ${name} ORDER BY b`)).toEqual([{ b: 2 }, { b: 3 }]);
  });
});

test("temporary tables are DuckDB's", async () => {
  await lake.sql(`CREATE TABLE ${name} AS SELECT 1 AS a`);
  await lake.sql(`CREATE OR REPLACE TEMP TABLE own AS FROM ${name}`);
  expect(await rows('FROM own')).toEqual([{ a: 1 }]);
});
