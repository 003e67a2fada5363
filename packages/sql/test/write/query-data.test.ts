import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryCatalog, MemoryFileIO, partitionBy, schema, t } from '@lh/core';
import type { DataFile, Table } from '@lh/core';
import { expect, test } from 'vitest';
import { Lakehouse } from '../../src/index.ts';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog, path } = await openWarehouse();
const shape = schema({ id: t.long().required(), city: t.string(), at: t.timestamptz() });
let tables = 0;

async function fresh(options: Partial<Parameters<typeof catalog.createTable>[1]> = {}): Promise<string> {
  const name = `ns.q${tables++}`;
  await catalog.createTable(name, { schema: shape, ...options });
  return name;
}

async function filesOf(name: string): Promise<readonly DataFile[]> {
  return (await (await catalog.loadTable(name)).scan().plan()).tasks.map(({ file }) => file);
}

async function tree(name: string): Promise<string[]> {
  const root = join(path, name.replace('.', '/'));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

const dataFiles = async (name: string): Promise<string[]> =>
  (await tree(name)).filter((file) => !file.startsWith('metadata/'));

test('a query is appended by name, with parameters, casts and time travel', async () => {
  const from = await fresh();
  const first = await lake.append(
    from,
    "SELECT 1::INT AS ID, $city AS city, TIMESTAMPTZ '2024-01-01 00:00:00+01' AS at",
    {
      parameters: { city: 'Seoul' },
    },
  );
  expect(first).toMatchObject({ changed: true, warnings: [], summary: { 'added-records': '1', operation: 'append' } });
  await lake.append(from, "FROM (VALUES (2, 'Busan')) AS v(id, city)");
  const to = await fresh();
  await lake.append(to, `SELECT * FROM ${from} AT (VERSION => ${first.snapshotId!}) -- the first only`);
  const table = await lake.table(to);
  expect(await table.scan().toRows()).toEqual([{ id: 1n, city: 'Seoul', at: '2023-12-31T23:00:00.000000Z' }]);
  expect(await (await lake.sql(`SELECT * FROM ${from} ORDER BY id`)).rows()).toEqual([
    { id: 1n, city: 'Seoul', at: '2023-12-31T23:00:00.000000Z' },
    { id: 2n, city: 'Busan', at: null },
  ]);
});

test('columns that the query lacks take their write default; one too many, and a null too many, are refused', async () => {
  const name = `ns.q${tables++}`;
  const table = await catalog.createTable(name, { schema: shape, formatVersion: 3 });
  await table.updateSchema((s) => s.addColumn('kind', t.string(), { default: 'web' }));
  await lake.append(name, 'SELECT 1 AS id');
  expect(await (await lake.table(name)).scan({ select: ['id', 'kind'] }).toRows()).toEqual([{ id: 1n, kind: 'web' }]);
  const before = await dataFiles(name);
  for (const [query, message] of [
    ['SELECT 1 AS id, 2 AS citi', "a column 'citi', which the table lacks. Did you mean 'city'?"],
    ["SELECT 'x' AS city", "The column 'id' is required, and the query lacks it."],
    ['SELECT nullif(i, 3) AS id FROM range(5) AS r(i)', "The column 'id' is required, and the query gives it a null."],
    ["SELECT 'x' AS id", "Could not convert string 'x' to INT64"],
    ['SELECT 1 AS id; SELECT 2 AS id', 'Rows to write come from one query'],
  ] as const) {
    const error = await rejection(lake.append(name, query));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toContain(message);
  }
  expect(await dataFiles(name)).toEqual(before);
  expect(await rejection(lake.append('ns.none', 'SELECT 1'))).toMatchObject({ code: 'NOT_FOUND' });
});

test('required values are looked for inside structs, lists and maps', async () => {
  const name = `ns.q${tables++}`;
  await catalog.createTable(name, {
    schema: schema({
      s: t.struct({ a: t.int().required() }),
      l: t.list(t.struct({ b: t.int().required() }).required()),
      m: t.map(t.string(), t.int().required()),
    }),
  });
  const good = "SELECT NULL AS s, [{b: 1}] AS l, MAP {'k': 1} AS m";
  await lake.append(name, good);
  for (const [query, column] of [
    ["SELECT {a: NULL::INT} AS s, [{b: 1}] AS l, MAP {'k': 1} AS m", 's.a'],
    ["SELECT NULL AS s, [{b: NULL::INT}] AS l, MAP {'k': 1} AS m", 'l.element.b'],
    ["SELECT NULL AS s, [{b: 1}, NULL] AS l, MAP {'k': 1} AS m", 'l.element'],
    ["SELECT NULL AS s, [{b: 1}] AS l, MAP {'k': 1, 'j': NULL} AS m", 'm.value'],
  ] as const) {
    expect((await rejection(lake.append(name, query))).message).toContain(`'${column}' is required`);
  }
  expect(await (await lake.table(name)).scan().toRows()).toEqual([{ s: null, l: [{ b: 1 }], m: new Map([['k', 1]]) }]);
});

test('fields of structs go by name too: none is lost, and those that are missing take their defaults', async () => {
  const name = `ns.q${tables++}`;
  const table = await catalog.createTable(name, {
    schema: schema({ s: t.struct({ a: t.int(), b: t.string() }), l: t.list(t.struct({ a: t.int() })) }),
    formatVersion: 3,
  });
  await lake.append(name, "SELECT {b: 'x', A: 1} AS s, [{a: 2}] AS l");
  for (const [query, column] of [
    ['SELECT {a: 1, c: 2} AS s', 's.c'],
    ['SELECT [{a: 1, c: 2}] AS l', 'l.element.c'],
  ] as const) {
    expect((await rejection(lake.append(name, query))).message).toContain(
      `a column '${column}', which the table lacks`,
    );
  }
  await table.refresh();
  await table.updateSchema((s) => s.addColumn('s.kind', t.string(), { default: 'web' }));
  await lake.append(name, "SELECT {a: 3, b: 'y'} AS s");
  const rows = (await (await lake.table(name)).scan().toRows()) as { l: unknown }[];
  expect(rows.toSorted((a, b) => Number(a.l === null) - Number(b.l === null))).toEqual([
    { s: { a: 1, b: 'x', kind: 'web' }, l: [{ a: 2 }] },
    { s: { a: 3, b: 'y', kind: 'web' }, l: null },
  ]);
});

test('times that only DuckDB has are refused', async () => {
  const name = `ns.q${tables++}`;
  await catalog.createTable(name, {
    schema: schema({ d: t.date(), ts: t.timestamp(), at: t.time(), all: t.list(t.date()) }),
  });
  for (const query of [
    "SELECT DATE 'infinity' AS d",
    "SELECT TIMESTAMP '-infinity' AS ts",
    "SELECT TIME '24:00:00' AS at",
    "SELECT [DATE '2020-01-01', 'infinity'] AS \"all\"",
  ]) {
    expect(await rejection(lake.append(name, query))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^The column '.*' has no /),
    });
  }
});

