import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Lakehouse } from '../../src/index.ts';
import { rejection } from '../support.ts';
import { WAYS, newWarehouse, openCatalog, openLake, openProxy, s3FileIO } from './support.ts';

let warehouse = '';
let wide: Table;

/** Names that mean something to patterns, URLs or HTTP clients, if they are taken for one. */
const NAMES = [
  'plain',
  'a*b',
  '**',
  'a?b',
  'q?s3_region=x',
  '[x]',
  '[',
  'a]b',
  '{a,b}',
  'a%20b',
  'a b',
  'a+b',
  '%',
  '%zz',
  'é',
  'ü#ö',
  'a#b',
  "d'q",
  'd"q',
  'x&y=z',
  'a;b',
  'a:b',
  'a@b',
  'a,b',
  'a=b',
  'back\\slash',
  'a\\*b',
  '~',
  '$x',
  '!',
  '(a)',
  'a|b',
  '^',
  '`',
  '.hidden',
  '...',
  '\u0001',
  '\u00a0',
  '漢字',
];

async function parquetOf(query: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'lh-sql-names-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${query}) TO '${folder}/x.parquet' (FORMAT parquet, FIELD_IDS {name: 1, n: 2})`);
    return await readFile(`${folder}/x.parquet`);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}

beforeAll(async () => {
  warehouse = await newWarehouse();
  const catalog = await openCatalog(warehouse);
  const names = await catalog.createTable('ns.names', { schema: schema({ name: t.string(), n: t.int() }) });
  const locations: string[] = [];
  for (const [i, name] of NAMES.entries()) {
    const location = `${warehouse}/ns/names/data/${name}/${name}.parquet`;
    await catalog.io.write(location, await parquetOf(`SELECT '${name.replaceAll("'", "''")}' AS name, ${i}::INT AS n`));
    locations.push(location);
  }
  await names.addFiles(locations);
  wide = await catalog.createTable('ns.wide', {
    schema: schema({ id: t.long(), day: t.int(), a: t.double(), b: t.string(), c: t.string() }),
    sortBy: ['day'],
    properties: { 'write.parquet.row-group-limit': '10000' },
  });
  const lake = await Lakehouse.open({ catalog });
  await lake.append(
    'ns.wide',
    `
    SELECT i AS id, (i // 30000)::INT AS day, random() AS a, hash(i)::VARCHAR AS b, repeat(hash(i)::VARCHAR, 3) AS c
    FROM range(1000000) AS r(i)`,
  );
  await lake.close();
  wide = await catalog.loadTable('ns.wide');
});

describe.each(WAYS)('by %s', (way) => {
  test('files of any name are read, and none for another', async () => {
    const lake = await openLake(way, await openCatalog(warehouse));
    const result = await lake.sql('SELECT name, n FROM ns.names ORDER BY n');
    expect(await result.rows()).toEqual(NAMES.map((name, n) => ({ name, n })));
    const { httpfs, cache, core } = result.scans[0]!.access;
    expect([httpfs + cache, core]).toEqual([NAMES.length, 0]);
    if (way === 'httpfs') expect(httpfs).toBeGreaterThan(20);
  });

  test('SQL may read what lies below the warehouse, and nothing else, where paths are restricted', async () => {
    const lake = await openLake(way, await openCatalog(warehouse), { allowedPaths: [] });
    expect(await (await lake.sql('SELECT count(*) AS n FROM ns.wide')).rows()).toEqual([{ n: 1_000_000n }]);
    const file = (await wide.scan().plan()).tasks[0]!.file.path;
    const elsewhere = file.replace('/wh/', '/other/');
    const error = await rejection(lake.sql(`SELECT * FROM read_parquet('${elsewhere}')`));
    expect(error.message).toMatch(way === 'httpfs' ? /disabled by configuration/ : /httpfs|disabled|extension/i);
    const outside = join(tmpdir(), 'outside.csv');
    await writeFile(outside, 'a\n1\n');
    onTestFinished(() => rm(outside));
    await expect(lake.sql(`SELECT * FROM read_csv('${outside}')`)).rejects.toThrow(/disabled by configuration/);
  });
});

test('a selective query takes two round trips, and no more bytes than it needs', async () => {
  const proxy = await openProxy();
  const catalog = await openCatalog(warehouse, s3FileIO({ endpoint: proxy.endpoint }));
  const lake = await openLake('cache', catalog);
  lake.register('wide', await catalog.loadTable('ns.wide'));
  await (await lake.sql('SELECT 1 FROM wide WHERE false')).rows();
  const { file } = (await wide.scan().plan()).tasks[0]!;
  proxy.clear();
  const result = await lake.sql('SELECT day, sum(a) AS a FROM wide WHERE day = 17 GROUP BY 1');
  expect(await result.rows()).toHaveLength(1);
  const { access } = result.scans[0]!;
  const read = proxy.requests.filter(({ key }) => key.endsWith('.parquet'));
  expect([read.length, read.reduce((sum, { received }) => sum + received, 0)]).toEqual([
    access.requests,
    access.bytesFetched,
  ]);
  // The footer, then a piece of each of the two columns in one of the row groups or two.
  expect(access.requests).toBeLessThanOrEqual(5);
  expect(access.bytesFetched).toBeLessThan(file.fileSizeInBytes / 20);
  proxy.clear();
  await (await lake.sql('SELECT day, sum(a) AS a FROM wide WHERE day = 17 GROUP BY 1')).rows();
  expect(proxy.requests).toEqual([]);
});

test('an extension that was asked for and is not there is an error that says what to do', async () => {
  const catalog = await openCatalog(warehouse);
  const error = await rejection(Lakehouse.open({ catalog, httpfs: '/nowhere/httpfs.duckdb_extension' }));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(error.message).toMatch(/httpfs can't be loaded.*never downloaded/);
});

test('stores that give the same names to different objects are not mixed up', async () => {
  const catalogs = [
    await openCatalog(warehouse),
    await openCatalog(warehouse, s3FileIO({ endpoint: (await openProxy()).endpoint })),
  ];
  const lake = await openLake(WAYS[0]!, catalogs[0]!);
  for (const [i, catalog] of catalogs.entries()) lake.register(`t${i}`, await catalog.loadTable('ns.names'));
  const result = await lake.sql('SELECT count(*)::INT AS n FROM t0 JOIN t1 USING (name)');
  expect(await result.rows()).toEqual([{ n: NAMES.length }]);
  const [first, second] = result.scans.map(({ access }) => access.httpfs);
  expect([first! > 0, second]).toEqual([WAYS[0] === 'httpfs', 0]);
});
