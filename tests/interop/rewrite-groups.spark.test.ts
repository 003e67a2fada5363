import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type RewriteDataFilesOptions, type Table, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { newestMetadata } from './newest-metadata.ts';
import { python } from './python.ts';

// Of the same table, the planner of Spark's rewrite_data_files makes the groups of files that ours makes.

type Group = readonly [files: number, bytes: number];

const plans: Readonly<Record<string, RewriteDataFilesOptions>> = {
  'by default': {},
  'of two files': { minInputFiles: 2 },
  'of all files': { rewriteAll: true },
  'of few bytes': { rewriteAll: true, maxFileGroupSizeBytes: 5000 },
  'of a target that some files have': { targetFileSizeBytes: 1500, minInputFiles: 2 },
  'of large files': { targetFileSizeBytes: 600 },
  'of few deletes': { minFileSizeBytes: 0, deleteRatioThreshold: 0.1 },
  'of more deletes': { minFileSizeBytes: 0, deleteRatioThreshold: 0.5 },
  'of any deletes': { minFileSizeBytes: 0, deleteFileThreshold: 1 },
};

let warehouse: string;
let table: Table;
let theirs: Readonly<Record<string, readonly Group[]>>;

beforeAll(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-groups-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  const made = await catalog.createTable('ns.t', {
    schema: schema({ id: t.long(), city: t.string(), text: t.string() }),
    formatVersion: 3,
  });
  table = made as unknown as Table;
  let id = 0n;
  const rows = (count: number, city: string) =>
    Array.from({ length: count }, () => ({ id: id++, city, text: `${id * 7919n}`.repeat(5) }));
  await table.append(rows(10, 'Seoul'));
  await table.updateSpec((p) => p.add(partitionBy.identity('city')));
  for (const count of [3, 40, 5, 90, 7, 11]) await table.append([...rows(count, 'Seoul'), ...rows(count, 'Busan')]);
  for (const count of [2, 200, 4]) await table.append(rows(count, 'Jeju'));
  await table.delete('id IN (1, 2, 14, 60, 61, 62, 63, 64, 65, 66, 67, 68)', { mode: 'merge-on-read' });
  const options = Object.fromEntries(Object.entries(plans).map(([name, plan]) => [name, sparkNames(plan)]));
  const question = { metadata: await newestMetadata(join(warehouse, 'ns', 't')), options };
  theirs = JSON.parse(await python('plan_groups.py', JSON.stringify(question))) as typeof theirs;
});

afterAll(() => rm(warehouse, { recursive: true, force: true }));

function sparkNames(options: RewriteDataFilesOptions): Readonly<Record<string, string>> {
  const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [kebab(name), String(value)]));
}

/** Groups that are cut at a size depend on the order of the files, which Spark reads from several manifests at once. */
const comparable = (groups: readonly Group[], { maxFileGroupSizeBytes: limit }: RewriteDataFilesOptions): unknown => {
  if (limit === undefined) return groups.toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
  const sum = (of: 0 | 1): number => groups.reduce((total, group) => total + group[of], 0);
  return { groups: groups.length, files: sum(0), bytes: sum(1), areSmall: groups.every(([, bytes]) => bytes <= limit) };
};

test.each(Object.entries(plans))('groups %s', async (name, options) => {
  const { groups } = await table.rewriteDataFiles({ ...options, dryRun: true });
  const ours = groups.map(({ inputFiles, inputBytes }): Group => [inputFiles, inputBytes]);
  expect(comparable(theirs[name]!, options)).toEqual(comparable(ours, options));
});
