import { chmod, mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ErrorCode, FileSystemCatalog, Table, isLakehouseError, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// Whatever a user gets wrong: one clear error, and the table as it was.

const io = new LocalFileIO();
let warehouse: string;
let catalog: FileSystemCatalog;
let table: Table;

const shape = schema({
  id: t.long().required(),
  name: t.string(),
  amount: t.decimal(6, 2),
  at: t.timestamptz(),
  tags: t.list(t.string()),
});

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-bad-'));
  catalog = await FileSystemCatalog.open({ io, warehouse });
  await catalog.createNamespace('shop');
  table = await catalog.createTable('shop.orders', { schema: shape });
  await table.append([{ id: 1n, name: 'first' }]);
});

afterEach(() => rm(warehouse, { recursive: true, force: true }));

/** The call fails with the code and a message that names what is wrong; neither rows nor metadata change. */
async function expectRefusal(call: () => unknown, code: ErrorCode, message: RegExp): Promise<void> {
  const metadata = await readdir(join(table.location, 'metadata'));
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  if (!isLakehouseError(error)) throw new Error(`expected a LakehouseError, not ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  const after = await Table.load(table.location, { io });
  expect(await after.scan({ select: ['id'] }).toRows()).toEqual([{ id: 1n }]);
  const added = (await readdir(join(table.location, 'metadata'))).filter((name) => !metadata.includes(name));
  expect(added.filter((name) => name.endsWith('.metadata.json'))).toEqual([]);
}

describe('rows that do not fit', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a wrong type', { id: 'one' }, /id/],
    ['a fraction in a long', { id: 1.5 }, /id/],
    ['an unsafe integer in a long', { id: 2 ** 60 }, /id/],
    ['a missing required column', { name: 'no id' }, /id/],
    ['null in a required column', { id: null }, /id/],
    ['an unknown column', { id: 2n, nmae: 'typo' }, /nmae/],
    ['a decimal that is too large', { id: 2n, amount: '10000.00' }, /amount/],
    ['a decimal with too many digits', { id: 2n, amount: '0.001' }, /amount/],
    ['a timestamp that is none', { id: 2n, at: 'yesterday' }, /at/],
    ['a list that is none', { id: 2n, tags: 'a' }, /tags/],
    ['a wrong element of a list', { id: 2n, tags: [1] }, /tags/],
  ])('%s', async (_, row, message) => {
    await expectRefusal(() => table.append([{ id: 5n }, row]), 'INVALID_ARGUMENT', message);
  });

  test('a stream that fails half way', async () => {
    async function* rows() {
      yield { id: 2n };
      throw new Error('the source broke');
    }
    await expect(table.append(rows())).rejects.toThrow('the source broke');
    expect(await (await Table.load(table.location, { io })).scan().count()).toBe(1);
  });
});

describe('evolution that is not allowed', () => {
  test.each<[string, (schema: Parameters<Parameters<Table['updateSchema']>[0]>[0]) => unknown, RegExp]>([
    ['narrowing a type', (s) => s.updateColumn('id', t.int()), /id/],
    ['an unrelated type', (s) => s.updateColumn('name', t.long()), /name/],
    ['a smaller precision', (s) => s.updateColumn('amount', t.decimal(4, 2)), /amount/],
    ['another scale', (s) => s.updateColumn('amount', t.decimal(8, 3)), /amount/],
    ['a required column without a default', (s) => s.addColumn('must', t.int().required()), /must/],
    ['optional to required', (s) => s.requireColumn('name'), /name/],
    ['a name that is taken', (s) => s.addColumn('name', t.int()), /name/],
    ['a column that is not there', (s) => s.renameColumn('nobody', 'somebody'), /nobody/],
  ])('%s', async (_, change, message) => {
    await expectRefusal(() => table.updateSchema(change), 'INVALID_ARGUMENT', message);
  });

  test('a partition field over no column', async () => {
    await expectRefusal(() => table.updateSpec((p) => p.remove('nothing')), 'INVALID_ARGUMENT', /nothing/);
  });
});

describe('scans that can not be', () => {
  test.each<[string, Parameters<Table['scan']>[0], RegExp]>([
    ['an unknown column in the filter', { filter: 'nmae = 1' }, /nmae/],
    ['a filter that does not parse', { filter: "name = 'x' AND" }, /./],
    ['a literal of another type', { filter: "id = 'one'" }, /one/],
    ['an unknown column selected', { select: ['nmae'] }, /nmae/],
    ['an unknown snapshot', { snapshotId: 42n }, /42/],
    ['an unknown branch', { ref: 'nowhere' }, /nowhere/],
    ['a time before the table', { asOf: '1999-01-01' }, /1999/],
  ])('%s', async (_, options, message) => {
    const error = await Promise.resolve()
      .then(() => table.scan(options).toRows())
      .catch((thrown: unknown) => thrown);
    expect(isLakehouseError(error)).toBe(true);
    expect((error as Error).message).toMatch(message);
  });
});

describe('files that are not as they should be', () => {
  const metadataFile = () => table.metadataLocation;

  test('truncated metadata', async () => {
    await truncate(metadataFile(), 100);
    await expect(Table.load(metadataFile(), { io })).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  test('metadata that is no JSON object', async () => {
    await writeFile(metadataFile(), '[]');
    await expect(Table.load(metadataFile(), { io })).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  test('metadata of a version that is not known', async () => {
    const metadata = JSON.parse(await readFile(metadataFile(), 'utf8')) as Record<string, unknown>;
    await writeFile(metadataFile(), JSON.stringify({ ...metadata, 'format-version': 4 }));
    const error = await Table.load(metadataFile(), { io }).catch((thrown: unknown) => thrown);
    expect(isLakehouseError(error)).toBe(true);
    expect((error as Error).message).toMatch(/4/);
  });

  test('a missing table', async () => {
    await expect(Table.load(join(warehouse, 'nothing'), { io })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(catalog.loadTable('shop.nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each(['manifest list', 'manifest', 'data file'])('a truncated %s', async (which) => {
    const folder = join(table.location, which === 'data file' ? 'data' : 'metadata');
    const files = await readdir(folder, { recursive: true });
    const isWanted = (name: string) =>
      which === 'data file'
        ? name.endsWith('.parquet')
        : name.endsWith('.avro') && name.startsWith('snap-') === (which === 'manifest list');
    for (const file of files.filter(isWanted)) await truncate(join(folder, file), 40);
    // What this process has written itself it doesn't read again.
    const reread = await Table.load(table.location, { io: new LocalFileIO() });
    const error = await reread
      .scan()
      .toRows()
      .catch((thrown: unknown) => thrown);
    expect(isLakehouseError(error, 'INVALID_DATA')).toBe(true);
  });

  test('a data file that is gone', async () => {
    await rm(join(table.location, 'data'), { recursive: true });
    await expect(table.scan().toRows()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('places that can not be written', () => {
  test('a warehouse below a file', async () => {
    const file = join(warehouse, 'a-file');
    await writeFile(file, '');
    const below = await FileSystemCatalog.open({ io, warehouse: join(file, 'warehouse') }).catch(
      (thrown: unknown) => thrown,
    );
    const error =
      below instanceof FileSystemCatalog
        ? await below.createNamespace('shop').catch((thrown: unknown) => thrown)
        : below;
    expect(isLakehouseError(error)).toBe(true);
    expect((error as Error).message).toContain('a-file');
  });

  test('a folder without permission', async () => {
    const folder = await forbiddenFolder();
    const closed = await FileSystemCatalog.open({ io, warehouse: folder });
    const error = await closed.createNamespace('shop').catch((thrown: unknown) => thrown);
    expect(isLakehouseError(error)).toBe(true);
    expect((error as Error).message).toContain(folder);
  });

  /** The superuser may write anywhere but into the kernel's own file system. */
  async function forbiddenFolder(): Promise<string> {
    if (process.getuid?.() === 0) return '/sys/lakehouse';
    const folder = join(warehouse, 'closed');
    await mkdir(folder);
    await chmod(folder, 0o500);
    return folder;
  }

  test('a table that exists', async () => {
    await expect(catalog.createTable('shop.orders', { schema: shape })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  test('a commit on a table opened from a metadata file', async () => {
    const readOnly = await Table.load(table.metadataLocation, { io });
    await expectRefusal(() => readOnly.append([{ id: 2n }]), 'UNSUPPORTED', /./);
  });
});

test('a commit that lost its race for good', async () => {
  await table.setProperties({ 'commit.retry.num-retries': '0' });
  const slow = await Table.load(table.location, { io });
  await table.append([{ id: 2n }]);
  await expect(slow.setProperties({ comment: 'mine' })).resolves.toBeDefined();
  const stale = await Table.load(table.location, { io });
  await table.refresh();
  await table.updateSchema((s) => s.addColumn('extra', t.int()));
  await expect(stale.updateSchema((s) => s.addColumn('extra', t.string()))).rejects.toMatchObject({
    code: expect.stringMatching(/COMMIT_CONFLICT|INVALID_ARGUMENT/) as string,
  });
});

describe('calls that only the compiler would stop', () => {
  // As a script without types makes them.
  const untyped = (value: unknown): never => value as never;

  test.each<[string, () => unknown, RegExp]>([
    ['a table without a schema', () => catalog.createTable('shop.none', untyped(undefined)), /needs a schema/],
    ['a schema that no one built', () => catalog.createTable('shop.none', untyped({ schema: {} })), /needs a schema/],
    [
      'a partition field by name alone',
      () => catalog.createTable('shop.none', { schema: shape, partitionBy: untyped(['id']) }),
      /made by partitionBy/,
    ],
    ['a misspelt option of a scan', () => table.scan(untyped({ filtr: 'id = 1' })), /no option 'filtr'/],
  ])('%s', async (_, call, message) => {
    await expectRefusal(call, 'INVALID_ARGUMENT', message);
  });
});
