import { mkdir, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileSystemCatalog } from '@lh/core';
import type { FileStat } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { expect, test } from 'vitest';
import { Lakehouse } from '../../src/index.ts';
import type { LakehouseOptions } from '../../src/index.ts';
import type { CacheUse, FileCache, OpenedFile } from '../../src/remote/file-cache.ts';
import { rejection } from '../support.ts';
import { entriesOf, newCache, newUse, remoteTable, tableFile } from './support.ts';
import type { RemoteTable } from './support.ts';

const ONE_GROUP = { rowGroups: [1], leaves: [0, 1] };
const QUERY = 'SELECT count(*) AS n, sum(a)::VARCHAR AS a, max(c) AS c FROM ns.t';

async function open(
  table: RemoteTable,
  cache: FileCache,
  use: CacheUse,
  file = 0,
  wanted = ONE_GROUP,
): Promise<OpenedFile> {
  const stored = tableFile(table, table.files[file]!);
  return cache.open(stored, await cache.footer(stored, use), wanted, use);
}

async function answer(
  { catalog }: RemoteTable,
  options: Partial<LakehouseOptions>,
): Promise<{ readonly rows: unknown; readonly bytes: number }> {
  await using lake = await Lakehouse.open({ catalog, httpfs: false, ...options });
  const result = await lake.sql(QUERY);
  return { rows: await result.rows(), bytes: result.scans[0]!.access.bytesFetched };
}

test('what many ask for at a time is fetched once', async () => {
  const table = await remoteTable();
  const cache = newCache({ directory: join(table.folder, 'cache') });
  table.store.reads.length = 0;
  const uses = Array.from({ length: 20 }, () => newUse());
  const opened = await Promise.all(uses.map((use) => open(table, cache, use)));
  expect(new Set(opened.map(({ path }) => path)).size).toBeLessThanOrEqual(2);
  expect(table.store.reads).toHaveLength(2);
  uses.forEach((use) => use.release());
});

test('one that gives up does not keep others from what it was fetching', async () => {
  const table = await remoteTable();
  const cache = newCache({ directory: join(table.folder, 'cache') });
  await open(table, cache, newUse(), 0, { rowGroups: [0], leaves: [3] });
  const given = new AbortController();
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  table.store.beforeRead = async () => {
    begun();
    await sleep(50);
  };
  const first = open(table, cache, newUse(given.signal));
  await hasBegun;
  const second = open(table, cache, newUse());
  given.abort();
  await expect(first).rejects.toBeDefined();
  expect((await second).rowGroups).toEqual([1]);
});

test('the least recently used goes when there is no room, but nothing that a query reads', async () => {
  const table = await remoteTable(6);
  const directory = join(table.folder, 'cache');
  const maxBytes = 200_000;
  const cache = newCache({ directory, maxBytes });
  const used = newUse();
  const wanted = { rowGroups: [0], leaves: [0, 1, 3] };
  const kept = await open(table, cache, used, 0, wanted);
  const before = await readFile(kept.path);
  for (const file of [1, 2, 3, 4, 5]) {
    const use = newUse();
    await open(table, cache, use, file, wanted);
    use.release();
    const sizes = await Promise.all((await entriesOf(directory)).map(async (path) => (await stat(path)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxBytes);
  }
  expect(await readFile(kept.path)).toEqual(before);
  const reads = table.store.reads.length;
  await open(table, cache, used, 0, wanted);
  await open(table, cache, used, 5, wanted);
  expect(table.store.reads).toHaveLength(reads);
  await open(table, cache, used, 1, wanted);
  expect(table.store.reads.length).toBeGreaterThan(reads);
  const error = await rejection(open(table, cache, used, 2, { rowGroups: [0, 1, 2, 3], leaves: [0, 1, 2, 3] }));
  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(error.message).toContain('cache.maxBytes');
});

test('a query that needs more than the cache may have says so, and leaves nothing', async () => {
  const table = await remoteTable(2);
  const directory = join(table.folder, 'cache');
  const error = await rejection(answer(table, { cache: { directory, maxBytes: 150_000 } }));
  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(await readdir(join(directory, 'sessions'))).toEqual([]);
});

test('a damaged file of the cache is fetched again', async () => {
  const table = await remoteTable();
  const directory = join(table.folder, 'cache');
  const cache = { directory };
  const first = await answer(table, { cache });
  expect(first.bytes).toBeGreaterThan(0);
  expect(await answer(table, { cache })).toEqual({ rows: first.rows, bytes: 0 });
  const damages: readonly ((path: string, bytes: Uint8Array) => Promise<void>)[] = [
    (path, bytes) =>
      writeFile(
        path,
        bytes.map((byte, i) => (i === bytes.length - 3000 ? byte ^ 1 : byte)),
      ),
    (path, bytes) => truncate(path, bytes.length >> 1),
    (path) => truncate(path, 0),
    (path, bytes) =>
      writeFile(
        path,
        bytes.map(() => 0),
      ),
    (path, bytes) =>
      writeFile(
        path,
        bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
      ),
  ];
  for (const damage of damages) {
    for (const path of await entriesOf(directory)) await damage(path, await readFile(path));
    expect((await answer(table, { cache })).rows).toEqual(first.rows);
  }
});

test('a file of the cache that is damaged under a running process is fetched again', async () => {
  const table = await remoteTable();
  const directory = join(table.folder, 'cache');
  await using lake = await Lakehouse.open({ catalog: table.catalog, httpfs: false, cache: { directory } });
  const first = await (await lake.sql(QUERY)).rows();
  for (const path of await entriesOf(directory)) await truncate(path, 1000);
  expect(await (await lake.sql(QUERY)).rows()).toEqual(first);
});

test('what a killed process leaves is removed, what others use is not', async () => {
  const table = await remoteTable();
  const directory = join(table.folder, 'cache');
  const dead = join(directory, 'sessions', 'dead');
  const alive = join(directory, 'sessions', 'alive');
  for (const path of [dead, alive]) {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'alive'), '');
    await writeFile(join(path, '0.parquet'), 'half a file');
  }
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(dead, 'alive'), longAgo, longAgo);
  await answer(table, { cache: { directory } });
  expect(await readdir(join(directory, 'sessions'))).toEqual(['alive']);
});

