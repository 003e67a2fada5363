// Keeping tables small: 5,000 of 10,000 snapshots expire, each of which has a hundred manifests, and 200,000 files are
// listed to find a thousand orphans among them. Beside the disk itself, which deletes and lists as many files.
import { mkdtemp, readdir, rm, unlink } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Table } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';

import { writeHistory } from './_upkeep-table.ts';
import { bench } from './harness.ts';

const SNAPSHOTS = 10_000;
const EXPIRED = 5000;
const MANIFESTS_PER_SNAPSHOT = 100;
const FILES = 200_000;
const ORPHANS = 1000;

const folder = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
const io = new LocalFileIO();

const history = join(folder, 'history');
let startMs = 0;
await bench({
  name: 'upkeep-expire',
  title: `${EXPIRED} of ${SNAPSHOTS} snapshots expire, with ${MANIFESTS_PER_SNAPSHOT} manifests each`,
  work: { count: EXPIRED, unit: 'snapshots' },
  warmup: 0,
  rounds: 1,
  memory: true,
  contenders: [
    {
      name: 'deleting as many files',
      prepare: () => writePlainFiles(3 * EXPIRED),
      run: () => deletePlainFiles(),
    },
    {
      name: 'expireSnapshots',
      prepare: async () => {
        ({ startMs } = await writeHistory(history, SNAPSHOTS, MANIFESTS_PER_SNAPSHOT));
      },
      run: async () => {
        const table = await Table.load(history, { io });
        const report = await table.expireSnapshots({ olderThan: startMs + 1000 * (EXPIRED + 1) });
        check(report.snapshotIds.length, EXPIRED);
        check(report.deletedManifestListsCount, EXPIRED);
        check(report.deletedDataFilesCount, EXPIRED - MANIFESTS_PER_SNAPSHOT + 1);
      },
    },
  ],
});

const large = join(folder, 'large');
await writeHistory(large, 1, FILES);
await bench({
  name: 'upkeep-orphans',
  title: `${ORPHANS} orphans among ${FILES} files`,
  work: { count: FILES, unit: 'files' },
  warmup: 1,
  rounds: 3,
  memory: true,
  contenders: [
    {
      name: 'listing alone',
      run: async () => {
        let files = 0;
        for await (const _ of io.list(`${large}/`)) files++;
        if (files < FILES) throw new Error(`${files} files were listed`);
      },
    },
    {
      name: 'removeOrphanFiles',
      prepare: () => {
        for (let i = 0; i < ORPHANS; i++) writeFileSync(`${large}/data/lost-${i}.parquet`, 'x');
      },
      run: async () => {
        const table = await Table.load(large, { io });
        const { filesDeleted } = await table.removeOrphanFiles({ olderThan: Date.now() + 60_000 });
        check(filesDeleted, ORPHANS);
      },
    },
  ],
});
await rm(folder, { recursive: true });

function writePlainFiles(count: number): void {
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `plain-${i}`), 'x');
}

async function deletePlainFiles(): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('plain-'));
  for (const name of names) await unlink(join(folder, name));
}

function check(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${actual} instead of ${expected}`);
}
