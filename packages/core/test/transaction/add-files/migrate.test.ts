import { expect, test } from 'vitest';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { MemoryCatalog } from '../../../src/catalog/memory-catalog.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { Columns } from '../../../src/spec/schema-builder.ts';
import { typeToText } from '../../../src/spec/type-text.ts';
import { Table } from '../../../src/table.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { CATALOGS, expectError, listFiles, openCatalog } from '../../table/support.ts';
import { filesOf, writeFile } from './support.ts';

const runtime = new SeededRuntime(1);

function columnsOf(table: Table): Record<string, string> {
  return Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, typeToText(type)]));
}

test.each(CATALOGS)("a directory in Hive's layout becomes a table of a catalog (%s)", async (kind) => {
  const io = new MemoryFileIO();
  const catalog = await openCatalog(kind, { io });
  await writeFile(io, 'memory:/in/year=2023/country=KR/a.parquet', { id: t.int() }, [{ id: 1 }]);
  await writeFile(
    io,
    'memory:/in/year=2024/country=__HIVE_DEFAULT_PARTITION__/b.parquet',
    { id: t.long(), x: t.float() },
    [
      { id: 2n, x: 0.5 },
      { id: 3n, x: null },
    ],
  );
  await io.write('memory:/in/_SUCCESS', new Uint8Array(0));
  const before = await listFiles(io, 'memory:/in/');

  const table = await Table.migrate({
    catalog,
    name: 'db.moved',
    source: 'memory:/in',
    properties: { a: 'b' },
    runtime,
  });
  expect(columnsOf(table)).toEqual({ id: 'long', x: 'float', year: 'int', country: 'string' });
  expect(table.spec.fields.map(({ name, transform }) => [name, transform.kind])).toEqual([
    ['year', 'identity'],
    ['country', 'identity'],
  ]);
  expect(table.snapshots()).toHaveLength(1);
  expect(table.properties).toMatchObject({ a: 'b' });
  const loaded = await catalog.loadTable('db.moved');
  expect((await loaded.scan().toRows()).toSorted((a, b) => Number((a['id'] as bigint) - (b['id'] as bigint)))).toEqual([
    { id: 1n, x: null, year: 2023, country: 'KR' },
    { id: 2n, x: 0.5, year: 2024, country: null },
    { id: 3n, x: null, year: 2024, country: null },
  ]);
  expect(await loaded.scan({ filter: 'country IS NULL AND id > 2' }).count()).toBe(1);
  await loaded.append([{ id: 4n, year: 2024, country: 'JP' }]);
  expect(await loaded.scan({ filter: 'year = 2024' }).count()).toBe(3);
  expect(await listFiles(io, 'memory:/in/')).toEqual(before);
});

test('a directory becomes a table where it is, without a catalog', async () => {
  const io = new MemoryFileIO();
  await writeFile(io, 'memory:/in/f.parquet', { id: t.int() }, [{ id: 1 }]);
  const table = await Table.migrate({ io, location: 'memory:/in', source: 'memory:/in', formatVersion: 3, runtime });
  expect(table.formatVersion).toBe(3);
  const loaded = await Table.load('memory:/in', { io });
  expect(await loaded.scan({ select: ['id', '_row_id'] }).toRows()).toEqual([{ id: 1, _row_id: 0n }]);
  // What belongs to the table is no orphan.
  await loaded.removeOrphanFiles({ olderThan: Date.now() * 2 });
  expect(await loaded.scan().count()).toBe(1);
  const again = Table.migrate({ io, location: 'memory:/other', source: 'memory:/in', runtime });
  await expectError(again, 'UNSUPPORTED', /f\.parquet is in the directory of an Iceberg table/);
});

test.each([
  ['7', '0012', 'int'],
  ['-7', '9007199254740993', 'long'],
  ['2024-01-01', '1999-12-31', 'date'],
  ['2024-01-01', '7', 'string'],
  ['1', 'x%2Fy', 'string'],
  ['__HIVE_DEFAULT_PARTITION__', '5', 'int'],
  ['__HIVE_DEFAULT_PARTITION__', '__HIVE_DEFAULT_PARTITION__', 'string'],
])('directories %s and %s are of type %s', async (a, b, type) => {
  const io = new MemoryFileIO();
  for (const value of [a, b]) await writeFile(io, `memory:/in/p=${value}/f.parquet`, { id: t.int() }, [{ id: 1 }]);
  const table = await Table.migrate({ io, location: 'memory:/t', source: 'memory:/in', runtime });
  expect(columnsOf(table)).toEqual({ id: 'int', p: type });
});