test('a process that slept until others took it for dead goes on', async () => {
  const table = await remoteTable(2);
  const directory = join(table.folder, 'cache');
  await using lake = await Lakehouse.open({ catalog: table.catalog, httpfs: false, cache: { directory } });
  const first = await (await lake.sql(QUERY)).rows();
  await rm(join(directory, 'sessions'), { recursive: true });
  expect(await (await lake.sql(QUERY)).rows()).toEqual(first);
  await rm(join(directory, 'sessions'), { recursive: true });
  await rm(join(directory, 'entries'), { recursive: true });
  expect(await (await lake.sql(QUERY)).rows()).toEqual(first);
});

test('a file that was written over is not mixed with what was there', async () => {
  const table = await remoteTable(2);
  const cache = newCache({ directory: join(table.folder, 'cache') });
  const use = newUse();
  const [file, other] = table.files.map((one) => tableFile(table, one));
  const known = await cache.footer({ ...file!, io: withEtag(table, 'first') }, use);
  const changed = { ...file!, io: withEtag(table, 'second') };
  const error = await rejection(cache.open(changed, known, ONE_GROUP, use));
  expect(error).toMatchObject({ code: 'INVALID_DATA' });
  expect((await cache.footer(other!, use)).footer.rowGroups).toHaveLength(4);
  // Who looks at the file anew gets the new one.
  const again = await cache.footer(changed, use);
  expect(again.etag).toBe('second');
  expect((await cache.open(changed, again, ONE_GROUP, use)).rowGroups).toEqual([1]);
});

/** The store, which tells an etag with each read. */
function withEtag({ store, files }: RemoteTable, etag: string): RemoteTable['store'] {
  const io = Object.create(store) as RemoteTable['store'];
  io.read = async (location, options) => {
    const { fileSizeInBytes: size } = files.find(({ path }) => path === location)!;
    const told: FileStat = { location, size, etag };
    options?.onStat?.(told);
    return store.read(location, { offset: options?.offset ?? 0, length: options?.length ?? size });
  };
  return io;
}

test('a table that was dropped and made again is another one', async () => {
  const table = await remoteTable();
  const cache = newCache({ directory: join(table.folder, 'cache') });
  const use = newUse();
  const file = tableFile(table, table.files[0]!);
  await cache.footer(file, use);
  const reads = table.store.reads.length;
  await cache.footer({ ...file, table: 'another' }, use);
  expect(table.store.reads).toHaveLength(reads + 1);
});

