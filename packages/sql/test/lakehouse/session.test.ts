import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog, MemoryCatalog, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { Lakehouse } from '../../src/index.ts';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog, path } = await openWarehouse();

async function rows(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

beforeAll(async () => {
  const table = await catalog.createTable('ns.big', {
    schema: schema({ id: t.long().required(), ts: t.timestamptz(), s: t.string() }),
    partitionBy: [partitionBy.day('ts')],
  });
  for (let n = 0; n < 3; n++) {
    await table.append(
      Array.from({ length: 30_000 }, (_, i) => ({
        id: BigInt(n * 30_000 + i),
        ts: new Date(Date.UTC(2024, 0, n + 1, 23, 30)),
        s: `value number ${i % 100}`,
      })),
    );
  }
});

describe('errors', () => {
  test.each<[string, string, RegExp]>([
    ['SELEC 1', 'INVALID_ARGUMENT', /syntax error at or near "SELEC"\nLINE 1: SELEC 1\n {8}\^/],
    ['SELECT id FROM\n  ns.big WHER id', 'INVALID_ARGUMENT', /syntax error[^]*LINE 2: {3}ns\.big WHER id\n {22}\^/],
    ['SELECT nope FROM ns.big', 'INVALID_ARGUMENT', /"nope" not found[^]*LINE 1: SELECT nope FROM ns\.big\n {15}\^/],
    ["SELECT 'é', $p, nope FROM ns.big", 'INVALID_ARGUMENT', /LINE 1: SELECT 'é', \$p, nope FROM ns\.big\n {24}\^/],
    ['SELECT b.nope FROM ns.big AS b', 'INVALID_ARGUMENT', /LINE 1: SELECT b\.nope/],
    ['SELECT * FROM ns.bug', 'NOT_FOUND', /no table 'ns\.bug'\. Did you mean 'ns\.big'\?/],
    ['SELECT * FROM big', 'NOT_FOUND', /no table 'big'\. Did you mean 'ns\.big'\?/],
    ['SELECT * FROM other.ns.big', 'NOT_FOUND', /no table 'other\.ns\.big'/],
    ['SELECT * FROM nope', 'NOT_FOUND', /no table 'nope'.*web\.events/],
    ['SELECT no_such_function(id) FROM ns.big', 'NOT_FOUND', /no_such_function/],
    ["SELECT id + 'x' FROM ns.big", 'INVALID_ARGUMENT', /Could not convert string 'x'/],
    ['SELECT * FROM ns.big WHERE id = $nothing', 'INVALID_ARGUMENT', /\$nothing/],
    ["SELECT * FROM ns.big AT (VERSION => 'nope')", 'NOT_FOUND', /no branch or tag 'nope'/],
    ['SELECT * FROM ns.big AT (VERSION => 12345)', 'NOT_FOUND', /snapshot 12345/],
    ["SELECT * FROM ns.big AT (TIMESTAMP => '1999-01-01')", 'NOT_FOUND', /no snapshot yet/],
    ["SELECT * FROM ns.big AT (TIMESTAMP => 'yesterday')", 'INVALID_ARGUMENT', /not a time/],
    ['DELETE FROM ns.big.snapshots', 'INVALID_ARGUMENT', /can only be read/],
    ['FROM ns.big.snapshot', 'NOT_FOUND', /Did you mean 'ns\.big\.snapshots'/],
    ['', 'INVALID_ARGUMENT', /no statement/],
    ["SELECT 'never ends", 'INVALID_ARGUMENT', /never ends/],
    ['SELECT * FROM ns.big WHERE id = ? AND id = ?', 'INVALID_ARGUMENT', /\$1/],
    ["FROM read_parquet('/no/such/file.parquet')", 'NOT_FOUND', /No files found/],
  ])('%s', async (sql, code, message) => {
    const error = await rejection(
      lake.sql(sql, sql.includes('$p') ? { p: 'a long value that shifts what follows' } : undefined),
    );
    expect(error.name).toBe('LakehouseError');
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
    expect(error.message).not.toMatch(/read_parquet\(\[|__lh_/);
  });

  test('a missing or broken data file names its path', async () => {
    const table = await catalog.createTable('ns.broken', { schema: schema({ id: t.long().required() }) });
    await table.append([{ id: 1n }]);
    const { tasks } = await table.scan().plan();
    await writeFile(tasks[0]!.file.path.replace('file://', ''), 'junk');
    const broken = await rejection(lake.sql('FROM ns.broken'));
    expect(broken.message).toContain(tasks[0]!.file.path);
    await rm(tasks[0]!.file.path.replace('file://', ''));
    const missing = await rejection(lake.sql('FROM ns.broken'));
    expect(missing.code).toBe('NOT_FOUND');
    expect(missing.message).toContain(tasks[0]!.file.path);
  });

  test('too many positional parameters', async () => {
    expect((await rejection(lake.sql('SELECT ?', [1, 2]))).message).toMatch(/1 parameters, but 2/);
  });
});

describe('results beside each other', () => {
  test('streams are read while other statements run', async () => {
    const stream = await lake.sql('SELECT id, s FROM ns.big');
    expect(stream.rowCount).toBeNull();
    let total = 0;
    for await (const batch of stream.batches()) {
      total += batch.numRows;
      expect(await rows('SELECT count(*) AS n FROM ns.big WHERE id < 10')).toEqual([{ n: 10n }]);
    }
    expect(total).toBe(90_000);
    expect(stream.rowCount).toBe(90_000);
  });

  test('a result that needs the session is kept when the session is needed', async () => {
    await lake.sql('CREATE OR REPLACE TEMP TABLE many AS SELECT * FROM range(100000) t(i)');
    const first = await lake.sql('FROM many');
    const second = await lake.sql('FROM many');
    await lake.sql('CREATE OR REPLACE TEMP TABLE many AS SELECT 1 AS i');
    expect((await second.rows()).length).toBe(100_000);
    expect((await first.rows()).length).toBe(100_000);
    let streamed = 0;
    const third = await lake.sql('FROM range(100000) t(i) JOIN many ON true');
    for await (const batch of third.batches()) {
      streamed += batch.numRows;
      await lake.sql('FROM many');
    }
    expect(streamed).toBe(100_000);
  });

  test('statements at once', async () => {
    const counts = await Promise.all(
      Array.from({ length: 12 }, (_, i) => rows('SELECT count(*) AS n FROM ns.big WHERE id < ?', [i])),
    );
    expect(counts).toEqual(Array.from({ length: 12 }, (_, i) => [{ n: BigInt(i) }]));
  });

  test('abort stops a query', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const endless = lake.sql('SELECT count(*) FROM range(100000000000) a, ns.big', undefined, {
      signal: controller.signal,
    });
    expect((await rejection(endless)).code).toBe('ABORTED');
    expect(await rows('SELECT 1 AS one FROM ns.big LIMIT 1')).toEqual([{ one: 1 }]);
  });

  test('rows and Arrow of one result, in any order, again and again', async () => {
    const result = await lake.sql('SELECT id FROM ns.big ORDER BY id');
    const [arrow, all, again] = await Promise.all([result.arrow(), result.rows(), result.rows()]);
    expect(arrow.numRows).toBe(90_000);
    expect(all).toEqual(again);
    expect(all[89_999]).toEqual({ id: 89_999n });
    let streamed = 0;
    for await (const batch of result.batches()) streamed += batch.numRows;
    expect(streamed).toBe(90_000);
  });
});

describe('settings', () => {
  test('the time zone is UTC until the session says otherwise, and pruning follows it', async () => {
    const day = "SELECT count(*) AS n, min(ts::VARCHAR) AS shown FROM ns.big WHERE ts::date = '2024-01-02'";
    expect(await rows(day)).toEqual([{ n: 30_000n, shown: '2024-01-02 23:30:00+00' }]);
    await lake.sql("SET TimeZone = 'Asia/Seoul'");
    try {
      expect(await rows(day)).toEqual([{ n: 30_000n, shown: '2024-01-02 08:30:00+09' }]);
      const literal = await lake.sql(
        "SELECT count(*) AS n FROM ns.big WHERE ts >= '2024-01-02 09:00:00' AND ts < '2024-01-04 00:00:00'",
      );
      expect(await literal.rows()).toEqual([{ n: 30_000n }]);
      expect(literal.scans[0]!.filesScanned).toBeLessThanOrEqual(1);
      // Values outside of SQL's text are UTC, as everywhere in this library.
      expect((await rows('SELECT max(ts) AS m FROM ns.big'))[0]).toEqual({ m: '2024-01-03T23:30:00.000000Z' });
    } finally {
      await lake.sql('RESET TimeZone');
    }
    expect(await rows(day)).toEqual([{ n: 30_000n, shown: '2024-01-02 23:30:00+00' }]);
  });

  test('a collation of the session changes what equals', async () => {
    await lake.sql("SET default_collation = 'nocase'");
    try {
      expect(await rows("SELECT count(*) AS n FROM ns.big WHERE s = 'VALUE NUMBER 7'")).toEqual([{ n: 900n }]);
    } finally {
      await lake.sql("SET default_collation = ''");
    }
    expect(await rows("SELECT count(*) AS n FROM ns.big WHERE s = 'VALUE NUMBER 7'")).toEqual([{ n: 0n }]);
  });

  test('the raw connection shares the session', async () => {
    await lake.connection.run(
      "SET TimeZone = 'America/New_York'; CREATE TEMP TABLE raw AS SELECT 5 AS x; SET VARIABLE wanted = 7",
    );
    expect(await rows("SELECT strftime(ts, '%H') AS h FROM ns.big WHERE id = getvariable('wanted')")).toEqual([
      { h: '18' },
    ]);
    expect(await rows('SELECT b.id FROM raw JOIN ns.big b ON b.id = raw.x')).toEqual([{ id: 5n }]);
    await lake.connection.run('RESET TimeZone');
  });
});

test('files of any store are read through the library where DuckDB has no path to them', async () => {
  const memory = new MemoryCatalog();
  await memory.createNamespace('m');
  const table = await memory.createTable('m.t', {
    schema: schema({ id: t.long().required(), s: t.string(), l: t.list(t.string()) }),
    partitionBy: [partitionBy.bucket(4, 'id')],
  });
  await table.append(
    Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), s: i % 3 ? `s${i}` : null, l: ['x'.repeat(i % 20)] })),
  );
  const other = await Lakehouse.open({ catalog, catalogs: { mem: memory } });
  const result = await other.sql(
    'SELECT m.id, m.s, m.l, b.id AS b FROM mem.m.t m JOIN ns.big b USING (id) WHERE m.id = 4',
  );
  expect(await result.rows()).toEqual([{ id: 4n, s: 's4', l: ['xxxx'], b: 4n }]);
  expect(result.scans[0]!).toMatchObject({ table: 'mem.m.t', filesTotal: 4, filesScanned: 1 });
  expect(await (await other.sql('SELECT count(*) AS n FROM mem.m.t')).rows()).toEqual([{ n: 100n }]);
  await other.close();
});

