import { schema, t } from '@lh/core';
import { Table, tableFromArrays } from 'apache-arrow';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();

async function rows(sql: string, parameters?: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

async function ids(sql: string): Promise<unknown[]> {
  return (await rows(sql)).map((row) => row['id']);
}

beforeAll(async () => {
  const events = await catalog.createTable('ns.events', {
    schema: schema({ id: t.long().required(), city: t.string() }),
  });
  for (let n = 1; n <= 4; n++) await events.append([{ id: BigInt(n), city: n % 2 ? 'Seoul' : 'Busan' }]);
});

afterEach(async () => {
  for (const name of ['v', 'w', 'x']) await lake.sql(`DROP VIEW IF EXISTS ${name}`);
  await lake.sql('DROP TABLE IF EXISTS names');
});

describe('a view over a table of a catalog', () => {
  test('is pruned by what is asked of it', async () => {
    await lake.sql('CREATE VIEW v AS SELECT id, city AS town FROM ns.events WHERE id > $least', { least: 1 });
    const result = await lake.sql("SELECT id FROM v WHERE town = 'Busan' AND id < 4");
    expect(await result.rows()).toEqual([{ id: 2n }]);
    expect(result.scans).toHaveLength(1);
    expect(result.scans[0]).toMatchObject({ table: 'ns.events', filesTotal: 4, filesScanned: 1 });
  });

  test('reads what is there when it is read', async () => {
    await catalog.createTable('ns.growing', { schema: schema({ id: t.long() }) });
    await lake.sql('CREATE VIEW v AS FROM ns.growing');
    expect(await rows('FROM v')).toEqual([]);
    await lake.append('ns.growing', 'SELECT 7::BIGINT AS id');
    expect(await ids('FROM v')).toEqual([7n]);
  });

  test('gives its columns names of its own', async () => {
    await lake.sql('CREATE TEMP VIEW v("the id", town) AS SELECT id, city FROM ns.events -- the end');
    expect((await rows('SELECT * FROM v WHERE "the id" = 1'))[0]).toEqual({ 'the id': 1n, town: 'Seoul' });
    expect((await rows('DESCRIBE v')).map((row) => row['column_name'])).toEqual(['the id', 'town']);
    expect((await rows('SUMMARIZE v'))[0]).toMatchObject({ column_name: 'the id', count: 4n });
  });

  test('is found wherever a table is', async () => {
    await lake.sql('CREATE VIEW v AS SELECT * FROM ns.events WHERE id <> 3');
    expect(await ids('TABLE v ORDER BY id')).toEqual([1n, 2n, 4n]);
    expect(await ids('FROM v ORDER BY id LIMIT 1')).toEqual([1n]);
    expect(await ids('SELECT v.id FROM v, v AS w WHERE v.id = w.id + 2')).toEqual([4n]);
    expect(await ids('(SELECT id FROM v WHERE id = 1) UNION ALL (SELECT id FROM V WHERE id = 4) ORDER BY 1')).toEqual([
      1n,
      4n,
    ]);
    expect(await ids('SELECT e.id FROM ns.events e WHERE e.id NOT IN (SELECT id FROM v)')).toEqual([3n]);
    expect(
      await ids('WITH RECURSIVE r AS (SELECT max(id) AS id FROM v UNION ALL SELECT id - 2 FROM r WHERE id > 2) FROM r'),
    ).toEqual([4n, 2n]);
    expect(await rows('PIVOT v ON city USING count(*) GROUP BY id')).toHaveLength(3);
    expect(await rows('VALUES ((SELECT count(*) FROM v))')).toEqual([{ col0: 3n }]);
    expect((await lake.sql('EXPLAIN SELECT * FROM v')).table()).toContain('READ_PARQUET');
    await lake.sql('CREATE TEMP TABLE names AS SELECT id FROM v');
    expect((await lake.sql('INSERT INTO names SELECT id + 10 FROM v WHERE id > 2')).rowCount).toBe(1);
    expect(await ids('SELECT id FROM names ORDER BY id')).toEqual([1n, 2n, 4n, 14n]);
  });

  test('is hidden by common table expressions, which it does not see', async () => {
    lake.register('plain', await catalog.loadTable('ns.events'));
    await lake.sql('CREATE VIEW v AS SELECT id FROM plain');
    expect(await ids('WITH v AS (SELECT 9 AS id) FROM v')).toEqual([9]);
    expect(await ids('WITH v AS (SELECT id FROM v WHERE id = 2) FROM v')).toEqual([2n]);
    expect(await ids('WITH plain AS (SELECT 9 AS id) SELECT v.id FROM v, plain WHERE v.id < 3 ORDER BY 1')).toEqual([
      1n,
      2n,
    ]);
    lake.unregister('plain');
  });

  test('may read others, files, temporary tables, Arrow data and metadata tables', async () => {
    await lake.sql("CREATE TEMP TABLE names AS SELECT 1::BIGINT AS id, 'one' AS name");
    lake.register(
      'numbers',
      new Table(
        tableFromArrays({ id: BigInt64Array.from([1n, 5n]) }).schema,
        tableFromArrays({ id: BigInt64Array.from([1n, 5n]) }).batches,
      ),
    );
    await lake.sql('CREATE VIEW v AS SELECT * FROM ns.events JOIN names USING (id)');
    await lake.sql('CREATE VIEW w AS SELECT v.*, n.id AS n FROM v JOIN numbers n USING (id)');
    await lake.sql(
      'CREATE VIEW x AS SELECT w.name, s.operation FROM w, ns.events.snapshots s WHERE w.n = 1 AND s.parent_id IS NULL',
    );
    expect(await rows('FROM x')).toEqual([{ name: 'one', operation: 'append' }]);
    lake.unregister('numbers');
    expect((await rejection(rows('FROM x'))).code).toBe('NOT_FOUND');
  });

  test('of a version stays there, and has none itself', async () => {
    const [first] = (await catalog.loadTable('ns.events')).snapshots();
    await lake.sql(`CREATE VIEW v AS FROM ns.events AT (VERSION => ${first!.snapshotId})`);
    expect(await ids('FROM v')).toEqual([1n]);
    const error = await rejection(rows('SELECT * FROM v AT (VERSION => 1)'));
    expect(error.message).toMatch(/'v' is a view, which has no versions[^]*LINE 1: SELECT \* FROM v AT[^]*\n {22}\^/);
  });
});

test('a view stays in the namespace that it was made in', async () => {
  await catalog.createNamespace('other');
  await lake.sql(
    'USE ns; CREATE VIEW v AS SELECT events.id FROM events; CREATE VIEW w AS SELECT count(*)::INT AS id FROM events.snapshots; USE other',
  );
  expect(await ids('SELECT max(id) AS id FROM v')).toEqual([4n]);
  expect(await ids('FROM w')).toEqual([4]);
  await lake.sql('USE memory.main');
});

describe('names of views', () => {
  test('are taken once', async () => {
    await lake.sql('CREATE VIEW v AS FROM ns.events');
    expect((await rejection(lake.sql('CREATE VIEW V AS FROM ns.events'))).code).toBe('ALREADY_EXISTS');
    expect((await rejection(lake.sql('CREATE TEMP TABLE v AS SELECT 1'))).code).toBe('ALREADY_EXISTS');
    await lake.sql('CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS other FROM ns.events');
    expect(await ids('SELECT max(id) AS id FROM v')).toEqual([4n]);
    await lake.sql('CREATE OR REPLACE VIEW v AS SELECT 5 AS id FROM ns.events LIMIT 1');
    expect(await ids('FROM v')).toEqual([5]);
    await lake.sql('CREATE OR REPLACE VIEW v AS SELECT 6 AS id');
    expect(await ids('FROM v')).toEqual([6]);
    expect((await rejection(lake.sql('CREATE VIEW v AS FROM ns.events'))).code).toBe('ALREADY_EXISTS');
    await lake.sql('DROP VIEW v');
    expect((await rejection(rows('FROM v'))).code).toBe('NOT_FOUND');
  });

  test('a view is not about itself', async () => {
    await lake.sql('CREATE VIEW v AS FROM ns.events');
    await lake.sql('CREATE VIEW w AS FROM v');
    const error = await rejection(lake.sql('CREATE OR REPLACE VIEW v AS FROM w'));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'INVALID_ARGUMENT',
      message: "The view 'v' would be about itself.",
    });
    expect(await ids('SELECT max(id) AS id FROM w')).toEqual([4n]);
  });

  test('are of the session, not of catalogs', async () => {
    const error = await rejection(lake.sql('CREATE VIEW ns.v AS FROM ns.events'));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('CREATE VIEW v AS'),
    });
  });

  test('views over nothing of catalogs are left to DuckDB', async () => {
    await lake.sql("CREATE VIEW v AS SELECT 1 AS id; CREATE OR REPLACE VIEW w(a) AS VALUES ('x')");
    expect(await rows('SELECT * FROM v, w')).toEqual([{ id: 1, a: 'x' }]);
    await lake.sql('DROP VIEW w');
  });
});

test('what is wrong in a view is told when it is made, and where it is mentioned later', async () => {
  expect((await rejection(lake.sql('CREATE VIEW v AS SELECT nope FROM ns.events'))).message).toMatch(
    /"nope" not found/,
  );
  expect((await rejection(rows('FROM v'))).code).toBe('NOT_FOUND');
  await lake.sql('CREATE TEMP TABLE names AS SELECT 1 AS id, 2 AS b');
  await lake.sql('CREATE VIEW v AS SELECT names.b, e.id FROM names, ns.events e');
  await lake.sql('CREATE OR REPLACE TEMP TABLE names AS SELECT 1 AS id');
  expect((await rejection(rows('SELECT 1 FROM v'))).message).toMatch(/"b"[^]*LINE 1: SELECT 1 FROM v\n {22}\^/);
});

test('a macro can not read tables of catalogs, and says so', async () => {
  for (const sql of [
    'CREATE MACRO m(x) AS TABLE SELECT * FROM ns.events WHERE id = x',
    'CREATE OR REPLACE TEMP FUNCTION m(x) AS (SELECT count(*) FROM ns.events)',
  ]) {
    const error = await rejection(lake.sql(sql));
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/'ns\.events'.*CREATE VIEW/),
    });
  }
});
