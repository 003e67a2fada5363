import { MemoryCatalog, schema, t } from '@lh/core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';

const other = new MemoryCatalog({ name: 'mem' });
const { lake, catalog } = await openWarehouse({ catalogs: { mem: other } });

beforeAll(async () => {
  await catalog.createNamespace(['a', 'b']);
  await other.createNamespace('ns');
  await lake.sql(`CREATE TABLE ns.events (x int); INSERT INTO ns.events VALUES (1);
    CREATE TABLE a.b.events (x int); INSERT INTO a.b.events VALUES (2);
    CREATE TABLE mem.ns.events (x int); INSERT INTO mem.ns.events VALUES (3)`);
});

// To the default catalog's again.
afterEach(() => lake.sql('USE memory.main'));

const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await lake.sql(sql)).rows();
const value = async (sql: string): Promise<unknown> => Object.values((await rows(sql))[0]!)[0];

describe('USE', () => {
  test('names of one part are in its namespace, others in its catalog', async () => {
    expect((await rejection(lake.sql('SELECT x FROM events'))).message).toMatch(/'ns.events'/);
    await lake.sql('USE ns');
    expect(await rows('SHOW CURRENT NAMESPACE')).toEqual([{ catalog: catalog.name, namespace: 'ns' }]);
    expect(await value('SELECT x FROM events')).toBe(1);
    expect(await value('SELECT x FROM a.b.events')).toBe(2);
    await lake.sql('USE a.b');
    expect(await value('SELECT e.x FROM events AS e JOIN events ON true')).toBe(2);
    await lake.sql('USE mem.ns');
    expect(await value('SELECT x FROM events')).toBe(3);
    expect(await value('SELECT x FROM ns.events')).toBe(3);
    expect(await value(`SELECT x FROM "${catalog.name}".ns.events`)).toBe(1);
    await lake.sql('USE SCHEMA mem');
    expect(await rows('SHOW CURRENT SCHEMA')).toEqual([{ catalog: 'mem', namespace: '' }]);
    expect(await value('SELECT x FROM ns.events')).toBe(3);
  });

  test('statements of all kinds follow it', async () => {
    await lake.sql('USE ns');
    await lake.sql('CREATE TABLE made (id int, city string); INSERT INTO made VALUES (1, $1)', ['Seoul']);
    await lake.sql('ALTER TABLE made ADD COLUMN n int; COMMENT ON COLUMN made.CITY IS $1', ["it's"]);
    expect((await catalog.loadTable('ns.made')).schema.fields[1]).toMatchObject({ doc: "it's" });
    await lake.sql("COMMENT ON TABLE made IS 'made'");
    expect((await catalog.loadTable('ns.made')).properties['comment']).toBe('made');
    await lake.sql('COMMENT ON TABLE made IS NULL; COMMENT ON COLUMN ns.made.city IS NULL');
    expect((await catalog.loadTable('ns.made')).properties).toEqual({});
    expect(await value('SELECT count(*)::int FROM made.files')).toBe(1);
    expect(await value('SELECT count(*)::int FROM "made$files"')).toBe(1);
    expect((await rows("CALL system.rewrite_manifests('made')")).length).toBe(1);
    expect((await rows('DESCRIBE made')).map((row) => row['column_name'])).toEqual(['id', 'city', 'n']);
    await lake.sql('DROP TABLE made');
    expect(await catalog.tableExists('ns.made')).toBe(false);
  });

  test("tables of the session go before; DuckDB's schemas are used as before", async () => {
    await lake.sql('USE ns');
    await lake.sql('CREATE TEMP TABLE events AS SELECT 5 AS x');
    expect(await value('SELECT x FROM events')).toBe(5);
    expect(await value('SELECT x FROM ns.events')).toBe(1);
    await lake.sql('DROP TABLE events');
    expect(await value('SELECT x FROM events')).toBe(1);
    expect(await value('WITH events AS (SELECT 7 AS x) SELECT x FROM events')).toBe(7);
    expect(await value('SELECT current_schema()')).toBe('main');
    await lake.sql('USE memory');
    expect(await rejection(lake.sql('SELECT x FROM events'))).toMatchObject({ code: 'NOT_FOUND' });
    await lake.sql('USE main');
    await lake.connection.run('CREATE SCHEMA of_duckdb');
    await lake.sql('USE of_duckdb; DROP SCHEMA IF EXISTS nope; USE memory.main; DROP SCHEMA of_duckdb');
    expect(await rejection(lake.sql('USE of_duckdb'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(lake.sql('CREATE TABLE t (x int)'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('a name that is no namespace changes nothing; one that is dropped is left', async () => {
    await lake.sql('CREATE SCHEMA gone; USE gone');
    expect(await rejection(lake.sql('USE nope'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rows('SHOW CURRENT NAMESPACE')).toEqual([{ catalog: catalog.name, namespace: 'gone' }]);
    await lake.sql('DROP SCHEMA gone');
    expect(await rows('SHOW CURRENT NAMESPACE')).toEqual([{ catalog: catalog.name, namespace: '' }]);
    await lake.sql('USE main');
  });
});

describe('SHOW', () => {
  test('TABLES of a namespace, of all, and those of the session', async () => {
    const event = { catalog: catalog.name, namespace: 'ns', name: 'events', type: 'TABLE' };
    expect(await rows('SHOW TABLES FROM ns')).toEqual([event]);
    expect(await rows("SHOW TABLES IN a.b LIKE 'ev%'")).toEqual([{ ...event, namespace: 'a.b' }]);
    expect(await rows("SHOW TABLES IN ns LIKE 'x*'")).toEqual([]);
    expect(await rows('SHOW TABLES FROM mem.ns')).toEqual([{ ...event, catalog: 'mem' }]);
    await lake.sql('CREATE TEMP TABLE mine (x int)');
    lake.register('clicks', await catalog.loadTable('ns.events'));
    expect(await rows('SHOW TABLES')).toEqual([
      { ...event, namespace: 'a.b' },
      event,
      { catalog: 'temp', namespace: 'main', name: 'mine', type: 'TEMPORARY TABLE' },
      { catalog: null, namespace: null, name: 'clicks', type: 'REGISTERED' },
    ]);
    await lake.sql('USE a.b');
    expect((await rows('SHOW TABLES')).map(({ name }) => name)).toEqual(['events', 'mine', 'clicks']);
    await lake.sql('USE main');
    lake.unregister('clicks');
    expect(await rejection(lake.sql('SHOW TABLES FROM nope'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rows('SHOW TABLES FROM memory.main')).toEqual([]);
    await lake.sql('DROP TABLE mine');
  });

  test('SCHEMAS, CATALOGS', async () => {
    const names = (list: readonly Record<string, unknown>[]): unknown => list.map(({ name }) => name);
    expect(names(await rows('SHOW SCHEMAS'))).toEqual(['a', 'ns']);
    expect(names(await rows("SHOW NAMESPACES LIKE 'n%'"))).toEqual(['ns']);
    expect(names(await rows('SHOW DATABASES IN a'))).toEqual(['a.b']);
    expect(await rows('SHOW SCHEMAS FROM mem')).toEqual([{ catalog: 'mem', name: 'ns' }]);
    expect(await rows('SHOW CATALOGS')).toEqual([{ catalog: catalog.name }, { catalog: 'mem' }]);
  });

  test('TBLPROPERTIES, PARTITIONS, COLUMNS and CREATE TABLE of a table', async () => {
    await lake.sql(
      "CREATE TABLE ns.shown (id int COMMENT 'k', ts timestamp) PARTITIONED BY (days(ts), id) TBLPROPERTIES ('a' = 'b')",
    );
    await lake.sql("INSERT INTO ns.shown VALUES (1, '2024-01-01 10:00:00'), (1, '2024-01-01 11:00:00'), (NULL, NULL)");
    expect(await rows('SHOW TBLPROPERTIES ns.shown')).toEqual([
      { key: 'a', value: 'b' },
      { key: 'format-version', value: '2' },
    ]);
    expect(await rows("SHOW TBLPROPERTIES ns.shown ('a')")).toEqual([{ key: 'a', value: 'b' }]);
    const partitions = await rows('SHOW PARTITIONS ns.shown');
    expect(partitions.map(({ partition, record_count: n }) => `${String(partition)}: ${String(n)}`).toSorted()).toEqual(
      ['ts_day=2024-01-01/id=1: 2', 'ts_day=null/id=null: 1'],
    );
    expect(
      (await rows('SHOW COLUMNS FROM ns.shown')).map(({ column_name: name, iceberg_type: type }) => [name, type]),
    ).toEqual([
      ['id', 'int'],
      ['ts', 'timestamp'],
    ]);
    expect(await value('SHOW CREATE TABLE ns.shown')).toBe(
      [
        'CREATE TABLE ns.shown (',
        "  id int COMMENT 'k',",
        '  ts timestamp',
        ')',
        'USING iceberg',
        'PARTITIONED BY (days(ts), id)',
        'TBLPROPERTIES (',
        "  'format-version' = '2',",
        "  'a' = 'b'",
        ')',
      ].join('\n'),
    );
    expect(await rejection(lake.sql('SHOW CREATE TABLE ns.nope'))).toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('RENAME TO, where the catalog can', async () => {
  await lake.sql('CREATE TABLE mem.ns.old (x int)');
  await lake.sql('ALTER TABLE mem.ns.old RENAME TO new');
  expect(await rows('SELECT * FROM mem.ns.new')).toEqual([]);
  await lake.sql('CREATE SCHEMA mem.other; ALTER TABLE mem.ns.new RENAME TO mem.other.newer');
  expect(await other.listTables('other')).toEqual([['other', 'newer']]);
  expect(await rejection(lake.sql('ALTER TABLE mem.other.newer RENAME TO ns.x'))).toMatchObject({
    code: 'UNSUPPORTED',
  });
  await other.createTable('ns.plain', { schema: schema({ x: t.int() }), location: 'memory://elsewhere/t' });
  expect(await value('SHOW CREATE TABLE mem.ns.plain')).toMatch(/LOCATION 'memory:\/\/elsewhere\/t'/);
});