test('rows of a LIMIT come from as few files as have them', async () => {
  const table = await remoteTable(5);
  await using lake = await Lakehouse.open({
    catalog: table.catalog,
    httpfs: false,
    cache: { directory: join(table.folder, 'cache') },
  });
  const result = await lake.sql('SELECT id, a FROM ns.t LIMIT 10');
  expect(await result.rows()).toHaveLength(10);
  const small = result.scans[0]!.access.bytesFetched;
  const all = await lake.sql('SELECT id, a FROM ns.t');
  expect(await all.rows()).toHaveLength(20_000);
  expect(small).toBeLessThan(table.files[0]!.fileSizeInBytes);
  expect(await (await lake.sql('SELECT id FROM ns.t LIMIT 0')).rows()).toEqual([]);
  expect(await (await lake.sql('SELECT id FROM ns.t WHERE id >= 3000 LIMIT 9000')).rows()).toHaveLength(9000);
});

test('a mixture of what DuckDB and core read is the same as on the local disk', async () => {
  const table = await remoteTable(3);
  await using lake = await Lakehouse.open({
    catalog: table.catalog,
    httpfs: false,
    cache: { directory: join(table.folder, 'cache') },
  });
  const queries = [
    'SELECT count(*) AS n FROM ns.t',
    'SELECT count(*) AS n, min(_pos) AS p, max(_row_id) AS r FROM ns.t WHERE id BETWEEN 2000 AND 2100',
    'SELECT sum(x.a - y.id)::VARCHAR AS s, max(y.b) AS b FROM ns.t x JOIN ns.t y ON x.id = y.id WHERE x.id % 7 = 3',
    "SELECT c FROM ns.t WHERE id = 4711 OR c LIKE 'xxxxxxxxxxxxxxxxxxxx0%' ORDER BY id",
    'SELECT _file IS NOT NULL AS f, count(*) AS n FROM ns.t GROUP BY 1',
  ];
  for (const query of queries) {
    const remote = await (await lake.sql(query)).rows();
    await using other = await Lakehouse.open({ catalog: await localCatalog(table) });
    expect(await (await other.sql(query)).rows()).toEqual(remote);
  }
});

function localCatalog({ warehouse }: RemoteTable): Promise<FileSystemCatalog> {
  return FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
}

test('a query holds what it reads until its rows are read, or it fails', async () => {
  const table = await remoteTable(3);
  const directory = join(table.folder, 'cache');
  await using lake = await Lakehouse.open({ catalog: table.catalog, httpfs: false, cache: { directory } });
  const held = async (): Promise<number> => {
    const [session] = await readdir(join(directory, 'sessions'));
    return (await readdir(join(directory, 'sessions', session!))).filter((name) => name !== 'alive').length;
  };
  const isFree = () => expect.poll(held, { timeout: 10_000 }).toBe(0);
  const result = await lake.sql('SELECT * FROM ns.t');
  expect(await held()).toBeGreaterThanOrEqual(3);
  expect(await result.rows()).toHaveLength(12_000);
  await isFree();
  for (const sql of ["SELECT error('no') FROM ns.t", "CREATE TEMP TABLE x AS SELECT error('no') FROM ns.t"]) {
    await expect(lake.sql(sql).then((rows) => rows.rows())).rejects.toThrow('no');
    await isFree();
  }
  await (await lake.sql('CREATE TEMP TABLE y AS SELECT * FROM ns.t')).rows();
  await isFree();
  const other = await remoteTable(2);
  other.store.beforeRead = async (location) => {
    if (location === other.files[1]!.path) throw new Error('gone');
    await sleep(20);
  };
  lake.register('other', await other.catalog.loadTable('ns.t'));
  await expect(lake.sql('SELECT sum(a) FROM other')).rejects.toThrow('gone');
  await isFree();
});

test('rows are deleted where they are, whichever row groups are read', async () => {
  for (const formatVersion of [2, 3] as const) {
    const table = await remoteTable(2, { formatVersion });
    const local = await localCatalog(table);
    const written = await local.loadTable('ns.t');
    await written.delete('b < 100000000 OR id BETWEEN 1500 AND 2500', { mode: 'merge-on-read' });
    await written.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 12n }, { id: 3999n }, { id: 7000n }] } });
    const directory = join(table.folder, 'cache');
    await using near = await Lakehouse.open({ catalog: local });
    await using far = await Lakehouse.open({ catalog: table.catalog, httpfs: false, cache: { directory } });
    for (let from = 0; from < 8000; from += 1130) {
      for (const columns of [
        'count(*)::INT AS n, sum(id)::BIGINT AS ids, max(a)::BIGINT AS a',
        'max(c) AS c, min(_pos) AS p',
      ]) {
        const sql = `SELECT ${columns} FROM ns.t WHERE id BETWEEN ${from} AND ${from + 700}`;
        expect(await (await far.sql(sql)).rows()).toEqual(await (await near.sql(sql)).rows());
      }
    }
  }
});
