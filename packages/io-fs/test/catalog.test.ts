import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FileSystemCatalog, schema, t, type Table } from '@lh/core';
import { catalogConformance, type CatalogSubject } from '@lh/core/testing';
import { describe, expect, test } from 'vitest';
import { LocalFileIO } from '../src/index.ts';
import { temporaryDirectories } from './directories.ts';

const directory = temporaryDirectories();

async function subject(prefix: string): Promise<CatalogSubject> {
  const io = new LocalFileIO();
  const catalog = await FileSystemCatalog.open({ io, warehouse: `${prefix}${await directory()}/warehouse` });
  const capabilities = {
    renameTable: false,
    namespaceProperties: false,
    requiresNamespace: false,
    chosenLocation: false,
    handlesFollowRenames: false,
    unfitForNames: '',
  };
  return { io, catalog, capabilities };
}

describe.each(['', 'file:', 'file://'])("FileSystemCatalog on the local disk, with '%s' before its path", (prefix) => {
  test.each(catalogConformance.map((each) => [each.name, each.run] as const))('%s', async (_case, conforms) => {
    await expect(conforms(() => subject(prefix))).resolves.toBeUndefined();
  });
});

interface Acknowledged {
  readonly snapshotId: string;
  readonly attempts: number;
}

/** Runs the built packages, as users would. */
function startWriter(warehouse: string, name: string, commits: number): ChildProcess {
  const worker = fileURLToPath(new URL('append-worker.mjs', import.meta.url));
  return spawn(process.execPath, [worker, warehouse, name, String(commits)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What a writer has printed when it has ended, by itself or by a signal. A last line that is cut off is left out. */
async function finished(writer: ChildProcess): Promise<{ acknowledged: Acknowledged[]; complaint: string }> {
  const read = async (stream: Readable | null): Promise<string> =>
    stream ? Buffer.concat(await stream.toArray()).toString() : '';
  const [output, complaint] = await Promise.all([read(writer.stdout), read(writer.stderr)]);
  const acknowledged = output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Acknowledged);
  return { acknowledged, complaint };
}

async function emptyTable(): Promise<{ warehouse: string; catalog: FileSystemCatalog; table: Table }> {
  const warehouse = await directory();
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  const shape = schema({ writer: t.string().required(), number: t.int().required(), part: t.int().required() });
  return { warehouse, catalog, table: await catalog.createTable('web.events', { schema: shape }) };
}

describe('several processes', () => {
  test('four processes append to one table at once, and no row is lost', { timeout: 240_000 }, async () => {
    const [writers, commits] = [['a', 'b', 'c', 'd'], 25];
    const { warehouse, catalog } = await emptyTable();
    const reports = await Promise.all(writers.map((writer) => finished(startWriter(warehouse, writer, commits))));
    expect(reports.map((report) => report.complaint)).toEqual(writers.map(() => ''));

    const table = await catalog.loadTable('web.events');
    const rows = await table.scan().toRows();
    const expected = writers.flatMap((writer) =>
      Array.from({ length: commits }, (_, number) => [`${writer} ${number} 0`, `${writer} ${number} 1`]).flat(),
    );
    expect(rows.map(({ writer, number, part }) => `${writer} ${number} ${part}`).toSorted()).toEqual(
      expected.toSorted(),
    );

    // One snapshot and one version for each commit, in one line of ancestors.
    const snapshots = table.snapshots();
    const acknowledged = reports.flatMap((report) => report.acknowledged);
    expect(snapshots.map((snapshot) => String(snapshot.snapshotId)).toSorted()).toEqual(
      acknowledged.map((commit) => commit.snapshotId).toSorted(),
    );
    expect(snapshots.map((snapshot) => snapshot.parentSnapshotId)).toEqual([
      null,
      ...snapshots.slice(0, -1).map((snapshot) => snapshot.snapshotId),
    ]);
    expect(table.metadataLocation).toBe(`${warehouse}/web/events/metadata/v101.metadata.json`);
    expect(await readFile(`${warehouse}/web/events/metadata/version-hint.text`, 'utf8')).toBe('101');
    // They did get in each other's way.
    expect(acknowledged.reduce((sum, commit) => sum + commit.attempts, 0)).toBeGreaterThan(100);
  });

  test(
    'writers that are killed leave a table with every commit that was acknowledged',
    { timeout: 240_000 },
    async () => {
      const { warehouse, table } = await emptyTable();
      for (const round of [1, 2, 3]) {
        const writers = ['a', 'b', 'c'].map((writer) => startWriter(warehouse, `${writer}${round}`, 1_000_000));
        const reports = Promise.all(writers.map(finished));
        // Wait until they are at work, then let each go on for a while that no two share.
        await Promise.all(writers.map((writer) => once(writer.stdout!, 'readable')));
        for (const writer of writers) {
          await setTimeout(20 + 35 * round);
          writer.kill('SIGKILL');
        }
        const acknowledged = (await reports).flatMap((report) => report.acknowledged);
        expect(acknowledged.length).toBeGreaterThanOrEqual(3);
        await table.refresh();
        const ids = new Set(table.snapshots().map((snapshot) => String(snapshot.snapshotId)));
        expect(acknowledged.filter((commit) => !ids.has(commit.snapshotId))).toEqual([]);
        expect(await table.scan().count()).toBe(2 * ids.size);
        await table.append([
          { writer: 'me', number: round, part: 0 },
          { writer: 'me', number: round, part: 1 },
        ]);
      }
      for await (const file of new LocalFileIO().list(`${warehouse}/`)) expect(file.location).not.toContain('.lh-tmp-');
    },
  );
});
