import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schema, t } from '@lh/core';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openWarehouse, rejection } from '../../support.ts';
import { filesBelow } from '../files.ts';

const { lake, catalog, path } = await openWarehouse();
let name = '';
let made = 0;

async function rows(sql: string): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql)).rows();
}

async function file(fileName: string, text: string): Promise<string> {
  const location = join(path, fileName);
  await writeFile(location, text);
  return location;
}

beforeEach(async () => {
  name = `ns.t${made++}`;
  await catalog.createTable(name, {
    schema: schema({ id: t.long().required(), city: t.string(), born: t.date() }),
  });
});

describe('COPY … FROM', () => {
  test.each<[string, string, string, string]>([
    ['CSV with a header', 'a.csv', 'a,b,c\n1,x,2024-01-01\n', ''],
    ['CSV without one', 'b.csv', '1,x,2024-01-01\n', '(HEADER false)'],
    [
      'options of CSV',
      'c.txt',
      '1;|x|;01.01.2024\n',
      "WITH (FORMAT csv, DELIMITER ';', QUOTE '|', HEADER off, DATEFORMAT '%d.%m.%Y')",
    ],
    ['JSON', 'd.json', '{"city": "x", "id": 1, "born": "2024-01-01"}\n', ''],
    ['an array of JSON', 'e.txt', '[{"id": 1, "city": "x", "born": "2024-01-01"}]', '(FORMAT json, ARRAY)'],
  ])('%s', async (_, fileName, text, options) => {
    const location = await file(fileName, text);
    const result = await lake.sql(`COPY ${name} FROM '${location}' ${options}`);
    expect(result).toMatchObject({ rowCount: 1, snapshotId: expect.anything() });
    expect(await rows(`FROM ${name}`)).toEqual([{ id: 1n, city: 'x', born: '2024-01-01' }]);
  });

  test('columns that are listed, and null as the file spells it', async () => {
    const location = await file('f.csv', 'NULL,1\ny,2\n');
    await lake.sql(`COPY ${name} (city, id) FROM '${location}' (HEADER false, NULL 'NULL', FORCE_NOT_NULL (id))`);
    expect(await rows(`FROM ${name} ORDER BY id`)).toEqual([
      { id: 1n, city: null, born: null },
      { id: 2n, city: 'y', born: null },
    ]);
  });

  test('text that looks like another type stays text', async () => {
    const location = await file('g.csv', 'city,id\n007,1\n');
    await lake.sql(`COPY ${name} (city, id) FROM '${location}'`);
    expect(await rows(`SELECT city FROM ${name}`)).toEqual([{ city: '007' }]);
  });

  test('Parquet goes by position', async () => {
    const location = join(path, "it's.parquet");
    await lake.sql(`COPY (SELECT 1 AS x, 'a' AS y, DATE '2024-01-01' AS z) TO '${location.replace("'", "''")}'`);
    await lake.sql(`COPY ${name} FROM '${location.replace("'", "''")}'`);
    await lake.sql(`COPY ${name} FROM $1 (FORMAT 'parquet')`, [location]);
    expect(await rows(`SELECT count(*)::INT AS n, max(city) AS city FROM ${name}`)).toEqual([{ n: 2, city: 'a' }]);
  });

  test.each<[string, string, RegExp]>([
    ["FROM '/no/such/file.csv'", 'NOT_FOUND', /No files found/],
    ["FROM '%f' (FORMAT orc)", 'INVALID_ARGUMENT', /reads CSV, JSON and Parquet, and not 'orc'/],
    ["FROM '%f' (NO_SUCH_OPTION)", 'INVALID_ARGUMENT', /no_such_option/i],
    ["FROM '%f' HEADER", 'INVALID_ARGUMENT', /Expected the end of the statement/],
    ["(nope) FROM '%f'", 'INVALID_ARGUMENT', /no column 'nope'[^]*\^/],
    ['FROM nothing', 'INVALID_ARGUMENT', /the name of a file/],
    ["FROM '%f'", 'INVALID_ARGUMENT', /Could not convert string "x"/],
  ])('%s leaves nothing', async (rest, code, message) => {
    const location = await file('bad.csv', 'id,city,born\n1,a,2024-01-01\nx,b,2024-01-01\n');
    const before = await filesBelow(path);
    const error = await rejection(lake.sql(`COPY ${name} ${rest.replace('%f', location)}`));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(message) });
    expect(await filesBelow(path)).toEqual(before);
  });
});

describe('COPY … TO', () => {
  test('all columns, some, a branch, a metadata table', async () => {
    await lake.sql(`INSERT INTO ${name} VALUES (1, 'x', '2024-01-01'), (2, NULL, NULL)`);
    await (await catalog.loadTable(name)).createBranch('audit');
    await lake.sql(`INSERT INTO ${name}.branch_audit (id) VALUES (3)`);
    const location = join(path, 'out.csv');
    const result = await lake.sql(`COPY ${name} TO '${location}' (HEADER)`);
    expect(result.table()).toBe('2 rows copied');
    expect(result.scans).toMatchObject([{ table: name }]);
    expect(await readFile(location, 'utf8')).toBe('id,city,born\n1,x,2024-01-01\n2,,\n');
    await lake.sql(`COPY ${name}.branch_audit (city, id) TO '${location}' (HEADER false)`);
    expect((await readFile(location, 'utf8')).split('\n').toSorted()).toEqual(['', ',2', ',3', 'x,1']);
    expect((await lake.sql(`COPY ${name}.snapshots (snapshot_id) TO '${location}'`)).rowCount).toBe(2);
  });

  test('what DuckDB tells of the files', async () => {
    await lake.sql(`INSERT INTO ${name} (id) VALUES (1)`);
    const location = join(path, 'out.parquet');
    const result = await lake.sql(`COPY ${name} TO '${location}' (FORMAT parquet, RETURN_STATS)`);
    expect(await result.rows()).toMatchObject([{ filename: location, count: 1n }]);
  });
});

test('files outside of what SQL may touch', async () => {
  const allowed = await mkdtemp(join(tmpdir(), 'lh-sql-allowed-'));
  onTestFinished(() => rm(allowed, { recursive: true }));
  const restricted = await openWarehouse({ allowedPaths: [allowed] });
  await restricted.catalog.createTable('ns.t', { schema: schema({ s: t.string() }) });
  const outside = await file('outside.csv', 'a');
  for (const sql of [`COPY ns.t FROM '${outside}'`, `COPY ns.t TO '${outside}'`]) {
    expect(await rejection(restricted.lake.sql(sql))).toMatchObject({ code: 'UNAUTHORIZED' });
  }
  const inside = join(allowed, 'inside.csv');
  await restricted.lake.sql(`INSERT INTO ns.t VALUES ('x'); COPY ns.t TO '${inside}'; COPY ns.t FROM '${inside}'`);
  expect(await (await restricted.lake.sql('FROM ns.t')).rows()).toEqual([{ s: 'x' }, { s: 'x' }]);
});

test("tables of the session are DuckDB's", async () => {
  await lake.sql('CREATE OR REPLACE TEMP TABLE own AS SELECT 1 AS a');
  const location = join(path, 'own.csv');
  await lake.sql(`COPY own TO '${location}'`);
  await lake.sql(`COPY own FROM '${location}'`);
  expect(await rows('FROM own')).toEqual([{ a: 1 }, { a: 1 }]);
});
