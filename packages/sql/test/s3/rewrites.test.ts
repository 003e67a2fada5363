import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { partitionBy, schema, t } from '@lh/core';
import type { DataFileWriter, RewriteDataFilesOptions, Table } from '@lh/core';
import { describe, expect, test } from 'vitest';
import { listUploads } from '../../../../tests/support/s3/src/index.ts';
import type { FaultProxy, ProxyRequest } from '../../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../../tests/support/s3/vitest/place.ts';
import type { Lakehouse } from '../../src/index.ts';
import { rejection } from '../support.ts';
import { newFolder, newWarehouse, openCatalog, openLake, openProxy, s3FileIO } from './support.ts';

// DuckDB rewrites files of tables in S3: they come to the local disk, and new ones go from there.

// Where files are brought to and staged.
process.env['TMPDIR'] = await newFolder();

const shape = schema({ id: t.long(), part: t.int(), a: t.string(), b: t.double() });
const rows = (from: number, to: number): string =>
  `SELECT i AS id, (i % 3)::INT AS part, hash(i)::VARCHAR || hash(i + 1)::VARCHAR AS a, hash(i * 7) / 7 AS b FROM range(${from}, ${to}) AS r(i)`;

interface Setting {
  readonly warehouse: string;
  readonly proxy: FaultProxy;
  readonly lake: Lakehouse;
  /** What the writer answered for each group. */
  readonly answers: (readonly unknown[] | null)[];
  /** Its files are written by DuckDB. */
  readonly table: () => Promise<Table>;
}

type Creation = Omit<Parameters<Awaited<ReturnType<typeof openCatalog>>['createTable']>[1], 'schema'>;

/** A table `ns.t` in a bucket of its own, behind a proxy. */
async function newTable(options: Creation = {}): Promise<Setting> {
  const warehouse = await newWarehouse();
  const proxy = await openProxy();
  const retry = { maxAttempts: 2, baseDelayMs: 1 };
  const catalog = await openCatalog(warehouse, s3FileIO({ endpoint: proxy.endpoint, retry }));
  await catalog.createTable('ns.t', { schema: shape, ...options });
  const lake = await openLake('cache', catalog);
  const answers: Setting['answers'] = [];
  const writer: DataFileWriter = {
    writeDataFiles: (input, given) => lake.writer.writeDataFiles(input, given),
    rewriteDataFiles: async (rewrite, given) => {
      const files = await lake.writer.rewriteDataFiles!(rewrite, given);
      answers.push(files);
      return files;
    },
  };
  const table = async (): Promise<Table> => (await catalog.loadTable('ns.t')).withWriter(writer);
  return { warehouse, proxy, lake, answers, table };
}

/** All rows with what tells one from another, in one order. */
async function content(table: Table): Promise<readonly string[]> {
  const select = [...table.schema.fields.map(({ name }) => name), '_row_id', '_last_updated_sequence_number'];
  const all = await table.scan({ select }).toRows();
  return all.map((row) => JSON.stringify(row, (_, value: unknown) => String(value))).toSorted();
}

async function objectsOf(warehouse: string): Promise<readonly string[]> {
  const objects: string[] = [];
  for await (const { location } of s3FileIO().list(`${warehouse}/ns/t/data/`)) objects.push(location);
  return objects.toSorted();
}

/** What is left on the local disk of files that were fetched or staged. */
async function localFiles(): Promise<readonly string[]> {
  const names = await readdir(tmpdir(), { recursive: true });
  return names.filter((name) => name.includes('lakehouse-write-') || name.includes('rewrite-'));
}

const isData = ({ key }: ProxyRequest): boolean => key.endsWith('.parquet');
const isRead = (request: ProxyRequest): boolean => isData(request) && request.operation === 'GetObject';
const isUpload = (request: ProxyRequest): boolean => isData(request) && /^(?:Put|Upload)/.test(request.operation);

describe.each([2, 3] as const)('version %i', (formatVersion) => {
  test.each<RewriteDataFilesOptions>([
    { strategy: 'binpack' },
    { strategy: 'sort', sortBy: ['b', 'id'] },
    { strategy: 'zorder', zOrderBy: ['id', 'b'] },
  ])('%o: rows, deletes and lineage are those from before', async (options) => {
    const { lake, proxy, answers, table: load, warehouse } = await newTable({ formatVersion });
    for (let i = 0; i < 6; i++) await lake.append('ns.t', rows(i * 1000, (i + 1) * 1000));
    const table = await load();
    await table.refresh();
    await table.delete('id IN (1, 2, 1001, 2002)', { mode: 'merge-on-read' });
    await table.rowDelta({ equalityDeletes: { fields: ['id'], rows: [{ id: 5n }, { id: 3003n }, { id: 5555n }] } });
    await table.updateSchema((s) => s.addColumn('late', t.string()).renameColumn('a', 'text'));
    await lake.append('ns.t', `SELECT id + 6000 AS id, part, a AS text, b, 'late' AS late FROM (${rows(0, 500)})`);
    await table.refresh();
    const before = await content(table);
    proxy.clear();
    const report = await table.rewriteDataFiles({ ...options, rewriteAll: true });
    expect(answers).toEqual([expect.any(Array)]);
    expect(report).toMatchObject({ rewrittenDataFilesCount: 7, addedDataFilesCount: 1, failedDataFilesCount: 0 });
    // Small files come with one request each: data files, and at most two of deletes for each.
    expect(proxy.requests.filter(isRead).length).toBeLessThanOrEqual(7 + 1 + 6);
    await table.refresh();
    expect(await content(table)).toEqual(before);
    expect(await content(await (await openCatalog(warehouse)).loadTable('ns.t'))).toEqual(before);
    if (options.strategy === 'sort') {
      const sorted = await (await lake.sql('SELECT b FROM ns.t')).rows();
      expect(sorted).toEqual(sorted.toSorted((x, y) => Number(x['b']) - Number(y['b'])));
    }
    expect(await localFiles()).toEqual([]);
  });
});

