import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll } from 'vitest';
import { Lakehouse } from '../src/index.ts';
import type { LakehouseOptions } from '../src/index.ts';

export interface Warehouse {
  readonly path: string;
  readonly catalog: FileSystemCatalog;
  readonly lake: Lakehouse;
}

/** A catalog with the namespace `ns` in a directory of its own, and a lakehouse on it; both go when the file's tests are done. */
export async function openWarehouse(options: Partial<LakehouseOptions> = {}): Promise<Warehouse> {
  const path = await mkdtemp(join(tmpdir(), 'lh-sql-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: path });
  await catalog.createNamespace('ns');
  const lake = await Lakehouse.open({ catalog, ...options });
  afterAll(async () => {
    await lake.close();
    await rm(path, { recursive: true, force: true });
  });
  return { path, catalog, lake };
}

export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('expected a rejection');
}
