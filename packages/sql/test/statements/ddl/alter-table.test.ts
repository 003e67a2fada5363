import { FileSystemCatalog, isLakehouseError } from '@lh/core';
import type { Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';

const { lake, catalog } = await openWarehouse();
let number = 0;

/** A table with a row, and a function that alters it. */
async function newTable(
  columns: string,
  rest = '',
): Promise<{
  readonly name: string;
  readonly alter: (actions: string) => Promise<Table>;
}> {
  const name = `t${number++}`;
  await lake.sql(`CREATE TABLE ns.${name} (${columns}) ${rest}`);
  const load = (): Promise<Table> => catalog.loadTable(['ns', name]);
  const alter = async (actions: string): Promise<Table> => {
    const before = versionOf(await load());
    await lake.sql(`ALTER TABLE ns.${name} ${actions}`);
    const after = await load();
    expect(versionOf(after)).toBeLessThanOrEqual(before + 1);
    return after;
  };
  return { name, alter };
}

const versionOf = ({ metadataLocation }: Table): number => Number(/v(\d+)\.metadata/.exec(metadataLocation)![1]);
const names = ({ schema }: Table): readonly string[] => schema.fields.map(({ name }) => name);
const typeOf = (table: Table, name: string): unknown => table.schema.fields.find((field) => field.name === name)?.type;

describe('columns', () => {
  test('are added, with places, comments and defaults; old rows have the default', async () => {
    const { name, alter } = await newTable(
      'id bigint, geo struct<lat: double>, points list<struct<x: int>>',
      "TBLPROPERTIES ('format-version' = '3')",
    );
    await lake.append(`ns.${name}`, 'SELECT 1::BIGINT AS id');
    const table = await alter(
      `ADD COLUMNS (city string COMMENT 'where' FIRST, geo.lon double, n int DEFAULT 7 AFTER id), ADD COLUMN IF NOT EXISTS ID int, ADD COLUMN points.element.y int FIRST, ADD COLUMN geo.Alt double AFTER LAT`,
    );
    expect(names(table)).toEqual(['city', 'id', 'n', 'geo', 'points']);
    expect(typeOf(table, 'geo')).toMatchObject({ fields: [{ name: 'lat' }, { name: 'Alt' }, { name: 'lon' }] });
    expect(typeOf(table, 'points')).toMatchObject({ element: { fields: [{ name: 'y' }, { name: 'x' }] } });
    expect(table.schema.fields[0]).toMatchObject({ doc: 'where' });
    expect(table.metadata.schemas).toHaveLength(2);
    expect(await (await lake.sql(`SELECT n, city FROM ns.${name}`)).rows()).toEqual([{ n: 7, city: null }]);
  });

  test('are dropped, renamed, widened, moved and documented, whatever the case', async () => {
    const { alter } = await newTable(
      'id int NOT NULL, "A b" float, c struct<x: int, y: int>, d string, e decimal(9, 2)',
    );
    const table = await alter(
      `DROP COLUMN D, DROP COLUMN IF EXISTS nope, RENAME COLUMN "a B" TO ab, ALTER COLUMN ID TYPE bigint, ALTER COLUMN ab SET DATA TYPE double, ALTER COLUMN e TYPE decimal(12, 2), RENAME COLUMN c.x TO z, ALTER COLUMN c.y FIRST, ALTER COLUMN id AFTER ab, ALTER COLUMN id DROP NOT NULL, CHANGE COLUMN id COMMENT 'it''s'`,
    );
    expect(names(table)).toEqual(['ab', 'id', 'c', 'e']);
    expect(table.schema.fields[1]).toMatchObject({ type: { kind: 'long' }, required: false, doc: "it's" });
    expect(typeOf(table, 'c')).toMatchObject({ fields: [{ name: 'y' }, { name: 'z' }] });
    expect(typeOf(table, 'e')).toMatchObject({ precision: 12 });
  });

  test('have defaults that change, and are identifiers', async () => {
    const { alter } = await newTable(
      'id int NOT NULL, k string NOT NULL, n int DEFAULT 1',
      "TBLPROPERTIES ('format-version' = '3')",
    );
    const changed = await alter('ALTER COLUMN n SET DEFAULT 1 + 1, SET IDENTIFIER FIELDS id, K');
    expect(changed.schema.fields[2]).toMatchObject({ initialDefault: 1, writeDefault: 2 });
    expect(changed.schema.identifierFieldIds).toEqual([1, 2]);
    const added = await alter('ADD COLUMN m int, RENAME COLUMN m TO o, ALTER COLUMN o SET DEFAULT 5, DROP COLUMN n');
    expect(added.schema.fields[2]).toMatchObject({ name: 'o', writeDefault: 5 });
    expect((await rejection(alter('ALTER COLUMN nope SET DEFAULT 5'))).message).toMatch(/no column 'nope'/);
    const dropped = await alter('ALTER o DROP DEFAULT, DROP IDENTIFIER FIELDS ID');
    expect(dropped.schema.fields[2]).not.toHaveProperty('writeDefault');
    expect(dropped.schema.identifierFieldIds).toEqual([2]);
  });
});

describe('partitioning, order and properties', () => {
  test('partition fields come and go', async () => {
    const { alter } = await newTable('id bigint, ts timestamp, city string', 'PARTITIONED BY (city)');
    const fields = (table: Table): readonly string[] => table.spec.fields.map(({ name }) => name);
    expect(fields(await alter('ADD PARTITION FIELD bucket(16, ID) AS shard, ADD PARTITION FIELD days(ts)'))).toEqual([
      'city',
      'shard',
      'ts_day',
    ]);
    expect(fields(await alter('DROP PARTITION FIELD shard, DROP PARTITION FIELD days(ts)'))).toEqual(['city']);
    expect(fields(await alter('REPLACE PARTITION FIELD city WITH truncate(2, city) AS c'))).toEqual(['c']);
    expect(fields(await alter("SET PROPERTIES partitioning = ARRAY['hour(ts)', 'city']"))).toEqual(['ts_hour', 'city']);
    expect(fields(await alter('SET PROPERTIES partitioning = ARRAY[]'))).toEqual([]);
  });

  test('the write order brings its distribution, as in Spark', async () => {
    const { alter } = await newTable('id bigint, ts timestamp');
    const order = ({ sortOrder, properties }: Table): unknown => [
      sortOrder.fields.map(({ direction, nullOrder, transform }) => [transform.kind, direction, nullOrder]),
      properties['write.distribution-mode'],
    ];
    expect(order(await alter('WRITE ORDERED BY id DESC NULLS FIRST, days(ts)'))).toEqual([
      [
        ['identity', 'desc', 'nulls-first'],
        ['day', 'asc', 'nulls-first'],
      ],
      'range',
    ]);
    expect(order(await alter('WRITE LOCALLY ORDERED BY ts DESC'))).toEqual([
      [['identity', 'desc', 'nulls-last']],
      'none',
    ]);
    expect(order(await alter('WRITE DISTRIBUTED BY PARTITION LOCALLY ORDERED BY id'))).toEqual([
      [['identity', 'asc', 'nulls-first']],
      'hash',
    ]);
    expect(order(await alter('WRITE DISTRIBUTED BY PARTITION'))).toEqual([[], 'hash']);
    expect(order(await alter('WRITE UNORDERED'))).toEqual([[], 'none']);
    expect(order(await alter("SET PROPERTIES sorted_by = ARRAY['id DESC NULLS LAST']"))).toEqual([
      [['identity', 'desc', 'nulls-last']],
      'none',
    ]);
  });

  test('properties are set and unset, the format version is raised', async () => {
    const { alter } = await newTable('id bigint');
    const set = await alter(
      "SET TBLPROPERTIES ('a' = 'b', write.parquet.compression-codec = zstd, 'format-version' = 3)",
    );
    expect(set.properties).toEqual({ a: 'b', 'write.parquet.compression-codec': 'zstd' });
    expect(set.formatVersion).toBe(3);
    expect((await alter("UNSET TBLPROPERTIES IF EXISTS ('a', nope)")).properties).toEqual({
      'write.parquet.compression-codec': 'zstd',
    });
    const trino = await alter("SET PROPERTIES format = 'ORC', extra_properties = MAP {'x.y': 'z'}, 'q' = 1");
    expect(trino.properties).toMatchObject({ 'write.format.default': 'orc', 'x.y': 'z', q: '1' });
  });
});

test('branches and tags, with their retention', async () => {
  const { name, alter } = await newTable('id bigint');
  await lake.append(`ns.${name}`, 'SELECT 1::BIGINT AS id');
  const first = (await catalog.loadTable(['ns', name])).currentSnapshot()!.snapshotId;
  await lake.append(`ns.${name}`, 'SELECT 2::BIGINT AS id');
  const second = (await catalog.loadTable(['ns', name])).currentSnapshot()!.snapshotId;
  const DAY = 86_400_000;
  const made = await alter(
    `CREATE BRANCH audit AS OF VERSION ${first} RETAIN 7 DAYS WITH SNAPSHOT RETENTION 3 SNAPSHOTS 2 HOURS, CREATE TAG "End of year" RETAIN 365 DAYS`,
  );
  expect(made.refs()['audit']).toEqual({
    type: 'branch',
    snapshotId: first,
    maxRefAgeMs: 7 * DAY,
    minSnapshotsToKeep: 3,
    maxSnapshotAgeMs: DAY / 12,
  });
  expect(made.refs()['End of year']).toMatchObject({ type: 'tag', snapshotId: second, maxRefAgeMs: 365 * DAY });
  const same = await alter(
    `CREATE BRANCH IF NOT EXISTS audit, CREATE OR REPLACE TAG 'End of year' AS OF VERSION ${first}`,
  );
  expect(same.refs()['audit']?.snapshotId).toBe(first);
  expect(same.refs()['End of year']).toMatchObject({ snapshotId: first, maxRefAgeMs: 365 * DAY });
  const moved = await alter(`REPLACE BRANCH audit AS OF VERSION ${second} WITH SNAPSHOT RETENTION 5 DAYS`);
  expect(moved.refs()['audit']).toMatchObject({ snapshotId: second, maxSnapshotAgeMs: 5 * DAY, minSnapshotsToKeep: 3 });
  expect((await rejection(alter('CREATE BRANCH audit'))).code).toBe('ALREADY_EXISTS');
  expect((await rejection(alter('REPLACE TAG audit'))).code).toBe('INVALID_ARGUMENT');
  expect((await rejection(alter('DROP TAG nope'))).code).toBe('NOT_FOUND');
  const dropped = await alter("DROP BRANCH audit, DROP TAG IF EXISTS nope, DROP TAG 'End of year'");
  expect(Object.keys(dropped.refs())).toEqual(['main']);
});

test('a statement that fails leaves nothing, and says where it went wrong', async () => {
  const { name, alter } = await newTable('id bigint, c string');
  const before = (await catalog.loadTable(['ns', name])).metadataLocation;
  const cases: readonly (readonly [actions: string, message: RegExp, at: string])[] = [
    ['ADD COLUMN d int, DROP COLUMN nope', /ALTER TABLE ns\.t\d+: There is no column 'nope'/, 'ADD COLUMN d'],
    ["SET TBLPROPERTIES ('a' = 'b'), ALTER COLUMN c TYPE int", /can't change from string to int/, 'ALTER COLUMN'],
    ['ADD COLUMN d sometype', /'sometype' is no type/, 'sometype'],
    ['ADD COLUMN d int DEFAULT 1', /format version 3/, 'ADD COLUMN'],
    ['ADD COLUMN d int DEFAULT now()', /constant/, 'now()'],
    ["ADD COLUMN d int DEFAULT 'x'", /Could not convert/, "'x'"],
    ['ADD PARTITION FIELD weeks(id)', /'weeks' is no transform/, 'weeks'],
    ['DROP COLUMN c CASCADE RESTRICT', /Expected the end/, 'RESTRICT'],
    ['ADD COLUMN', /Expected/, ''],
    ['', /Expected ADD, DROP/, ''],
    ["SET PROPERTIES nope = 'x'", /'nope' is none of/, 'nope'],
    ['RENAME TO ns.other', /can't be renamed/, ''],
    ['ALTER COLUMN c SET NOT NULL', /can't become required/, 'ALTER COLUMN'],
  ];
  for (const [actions, message, at] of cases) {
    const error = await rejection(alter(actions));
    expect(isLakehouseError(error), actions).toBe(true);
    expect(error.message, actions).toMatch(message);
    const { position } = (error as { context?: { position?: number } }).context ?? {};
    if (at !== '') expect(position, actions).toBe(`ALTER TABLE ns.${name} ${actions}`.indexOf(at));
  }
  expect((await catalog.loadTable(['ns', name])).metadataLocation).toBe(before);
});

test('tables of the session are altered by DuckDB, and missing ones are said to be missing', async () => {
  await lake.sql('CREATE TEMP TABLE own (x INTEGER CHECK (x > 0))');
  await lake.sql('ALTER TABLE own ADD COLUMN y INTEGER DEFAULT (1 + 1)');
  await lake.sql('ALTER TABLE own RENAME TO others');
  expect(await (await lake.sql('SELECT * FROM others')).rows()).toEqual([]);
  expect((await rejection(lake.sql('ALTER TABLE ns.nope ADD COLUMN x int'))).code).toBe('NOT_FOUND');
  await lake.sql('ALTER TABLE IF EXISTS ns.nope ADD COLUMN x int');
});

test('in a transaction, what is altered is seen at once and committed with the rest', async () => {
  const { name } = await newTable('id bigint');
  await lake.sql('BEGIN');
  await lake.sql(`ALTER TABLE ns.${name} ADD COLUMN city string`);
  await lake.sql(`INSERT INTO ns.${name} VALUES (1, 'Seoul')`);
  expect(await (await lake.sql(`SELECT * FROM ns.${name}`)).rows()).toEqual([{ id: 1n, city: 'Seoul' }]);
  expect(names(await catalog.loadTable(['ns', name]))).toEqual(['id']);
  expect((await rejection(lake.sql(`DROP TABLE ns.${name}`))).code).toBe('UNSUPPORTED');
  await lake.sql('ROLLBACK');
  await lake.sql(
    `BEGIN; ALTER TABLE ns.${name} ADD COLUMN city string; INSERT INTO ns.${name} VALUES (1, 'Seoul'); COMMIT`,
  );
  const table = await catalog.loadTable(['ns', name]);
  expect(names(table)).toEqual(['id', 'city']);
  expect(versionOf(table)).toBe(2);
});

test('writers beside each other both get their columns', async () => {
  const { name } = await newTable('id bigint');
  const { path } = { path: catalog.warehouse };
  const other = await (
    await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: path })
  ).loadTable(['ns', name]);
  await Promise.all([
    lake.sql(`ALTER TABLE ns.${name} ADD COLUMN a int FIRST`),
    other.updateSchema((schema) => schema.addColumn('b', { kind: 'int' })),
    lake.sql(`ALTER TABLE ns.${name} ADD COLUMN c int`),
  ]);
  expect(names(await catalog.loadTable(['ns', name])).toSorted()).toEqual(['a', 'b', 'c', 'id']);
});

describe('EXECUTE', () => {
  test("does the upkeep that Trino's names stand for", async () => {
    const { name } = await newTable('id bigint');
    for (let i = 0; i < 6; i++) await lake.sql(`INSERT INTO ns.${name} VALUES (${i})`);
    const rows = async (what: string): Promise<readonly Record<string, unknown>[]> =>
      (await lake.sql(`ALTER TABLE ns.${name} EXECUTE ${what}`)).rows();
    expect(await rows("optimize(file_size_threshold => '100MB') WHERE id < 100")).toMatchObject([
      { rewritten_data_files_count: 6, added_data_files_count: 1 },
    ]);
    expect(await rows('optimize_manifests')).toMatchObject([{ added_manifests_count: 0 }]);
    expect(await rows("expire_snapshots(retention_threshold => '0s')")).toMatchObject([
      { deleted_data_files_count: 6n },
    ]);
    expect(await rows("remove_orphan_files(retention_threshold => '7d')")).toEqual([]);
    expect(await (await lake.sql(`SELECT count(*)::int AS n FROM ns.${name}`)).rows()).toEqual([{ n: 6 }]);
  });

  test.each([
    ['vacuum', "'vacuum' can't be executed"],
    ["optimize(file_size_threshold => '5 parsecs')", 'is not a size'],
    ["expire_snapshots(retention_threshold => '1y')", 'is not a time'],
    ["optimize_manifests(x => 'y')", "no argument 'x'"],
    ['expire_snapshots WHERE id = 1', 'Expected the end'],
  ])('%s is refused', async (what, message) => {
    const { name } = await newTable('id bigint');
    const error = await rejection(lake.sql(`ALTER TABLE ns.${name} EXECUTE ${what}`));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(message);
  });
});
