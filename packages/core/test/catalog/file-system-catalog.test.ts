import { describe, expect, test } from 'vitest';
import { FileSystemCatalog } from '../../src/catalog/file-system-catalog.ts';
import { MemoryCatalog } from '../../src/catalog/memory-catalog.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/index.ts';

const WAREHOUSE = 's3://bucket/wh';
const OPTIONS = { schema: schema({ id: t.long() }) };

async function open(): Promise<{ io: MemoryFileIO; catalog: FileSystemCatalog }> {
  const io = new MemoryFileIO();
  return { io, catalog: await FileSystemCatalog.open({ io, warehouse: `${WAREHOUSE}/` }) };
}

async function files(io: FileIO, prefix: string = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const file of io.list(`${WAREHOUSE}/${prefix}`)) found.push(file.location.slice(WAREHOUSE.length + 1));
  return found.toSorted();
}

test('the layout is that of a Hadoop catalog', async () => {
  const { io, catalog } = await open();
  const table = await catalog.createTable('web.sub.events', OPTIONS);
  expect(table.location).toBe(`${WAREHOUSE}/web/sub/events`);
  expect(table.name).toBe('web.sub.events');
  const metadata = 'web/sub/events/metadata';
  expect(await files(io)).toEqual([`${metadata}/v1.metadata.json`, `${metadata}/version-hint.text`]);
  expect(await catalog.loadNamespaceProperties('web.sub')).toEqual({ location: `${WAREHOUSE}/web/sub` });
});