test('allowedPaths fences SQL in', async () => {
  const inside = join(path, 'inside');
  await mkdir(inside);
  await writeFile(join(inside, 'a.csv'), 'a\n1\n');
  const outside = await mkdtemp(join(tmpdir(), 'lh-outside-'));
  await writeFile(join(outside, 'b.csv'), 'b\n1\n');
  const fenced = await Lakehouse.open({ catalog, allowedPaths: [inside] });
  expect(await (await fenced.sql(`FROM '${inside}/a.csv'`)).rows()).toEqual([{ a: 1n }]);
  expect(await (await fenced.sql('SELECT count(*) AS n FROM ns.big')).rows()).toEqual([{ n: 90_000n }]);
  expect((await rejection(fenced.sql(`FROM read_csv('${outside}/b.csv')`))).code).toBe('UNAUTHORIZED');
  expect((await rejection(fenced.sql('SET enable_external_access = true'))).name).toBe('LakehouseError');
  expect((await rejection(fenced.sql(`COPY (SELECT 1) TO '${outside}/x.csv'`))).code).toBe('UNAUTHORIZED');
  await fenced.close();
  await rm(outside, { recursive: true });
});

test('close ends everything and leaves nothing', async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith('lakehouse-'));
  const other = await Lakehouse.open({
    catalog: await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: path }),
    memoryLimit: '500MB',
  });
  const open = await other.sql('SELECT * FROM ns.big');
  await other.close();
  await other.close();
  expect((await rejection(other.sql('SELECT 1'))).message).toMatch(/closed/);
  expect((await rejection(open.rows())).message).toMatch(/closed/);
  expect(() => other.connection).toThrow(/closed/);
  const after = (await readdir(tmpdir())).filter((name) => name.startsWith('lakehouse-'));
  expect(after.length).toBeLessThanOrEqual(before.length);
});

test('bad options', async () => {
  expect((await rejection(Lakehouse.open({} as never))).message).toMatch(/needs a catalog/);
  expect((await rejection(Lakehouse.open({ catalog, memoryLimit: 'plenty' }))).code).toBe('INVALID_ARGUMENT');
});
