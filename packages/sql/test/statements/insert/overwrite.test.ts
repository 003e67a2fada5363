import { partitionBy, schema, t } from '@lh/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';

const { lake, catalog } = await openWarehouse();
let name = '';
let made = 0;

async function pairs(sql: string): Promise<unknown[][]> {
  return (await (await lake.sql(sql)).rows()).map((row) => Object.values(row));
}

const all = (): Promise<unknown[][]> => pairs(`FROM ${name} ORDER BY id`);

beforeEach(async () => {
  name = `ns.o${made++}`;
});

describe('of a table with partitions', () => {
  beforeEach(async () => {
    await catalog.createTable(name, {
      schema: schema({ id: t.long(), kind: t.string(), day: t.date() }),
      partitionBy: [partitionBy.identity('kind'), partitionBy.identity('day')],
    });
    await lake.sql(`INSERT INTO ${name} VALUES (1, 'a', '2024-01-01'), (2, 'a', '2024-01-02'), (3, 'b', '2024-01-01')`);
  });

  test('without PARTITION, those are replaced that get rows', async () => {
    const result = await lake.sql(`INSERT OVERWRITE ${name} VALUES (10, 'a', '2024-01-02'), (11, 'c', '2024-01-02')`);
    expect(result.rowCount).toBe(2);
    expect(await all()).toEqual([
      [1n, 'a', '2024-01-01'],
      [3n, 'b', '2024-01-01'],
      [10n, 'a', '2024-01-02'],
      [11n, 'c', '2024-01-02'],
    ]);
    expect((await catalog.loadTable(name)).currentSnapshot()!.operation).toBe('overwrite');
  });

  test('rows that there are none of replace nothing', async () => {
    const result = await lake.sql(`INSERT OVERWRITE ${name} SELECT 1, 'a', DATE '2024-01-01' WHERE false`);
    expect(result).toMatchObject({ rowCount: 0, snapshotId: null });
    expect(await all()).toHaveLength(3);
  });

  test('with a whole partition given, that one is replaced, whatever there is for it', async () => {
    await lake.sql(`INSERT OVERWRITE TABLE ${name} PARTITION (kind = 'a', day = DATE '2024-01-01') SELECT 10`);
    expect(await all()).toEqual([
      [2n, 'a', '2024-01-02'],
      [3n, 'b', '2024-01-01'],
      [10n, 'a', '2024-01-01'],
    ]);
    await lake.sql(`INSERT OVERWRITE INTO ${name} PARTITION (kind = 'a', day = '2024-01-01') SELECT 10 WHERE false`);
    expect(await pairs(`SELECT id FROM ${name} ORDER BY id`)).toEqual([[2n], [3n]]);
  });

  test('with a part of it given, all that have it are replaced', async () => {
    await lake.sql(`INSERT OVERWRITE ${name} PARTITION (kind = 'a', day) (day, id) SELECT '2024-05-05', 7`);
    expect(await all()).toEqual([
      [3n, 'b', '2024-01-01'],
      [7n, 'a', '2024-05-05'],
    ]);
  });

  test('by name, with an expression, and null', async () => {
    await lake.sql(`INSERT INTO ${name} PARTITION (kind = NULL) BY NAME SELECT 4 AS id`);
    await lake.sql(`INSERT OVERWRITE ${name} PARTITION (kind = NULL) BY NAME SELECT 5 AS id`);
    await lake.sql(`INSERT OVERWRITE ${name} PARTITION (kind = lower('B')) BY NAME SELECT 6 AS id`);
    expect(await pairs(`SELECT id, kind FROM ${name} ORDER BY id`)).toEqual([
      [1n, 'a'],
      [2n, 'a'],
      [5n, null],
      [6n, 'b'],
    ]);
  });

  test('DEFAULT VALUES of a partition', async () => {
    await lake.sql(`INSERT OVERWRITE ${name} PARTITION (kind = 'b') DEFAULT VALUES`);
    expect(await pairs(`SELECT id FROM ${name} WHERE kind = 'b'`)).toEqual([[null]]);
  });

  test('a branch', async () => {
    await (await catalog.loadTable(name)).createBranch('audit');
    await lake.sql(`INSERT OVERWRITE ${name}.branch_audit PARTITION (kind = 'a') SELECT 10, NULL`);
    expect(await all()).toHaveLength(3);
    expect(await pairs(`SELECT id FROM ${name} FOR VERSION AS OF 'audit' ORDER BY id`)).toEqual([[3n], [10n]]);
  });

  test.each<[string, RegExp]>([
    ["PARTITION (id = 1) SELECT 'a', NULL", /not partitioned by the column 'id' itself[^]*\^/],
    ["PARTITION (nope = 1) SELECT 'a', NULL", /no column 'nope'[^]*\^/],
    ["PARTITION (kind = 'a') SELECT 1, 'a', NULL", /The query has 3 columns, and 2 are wanted: id, day/],
    ['PARTITION (kind = ) SELECT 1, NULL', /Expected a value/],
    ["PARTITION (day = 'x') SELECT 1, 'a'", /date field value|Could not convert|invalid date/i],
  ])('%s', async (rest, message) => {
    const error = await rejection(lake.sql(`INSERT OVERWRITE ${name} ${rest}`));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
    expect(await all()).toHaveLength(3);
  });
});

test('of a table without partitions, all is replaced, by nothing as well', async () => {
  await catalog.createTable(name, { schema: schema({ id: t.long() }) });
  await lake.sql(`INSERT INTO ${name} SELECT i FROM range(5) AS r(i)`);
  await lake.sql(`INSERT OVERWRITE ${name} SELECT id * 10 FROM ${name} WHERE id > 2`);
  expect(await all()).toEqual([[30n], [40n]]);
  await lake.sql(`INSERT OVERWRITE ${name} SELECT 1 WHERE false`);
  expect(await all()).toEqual([]);
});

test('TRUNCATE takes all rows, and reads no file', async () => {
  await catalog.createTable(name, { schema: schema({ id: t.long() }) });
  await lake.sql(`INSERT INTO ${name} SELECT i FROM range(1500) AS r(i)`);
  const result = await lake.sql(`TRUNCATE TABLE ${name}`);
  expect(result.table()).toBe(`1,500 rows deleted, snapshot ${result.snapshotId}`);
  expect((await catalog.loadTable(name)).currentSnapshot()).toMatchObject({
    operation: 'delete',
    summary: { 'deleted-data-files': '1' },
  });
  expect(await lake.sql(`TRUNCATE ${name}`)).toMatchObject({ rowCount: 0, snapshotId: null });
  expect(await rejection(lake.sql(`TRUNCATE ${name} WHERE id = 1`))).toMatchObject({ code: 'INVALID_ARGUMENT' });
});
