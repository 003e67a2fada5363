// A thousand commits of one row each, one after the other, each durable on the local disk before the next begins. Does
// the thousandth take longer? Beside the disk itself, which writes and syncs files of the same sizes, and beside
// PyIceberg, whose commits are not synced.
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { pyIceberg } from './_peers.ts';
import { type Contender, bench } from './harness.ts';

const COMMITS = 1000;
const AT_ONCE = 100;

/** About what a commit writes besides its version of the metadata, which lists every commit before it. */
const DATA_FILE_BYTES = 1000;
const MANIFEST_BYTES = 4500;
const MANIFEST_LIST_BYTES = 4200;
const METADATA_BYTES_PER_COMMIT = 800;

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse: join(folder, 'warehouse') });
await catalog.createNamespace('bench');
const table = await catalog.createTable('bench.t', {
  schema: schema({ id: t.long().required(), name: t.string(), value: t.double() }),
});
const peer = pyIceberg();

async function append(first: number): Promise<void> {
  for (let i = first; i < first + AT_ONCE; i++) await table.append([{ id: BigInt(i), name: `row ${i}`, value: i / 2 }]);
}

/** The same in plain files: data, then manifest and list, then metadata; each in its folder, and both synced. */
async function writePlainly(first: number): Promise<void> {
  for (let i = first; i < first + AT_ONCE; i++) {
    await writeSynced(`data/${i}`, DATA_FILE_BYTES);
    await Promise.all([
      writeSynced(`metadata/${i}-manifest`, MANIFEST_BYTES),
      writeSynced(`metadata/${i}-list`, MANIFEST_LIST_BYTES),
    ]);
    await writeSynced(`metadata/${i}-version`, METADATA_BYTES_PER_COMMIT * (i + 1));
  }
}

async function writeSynced(name: string, size: number): Promise<void> {
  const path = join(folder, 'plain', name);
  const file = await open(path, 'wx');
  await file.write(Buffer.alloc(size, 'x'));
  await file.sync();
  await file.close();
  const directory = await open(dirname(path));
  await directory.sync();
  await directory.close();
}

function range(first: number): string {
  return `${first + 1} to ${first + AT_ONCE}`;
}

const starts = Array.from({ length: COMMITS / AT_ONCE }, (_, i) => i * AT_ONCE);
const last = starts.at(-1)!;
const plainly = (first: number): Contender => ({
  name: `plain files, ${range(first)}`,
  run: () => writePlainly(first),
});

await mkdir(join(folder, 'plain/data'), { recursive: true });
await mkdir(join(folder, 'plain/metadata'));
const measurements = await bench({
  name: 'commits',
  title: `${COMMITS} commits of one row, each after the other, by the hundred`,
  work: { count: AT_ONCE, unit: 'commits' },
  warmup: 0,
  rounds: 1,
  contenders: [
    plainly(0),
    ...starts.map((first): Contender => ({ name: `commits, ${range(first)}`, run: () => append(first) })),
    plainly(last),
    ...(peer === null
      ? []
      : [
          {
            name: `PyIceberg, ${range(0)}`,
            run: () => peer.ask(`commits ${AT_ONCE}`, AT_ONCE),
            timesItself: true,
          },
        ]),
  ],
});
const ours = measurements.filter(({ name }) => name.startsWith('commits'));
const seconds = ours.reduce((sum, { wallMs }) => sum + wallMs[0]!, 0) / 1000;
console.log(`\n  ${(COMMITS / seconds).toFixed(0)} commits/s in all`);

await peer?.stop();
await rm(folder, { recursive: true });
