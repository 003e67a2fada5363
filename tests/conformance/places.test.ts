import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import {
  FileSystemCatalog,
  LakehouseError,
  MappedFileIO,
  MemoryCatalog,
  MemoryFileIO,
  Table,
  schema,
  t,
} from '@lh/core';
import type { FileIO } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { readManifestList } from '../../packages/core/src/manifest/read-manifest-list.ts';
import { currentSnapshot } from '../../packages/core/src/spec/metadata-accessors.ts';
import { canonicalRows } from './canonical.ts';
import { FIXTURE_ROOT, expectedRows, expectedTable, fixtureIO, fixturesFolder, loadFixture } from './fixtures.ts';
import { sqlRows } from './reads.ts';

// A table reads the same wherever it lies, however its metadata is found, and whatever its files are called.

/** One table for each kind of data and delete file. */
const TABLES = ['v2_simple', 'p_ident_str', 'avro_files', 'mor_file_gran', 'dv_basic', 'eq_single'];

const WAREHOUSE = `${join(fixturesFolder, 'warehouse')}/`;

let folder: string;
let lake: Lakehouse;
beforeAll(async () => {
  lake = await Lakehouse.open({ catalog: new MemoryCatalog({ io: new MemoryFileIO() }) });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-places-'));
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(() => lake?.close());

/** The table has the rows that it should have, by both readers. */
async function expectRows(table: Table, name: string): Promise<void> {
  const rows = expectedRows(`expected/${name}/current.jsonl`);
  expect(canonicalRows(table.schema, await table.scan().toRows())).toEqual(rows);
  expect(await sqlRows(lake, table, 'SELECT * FROM t', table.schema)).toEqual(rows);
}

/** Where the newest metadata of a table says that it is. */
function metadataOf(name: string): string {
  return expectedTable(name).metadata.replace(/^warehouse\//, FIXTURE_ROOT);
}

function metadataFile(name: string): string {
  return join(fixturesFolder, expectedTable(name).metadata);
}

describe('file names', () => {
  const ODD = [
    'a b',
    'star*',
    'ask?',
    'set[a]',
    'set[!a-z]',
    'brace{a,b}',
    'percent%20',
    'plus+',
    'hash#',
    'quote\'"',
    '$dollar',
    'ümlaut-東京-💧',
    'back\\slash',
    'back\\slash*',
    'a=b',
    '..dots',
    'semi;colon',
    '~home',
  ];

  test.for(TABLES)('%s', async (name) => {
    const { tasks } = await (await loadFixture(expectedTable(name))).scan().plan();
    const paths = tasks.flatMap(({ file, deletes }) => [file.path, ...deletes.map((one) => one.file.path)]);
    const files = [...new Set(paths)];
    // A file takes the next name, in a folder of that name; then the same again, until all names have been used.
    for (let used = 0; used < ODD.length; used += files.length) {
      const mappings: Record<string, string> = { [FIXTURE_ROOT]: WAREHOUSE };
      for (const [i, path] of files.entries()) {
        const odd = ODD[(used + i) % ODD.length]!;
        const copy = join(folder, odd, `${odd} ${basename(path)}`);
        await mkdir(dirname(copy), { recursive: true });
        await copyFile(path.replace(FIXTURE_ROOT, WAREHOUSE), copy);
        mappings[path] = copy;
      }
      const io = new MappedFileIO(new LocalFileIO(), mappings);
      await expectRows(await Table.load(metadataOf(name), { io }), name);
    }
  });
});

describe('the newest metadata', () => {
  const NAME = 'v2_simple';
  const ROOT = `${FIXTURE_ROOT}${NAME}`;

  /** The table as a file-system catalog would have it: its oldest metadata several times, then the newest. */
  async function versions(names: readonly string[]): Promise<FileIO> {
    const original = join(WAREHOUSE, NAME, 'metadata');
    const files = await readdir(original);
    const oldest = await readFile(
      join(
        original,
        files.find((file) => file.startsWith('00000-'))!,
      ),
    );
    const newest = await readFile(metadataFile(NAME));
    const metadata = join(folder, NAME, 'metadata');
    await mkdir(metadata, { recursive: true });
    for (const name of names) {
      const bytes = name === names.at(-1) ? newest : oldest;
      await writeFile(join(metadata, name), name.includes('gz') ? gzipSync(bytes) : bytes);
    }
    const manifests = files.filter((file) => file.endsWith('.avro'));
    return new MappedFileIO(new LocalFileIO(), {
      [FIXTURE_ROOT]: `${folder}/`,
      ...Object.fromEntries(manifests.map((file) => [`${ROOT}/metadata/${file}`, join(original, file)])),
      [`${ROOT}/data/`]: `${join(WAREHOUSE, NAME, 'data')}/`,
    });
  }

  const HINTS: Readonly<Record<string, string | null>> = {
    right: '3',
    'right, with a line break': '3\n',
    missing: null,
    stale: '1',
    'of a version that is gone': '9',
    empty: '',
    'no number': 'what?',
  };
  const NAMES = [
    ['v1.metadata.json', 'v2.metadata.json', 'v3.metadata.json'],
    ['v1.gz.metadata.json', 'v2.gz.metadata.json', 'v3.gz.metadata.json'],
    ['v1.metadata.json', 'v2.metadata.json.gz', 'v3.metadata.json.gz'],
  ];

  test.for(
    Object.entries(HINTS).flatMap(([what, hint]) => NAMES.map((names) => [names.at(-1)!, what, hint, names] as const)),
  )('%s with a hint that is %s', async ([, , hint, names]) => {
    const io = await versions(names);
    if (hint !== null) await writeFile(join(folder, NAME, 'metadata', 'version-hint.text'), hint);
    await expectRows(await Table.load(ROOT, { io }), NAME);
    const catalog = await FileSystemCatalog.open({ io, warehouse: FIXTURE_ROOT });
    await expectRows(await catalog.loadTable(NAME), NAME);
  });

  test.for(['copy.metadata.json', 'copy.gz.metadata.json', 'copy.metadata.json.gz'])(
    '%s by its own name',
    async (file) => {
      const bytes = await readFile(metadataFile(NAME));
      await writeFile(join(folder, file), file.includes('gz') ? gzipSync(bytes) : bytes);
      const io = new MappedFileIO(fixtureIO(), { 'copy://': `${folder}/` });
      await expectRows(await Table.load(`copy://${file}`, { io }), NAME);
    },
  );
});

describe('snapshots of version 1 that list their manifests', () => {
  test.for(['v1_plain', 'v1_parted'])('%s', async (name) => {
    const file = metadataFile(name);
    const raw = await readFile(file);
    const text = (raw[0] === 0x1f ? gunzipSync(raw) : raw).toString();
    const good = await loadFixture(expectedTable(name));
    const manifests = await readManifestList(good.io, currentSnapshot(good.metadata)!, good.metadata);
    const list = `"manifest-list":${JSON.stringify(currentSnapshot(good.metadata)!.manifestList)}`;
    const compact = text.replaceAll(/"manifest-list"\s*:\s*/g, '"manifest-list":');
    expect(compact).toContain(list);
    const listed = compact.replace(list, `"manifests":${JSON.stringify(manifests.map(({ path }) => path))}`);
    await writeFile(join(folder, 'old.metadata.json'), listed);
    const table = await Table.load(`copy://old.metadata.json`, {
      io: new MappedFileIO(fixtureIO(), { 'copy://': `${folder}/` }),
    });
    expect(currentSnapshot(table.metadata)!.manifestList).toBeNull();
    await expectRows(table, name);
  });
});

describe('a place where nothing can be written', () => {
  class ReadOnlyFileIO extends LocalFileIO {
    override write(location: string): never {
      throw new LakehouseError('UNAUTHORIZED', `Nobody may write ${location}.`);
    }

    override delete(): never {
      throw new LakehouseError('UNAUTHORIZED', 'Nobody may delete anything.');
    }
  }

  test.for(TABLES)('%s is read', async (name) => {
    const io = new MappedFileIO(new ReadOnlyFileIO(), { [FIXTURE_ROOT]: WAREHOUSE });
    await expectRows(await Table.load(metadataOf(name), { io }), name);
  });

  test('a catalog of it opens, lists, loads and queries', async () => {
    const io = new ReadOnlyFileIO();
    const own = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: folder });
    await own.createNamespace('ns');
    const table = await own.createTable('ns.t', { schema: schema({ id: t.long() }) });
    await table.append([{ id: 1n }]);
    const catalog = await FileSystemCatalog.open({ io, warehouse: folder });
    expect(await catalog.listTables('ns')).toEqual([['ns', 't']]);
    const readOnly = await catalog.loadTable('ns.t');
    expect(await readOnly.scan().toRows()).toEqual([{ id: 1n }]);
    const sql = await Lakehouse.open({ catalog });
    expect(await (await sql.sql('SELECT * FROM ns.t')).rows()).toEqual([{ id: 1n }]);
    await sql.close();
    await expect(readOnly.append([{ id: 2n }])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