test('a table opens by its root and by one of its metadata files, too', async () => {
  const { io, catalog } = await open();
  const table = await catalog.createTable('web.events', OPTIONS);
  await table.append([{ id: 1n }]);
  const byRoot = await Table.load(`${WAREHOUSE}/web/events/`, { io });
  await byRoot.append([{ id: 2n }]);
  expect(await (await catalog.loadTable('web.events')).scan().count()).toBe(2);
  const fixed = await Table.load(table.metadataLocation, { io });
  expect(await fixed.scan().count()).toBe(1);
  await expect(fixed.append([{ id: 3n }])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('opening writes nothing and needs nothing to be there', async () => {
  const { io, catalog } = await open();
  expect(await catalog.listNamespaces()).toEqual([]);
  expect(await catalog.listTables([])).toEqual([]);
  expect(await catalog.tableExists('a.b')).toBe(false);
  expect(await files(io)).toEqual([]);
});

describe('names', () => {
  test.each(['..', '.', 'a/b', '../x', 'a\\b', 'nul\0', 'line\nfeed', '\ud800', '.namespace'])(
    'that lead elsewhere are refused: %j',
    async (name) => {
      const { io, catalog } = await open();
      const refused = { code: 'INVALID_ARGUMENT' };
      for (const levels of [[name], ['web', name], [name, 'events']]) {
        await expect(catalog.createNamespace(levels)).rejects.toMatchObject(refused);
        await expect(catalog.createTable(levels, OPTIONS)).rejects.toMatchObject(refused);
        await expect(catalog.loadTable(levels)).rejects.toMatchObject(refused);
        await expect(catalog.tableExists(levels)).rejects.toMatchObject(refused);
        await expect(catalog.dropTable(levels, { purge: true })).rejects.toMatchObject(refused);
        await expect(catalog.listTables(levels)).rejects.toMatchObject(refused);
        await expect(catalog.registerTable(levels, `${WAREHOUSE}/x.metadata.json`)).rejects.toMatchObject(refused);
      }
      expect(await files(io)).toEqual([]);
    },
  );

  test('a table can not lie inside of a table, nor take the place of a namespace', async () => {
    const { io, catalog } = await open();
    await catalog.createTable('web.events', OPTIONS);
    const before = await files(io);
    await expect(catalog.createTable('web.events.inner', OPTIONS)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(catalog.createNamespace('web.events.inner')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(catalog.createNamespace('web.events')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(catalog.createTable('web', OPTIONS)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(catalog.createTable('web.metadata', OPTIONS)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await files(io)).toEqual(before);
  });

  test('a table may lie at the root of the warehouse', async () => {
    const { catalog } = await open();
    await catalog.createTable('events', OPTIONS);
    expect(await catalog.listTables([])).toEqual([['events']]);
    expect(await catalog.listNamespaces()).toEqual([]);
  });
});

describe('namespaces', () => {
  test('are there by what is in them, or by their marker', async () => {
    const { io, catalog } = await open();
    await catalog.createTable('a.b.events', OPTIONS);
    expect(await catalog.listNamespaces()).toEqual([['a']]);
    expect(await catalog.listNamespaces('a')).toEqual([['a', 'b']]);
    await catalog.dropTable('a.b.events');
    expect(await catalog.namespaceExists('a')).toBe(false);
    await catalog.createNamespace('a.b');
    expect(await catalog.listNamespaces()).toEqual([['a']]);
    expect((await files(io)).filter((name) => name.endsWith('.namespace'))).toEqual(['a/b/.namespace']);
  });

  test('other directories of the warehouse are none', async () => {
    const { io, catalog } = await open();
    await io.write(`${WAREHOUSE}/exports/2024/report.csv`, new Uint8Array(1));
    await io.write(`${WAREHOUSE}/README`, new Uint8Array(1));
    await catalog.createNamespace('web');
    expect(await catalog.listNamespaces()).toEqual([['web']]);
    expect(await catalog.listTables([])).toEqual([]);
    // But they can become some.
    await catalog.createNamespace('exports');
    expect(await catalog.listNamespaces()).toEqual([['exports'], ['web']]);
  });
});

describe('listing', () => {
  test('does not look at the files of tables', async () => {
    const { io, catalog } = await open();
    for (const name of ['one', 'two', 'three']) await catalog.createTable(`web.${name}`, OPTIONS);
    const spy = new FaultInjectingFileIO(io);
    Object.assign(spy, { listDirectories: undefined });
    const directories: string[] = [];
    const levels = Object.assign(spy, {
      async *listDirectories(location: string): AsyncIterable<string> {
        directories.push(location);
        if (location === `${WAREHOUSE}/web`) yield* ['one', 'three', 'two'];
      },
    });
    const watched = await FileSystemCatalog.open({ io: levels, warehouse: WAREHOUSE });
    expect(await watched.listTables('web')).toEqual([
      ['web', 'one'],
      ['web', 'three'],
      ['web', 'two'],
    ]);
    expect(directories.every((location) => location === `${WAREHOUSE}/web`)).toBe(true);
    const lists = spy.calls.filter((call) => call.operation === 'list').map((call) => call.location);
    expect(lists.every((prefix) => prefix.includes('/metadata/'))).toBe(true);
  });

  test('shows tables of other catalogs, which are read-only, and tables that can not be read', async () => {
    const { io, catalog } = await open();
    const memory = new MemoryCatalog({ io, warehouse: WAREHOUSE });
    await memory.createNamespace('web');
    const theirs = await memory.createTable('web.theirs', OPTIONS);
    await theirs.append([{ id: 1n }]);
    await io.write(`${WAREHOUSE}/web/broken/metadata/v1.metadata.json`, new TextEncoder().encode('{'));
    expect(await catalog.listTables('web')).toEqual([
      ['web', 'broken'],
      ['web', 'theirs'],
    ]);
    const table = await catalog.loadTable('web.theirs');
    expect(await table.scan().count()).toBe(1);
    await expect(table.append([{ id: 2n }])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(catalog.dropTable('web.theirs')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(catalog.loadTable('web.broken')).rejects.toMatchObject({ code: 'INVALID_DATA' });
    await expect(catalog.createTable('web.broken', OPTIONS)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });
});

describe('dropping', () => {
  test('the last version says that the table is dropped; each older one still opens', async () => {
    const { io, catalog } = await open();
    const table = await catalog.createTable('web.events', OPTIONS);
    await table.append([{ id: 1n }]);
    await catalog.dropTable('web.events');
    await expect(Table.load(`${WAREHOUSE}/web/events`, { io })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await (await Table.load(table.metadataLocation, { io })).scan().count()).toBe(1);
    expect(await files(io, 'web/events/metadata/v')).toEqual(
      ['v1.metadata.json', 'v2.metadata.json', 'v3.metadata.json', 'version-hint.text'].map(
        (name) => `web/events/metadata/${name}`,
      ),
    );
  });

  test('a purge leaves what belongs to an earlier table of the same name', async () => {
    const { io, catalog } = await open();
    const old = await catalog.createTable('web.events', OPTIONS);
    await old.append([{ id: 1n }]);
    await catalog.dropTable('web.events');
    const before = await files(io, 'web/events/');
    const next = await catalog.createTable('web.events', OPTIONS);
    await next.append([{ id: 2n }]);
    await catalog.dropTable('web.events', { purge: true });
    expect(await files(io, 'web/events/')).toEqual(before.filter((name) => !name.endsWith('hint.text')));
    const back = await catalog.registerTable('web.events', old.metadataLocation);
    expect(await back.scan().toRows()).toEqual([{ id: 1n }]);
  });

  test('gc.enabled=false keeps data files, which may be those of other tables', async () => {
    const { io, catalog } = await open();
    const table = await catalog.createTable('web.events', { ...OPTIONS, properties: { 'gc.enabled': 'false' } });
    await table.append([{ id: 1n }]);
    await catalog.dropTable('web.events', { purge: true });
    const left = await files(io, 'web/events/');
    expect(left).toHaveLength(1);
    expect(left[0]).toMatch(/^web\/events\/data\/.*\.parquet$/);
  });

  test('a purge that fails says what is left, and keeps the way to it', async () => {
    const { io, catalog: written } = await open();
    const stubborn = new FaultInjectingFileIO(io, {
      rules: [
        { fault: 'fail-before', operations: ['read'], when: (call) => call.location.endsWith('-m0.avro'), times: 1 },
      ],
    });
    const table = await written.createTable('web.events', OPTIONS);
    await table.append([{ id: 1n }]);
    const catalog = await FileSystemCatalog.open({ io: stubborn, warehouse: WAREHOUSE });
    const purge = catalog.dropTable('web.events', { purge: true });
    await expect(purge).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('was dropped, but'),
    });
    expect(await catalog.tableExists('web.events')).toBe(false);
    await catalog.registerTable('web.events', table.metadataLocation);
    await catalog.dropTable('web.events', { purge: true });
    expect(await files(io, 'web/events/')).toEqual([]);
  });

  test('a drop goes through while others commit', async () => {
    const { catalog } = await open();
    const table = await catalog.createTable('web.events', OPTIONS);
    const commits = (async () => {
      for (let index = 0; index < 50; index++) await table.setProperties({ [`k${index}`]: 'x' });
    })();
    await catalog.dropTable('web.events');
    await expect(commits).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await catalog.tableExists('web.events')).toBe(false);
  });
});

test('a registered table of another place writes its new files here', async () => {
  const { io, catalog } = await open();
  const memory = new MemoryCatalog({ io, warehouse: 's3://bucket/elsewhere' });
  await memory.createNamespace('web');
  const theirs = await memory.createTable('web.events', OPTIONS);
  await theirs.append([{ id: 1n }]);
  const ours = await catalog.registerTable('web.events', theirs.metadataLocation);
  expect(ours.location).toBe(`${WAREHOUSE}/web/events`);
  expect(ours.metadata.metadataLog.at(-1)?.metadataFile).toBe(theirs.metadataLocation);
  await ours.append([{ id: 2n }]);
  expect(await (await catalog.loadTable('web.events')).scan().count()).toBe(2);
  expect((await files(io, 'web/events/data/')).length).toBe(1);
  expect(await theirs.scan().count()).toBe(1);
});

test('a relative warehouse becomes absolute where the store has paths', async () => {
  const io = new MemoryFileIO();
  const capabilities = { ...io.capabilities, localPath: (path: string) => `/cwd/${path}` };
  const catalog = await FileSystemCatalog.open({ io: Object.assign(io, { capabilities }), warehouse: 'wh' });
  expect(catalog.warehouse).toBe('/cwd/wh');
  await expect(FileSystemCatalog.open({ io, warehouse: '/' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
