import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, MemoryFileIO, Table, schema, t } from '@lh/core';
import { S3FileIO } from '@lh/io-s3';
import S3rver from 's3rver';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { failure } from './support.ts';

// A store that takes every conditional write: of two writers of one version both would win.

const SHAPE = schema({ id: t.int().required() });

let folder: string;
let store: S3rver;
let io: S3FileIO;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-s3rver-'));
  const configureBuckets = [{ name: 'lake' }];
  store = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, configureBuckets });
  const { port } = await store.run();
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  io = new S3FileIO({ endpoint: `http://127.0.0.1:${port}`, credentials: keys });
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function files(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { location } of io.list('s3://lake/')) found.push(location);
  return found.toSorted();
}

test('a catalog refuses to commit there, says what to do, and leaves nothing behind', async () => {
  const catalog = await FileSystemCatalog.open({ io, warehouse: 's3://lake/wh' });
  await catalog.createNamespace('db');
  const before = await files();
  const error = await failure(catalog.createTable('db.t', { schema: SHAPE }), 'UNSUPPORTED');
  expect(error.message).toMatch(/replaces files that it was told only to create.*Use a store with conditional writes/s);
  expect(await files()).toEqual(before);
});

test('a table that is there already is read, and not written to', async () => {
  const memory = new MemoryFileIO();
  const elsewhere = await FileSystemCatalog.open({ io: memory, warehouse: 's3://lake/wh' });
  const made = await elsewhere.createTable('db.made', { schema: SHAPE });
  await made.append([{ id: 1 }]);
  for await (const { location } of memory.list('s3://lake/')) await io.write(location, await memory.read(location));
  const before = await files();

  const table = await Table.load('s3://lake/wh/db/made', { io });
  expect(await table.scan().toRows()).toEqual([{ id: 1 }]);
  await failure(table.append([{ id: 2 }]), 'UNSUPPORTED');
  await failure(table.setProperties({ owner: 'me' }), 'UNSUPPORTED');
  expect(await files()).toEqual(before);
});