test('variants of a query are written by core', async () => {
  const [from, to] = [`ns.q${tables++}`, `ns.q${tables++}`];
  const variants = { schema: schema({ id: t.long(), v: t.variant() }), formatVersion: 3 } as const;
  const rows = [
    { id: 1n, v: { a: [1, 'x', null] } },
    { id: 2n, v: null },
  ];
  await (await catalog.createTable(from, variants)).append(rows);
  await catalog.createTable(to, variants);
  const { warnings } = await lake.append(to, `SELECT * FROM ${from}`);
  expect(warnings).toEqual([expect.stringContaining("it can't write variants")]);
  const [before, after] = [await lake.table(from), await lake.table(to)];
  expect(JSON.stringify(await after.scan({ select: ['v'] }).toRows())).toBe(
    JSON.stringify(await before.scan({ select: ['v'] }).toRows()),
  );
});

test('a query whose partitions only core can tell is written by DuckDB all the same', async () => {
  const name = await fresh({ partitionBy: [partitionBy.bucket(4, 'city')] });
  const { warnings } = await lake.append(name, "SELECT i AS ID, 'city ' || i % 9 AS City FROM range(1000) AS r(i)");
  expect(warnings).toEqual([]);
  expect((await filesOf(name)).map(({ partition }) => partition[0]).toSorted()).toEqual([0, 1, 2, 3]);
  expect(await (await lake.table(name)).scan({ filter: "city = 'city 3'" }).count()).toBe(111);
});

