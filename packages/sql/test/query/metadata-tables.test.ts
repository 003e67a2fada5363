import { METADATA_TABLE_NAMES, openMetadataTable } from '@lh/core/engine';
import { MemoryCatalog, MemoryFileIO, partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();
let table: Table;
let first: bigint;

beforeAll(async () => {
  table = await catalog.createTable('ns.events', {
    schema: schema({ id: t.long(), day: t.date(), city: t.string() }),
    partitionBy: [partitionBy.identity('day'), partitionBy.truncate(1, 'city')],
  });
  const ofDay = (day: string) => ['Seoul', 'Busan'].map((city, i) => ({ id: BigInt(i), day, city }));
  first = (await table.append(ofDay('2024-01-01'))).snapshotId!;
  await table.append(ofDay('2024-01-02'));
  await table.createTag('first', { snapshotId: first });
  await table.refresh();
});

async function rows(sql: string, parameters?: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

async function count(sql: string): Promise<number> {
  const [row] = await rows(`SELECT count(*) AS n FROM ${sql}`);
  return Number(row!['n']);
}

test.each(METADATA_TABLE_NAMES)('%s has the rows and the columns of core', async (name) => {
  const { schema: shape, batches } = openMetadataTable(table, name);
  let expected = 0;
  for await (const { length } of batches()) expected += length;
  const result = await lake.sql(`SELECT * FROM ns.events.${name}`);
  expect(await result.rows()).toHaveLength(expected);
  expect(result.columns.map((column) => column.name)).toEqual(shape.fields.map((field) => field.name));
  expect(result.scans).toEqual([]);
  expect(await count(`ns.events.${name}`)).toBe(expected);
});

test('names: dots, a dollar, any case, another catalog, a registered table, an alias', async () => {
  expect(await count('ns.events.files')).toBe(4);
  expect(await count('"ns"."events$files"')).toBe(4);
  expect(await count('ns.events$files')).toBe(4);
  expect(await count('ns.events.FILES')).toBe(4);
  expect(await count(`"${catalog.name}".ns.events.files AS f WHERE f.record_count = 1`)).toBe(4);
  lake.register('clicks', table);
  expect(await count('clicks.files')).toBe(4);
  expect(await count('clicks$files')).toBe(4);
  lake.unregister('clicks');
  expect(await rows('SELECT ns.events.files.content AS c, files.spec_id FROM ns.events.files LIMIT 1')).toEqual([
    { c: 0, spec_id: 0 },
  ]);
});

test('of a version', async () => {
  expect(await count(`ns.events.files AT (VERSION => ${first})`)).toBe(2);
  expect(await count("ns.events.files FOR VERSION AS OF 'first'")).toBe(2);
  const error = await rejection(rows(`SELECT * FROM ns.events.all_files AT (VERSION => ${first})`));
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('joined with the table, with itself, and in subqueries', async () => {
  expect(
    await rows(`
      SELECT e.id, f.record_count FROM ns.events e
      JOIN ns.events.files f ON e._file = f.file_path
      WHERE e.city = 'Seoul' AND f.partition.day = DATE '2024-01-02'`),
  ).toEqual([{ id: 0n, record_count: 1n }]);
  expect(
    await rows(`
      SELECT s.operation, count(*) AS files FROM ns.events.snapshots s
      JOIN ns.events.entries e ON e.snapshot_id = s.snapshot_id GROUP BY ALL`),
  ).toEqual([{ operation: 'append', files: 4n }]);
  expect(await count('ns.events.files WHERE record_count = (SELECT max(record_count) FROM ns.events.files)')).toBe(4);
});

test('filters of every kind leave the right rows', async () => {
  const where = (condition: string) => count(`ns.events.files WHERE ${condition}`);
  expect(await where("partition.day = DATE '2024-01-01'")).toBe(2);
  expect(await where("partition.city_trunc = 'S' AND partition.day > DATE '2024-01-01'")).toBe(1);
  expect(await where("readable_metrics.city.lower_bound = 'Busan'")).toBe(2);
  expect(await where("file_path LIKE '%city_trunc=S%' OR content = 1")).toBe(2);
  expect(await where('lower_bounds IS NULL')).toBe(0);
  expect(await where('map_contains(value_counts, 1)')).toBe(4);
  expect(await rows('SELECT file_path FROM ns.events.files WHERE false')).toEqual([]);
  expect(await rows('SELECT 1 AS one FROM ns.events.files LIMIT 2')).toEqual([{ one: 1 }, { one: 1 }]);
  expect(await rows('SELECT name, type FROM ns.events.refs WHERE name = $name', { name: 'first' })).toEqual([
    { name: 'first', type: 'TAG' },
  ]);
});

test('a table of the name goes before', async () => {
  const memory = new MemoryCatalog({ io: new MemoryFileIO(), warehouse: 'memory:/wh' });
  const other = await openWarehouse({ catalog: memory });
  await memory.createNamespace('ns');
  const about = await memory.createTable('ns.t', { schema: schema({ id: t.int() }) });
  await about.append([{ id: 1 }]);
  const select = async (name: string) => (await other.lake.sql(`SELECT * FROM ${name}`)).rows();
  expect(await select('ns.t.refs')).toMatchObject([{ name: 'main' }]);
  await memory.createNamespace(['ns', 't']);
  for (const name of [
    ['ns', 't', 'refs'],
    ['ns', 't$refs'],
  ]) {
    const real = await memory.createTable(name, { schema: schema({ mine: t.int() }) });
    await real.append([{ mine: 7 }]);
  }
  expect(await select('ns.t.refs')).toEqual([{ mine: 7 }]);
  expect(await select('ns."t$refs"')).toEqual([{ mine: 7 }]);
  expect(await select('ns.t.history')).toHaveLength(1);
});

describe('what is unknown', () => {
  test.each([
    ['ns.events.fils', 'ns.events.files'],
    ['"ns"."events$snapshot"', 'ns.events$snapshots'],
  ])('%s', async (name, meant) => {
    const error = await rejection(rows(`SELECT * FROM ${name}`));
    expect(error).toMatchObject({ code: 'NOT_FOUND' });
    expect(error.message).toContain(`'${meant}'`);
  });

  test('a table that is not there', async () => {
    expect(await rejection(rows('SELECT * FROM ns.nothing.files'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(rows('SELECT nothing FROM ns.events.files'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

test('it stops when its signal is aborted while manifests are read', async () => {
  const aborter = new AbortController();
  const { batches } = openMetadataTable(table, 'files');
  const reading = batches({ signal: aborter.signal });
  const running = lake.sql('SELECT * FROM ns.events.files', undefined, { signal: aborter.signal });
  aborter.abort();
  expect(await rejection(running)).toMatchObject({ code: 'ABORTED' });
  await expect(reading.next()).rejects.toMatchObject({ code: 'ABORTED' });
});

test('it can be made a table of the session, described and summarized', async () => {
  await lake.sql('CREATE TEMP TABLE kept AS SELECT file_path, partition FROM ns.events.files');
  expect(await count('kept')).toBe(4);
  expect(await rows('SELECT column_name FROM (DESCRIBE ns.events.refs) LIMIT 2')).toEqual([
    { column_name: 'name' },
    { column_name: 'type' },
  ]);
  expect(await rows('SUMMARIZE ns.events.snapshots')).toHaveLength(6);
  expect(await rows('PIVOT ns.events.files ON content USING count(*)')).toMatchObject([{ 0: 1n }, {}, {}, {}]);
  await lake.sql('INSERT INTO kept SELECT file_path, partition FROM ns.events.files WHERE content = 0');
  expect(await count('kept')).toBe(8);
});
