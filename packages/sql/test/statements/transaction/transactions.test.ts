import { schema, t } from '@lh/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { Lakehouse } from '../../../src/index.ts';
import { openWarehouse, rejection } from '../../support.ts';
import { filesBelow } from '../files.ts';

const { lake, catalog, path } = await openWarehouse();
let name = '';
let made = 0;

async function ids(from: string = name, by: Lakehouse = lake): Promise<unknown[]> {
  return (await (await by.sql(`SELECT id FROM ${from} ORDER BY id`)).rows()).map(({ id }) => Number(id));
}

async function snapshots(): Promise<number> {
  return (await catalog.loadTable(name)).snapshots().length;
}

/** Another session on the same tables. */
async function other<T>(work: (lakehouse: Lakehouse) => Promise<T>): Promise<T> {
  const second = await Lakehouse.open({ catalog });
  try {
    return await work(second);
  } finally {
    await second.close();
  }
}

beforeEach(async () => {
  name = `ns.x${made++}`;
  await catalog.createTable(name, { schema: schema({ id: t.long(), s: t.string() }) });
  await lake.sql(`INSERT INTO ${name} VALUES (1, 'a'), (2, 'b')`);
});

describe('BEGIN … COMMIT', () => {
  test('is one commit, which the session sees as it comes, and others in the end', async () => {
    const before = (await catalog.loadTable(name)).metadataLocation;
    await lake.sql('BEGIN TRANSACTION');
    const inserted = await lake.sql(`INSERT INTO ${name} (id) VALUES (3)`);
    expect(inserted).toMatchObject({ rowCount: 1, snapshotId: null });
    expect(inserted.table()).toBe('1 row inserted');
    expect(await ids()).toEqual([1, 2, 3]);
    await lake.sql(`DELETE FROM ${name} WHERE id = 1`);
    await lake.sql(`UPDATE ${name} SET s = 'x', id = id + 10 WHERE id = 3`);
    await lake.sql(`INSERT INTO ${name} SELECT id + 100, s FROM ${name}`);
    await lake.sql(`ALTER TABLE ${name} ADD COLUMN n INTEGER`);
    await lake.sql(`INSERT INTO ${name} VALUES (7, 'y', 70)`);
    expect(await ids()).toEqual([2, 7, 13, 102, 113]);
    expect((await catalog.loadTable(name)).metadataLocation).toBe(before);
    expect(await other((second) => ids(name, second))).toEqual([1, 2]);
    const committed = await lake.sql('COMMIT');
    const table = await catalog.loadTable(name);
    expect(committed.snapshotId).toBe(table.currentSnapshot()!.snapshotId);
    expect(table.metadata.metadataLog.at(-1)!.metadataFile).toBe(before);
    expect(await other((second) => ids(name, second))).toEqual([2, 7, 13, 102, 113]);
  });

  test.each([
    ['BEGIN', 'COMMIT'],
    ['START TRANSACTION', 'END'],
    ['begin work', 'commit work'],
    ['BEGIN TRANSACTION READ WRITE', 'END TRANSACTION'],
  ])('%s … %s', async (begin, commit) => {
    await lake.sql(`${begin}; INSERT INTO ${name} (id) VALUES (3); ${commit}`);
    expect(await ids()).toEqual([1, 2, 3]);
    expect(await snapshots()).toBe(2);
  });

  test('that changes nothing commits nothing', async () => {
    await lake.sql('BEGIN');
    await lake.sql(`INSERT INTO ${name} SELECT 1, 'a' WHERE false`);
    await lake.sql(`SELECT * FROM ${name}`);
    expect(await lake.sql('COMMIT')).toMatchObject({ snapshotId: null });
    expect(await snapshots()).toBe(1);
  });

  test('a branch', async () => {
    await (await catalog.loadTable(name)).createBranch('audit');
    await lake.sql(
      `BEGIN; INSERT INTO ${name}.branch_audit (id) VALUES (3); INSERT INTO ${name}.branch_audit (id) VALUES (4)`,
    );
    expect(await ids(`${name} FOR VERSION AS OF 'audit'`)).toEqual([1, 2, 3, 4]);
    const error = await rejection(lake.sql(`INSERT INTO ${name} (id) VALUES (5)`));
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/branch 'audit'.*COMMIT before/),
    });
    await lake.sql('ROLLBACK');
  });

  test('reads stay at the version that was seen first', async () => {
    await lake.sql('BEGIN');
    expect(await ids()).toEqual([1, 2]);
    await other((second) => second.sql(`INSERT INTO ${name} (id) VALUES (50)`));
    expect(await ids()).toEqual([1, 2]);
    await lake.sql(`INSERT INTO ${name} (id) VALUES (3)`);
    expect(await ids()).toEqual([1, 2, 3]);
    await lake.sql('COMMIT');
    expect(await ids()).toEqual([1, 2, 3, 50]);
  });

  test("tables of DuckDB's take part", async () => {
    await lake.sql('CREATE OR REPLACE TEMP TABLE own (id BIGINT)');
    await lake.sql(`BEGIN; INSERT INTO own VALUES (8); INSERT INTO ${name} (id) SELECT id FROM own; ROLLBACK`);
    expect([await ids(), await ids('own')]).toEqual([[1, 2], []]);
    await lake.sql(`BEGIN; INSERT INTO own VALUES (9); INSERT INTO ${name} (id) SELECT id FROM own; COMMIT`);
    expect([await ids(), await ids('own')]).toEqual([[1, 2, 9], [9]]);
  });

  test('statements at once take turns', async () => {
    const outcomes = await Promise.allSettled([
      lake.sql('BEGIN'),
      ...Array.from({ length: 5 }, (_, i) =>
        lake.sql(`INSERT INTO ${name} (id) SELECT max(id) + 1 FROM ${name} -- ${i}`),
      ),
      lake.sql('COMMIT'),
    ]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await ids()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('now() has one value', async () => {
    await lake.sql(`BEGIN; INSERT INTO ${name} SELECT epoch_us(now()), 'now'`);
    await lake.sql(`INSERT INTO ${name} SELECT epoch_us(now()), 'now'`);
    const result = await lake.sql(
      `SELECT count(DISTINCT id)::INT AS n FROM ${name} WHERE s = 'now' AND id <= epoch_us(now())`,
    );
    expect(await result.rows()).toEqual([{ n: 1 }]);
    await lake.sql('ROLLBACK');
  });
});

describe('what ends a transaction otherwise', () => {
  test.each(['ROLLBACK', 'ABORT', 'ROLLBACK TRANSACTION'])('%s leaves nothing', async (rollback) => {
    const before = await filesBelow(path);
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3); DELETE FROM ${name} WHERE id = 1`);
    expect(await ids()).toEqual([2, 3]);
    await lake.sql(rollback);
    expect(await ids()).toEqual([1, 2]);
    expect(await filesBelow(path)).toEqual(before);
  });

  test.each([
    ['an error of the statement', `INSERT INTO %s (id) VALUES ('abc')`, 'INVALID_ARGUMENT'],
    ['an error of a query', 'SELECT nope FROM %s', 'INVALID_ARGUMENT'],
    ['a table that is not there', 'SELECT * FROM ns.nope', 'NOT_FOUND'],
    ['a syntax error', 'SELEC 1', 'INVALID_ARGUMENT'],
  ])('%s: then only ROLLBACK can follow', async (_, sql, code) => {
    const before = await filesBelow(path);
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    expect(await rejection(lake.sql(sql.replace('%s', name)))).toMatchObject({ code });
    expect(await filesBelow(path)).toEqual(before);
    const aborted = { code: 'ABORTED', message: expect.stringMatching(/aborted by an error.*ROLLBACK/) };
    expect(await rejection(lake.sql('SELECT 1'))).toMatchObject(aborted);
    await lake.sql('ROLLBACK');
    expect(await ids()).toEqual([1, 2]);
  });

  test('COMMIT of one that was aborted commits nothing, and ends it', async () => {
    const before = await filesBelow(path);
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    await rejection(lake.sql('SELECT error(1)'));
    expect(await rejection(lake.sql('COMMIT'))).toMatchObject({
      code: 'ABORTED',
      message: expect.stringMatching(/nothing was committed/),
    });
    expect(await ids()).toEqual([1, 2]);
    expect(await filesBelow(path)).toEqual(before);
  });

  test("an error of DuckDB's own on the connection", async () => {
    await lake.sql('CREATE OR REPLACE TEMP TABLE own (id BIGINT PRIMARY KEY)');
    const before = await filesBelow(path);
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    await lake.connection.run('INSERT INTO own VALUES (1), (1)').catch(() => undefined);
    expect(await rejection(lake.sql('COMMIT'))).toMatchObject({
      message: expect.stringMatching(/transaction is aborted/),
    });
    expect(await ids()).toEqual([1, 2]);
    expect(await filesBelow(path)).toEqual(before);
  });

  test('a conflict', async () => {
    await lake.sql(`BEGIN; DELETE FROM ${name} WHERE id = 1; INSERT INTO ${name} (id) VALUES (3)`);
    await other((second) => second.sql(`DELETE FROM ${name} WHERE id = 2`));
    const before = await filesBelow(path);
    const kept = before.filter((file) => file.includes('/metadata/v') || file.includes('version-hint'));
    expect(await rejection(lake.sql('COMMIT'))).toMatchObject({ code: 'COMMIT_CONFLICT' });
    expect(await ids()).toEqual([1]);
    const after = await filesBelow(path);
    expect(after.filter((file) => file.includes('/metadata/v') || file.includes('version-hint'))).toEqual(kept);
    const table = await catalog.loadTable(name);
    const report = await table.removeOrphanFiles({ olderThan: new Date(Date.now() + 60_000), dryRun: true });
    expect(report.orphanFiles).toEqual([]);
  });

  test('closing the lakehouse', async () => {
    const before = await filesBelow(path);
    await other((second) => second.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`));
    expect(await filesBelow(path)).toEqual(before);
    expect(await ids()).toEqual([1, 2]);
  });

  test('an aborted statement', async () => {
    const before = await filesBelow(path);
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    const controller = new AbortController();
    const insert = `INSERT INTO ${name} SELECT i, sha256(i::VARCHAR) FROM range(200000000) AS r(i)`;
    const inserted = lake.sql(insert, undefined, { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    expect(await rejection(inserted)).toMatchObject({ code: 'ABORTED' });
    expect(await filesBelow(path)).toEqual(before);
    await lake.sql('ROLLBACK');
  });
});

