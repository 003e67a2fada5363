import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { MappedFileIO, MemoryCatalog, MemoryFileIO, Table } from '@lh/core';
import { lookAhead } from '@lh/core/engine';
import { Lakehouse } from '@lh/sql';
import { newBucket } from 'lakehouse-s3-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { FIXTURE_ROOT, expectedTables, fixturesFolder } from '../conformance/fixtures.ts';
import { readWithSql, rowsToExpect } from '../conformance/reads.ts';
import { httpfsExtension } from '../support/httpfs.ts';
import { runs } from '../support/runs.ts';
import { s3Place } from '../support/s3/vitest/place.ts';
import { s3FileIO } from './support.ts';

// Tables that Iceberg Java and PyIceberg wrote, in S3, as SQL reads them: by DuckDB's httpfs and by the cache.

const READS_OF_A_TABLE = runs(1);
const extension = await httpfsExtension();
const WAYS = extension === null ? [false] : [false, extension];

const warehouse = join(fixturesFolder, 'warehouse');
const store = s3FileIO();
let io: MappedFileIO;
let cache: string;

beforeAll(async () => {
  const root = `s3://${await newBucket(s3Place())}/wh/`;
  io = new MappedFileIO(store, { [FIXTURE_ROOT]: root });
  cache = await mkdtemp(join(tmpdir(), 'lakehouse-cache-'));
  const entries = await readdir(warehouse, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const upload = async (path: string): Promise<unknown> =>
    store.write(root + relative(warehouse, path), await readFile(path));
  for await (const _ of lookAhead(paths, 64, upload));
});
afterAll(async () => {
  await store.close();
  await rm(cache, { recursive: true, force: true });
});

describe.for(WAYS.map((httpfs) => [httpfs === false ? 'cache' : 'httpfs', httpfs] as const))('by %s', ([, httpfs]) => {
  let lake: Lakehouse;
  beforeAll(async () => {
    const catalog = new MemoryCatalog({ io: new MemoryFileIO() });
    lake = await Lakehouse.open({ catalog, httpfs, cache: { directory: cache } });
  });
  afterAll(() => lake?.close());

  test.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', async ([, expected]) => {
    const table = await Table.load(expected.metadata.replace(/^warehouse\//, FIXTURE_ROOT), { io });
    for (const read of expected.reads.slice(0, READS_OF_A_TABLE)) {
      const { rows } = rowsToExpect(expected, read);
      expect(await readWithSql(lake, table, expected, read)).toEqual(rows);
    }
  });
});
