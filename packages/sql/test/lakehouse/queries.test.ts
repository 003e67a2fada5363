import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake, catalog, path } = await openWarehouse();

async function rows(
  sql: string,
  parameters?: readonly unknown[] | Record<string, unknown>,
): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

const ids: bigint[] = [];
const times: number[] = [];

beforeAll(async () => {
  const events = await catalog.createTable('ns.events', {
    schema: schema({ id: t.long().required(), ts: t.timestamptz(), city: t.string(), amount: t.decimal(10, 2) }),
    partitionBy: [partitionBy.day('ts')],
  });
  for (let n = 1; n <= 4; n++) {
    const commit = await events.append([
      { id: BigInt(n), ts: `2024-01-0${n}T10:00:00Z`, city: n % 2 ? 'Seoul' : 'Busan', amount: `${n}.50` },
    ]);
    ids.push(commit.snapshotId!);
    times.push(events.currentSnapshot()!.timestampMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await events.createTag('two', { snapshotId: ids[1]! });
  await events.createBranch('audit', { snapshotId: ids[2]! });
  await catalog.createNamespace(['deep', 'er', 'still']);
  const deep = await catalog.createTable(['deep', 'er', 'still', 'events'], {
    schema: schema({ id: t.long().required(), s: t.struct({ a: t.int() }) }),
  });
  await deep.append([{ id: 7n, s: { a: 1 } }]);
  await catalog.createNamespace(['we.ird "ns"']);
  const odd = await catalog.createTable(['we.ird "ns"', 'Ta"b.le '], {
    schema: schema({ 'co"l.umn': t.int(), select: t.string(), A: t.int(), a: t.int() }),
  });
  await odd.append([{ 'co"l.umn': 5, select: 'x', A: 1, a: 2 }]);
});

test('the files of one day are scanned, and the report says so', async () => {
  const result = await lake.sql('SELECT city, sum(amount) AS total FROM ns.events WHERE ts::date = $day GROUP BY 1', {
    day: '2024-01-02',
  });
  expect(await result.rows()).toEqual([{ city: 'Busan', total: '2.50' }]);
  expect(result.scans).toEqual([
    {
      table: 'ns.events',
      snapshotId: ids[3],
      predicate: "ts >= TIMESTAMPTZ '2024-01-02T00:00:00.000000Z' AND ts < TIMESTAMPTZ '2024-01-03T00:00:00.000000Z'",
      notPushed: [],
      dynamic: [],
      fromMetadata: false,
      filesTotal: 4,
      filesScanned: 1,
      filesSkipped: 3,
      filesSkippedBy: expect.objectContaining({ partition: expect.any(Number) }),
      manifestsTotal: expect.any(Number),
      manifestsScanned: expect.any(Number),
      manifestsSkipped: expect.any(Number),
      bytesScanned: expect.any(Number),
      bytesSkipped: expect.any(Number),
      rowsScanned: 1,
      deleteFilesApplied: 0,
      planningMs: expect.any(Number),
      access: { local: 1, httpfs: 0, cache: 0, core: 0, bytesFetched: 0, requests: 0 },
    },
  ]);
  expect(result.rowCount).toBe(1);
  expect(result.snapshotId).toBeNull();
});

test('a predicate that files know nothing of is named, with the reason', async () => {
  const result = await lake.sql("SELECT id FROM ns.events WHERE lower(city) = 'seoul' AND id > 2");
  expect(await result.rows()).toEqual([{ id: 3n }]);
  expect(result.scans[0]!.predicate).toBe('id > 2');
  expect(result.scans[0]!.notPushed).toEqual([
    { predicate: "lower(city) = 'seoul'", reason: expect.stringContaining('expression') },
  ]);
});

test('time travel by id, name and time, in every spelling', async () => {
  const count = async (clause: string, parameters?: Record<string, unknown>): Promise<unknown> =>
    (await rows(`SELECT count(*) AS n FROM ns.events ${clause}`, parameters))[0]!['n'];
  expect(await count(`AT (VERSION => ${ids[0]})`)).toBe(1n);
  expect(await count('AT (VERSION => $v)', { v: ids[1] })).toBe(2n);
  expect(await count("AT (VERSION => 'two')")).toBe(2n);
  expect(await count("AT (VERSION => 'audit')")).toBe(3n);
  expect(await count("AT (VERSION => 'main')")).toBe(4n);
  expect(await count(`AT (VERSION => '${ids[2]}')`)).toBe(3n);
  expect(await count(`FOR VERSION AS OF ${ids[0]}`)).toBe(1n);
  expect(await count("FOR VERSION AS OF 'two' AS e")).toBe(2n);
  expect(await count("FOR SYSTEM_VERSION AS OF 'two' e WHERE e.id = 2")).toBe(1n);
  expect(await count(`e AT (VERSION => ${ids[1]}) WHERE e.id > 1`)).toBe(1n);
  expect(await count(`AT (VERSION => ${ids[1]}) AS e WHERE e.id > 1`)).toBe(1n);
  const at = new Date(times[1]!).toISOString();
  expect(await count(`AT (TIMESTAMP => TIMESTAMPTZ '${at}')`)).toBe(2n);
  expect(await count(`AT (TIMESTAMP => '${at}')`)).toBe(2n);
  expect(await count('AT (TIMESTAMP => $t)', { t: new Date(times[2]!) })).toBe(3n);
  expect(await count('AT (TIMESTAMP => $t)', { t: times[0] })).toBe(1n);
  expect(await count(`FOR TIMESTAMP AS OF TIMESTAMP '${at.replace('T', ' ').replace('Z', '')}'`)).toBe(2n);
  expect(await count('AT (TIMESTAMP => now() + INTERVAL 1 DAY)')).toBe(4n);
});

test('several versions of one table in one query', async () => {
  const result = await lake.sql(
    `SELECT n.id FROM ns.events AS n LEFT JOIN ns.events AS o AT (VERSION => ${ids[1]}) USING (id) WHERE o.id IS NULL ORDER BY 1`,
  );
  expect(await result.rows()).toEqual([{ id: 3n }, { id: 4n }]);
  expect(result.scans.map((scan) => [scan.snapshotId, scan.filesTotal])).toEqual([
    [ids[3], 4],
    [ids[1], 2],
  ]);
});

test('one table mentioned twice is pruned for each mention', async () => {
  const result = await lake.sql('SELECT a.id, b.id AS other FROM ns.events a, ns.events b WHERE a.id = 1 AND b.id = 4');
  expect(await result.rows()).toEqual([{ id: 1n, other: 4n }]);
  expect(result.scans.map((scan) => [scan.predicate, scan.filesScanned])).toEqual([
    ['id = 1', 1],
    ['id = 4', 1],
  ]);
});

test('common table expressions hide tables, and what they read twice is read for both', async () => {
  lake.register('plain', await catalog.loadTable('ns.events'));
  expect(await rows('WITH plain AS (SELECT 1 AS x) SELECT * FROM plain')).toEqual([{ x: 1 }]);
  expect(await rows('WITH plain AS (SELECT id FROM plain WHERE id = 2) SELECT * FROM plain')).toEqual([{ id: 2n }]);
  const twice = await lake.sql(
    'WITH e AS (SELECT * FROM ns.events) SELECT id FROM e WHERE id = 1 UNION ALL SELECT id FROM e WHERE id = 3 ORDER BY 1',
  );
  expect(await twice.rows()).toEqual([{ id: 1n }, { id: 3n }]);
  expect(twice.scans[0]!.filesScanned).toBe(2);
  const recursive =
    'WITH RECURSIVE r AS (SELECT 1::BIGINT AS id UNION ALL SELECT r.id + 1 FROM r JOIN ns.events e ON e.id = r.id) SELECT count(*) AS n FROM r';
  expect(await rows(recursive)).toEqual([{ n: 5n }]);
  lake.unregister('plain');
});

test('joins push what they imply, subqueries are planned too', async () => {
  const result = await lake.sql('SELECT e.id FROM ns.events e JOIN ns.events f ON e.id = f.id WHERE f.id > 3');
  expect(await result.rows()).toEqual([{ id: 4n }]);
  expect(result.scans.map((scan) => scan.filesScanned)).toEqual([1, 1]);
  const scalar = await lake.sql(
    'SELECT (SELECT max(city) FROM ns.events WHERE id = 1) AS c, id FROM ns.events WHERE id IN (SELECT max(id) FROM ns.events)',
  );
  expect(await scalar.rows()).toEqual([{ c: 'Seoul', id: 4n }]);
  expect(scalar.scans.length).toBe(3);
});

test('names: catalogs, nested namespaces, quoting, odd characters', async () => {
  expect(await rows('SELECT id, s.a FROM deep.er.still.events')).toEqual([{ id: 7n, a: 1 }]);
  expect(
    await rows(
      'SELECT e.id FROM ns.events x, deep.er.still.events e WHERE x.id = 1 AND deep.er.still.events.id = 7',
    ).catch((error: Error) => error.message),
  ).toMatch(/not found/);
  expect(
    await rows(
      'SELECT deep.er.still.events.id, ns.events.id AS other FROM deep.er.still.events, ns.events WHERE ns.events.id = 1',
    ),
  ).toEqual([{ id: 7n, other: 1n }]);
  expect(await rows(`SELECT * FROM "${catalog.name}".ns.events WHERE id = 1`).then((all) => all.length)).toBe(1);
  expect(
    await rows('SELECT "co""l.umn" AS v, "select", A, "a_1" FROM "we.ird ""ns"""."Ta""b.le " WHERE "co""l.umn" = 5'),
  ).toEqual([{ v: 5, select: 'x', A: 1, a_1: 2 }]);
  expect(
    await rows("SELECT 'é😀ü' AS u, id /* ns.events */ FROM ns . -- a comment\n events WHERE ns.events.id = 1"),
  ).toEqual([{ u: 'é😀ü', id: 1n }]);
});

test('parameters of every kind', async () => {
  expect(await rows('SELECT id FROM ns.events WHERE id IN (?, ?) AND city = ?', [1n, 3, 'Seoul'])).toEqual(
    expect.arrayContaining([{ id: 1n }, { id: 3n }]),
  );
  expect(await rows('SELECT $2 AS b, $1 AS a', ['x', null])).toEqual([{ b: null, a: 'x' }]);
  expect(await rows('SELECT id FROM ns.events WHERE id = $id AND amount = $amount', { id: 2, amount: '2.50' })).toEqual(
    [{ id: 2n }],
  );
  expect(await rows('SELECT id FROM ns.events WHERE list_contains($ids, id) ORDER BY id', { ids: [1, 4] })).toEqual([
    { id: 1n },
    { id: 4n },
  ]);
  expect(
    await rows('SELECT count(*) AS n FROM ns.events WHERE ts >= $from', { from: new Date('2024-01-03T00:00:00Z') }),
  ).toEqual([{ n: 2n }]);
  expect(await rows("SELECT '$not ?' AS s, $$ ? $x $$ AS d, ? AS p", ['"; DROP TABLE x; --'])).toEqual([
    { s: '$not ?', d: ' ? $x ', p: '"; DROP TABLE x; --' },
  ]);
});

test('files and tables of the session join in', async () => {
  await writeFile(join(path, 'cities.csv'), 'city,country\nSeoul,KR\nBusan,KR\n');
  const csv = join(path, 'cities.csv');
  const result = await lake.sql(
    `SELECT country, count(*) AS n FROM ns.events JOIN read_csv($file) c USING (city) WHERE id < 4 GROUP BY 1`,
    { file: csv },
  );
  expect(await result.rows()).toEqual([{ country: 'KR', n: 3n }]);
  expect(result.scans[0]!.filesScanned).toBe(3);
  expect(await rows(`SELECT cities.country, e.id FROM ns.events e JOIN '${csv}' USING (city) WHERE e.id = 1`)).toEqual([
    { country: 'KR', id: 1n },
  ]);

  await lake.sql('CREATE TEMP TABLE names AS SELECT id, city || $suffix AS name FROM ns.events WHERE id <> 2', {
    suffix: '!',
  });
  const joined = await lake.sql('SELECT n.name FROM names n JOIN ns.events e USING (id) WHERE e.id = 3');
  expect(await joined.rows()).toEqual([{ name: 'Seoul!' }]);
  expect(joined.scans[0]!.filesScanned).toBe(1);
  expect((await lake.sql('INSERT INTO names SELECT id, city FROM ns.events WHERE id = 2')).rowCount).toBe(1);
  expect((await lake.sql("UPDATE names SET name = 'x' WHERE id > 2")).rowCount).toBe(2);
  expect(await rows('SELECT count(*) AS n FROM names')).toEqual([{ n: 4n }]);
  await lake.sql('DROP TABLE names');
});

test('views and macros of the session', async () => {
  await lake.sql(
    "CREATE VIEW two_cities AS SELECT * FROM (VALUES ('Seoul')) v(city); CREATE MACRO twice(x) AS x * 2; CREATE TEMP MACRO at_least(a, b) AS a >= b",
  );
  const result = await lake.sql(
    'SELECT id FROM ns.events JOIN two_cities USING (city) WHERE at_least(id, 3) AND twice(id) < 8',
  );
  expect(await result.rows()).toEqual([{ id: 3n }]);
  expect(result.scans[0]!.predicate).toContain('id >= 3');
});

test('PIVOT and the like run unpruned, and say so', async () => {
  const result = await lake.sql('PIVOT (SELECT city, amount FROM ns.events WHERE id < 3) ON city USING sum(amount)');
  expect(await result.rows()).toEqual([{ Busan: '2.50', Seoul: '1.50' }]);
  expect(result.scans[0]!.filesScanned).toBe(4);
  expect(result.scans[0]!.notPushed[0]!.reason).toMatch(/SELECT/);
  expect(
    (await rows('FROM (UNPIVOT (SELECT id, 1 AS a, 2 AS b FROM ns.events) ON a, b INTO NAME k VALUE v)')).length,
  ).toBe(8);
});

test('DESCRIBE, SUMMARIZE, TABLE, EXPLAIN, COPY', async () => {
  expect((await rows('DESCRIBE ns.events')).map((row) => row['column_name'])).toEqual(['id', 'ts', 'city', 'amount']);
  expect((await rows('SUMMARIZE ns.events'))[0]).toMatchObject({ column_name: 'id', count: 4n });
  expect((await rows('TABLE ns.events')).length).toBe(4);
  expect((await rows('FROM ns.events LIMIT 2')).length).toBe(2);
  expect((await lake.sql('EXPLAIN SELECT * FROM ns.events WHERE id = 1')).table()).toContain('READ_PARQUET');
  const out = join(path, 'out.parquet');
  await lake.sql(`COPY (SELECT id FROM ns.events WHERE id > 2) TO '${out}'`);
  expect(await rows(`SELECT count(*) AS n FROM '${out}'`)).toEqual([{ n: 2n }]);
});

test('several statements; the last one answers', async () => {
  expect(await rows('SELECT 1; ; SELECT id FROM ns.events WHERE id = 4;')).toEqual([{ id: 4n }]);
});

test('the printed table', async () => {
  const result = await lake.sql('SELECT id, city, amount FROM ns.events WHERE id <= 2 ORDER BY id');
  expect(result.table()).toBe(
    [
      '┌────┬───────┬────────┐',
      '│ id │ city  │ amount │',
      '├────┼───────┼────────┤',
      '│  1 │ Seoul │   1.50 │',
      '│  2 │ Busan │   2.50 │',
      '└────┴───────┴────────┘',
      '2 rows',
    ].join('\n'),
  );
  const wide = await lake.sql("SELECT '서울' AS k, NULL AS n, repeat('x', 100) AS long, 'a\nb' AS lines");
  expect(wide.table({ maxWidth: 10 }).split('\n')[3]).toBe('│ 서울 │ NULL │ xxxxxxxxx… │ a\\nb  │');
  const many = await lake.sql('SELECT * FROM range(50000)');
  expect(many.table({ maxRows: 2 }).split('\n').at(-1)).toMatch(/^more than \d+ rows, the first 2 shown$/);
});
