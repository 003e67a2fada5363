import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { FileSystemCatalog, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterEach, beforeEach, expect, test } from 'vitest';

const worker = fileURLToPath(new URL('append-worker.mjs', import.meta.url));
const WRITERS = 4;
const COMMITS = 25;

let warehouse: string;

beforeEach(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-race-'));
});

afterEach(() => rm(warehouse, { recursive: true, force: true }));

test('four processes append to one table at once, and nothing is lost', { timeout: 180_000 }, async () => {
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('race');
  const table = await catalog.createTable('race.rows', {
    schema: schema({ writer: t.int().required(), commit: t.int().required(), n: t.int().required() }),
  });

  const run = promisify(execFile);
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    run(process.execPath, [worker, warehouse, 'race.rows', String(writer), String(COMMITS)]),
  );
  await Promise.all(writers);
  await table.refresh();

  const wanted = Array.from({ length: WRITERS * COMMITS * 2 }, (_, i) => ({
    writer: Math.floor(i / (COMMITS * 2)),
    commit: Math.floor(i / 2) % COMMITS,
    n: i % 2,
  }));
  const rows = (await table.scan().toRows()) as { writer: number; commit: number; n: number }[];
  const key = (row: (typeof rows)[number]) => row.writer * 1000 + row.commit * 10 + row.n;
  expect(rows.toSorted((a, b) => key(a) - key(b))).toEqual(wanted);

  // One snapshot per commit, each on top of another, in one line from the first to the current.
  const snapshots = table.snapshots();
  expect(snapshots).toHaveLength(WRITERS * COMMITS);
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  let length = 0;
  for (
    let at = table.currentSnapshot();
    at;
    at = at.parentSnapshotId === null ? null : byId.get(at.parentSnapshotId)!
  ) {
    length++;
  }
  expect(length).toBe(WRITERS * COMMITS);

  // Every file of the table is the table's: the losers of a race left nothing behind that looks like a commit.
  for (const snapshot of [snapshots[0]!, snapshots[49]!, snapshots[99]!]) {
    expect(await table.scan({ snapshotId: snapshot.snapshotId }).count()).toBe(2 * (snapshots.indexOf(snapshot) + 1));
  }
});
