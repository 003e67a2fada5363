import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog, schema, t } from '@lh/core';
import type { DataFile } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { onTestFinished } from 'vitest';
import type { Pin } from '../../src/remote/cache-directory.ts';
import { FileCache } from '../../src/remote/file-cache.ts';
import type { CacheUse, TableFile } from '../../src/remote/file-cache.ts';
import type { CacheOptions } from '../../src/remote/cache-options.ts';
import { RemoteStore } from './remote-store.ts';

/** Of a file. */
export const ROWS = 4000;
export const GROUPS = 4;
export const COLUMNS = ['id', 'a', 'b', 'c'] as const;

/** A directory for the length of a test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lh-sql-remote-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  return folder;
}

export interface RemoteTable {
  readonly folder: string;
  readonly warehouse: string;
  readonly store: RemoteStore;
  /** On the store. */
  readonly catalog: FileSystemCatalog;
  readonly files: readonly DataFile[];
}

/** A table `ns.t` in a store, whose files have four row groups each: `id` counts, the other columns are noise. */
export async function remoteTable(files = 1, options: { readonly formatVersion?: 2 | 3 } = {}): Promise<RemoteTable> {
  const folder = await newFolder();
  const warehouse = join(folder, 'wh');
  const local = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await local.createNamespace('ns');
  const table = await local.createTable('ns.t', {
    ...options,
    schema: schema({ id: t.long(), a: t.long(), b: t.double(), c: t.string() }),
    properties: {
      'write.parquet.row-group-size-bytes': String(60_000),
      'write.parquet.compression-codec': 'uncompressed',
    },
  });
  for (let file = 0; file < files; file++) await table.append(rows(file));
  const store = new RemoteStore(new LocalFileIO());
  const catalog = await FileSystemCatalog.open({ io: store, warehouse });
  const { tasks } = await (await catalog.loadTable('ns.t')).scan().plan();
  return { folder, warehouse, store, catalog, files: tasks.map((task) => task.file) };
}

function* rows(file: number): Generator<Record<string, unknown>> {
  for (let i = 0; i < ROWS; i++) {
    const id = file * ROWS + i;
    const noise = Math.imul(id + 1, 0x9e37_79b1) >>> 0;
    yield { id: BigInt(id), a: BigInt(noise) * 1_000_003n, b: noise / 7, c: noise.toString(36).padStart(24, 'x') };
  }
}

/** What the cache needs to know of a file. */
export function tableFile({ store }: RemoteTable, { path, fileSizeInBytes }: DataFile): TableFile {
  return { io: store, location: path, size: fileSizeInBytes, table: 'uuid', footerGuess: 4096 };
}

export function newUse(signal?: AbortSignal): CacheUse & { release(): void } {
  const pins: Pin[] = [];
  const release = (): void => pins.splice(0).forEach((pin) => pin.release());
  return { keep: (pin) => void pins.push(pin), signal, fetched: { bytes: 0, requests: 0 }, release };
}

/** A cache that is closed at the test's end. */
export function newCache(options: CacheOptions): FileCache {
  const cache = new FileCache(options);
  onTestFinished(() => cache.close());
  return cache;
}

/** Paths of all files of a cache directory's entries. */
export async function entriesOf(directory: string): Promise<readonly string[]> {
  const all = await readdir(join(directory, 'entries'), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
