import { schema, t } from '@lh/core';
import type { Schema } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';

const { lake, catalog } = await openWarehouse();
let number = 0;

async function columnsOf(list: string): Promise<Schema> {
  const name = `c${number++}`;
  await lake.sql(`CREATE TABLE ns.${name} (${list}) TBLPROPERTIES ('format-version' = '3')`);
  return (await catalog.loadTable(['ns', name])).schema;
}

test('columns, keys, partitioning and order in the spellings of Spark and Trino', async () => {
  await lake.sql(`CREATE TABLE ns.spark (id BIGINT COMMENT 'the key', ts TIMESTAMPTZ NOT NULL, city STRING, PRIMARY KEY (ID))
    USING iceberg PARTITIONED BY (days(ts), bucket(16, id), city) ORDERED BY (CITY DESC NULLS FIRST, truncate(4, city))
    COMMENT 'events' TBLPROPERTIES ('write.format.default' = 'parquet', a.b = 5, 'format-version' = '3')`);
  await lake.sql(`CREATE TABLE ns.trino (id bigint NOT NULL COMMENT 'the key' PRIMARY KEY, ts timestamp(6) with time zone NOT NULL, city varchar(20))
    WITH (partitioning = ARRAY['day(ts)', 'bucket(id, 16)', 'city'], sorted_by = ARRAY['city DESC NULLS FIRST', 'truncate(city, 4)'],
    format_version = 3, format = 'PARQUET', extra_properties = MAP(ARRAY['a.b', 'comment'], ARRAY['5', 'events']))`);
  const wanted = schema(
    { id: t.long().required().doc('the key'), ts: t.timestamptz().required(), city: t.string() },
    { identifier: ['id'] },
  );
  for (const name of ['ns.spark', 'ns.trino']) {
    const table = await catalog.loadTable(name);
    expect(table.schema).toEqual(wanted);
    expect(table.spec.fields).toEqual([
      { fieldId: 1000, sourceIds: [2], name: 'ts_day', transform: { kind: 'day' } },
      { fieldId: 1001, sourceIds: [1], name: 'id_bucket', transform: { kind: 'bucket', buckets: 16 } },
      { fieldId: 1002, sourceIds: [3], name: 'city', transform: { kind: 'identity' } },
    ]);
    expect(table.sortOrder.fields).toEqual([
      { sourceIds: [3], transform: { kind: 'identity' }, direction: 'desc', nullOrder: 'nulls-first' },
      { sourceIds: [3], transform: { kind: 'truncate', width: 4 }, direction: 'asc', nullOrder: 'nulls-first' },
    ]);
    expect(table.formatVersion).toBe(3);
    expect(table.properties).toEqual({ 'write.format.default': 'parquet', 'a.b': '5', comment: 'events' });
  }
});

test('clauses come in any order, parameters are values', async () => {
  await lake.sql(
    'CREATE TABLE IF NOT EXISTS ns.any (x int) TBLPROPERTIES ($key = $value, k = $number) PARTITIONED BY x COMMENT $comment USING iceberg SORTED BY x',
    { key: "it's", value: '"', number: 5, comment: '--' },
  );
  const table = await catalog.loadTable('ns.any');
  expect(table.properties).toEqual({ "it's": '"', k: '5', comment: '--' });
  await lake.sql('CREATE TABLE IF NOT EXISTS ns.any (y int)');
  expect((await catalog.loadTable('ns.any')).metadataLocation).toBe(table.metadataLocation);
  expect(await rejection(lake.sql('CREATE TABLE ns.any (y int)'))).toMatchObject({ code: 'ALREADY_EXISTS' });
});