test('settings of the session change what a query gives, not how it is written', async () => {
  const other = await Lakehouse.open({ catalog, allowedPaths: [] });
  await other.sql(
    "SET TimeZone = 'Asia/Seoul'; SET default_collation = 'nocase'; SET default_null_order = 'nulls_first'",
  );
  const name = await fresh({
    partitionBy: [partitionBy.day('at'), partitionBy.truncate(1, 'city')],
    sortBy: ['city'],
  });
  await other.append(
    name,
    "SELECT i AS id, ['a', 'B', NULL][i % 3 + 1] AS city, TIMESTAMP '2024-01-01 08:00:00' AS at FROM range(6) AS r(i)",
  );
  const files = await filesOf(name);
  // Eight in Seoul is the day before in UTC.
  expect(files.map(({ partition }) => partition).toSorted((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
    [19_722, 'a'],
    [19_722, 'B'],
    [19_722, null],
  ]);
  expect(await (await lake.table(name)).scan({ filter: "at = '2023-12-31T23:00:00Z'" }).count()).toBe(6);
  await other.close();
});

test('a query of nothing changes nothing, and leaves nothing behind', async () => {
  const name = await fresh({ partitionBy: [partitionBy.day('at')] });
  expect(await lake.append(name, 'SELECT 1 AS id WHERE false')).toMatchObject({ changed: false });
  expect(await dataFiles(name)).toEqual([]);
});

test("names are those of the table's layout, and the staging directory is gone", async () => {
  const name = await fresh({ partitionBy: [partitionBy.identity('city')] });
  await lake.append(name, "SELECT i AS id, ['a b/c', NULL][i % 2 + 1] AS city FROM range(4) AS r(i)");
  expect(
    (await dataFiles(name)).map((file) => file.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '<id>')).toSorted(),
  ).toEqual([
    expect.stringMatching(/^data\/city=a\+b%2Fc\/00000-0-<id>-0000\d\.parquet$/),
    expect.stringMatching(/^data\/city=null\/00000-0-<id>-0000\d\.parquet$/),
  ]);
  const spread = await fresh({ properties: { 'write.object-storage.enabled': 'true' } });
  await lake.append(spread, 'SELECT 1 AS id');
  expect(await dataFiles(spread)).toEqual([
    expect.stringMatching(/^data\/[01]{4}\/[01]{4}\/[01]{4}\/[01]{8}\/.+\.parquet$/),
  ]);
});

test('files are closed at the target size, also those of a partition', async () => {
  const properties = { 'write.target-file-size-bytes': '200000', 'write.parquet.compression-codec': 'uncompressed' };
  for (const options of [
    { properties },
    { properties, partitionBy: [partitionBy.bucket(1, 'id')] },
    { properties, sortBy: ['id'] },
  ]) {
    const name = await fresh(options);
    await lake.append(name, "SELECT i AS id, 'row ' || hash(i) AS city FROM range(60000) AS r(i)");
    const files = await filesOf(name);
    expect(files.length).toBeGreaterThan(5);
    expect(Math.max(...files.map((file) => file.fileSizeInBytes))).toBeLessThan(600_000);
    expect((await (await lake.sql(`SELECT count(*) AS n, count(DISTINCT id) AS d FROM ${name}`)).rows())[0]).toEqual({
      n: 60_000n,
      d: 60_000n,
    });
  }
});

test('a file that is sorted as a whole says so', async () => {
  const name = await fresh({ sortBy: [{ field: 'city', direction: 'desc', nulls: 'first' }, 'id'] });
  await lake.append(name, "SELECT i AS id, ['B', 'a', NULL, 'b', 'A'][i % 5 + 1] AS city FROM range(1000) AS r(i)");
  expect((await filesOf(name)).map((file) => file.sortOrderId)).toEqual([1]);
  const rows = (await (await lake.table(name)).scan().toRows()) as { id: bigint; city: string | null }[];
  expect([...new Set(rows.map(({ city }) => city))]).toEqual([null, 'b', 'a', 'B', 'A']);
  expect(rows.slice(0, 2).map(({ id }) => id)).toEqual([2n, 7n]);
});