describe('what a transaction refuses', () => {
  test.each<[string, RegExp]>([
    ['INSERT INTO ns.second (id) VALUES (1)', /changes ns\.x\d+ already.*COMMIT before ns\.second/],
    ["CALL system.expire_snapshots('ns.second')", /CALL can't be a part of a transaction/],
    ['CREATE TABLE ns.third AS SELECT 1 AS a', /CREATE TABLE AS can't be a part of a transaction/],
    ['CREATE TABLE ns.third (a INTEGER)', /CREATE TABLE can't be a part of a transaction/],
    ['DROP TABLE ns.second', /DROP TABLE can't be a part of a transaction/],
  ])('%s', async (sql, message) => {
    if (!(await catalog.tableExists('ns.second')))
      await catalog.createTable('ns.second', { schema: schema({ id: t.long() }) });
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    const error = await rejection(lake.sql(sql));
    await lake.sql('ROLLBACK');
    expect(error).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringMatching(message) });
  });

  test('writing in one that is READ ONLY', async () => {
    await lake.sql('BEGIN TRANSACTION READ ONLY');
    expect(await ids()).toEqual([1, 2]);
    const error = await rejection(lake.sql(`INSERT INTO ${name} (id) VALUES (3)`));
    await lake.sql('ROLLBACK');
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/READ ONLY/) });
  });

  test('BEGIN again, and ends without a beginning', async () => {
    await lake.sql(`BEGIN; INSERT INTO ${name} (id) VALUES (3)`);
    expect(await rejection(lake.sql('BEGIN'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await lake.sql('COMMIT');
    expect(await ids()).toEqual([1, 2, 3]);
    for (const sql of ['COMMIT', 'ROLLBACK']) {
      expect(await rejection(lake.sql(sql))).toMatchObject({
        message: expect.stringMatching(/no transaction is active/),
      });
    }
    expect(await rejection(lake.sql('BEGIN SOMETHING'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