describe('types', () => {
  test('without parameters', async () => {
    const spellings: readonly (readonly [words: string, kind: string])[] = [
      ['boolean bool', 'boolean'],
      ['int integer INT4 smallint tinyint', 'int'],
      ['bigint long', 'long'],
      ['float real', 'float'],
      ['double float8 double|precision', 'double'],
      ['string varchar text char(3) varchar(10) character|varying(5)', 'string'],
      ['date', 'date'],
      ['time time(6)', 'time'],
      ['timestamp timestamp_ntz datetime timestamp(3) timestamp|without|time|zone', 'timestamp'],
      ['timestamptz timestamp_ltz timestamp|with|time|zone timestamp(6)|with|time|zone', 'timestamptz'],
      ['timestamp_ns timestamp(9)', 'timestamp_ns'],
      ['timestamptz_ns timestamp(9)|with|time|zone', 'timestamptz_ns'],
      ['uuid', 'uuid'],
      ['binary blob bytea varbinary', 'binary'],
      ['variant', 'variant'],
      ['unknown void', 'unknown'],
    ];
    const columns = spellings.flatMap(([words, kind]) =>
      words.split(' ').map((word) => [word.replaceAll('|', ' '), kind] as const),
    );
    const { fields } = await columnsOf(columns.map(([word], i) => `c${i} ${word}`).join(', '));
    expect(fields.map(({ type }) => type.kind)).toEqual(columns.map(([, kind]) => kind));
  });

  test('with parameters, and nested in every spelling', async () => {
    const { fields } =
      await columnsOf(`a decimal(9, 2), b numeric(5), c dec, d fixed(4), e fixed[5], f geometry, g geometry(srid:4326),
      h geography(OGC:CRS84, karney), i struct<x: int NOT NULL COMMENT 'x', "y z": array<struct<w:string>>>, j STRUCT(x INT, y VARCHAR[]),
      k row(x bigint), l map<string, list<int NOT NULL> NOT NULL>, m MAP(VARCHAR, INTEGER[][]), n int[]`);
    const types = fields.map(({ type }) => type);
    expect(types.slice(0, 8)).toEqual([
      { kind: 'decimal', precision: 9, scale: 2 },
      { kind: 'decimal', precision: 5, scale: 0 },
      { kind: 'decimal', precision: 18, scale: 3 },
      { kind: 'fixed', length: 4 },
      { kind: 'fixed', length: 5 },
      { kind: 'geometry', crs: null },
      { kind: 'geometry', crs: 'srid:4326' },
      { kind: 'geography', crs: null, algorithm: 'karney' },
    ]);
    expect(types[8]).toMatchObject({
      fields: [
        { name: 'x', required: true, doc: 'x' },
        { name: 'y z', type: { element: { fields: [{ name: 'w' }] } } },
      ],
    });
    expect(types[9]).toMatchObject({ fields: [{ type: { kind: 'int' } }, { type: { element: { kind: 'string' } } }] });
    expect(types[11]).toMatchObject({ valueRequired: true, value: { kind: 'list', elementRequired: true } });
    expect(types[12]).toMatchObject({ value: { element: { element: { kind: 'int' } } } });
  });

  test.each([
    ['x hugeint', "'hugeint' is no type", 'hugeint'],
    ['x decimal(39, 2)', 'precision must be', 'decimal'],
    ['x struct<a int', "Expected '>'", ''],
    ['x int[3]', 'arrays of a fixed length', '3]'],
    ['x interval', "'interval' is no type", 'interval'],
    ['x timestamp(12)', 'up to 9 digits', 'timestamp(12)'],
    ['x map<int>', "Expected ','", '>'],
    ['x int UNIQUE', "Expected ',' or the end", 'UNIQUE'],
    ['x int,', 'Expected the name', ''],
    ['', 'Expected the name', ''],
  ])('that are none: (%s)', async (columns, message, at) => {
    const sql = `CREATE TABLE ns.none (${columns})`;
    const error = await rejection(lake.sql(sql));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(message);
    if (at !== '') expect((error as { context?: object }).context).toMatchObject({ position: sql.indexOf(at) });
    expect(await catalog.tableExists('ns.none')).toBe(false);
  });
});

