import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { schema, t } from '@lh/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

// What a service relies on that runs the queries of its users.

const outside = await realpath(await mkdtemp(join(tmpdir(), 'lh-outside-')));
const inside = await realpath(await mkdtemp(join(tmpdir(), 'lh-inside-')));
const { lake, catalog, path } = await openWarehouse({ allowedPaths: [inside] });

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

beforeAll(async () => {
  await writeFile(join(outside, 'b.csv'), 'b\n1\n');
  await writeFile(join(inside, 'a.csv'), 'a\n1\n');
  await writeFile(`${inside}-beside.csv`, 'a\n1\n');
  await symlink(outside, join(inside, 'link'));
  await symlink(join(outside, 'b.csv'), join(inside, 'linked.csv'));
  await mkdir(join(inside, 'parquet'));
  for (const name of ['ns.events', 'ns.other']) {
    const table = await catalog.createTable(name, { schema: schema({ id: t.long(), s: t.string() }) });
    await table.append([{ id: 1n, s: 'x' }]);
  }
  await lake.sql(`COPY (SELECT 2::BIGINT AS id, 'y' AS s) TO '${inside}/parquet/p.parquet'`);
});

afterAll(async () => {
  for (const place of [inside, outside, `${inside}-beside.csv`]) await rm(place, { recursive: true });
});

describe('what is allowed works', () => {
  test.each<[string, Record<string, unknown>]>([
    [`FROM '${inside}/a.csv'`, { a: 1n }],
    [`SELECT count(*)::INT AS n FROM glob('${inside}/parquet/*')`, { n: 1 }],
    [`SELECT s FROM '${inside}/parquet/*.parquet'`, { s: 'y' }],
    ['SELECT id FROM ns.events', { id: 1n }],
    ['WITH query AS (SELECT id FROM ns.events) FROM query', { id: 1n }],
    ['SELECT "query" FROM (SELECT 1 AS query)', { query: 1 }],
    ["SELECT 'enable_logging(' AS s", { s: 'enable_logging(' }],
  ])('%s', async (sql, first) => {
    expect((await rows(sql))[0]).toEqual(first);
  });

  test('files become part of a table', async () => {
    await lake.sql(`CALL system.add_files(table => 'ns.events', source_table => '\`parquet\`.\`${inside}/parquet\`')`);
    expect((await rows('SELECT id FROM ns.events ORDER BY id')).map((row) => row['id'])).toEqual([1n, 2n]);
  });

  test('what a query means can be set, within a transaction, too', async () => {
    await lake.sql(
      "SET TimeZone = 'Asia/Seoul'; SET VARIABLE x = 5; BEGIN; COMMIT; SET SESSION default_null_order = 'nulls_first'",
    );
    expect(await rows("SELECT current_setting('TimeZone') AS zone, getvariable('x') AS x")).toEqual([
      { zone: 'Asia/Seoul', x: 5 },
    ]);
    await lake.sql("RESET TimeZone; SET TIME ZONE 'UTC'; RESET default_null_order");
  });
});

describe('what is outside is refused', () => {
  const files = [
    `${outside}/b.csv`,
    `file://${outside}/b.csv`,
    `${inside}/../${basename(outside)}/b.csv`,
    `${inside}/link/b.csv`,
    `${inside}/linked.csv`,
    `${inside}-beside.csv`,
    '~/x.csv',
    `${homedir()}/x.csv`,
    'x.csv',
    '/proc/self/x.csv',
    'http://example.com/x.csv',
    'https://example.com/x.csv',
    's3://bucket/x.csv',
  ];

  test.each([
    ...files.flatMap((file) => [
      `FROM '${file}'`,
      `SELECT * FROM read_csv('${file}')`,
      `FROM read_text('${file}')`,
      `FROM read_blob(['${inside}/a.csv', '${file}'])`,
      `COPY (SELECT 1) TO '${file}'`,
      `COPY (SELECT 1) TO E'${file}'`,
      `ATTACH '${file}' AS other`,
      `EXPORT DATABASE '${file}'`,
      `CREATE TEMP TABLE x AS FROM '${file}'`,
      `SELECT (SELECT count(*) FROM '${file}'), id FROM ns.events`,
    ]),
    "FROM read_text('/proc/self/environ')",
    "FROM glob('/etc/*')",
    "FROM glob('~/*')",
    `FROM glob('${inside}/../*')`,
    `FROM glob('${inside}/link/*')`,
  ])('%s', async (sql) => {
    const { code, message } = await rejection(rows(sql));
    expect({ code, message }).toEqual({ code: 'UNAUTHORIZED', message: expect.any(String) });
  });

  test.each([
    ...files.map((file) => `CALL system.add_files(table => 'ns.events', source_table => '\`parquet\`.\`${file}\`')`),
    ...files.map((file) => `CALL system.migrate(table => 'ns.new', source_table => '\`parquet\`.\`${file}\`')`),
    `CALL system.register_table(table => 'ns.new', metadata_file => '${outside}/v1.metadata.json')`,
    `CALL system.register_table(table => 'ns.new', metadata_file => '${inside}/v1.metadata.json')`,
    `CALL system.remove_orphan_files(table => 'ns.events', location => '${outside}')`,
    `CALL system.remove_orphan_files(table => 'ns.events', location => '${path}/ns/other')`,
    `CALL system.remove_orphan_files(table => 'ns.events', location => '${path}/ns/events/../other')`,
    `CALL system.rewrite_table_path(table => 'ns.events', source_prefix => '${path}', target_prefix => '/x', staging_location => '${outside}/s')`,
    `COPY (SELECT 1) TO '${path}/ns/other/metadata/version-hint.text'`,
    `COPY (SELECT 1) TO '${path}/ns/x.csv'`,
  ])('%s', async (sql) => {
    expect((await rejection(rows(sql))).code).toBe('UNAUTHORIZED');
  });
});