test('types of directories, columns and partitioning can be given', async () => {
  const io = new MemoryFileIO();
  const source = 'memory:/in';
  await writeFile(io, `${source}/zip=01234/f.parquet`, { id: t.int() }, [{ id: 7 }]);
  const text = { io, source, runtime, partitionTypes: { zip: t.string() } };
  const table = await Table.migrate({ ...text, location: 'memory:/t1' });
  expect(await table.scan().toRows()).toEqual([{ id: 7, zip: '01234' }]);
  const shape = schema({ zip: t.long(), id: t.long().doc('number') });
  const given = await Table.migrate({ io, source, runtime, schema: shape, location: 'memory:/t2' });
  expect(await given.scan().toRows()).toEqual([{ zip: 1234n, id: 7n }]);
  const finer = [partitionBy.identity('zip'), partitionBy.truncate(10, 'id')];
  const split = await Table.migrate({ ...text, location: 'memory:/t3', partitionBy: finer });
  expect((await filesOf(split)).map(({ partition }) => partition)).toEqual([['01234', 0]]);
  const stray = Table.migrate({ io, source, runtime, location: 'memory:/t4', partitionTypes: { town: t.string() } });
  await expectError(stray, 'INVALID_ARGUMENT', /'town'/);
});

test('nested columns are the union of those of all files', async () => {
  const io = new MemoryFileIO();
  const files: readonly (readonly [Columns, object])[] = [
    [
      { s: t.struct({ a: t.int() }), l: t.list(t.struct({ x: t.float() })) },
      { s: { a: 1 }, l: [{ x: 1 }] },
    ],
    [
      { s: t.struct({ b: t.string() }), m: t.map(t.string(), t.int()) },
      { s: { b: 'x' }, m: new Map([['k', 2]]) },
    ],
    [
      { l: t.list(t.struct({ x: t.double(), y: t.int() })), m: t.map(t.string(), t.long()) },
      { l: [{ x: 2, y: 3 }], m: null },
    ],
  ];
  for (const [i, [columns, row]] of files.entries()) {
    await writeFile(io, `memory:/in/${i}.parquet`, columns, [row as Record<string, unknown>]);
  }
  const table = await Table.migrate({ io, location: 'memory:/t', source: 'memory:/in', runtime });
  expect(columnsOf(table)).toEqual({
    s: 'struct<a: int, b: string>',
    l: 'list<struct<x: double, y: int>>',
    m: 'map<string, long>',
  });
  expect(await table.scan().toRows()).toEqual([
    { s: { a: 1, b: null }, l: [{ x: 1, y: null }], m: null },
    { s: { a: null, b: 'x' }, l: null, m: new Map([['k', 2n]]) },
    { s: null, l: [{ x: 2, y: 3 }], m: null },
  ]);
});

test('files that do not go together are named, and no table is made', async () => {
  const io = new MemoryFileIO();
  const catalog = new MemoryCatalog({ io, warehouse: 'memory:/wh', runtime });
  await catalog.createNamespace('db');
  const migrate = (source: string) => Table.migrate({ catalog, name: 'db.t', source, runtime });
  await writeFile(io, 'memory:/types/a.parquet', { id: t.int() }, [{ id: 1 }]);
  await writeFile(io, 'memory:/types/b.parquet', { id: t.string() }, [{ id: '1' }]);
  await expectError(
    migrate('memory:/types'),
    'INVALID_ARGUMENT',
    /'id' of .*b\.parquet is string, but int in .*a\.parquet/,
  );
  await writeFile(io, 'memory:/places/p=1/a.parquet', { id: t.int() }, [{ id: 1 }]);
  await writeFile(io, 'memory:/places/b.parquet', { id: t.int() }, [{ id: 1 }]);
  await expectError(migrate('memory:/places'), 'INVALID_ARGUMENT', /b\.parquet|a\.parquet/);
  await writeFile(io, 'memory:/wrong/p=1/a.parquet', { id: t.int(), p: t.int() }, [{ id: 1, p: 2 }]);
  await expectError(migrate('memory:/wrong'), 'INVALID_ARGUMENT', /'p' would be '1', but the file holds '2' only/);
  await expectError(migrate('memory:/nothing'), 'NOT_FOUND', /no files/);
  expect(await catalog.tableExists('db.t')).toBe(false);
  const foreign = { name: 'without an io' } as Catalog;
  await expectError(
    Table.migrate({ catalog: foreign, name: 'db.t', source: 'memory:/types' }),
    'INVALID_ARGUMENT',
    /takes the `io`/,
  );
});
