import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemCatalog } from '@lh/core';
import { S3FileIO } from '@lh/io-s3';
import type { S3FileIOOptions } from '@lh/io-s3';
import { afterAll, onTestFinished } from 'vitest';
import { httpfsExtension } from '../../../../tests/support/httpfs.ts';
import { FaultProxy, newBucket } from '../../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../../tests/support/s3/vitest/place.ts';
import { Lakehouse } from '../../src/index.ts';
import type { LakehouseOptions } from '../../src/index.ts';

const extension = await httpfsExtension();

/** How DuckDB reads objects; `httpfs` where the extension can be had. */
export const WAYS: readonly ('httpfs' | 'cache')[] = extension === null ? ['cache'] : ['httpfs', 'cache'];
export type Way = (typeof WAYS)[number];

export function s3FileIO(options: S3FileIOOptions = {}): S3FileIO {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3Place();
  return new S3FileIO({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...options });
}

/** A directory that is there until the file's tests are done. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lh-sql-s3-'));
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  return folder;
}

export async function newWarehouse(): Promise<string> {
  return `s3://${await newBucket(s3Place())}/wh`;
}

export async function openCatalog(warehouse: string, io: S3FileIO = s3FileIO()): Promise<FileSystemCatalog> {
  const catalog = await FileSystemCatalog.open({ io, warehouse });
  await catalog.createNamespace('ns').catch(() => undefined);
  return catalog;
}

/** A lakehouse whose DuckDB reads objects one way, for the length of a test. */
export async function openLake(
  way: Way,
  catalog: FileSystemCatalog,
  options: Partial<LakehouseOptions> = {},
): Promise<Lakehouse> {
  const httpfs = way === 'httpfs' ? extension! : false;
  const cache = options.cache ?? { directory: await mkdtemp(join(tmpdir(), 'lh-sql-cache-')) };
  const lake = await Lakehouse.open({ catalog, httpfs, ...options, cache });
  onTestFinished(async () => {
    await lake.close();
    if (!options.cache) await rm(cache.directory!, { recursive: true, force: true });
  });
  return lake;
}

/** A proxy in front of the server for the length of a test, which counts requests. */
export async function openProxy(latencyMs = 0): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(s3Place().endpoint, { latencyMs });
  onTestFinished(() => proxy.stop());
  return proxy;
}