test('a table that DuckDB cannot write is written by core, which the commit says', async () => {
  const name = `ns.q${tables++}`;
  await catalog.createTable(name, { schema: schema({ id: t.long(), code: t.fixed(2) }) });
  const commit = await lake.append(name, "SELECT 1 AS id, 'ab'::BLOB AS code");
  expect(commit.warnings).toEqual([
    "Core wrote the files, as DuckDB can't: of the column 'code': it can't write bytes of fixed length.",
  ]);
  const again = await lake.append(name, [{ id: 2n, code: Uint8Array.of(1, 2) }]);
  expect(again.warnings).toHaveLength(1);
  expect(await (await lake.table(name)).scan().count()).toBe(2);
});

test('an aborted write leaves nothing behind', async () => {
  const name = await fresh();
  const query = "SELECT i AS id, repeat('x', 50) || hash(i) AS city FROM range(100000000) AS r(i)";
  for (const data of [query, endless()]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const error = await rejection(lake.append(name, data, { signal: controller.signal }));
    expect(error).toMatchObject({ code: 'ABORTED' });
    expect(await dataFiles(name)).toEqual([]);
  }
  // The connections serve on.
  await lake.append(name, 'SELECT 1 AS id');
  expect((await filesOf(name)).length).toBe(1);
});

async function* endless(): AsyncGenerator<object> {
  for (let id = 0; ; id++) {
    if (id % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    yield { id, city: 'x' };
  }
}

test('a row that does not fit fails the write with its place', async () => {
  const name = await fresh();
  const rows = Array.from({ length: 40_000 }, (_, i) => ({ id: i === 39_999 ? 'no number' : i }));
  const error = await rejection(lake.append(name, rows));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toContain('rows[39999].id');
  expect(await dataFiles(name)).toEqual([]);
});

test('where no file can be put, nothing is left', async () => {
  const name = await fresh({ partitionBy: [partitionBy.identity('city')] });
  const data = join(path, name.replace('.', '/'), 'data');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'city=b'), 'a file where a directory should be');
  const error = await rejection(lake.append(name, "SELECT 1 AS id, unnest(['a', 'b', 'c']) AS city"));
  expect(error).toMatchObject({ name: 'LakehouseError' });
  expect(await dataFiles(name)).toEqual(['data/city=b']);
});

test('stores that are no local disk get the files as uploads', async () => {
  const memory = new MemoryCatalog({ io: new MemoryFileIO(), warehouse: 'memory:/w' });
  await memory.createNamespace('ns');
  const table = (await memory.createTable('ns.t', {
    schema: shape,
    partitionBy: [partitionBy.identity('city')],
  })) as unknown as Table;
  for (const options of [{}, { allowedPaths: [] }]) {
    const other = await Lakehouse.open({ catalog: memory, ...options });
    await table.append(other.query("SELECT i AS id, ['a', 'b'][i % 2 + 1] AS city FROM range(10) AS r(i)"));
    await table.withWriter(other.writer).append([{ id: 10n, city: 'c' }]);
    await other.close();
  }
  expect(await (await table.refresh()).scan().count()).toBe(22);
});

test('in a session with allowedPaths rows go to tables, and nowhere else', async () => {
  const other = await Lakehouse.open({ catalog, allowedPaths: [] });
  const name = await fresh();
  await other.append(name, "SELECT $id AS id, 'a' AS city", { parameters: { id: 1 } });
  expect(await (await lake.table(name)).scan().count()).toBe(1);
  for (const query of [
    "COPY (SELECT 1 AS id) TO '/tmp/x.csv'",
    "SELECT 1 AS id) AS a) TO '/tmp/x.csv' (FORMAT csv) --",
    "SELECT * FROM read_csv('/etc/passwd')",
    'SELECT enable_logging() AS id',
  ]) {
    const error = await rejection(Promise.resolve().then(() => other.append(name, query)));
    expect(['UNAUTHORIZED', 'INVALID_ARGUMENT'], `${query}: ${error.message}`).toContain(error.code);
  }
  expect(await (await lake.table(name)).scan().count()).toBe(1);
  await other.close();
});