test.each([
  'SET enable_external_access = true',
  'SET GLOBAL enable_external_access = true',
  'RESET enable_external_access',
  'SET lock_configuration = false',
  "SET allowed_directories = ['/']",
  'SET "allowed_directories" = [\'/\']',
  "SET allowed_paths = ['/etc/passwd']",
  'RESET allowed_directories',
  "PRAGMA allowed_directories = ['/']",
  'EXPLAIN ANALYZE SET threads = 1',
  'EXPLAIN (ANALYZE) SET threads = 1',
  'EXPLAIN ANALYZE PRAGMA threads = 1',
  "SET temp_directory = '/etc'",
  "SET secret_directory = '/tmp'",
  "SET home_directory = '/etc'",
  "SET extension_directory = '/tmp'",
  `SET file_search_path = '${outside}'`,
  `SET log_query_path = '${outside}/log'`,
  `SET profiling_output = '${outside}/log'`,
  'SET allow_unsigned_extensions = true',
  'SET allow_unredacted_secrets = true',
  "SET memory_limit = '1TB'",
  'SET threads = 1000',
  "SET disabled_filesystems = ''",
  'INSTALL httpfs',
  "LOAD '/tmp/x.duckdb_extension'",
  'LOAD httpfs',
  'FORCE INSTALL httpfs',
  "CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')",
  "CREATE OR REPLACE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
  "CREATE TEMP /* a comment */ SECRET s (TYPE http, BEARER_TOKEN 'x')",
  'DROP SECRET s',
  `CALL enable_logging(storage_path => '${outside}/logs')`,
  `FROM enable_logging(storage_path => '${outside}/logs')`,
  `SELECT 1 FROM system.main."ENABLE_LOGGING" /* x */ (storage_path => '${outside}/logs')`,
  `CREATE MACRO m() AS TABLE FROM enable_logging(storage_path => '${outside}/logs')`,
  `CREATE VIEW v AS FROM enable_logging(storage_path => '${outside}/logs')`,
  `WITH x AS (FROM enable_logging(storage_path => '${outside}/logs')) SELECT * FROM ns.events, x`,
  `FROM query('FROM enable_' || 'logging(storage_path => ''${outside}/logs'')')`,
  "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
  'FROM arrow_scan(1::POINTER, 2::POINTER, 3::POINTER)',
  'CALL force_checkpoint()',
  'CHECKPOINT',
  "IMPORT DATABASE '/tmp'",
  "ATTACH ':memory:' AS other",
  'DETACH memory',
  'FROM __lh_feed(0)',
])('the fence stays: %s', async (sql) => {
  expect((await rejection(rows(sql))).code).toBe('UNAUTHORIZED');
  expect((await rows('SELECT id FROM ns.other')).length).toBe(1);
});

test('secrets are not told', async () => {
  await expect(rows('FROM duckdb_secrets(redact => false)')).rejects.toThrow(/redact/i);
});

test('nothing was written outside', () => {
  expect(readdirSync(outside)).toEqual(['b.csv']);
  expect(existsSync('x.csv')).toBe(false);
});