test('rows go to the partitions of a new spec', async () => {
  const { lake, answers, table: load } = await newTable();
  for (let i = 0; i < 3; i++) await lake.append('ns.t', rows(i * 1000, (i + 1) * 1000));
  const table = await load();
  await table.updateSpec((spec) => spec.add(partitionBy.identity('part')));
  const before = await content(table);
  expect(await table.rewriteDataFiles({ rewriteAll: true })).toMatchObject({ addedDataFilesCount: 3 });
  expect(answers).toEqual([expect.any(Array)]);
  expect(await content(table)).toEqual(before);
  const { tasks } = await table.scan({ filter: 'part = 1' }).plan();
  expect(tasks.map(({ file }) => file.recordCount)).toEqual([1000]);
});

describe('a group of many bytes', () => {
  const MB = 2 ** 20;
  const properties = { 'write.parquet.compression-codec': 'uncompressed' };

  async function large(): Promise<Setting & { readonly before: unknown }> {
    const setting = await newTable({ properties });
    for (let i = 0; i < 12; i++) await setting.lake.append('ns.t', rows(i * 220_000, (i + 1) * 220_000));
    return { ...setting, before: await sums(setting.lake) };
  }

  async function sums(lake: Lakehouse): Promise<unknown> {
    const all = 'count(*)::INT AS n, sum(id)::BIGINT AS ids, sum(hash(a, b, part))::VARCHAR AS others';
    return (await lake.sql(`SELECT ${all} FROM ns.t`)).rows();
  }

  test('is rewritten some files at a time, and nothing stays of one that fails', async () => {
    const { lake, proxy, before, table: load, warehouse } = await large();
    const table = await load();
    const objects = await objectsOf(warehouse);
    const options = { rewriteAll: true, targetFileSizeBytes: 12 * MB } as const;
    /** Of the group some files have been written before others were read. */
    const isInParts = (): boolean => {
      const first = proxy.requests.findIndex(isUpload);
      return first !== -1 && proxy.requests.findLastIndex(isRead) > first;
    };
    proxy.clear();
    proxy.rules = [{ fault: 'slow-down', when: (request) => isUpload(request) && isInParts() }];
    expect(await rejection(table.rewriteDataFiles(options))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(isInParts()).toBe(true);
    proxy.rules = [];
    expect(await objectsOf(warehouse)).toEqual(objects);
    expect(await listUploads(s3Place(), new URL(warehouse).host)).toEqual([]);
    expect(await localFiles()).toEqual([]);
    expect(await sums(lake)).toEqual(before);

    proxy.clear();
    const report = await table.rewriteDataFiles(options);
    expect(report).toMatchObject({ rewrittenDataFilesCount: 12, failedDataFilesCount: 0 });
    // DuckDB closes files between row groups, which are a half of one here.
    expect(report.addedDataFilesCount).toBeGreaterThanOrEqual(6);
    expect(report.addedDataFilesCount).toBeLessThanOrEqual(14);
    expect(isInParts()).toBe(true);
    expect(await sums(lake)).toEqual(before);
    expect(await localFiles()).toEqual([]);
  });

  test('is left alone when it is told to stop', async () => {
    const { lake, proxy, before, table: load, warehouse } = await large();
    const table = await load();
    const objects = await objectsOf(warehouse);
    for (const until of [isRead, isUpload]) {
      const stop = new AbortController();
      proxy.clear();
      const running = rejection(table.rewriteDataFiles({ rewriteAll: true, signal: stop.signal }));
      while (!proxy.requests.some(until)) await new Promise((resolve) => setTimeout(resolve, 5));
      stop.abort();
      expect(await running).toMatchObject({ code: 'ABORTED' });
      expect(await objectsOf(warehouse)).toEqual(objects);
      expect(await localFiles()).toEqual([]);
    }
    expect(await sums(lake)).toEqual(before);
  });
});

test.each(['reads', 'writes'])(
  'a store that goes away while a rewrite %s is an error, and leaves no part of it',
  async (when) => {
    const { lake, proxy, table: load, warehouse } = await newTable();
    for (let i = 0; i < 5; i++) await lake.append('ns.t', rows(i * 20_000, (i + 1) * 20_000));
    const table = await load();
    const [before, objects] = [await content(table), await objectsOf(warehouse)];
    proxy.clear();
    const isHit = (request: ProxyRequest): boolean =>
      when === 'reads' ? isRead(request) && proxy.requests.filter(isRead).length > 3 : isUpload(request);
    proxy.rules = [{ fault: 'slow-down', when: isHit }];
    expect(await rejection(table.rewriteDataFiles())).toMatchObject({ code: 'UNAVAILABLE' });
    proxy.rules = [];
    expect(await objectsOf(warehouse)).toEqual(objects);
    expect(await localFiles()).toEqual([]);
    await table.refresh();
    expect(await content(table)).toEqual(before);
    expect(await table.rewriteDataFiles()).toMatchObject({ rewrittenDataFilesCount: 5 });
    expect(await content(table)).toEqual(before);
  },
);