test('a column name is free, whatever its case; defaults are constants', async () => {
  expect(await rejection(lake.sql('CREATE TABLE ns.d (x int DEFAULT (SELECT 1))'))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(await rejection(lake.sql('CREATE TABLE ns.d (x int DEFAULT random())'))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(await rejection(lake.sql('CREATE TABLE ns.d (x date DEFAULT current_date)'))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  const { fields } = await columnsOf(
    "a int DEFAULT 1 + 2 NOT NULL, b string DEFAULT 'it''s' COMMENT 'c', d date DEFAULT DATE '2024-01-01', e list<int> DEFAULT [1, 2], f struct<x: int DEFAULT 5> DEFAULT {}, g decimal(9, 2) DEFAULT 12.5, h uuid DEFAULT NULL",
  );
  expect(fields.map(({ initialDefault }) => initialDefault)).toEqual([
    3,
    "it's",
    19_723,
    [1, 2],
    [null],
    1250n,
    undefined,
  ]);
});

describe('CREATE OR REPLACE TABLE', () => {
  test('keeps uuid, history, branches and properties; columns of one name keep their ids', async () => {
    await lake.sql(
      "CREATE OR REPLACE TABLE ns.r (id bigint, city string, geo struct<lat: double>) PARTITIONED BY (city) ORDERED BY id TBLPROPERTIES ('a' = 'b', 'c' = 'd')",
    );
    await lake.append('ns.r', "SELECT 1::BIGINT AS id, 'Seoul' AS city");
    await lake.sql('ALTER TABLE ns.r CREATE TAG old');
    const before = await catalog.loadTable('ns.r');
    await lake.sql(
      "CREATE OR REPLACE TABLE ns.r (city string NOT NULL, n int, geo struct<lon: double, lat: double>) PARTITIONED BY (bucket(4, city), city) TBLPROPERTIES ('a' = 'x', 'format-version' = '3')",
    );
    const after = await catalog.loadTable('ns.r');
    expect(after.uuid).toBe(before.uuid);
    expect(after.formatVersion).toBe(3);
    expect(after.properties).toEqual({ a: 'x', c: 'd' });
    expect(after.currentSnapshot()).toBeNull();
    expect(after.snapshots()).toEqual(before.snapshots());
    expect(after.schema.fields.map(({ id, name }) => [id, name])).toEqual([
      [2, 'city'],
      [5, 'n'],
      [3, 'geo'],
    ]);
    expect(after.schema.fields[2]!.type).toMatchObject({
      fields: [
        { id: 6, name: 'lon' },
        { id: 4, name: 'lat' },
      ],
    });
    expect(after.spec.fields.map(({ fieldId, name }) => [fieldId, name])).toEqual([
      [1001, 'city_bucket'],
      [1000, 'city'],
    ]);
    expect(after.sortOrder.fields).toEqual([]);
    expect(await (await lake.sql('SELECT * FROM ns.r')).rows()).toEqual([]);
    await lake.append('ns.r', "SELECT 'Busan' AS city, 2 AS n");
    expect(await (await lake.sql('SELECT city, n FROM ns.r')).rows()).toEqual([{ city: 'Busan', n: 2 }]);
    expect(await (await lake.sql("SELECT id, city FROM ns.r FOR VERSION AS OF 'old'")).rows()).toEqual([
      { id: 1n, city: 'Seoul' },
    ]);
  });

  test('of a table of version 1 keeps the places of its partition fields', async () => {
    await lake.sql("CREATE TABLE ns.v1 (a int, b int) PARTITIONED BY (a, b) TBLPROPERTIES ('format-version' = '1')");
    await lake.sql('CREATE OR REPLACE TABLE ns.v1 (b int, c int) PARTITIONED BY (c, b)');
    const { spec } = await catalog.loadTable('ns.v1');
    expect(spec.fields.map(({ fieldId, name, transform }) => [fieldId, name, transform.kind])).toEqual([
      [1000, 'a', 'void'],
      [1001, 'b', 'identity'],
      [1002, 'c', 'identity'],
    ]);
  });

  test('can not move it, nor take its format version back', async () => {
    await lake.sql("CREATE TABLE ns.stays (a int) TBLPROPERTIES ('format-version' = '3')");
    expect(await rejection(lake.sql("CREATE OR REPLACE TABLE ns.stays (a int) LOCATION '/elsewhere'"))).toMatchObject({
      code: 'UNSUPPORTED',
    });
    expect(
      await rejection(lake.sql('CREATE OR REPLACE TABLE ns.stays (a int) WITH (format_version = 2)')),
    ).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

test('LIKE another table', async () => {
  await lake.sql(
    "CREATE TABLE ns.like_me (id bigint, ts timestamp, PRIMARY KEY (id)) PARTITIONED BY (days(ts) AS day) ORDERED BY ts TBLPROPERTIES ('a' = 'b')",
  );
  await lake.sql('ALTER TABLE ns.like_me ADD COLUMN c int FIRST');
  await lake.sql('CREATE TABLE ns.like1 LIKE ns.like_me');
  await lake.sql("CREATE TABLE ns.like2 (LIKE ns.like_me INCLUDING PROPERTIES) COMMENT 'other'");
  for (const name of ['ns.like1', 'ns.like2']) {
    const table = await catalog.loadTable(name);
    expect(table.schema).toEqual(
      schema({ c: t.int(), id: t.long().required(), ts: t.timestamp() }, { identifier: ['id'] }),
    );
    expect(table.spec.fields).toMatchObject([{ name: 'day', sourceIds: [3], transform: { kind: 'day' } }]);
    expect(table.sortOrder.fields).toMatchObject([{ sourceIds: [3] }]);
    expect(table.properties).toEqual({ a: 'b', ...(name === 'ns.like2' && { comment: 'other' }) });
  }
  // A column may be called so.
  await lake.sql('CREATE TABLE ns.like3 (like int, primary int, comment string)');
  expect((await catalog.loadTable('ns.like3')).schema.fields.map(({ name }) => name)).toEqual([
    'like',
    'primary',
    'comment',
  ]);
});

test('names: a missing namespace, none at all, quotes, dots and nesting', async () => {
  expect(await rejection(lake.sql('CREATE TABLE nope.t (x int)'))).toMatchObject({ code: 'NOT_FOUND' });
  const error = await rejection(lake.sql('CREATE TABLE t (x int)'));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toMatch(/needs a namespace.*CREATE TEMP TABLE/);
  await lake.sql('CREATE SCHEMA ns.deep; CREATE SCHEMA IF NOT EXISTS ns.deep; CREATE NAMESPACE ns.deep."é.ü"');
  for (const name of ['ns.deep."select"', 'ns.deep."é.ü"."it\'s ""here"""', `"${catalog.name}".ns.deep.t`]) {
    await lake.sql(`CREATE TABLE ${name} (x int)`);
    await lake.sql(`INSERT INTO ${name} VALUES (1)`);
    expect(await (await lake.sql(`SELECT * FROM ${name}`)).rows()).toEqual([{ x: 1 }]);
    await lake.sql(`DROP TABLE ${name}`);
    expect(await rejection(lake.sql(`SELECT * FROM ${name}`))).toMatchObject({ code: 'NOT_FOUND' });
  }
  await lake.sql('DROP NAMESPACE ns.deep."é.ü"; DROP SCHEMA ns.deep; DROP SCHEMA IF EXISTS ns.deep CASCADE');
  expect(await rejection(lake.sql('DROP SCHEMA ns.deep'))).toMatchObject({ code: 'NOT_FOUND' });
  expect((await rejection(lake.sql('DROP SCHEMA ns CASCADE'))).message).toMatch(/not empty/);
});

test('DROP TABLE of what is not a table, or not there', async () => {
  await lake.sql('CREATE TABLE ns.gone (x int); INSERT INTO ns.gone VALUES (1)');
  const { location } = await catalog.loadTable('ns.gone');
  lake.register('own', await catalog.loadTable('ns.gone'));
  expect((await rejection(lake.sql('DROP TABLE own'))).message).toMatch(/unregister/);
  expect((await rejection(lake.sql('DROP TABLE ns.gone.files'))).code).toBe('INVALID_ARGUMENT');
  await lake.sql('DROP TABLE ns.gone PURGE');
  const left: string[] = [];
  for await (const { location: file } of catalog.io.list(`${location}/`)) left.push(file);
  expect(left).toEqual([]);
  expect(await rejection(lake.sql('DROP TABLE ns.gone'))).toMatchObject({ code: 'NOT_FOUND' });
  await lake.sql('DROP TABLE IF EXISTS ns.gone');
  await lake.sql('CREATE TEMP TABLE tmp (x int); DROP TABLE tmp; DROP TABLE IF EXISTS tmp');
});

test('with allowedPaths, places that files would be written to are within them', async () => {
  const { lake: fenced, path } = await openWarehouse({ allowedPaths: ['/nowhere/allowed'] });
  await fenced.sql("CREATE TABLE ns.t (x int) TBLPROPERTIES ('write.data.path' = '/nowhere/allowed/data')");
  for (const sql of [
    "CREATE TABLE ns.u (x int) LOCATION '/nowhere/else'",
    "CREATE TABLE ns.u (x int) TBLPROPERTIES ('write.data.path' = '/nowhere/else')",
    "CREATE OR REPLACE TABLE ns.t (x int) WITH ('write.metadata.path' = 's3://other/place')",
    "CREATE TABLE ns.u WITH (extra_properties = MAP {'write.object-storage.path': '/nowhere/else'}) AS SELECT 1 AS x",
    "ALTER TABLE ns.t SET TBLPROPERTIES (write.folder-storage.path = '/nowhere/allowed/../else')",
    "ALTER TABLE ns.t ADD COLUMN y int, SET PROPERTIES 'write.data.path' = '/nowhere/else'",
    "CREATE SCHEMA other LOCATION '/nowhere/else'",
    `CREATE TABLE ns.u (x int) TBLPROPERTIES ('write.data.path' = '${path}/ns/t/data')`,
  ]) {
    expect(await rejection(fenced.sql(sql)), sql).toMatchObject({ code: 'UNAUTHORIZED' });
  }
});
