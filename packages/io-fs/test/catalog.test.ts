import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FileSystemCatalog, Table, schema, t } from '@lh/core';
import { catalogConformance, type CatalogSubject } from '@lh/core/testing';
import { describe, expect, test } from 'vitest';
import { LocalFileIO } from '../src/index.ts';
import { temporaryDirectories } from './directories.ts';

const directory = temporaryDirectories();
const run = promisify(execFile);

async function subject(prefix: string): Promise<CatalogSubject> {
  const io = new LocalFileIO();
  const catalog = await FileSystemCatalog.open({ io, warehouse: `${prefix}${await directory()}/warehouse` });
  const capabilities = {
    renameTable: false,
    namespaceProperties: false,
    requiresNamespace: false,
    chosenLocation: false,
  };
  return { io, catalog, capabilities };
}

describe.each(['', 'file:', 'file://'])("FileSystemCatalog on the local disk, with '%s' before its path", (prefix) => {
  test.each(catalogConformance.map((each) => [each.name, each.run] as const))('%s', async (_case, conforms) => {
    await expect(conforms(() => subject(prefix))).resolves.toBeUndefined();
  });
});

describe('several processes', () => {
  // They run the built packages, as users would.
  const worker = fileURLToPath(new URL('append-worker.mjs', import.meta.url));

  test('four processes append to one table at once, and no row is lost', { timeout: 240_000 }, async () => {
    const [writers, commits] = [['a', 'b', 'c', 'd'], 25];
    const io = new LocalFileIO();
    const warehouse = await directory();
    const catalog = await FileSystemCatalog.open({ io, warehouse });
    const shape = schema({ writer: t.string().required(), number: t.int().required(), part: t.int().required() });
    await catalog.createTable('web.events', { schema: shape });

    const answers = await Promise.all(
      writers.map((writer) => run(process.execPath, [worker, warehouse, writer, String(commits)])),
    );
    const reports = answers.map(({ stdout }) => JSON.parse(stdout) as { snapshotIds: string[]; attempts: number });

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
    const ids = snapshots.map((snapshot) => String(snapshot.snapshotId));
    expect(ids.toSorted()).toEqual(reports.flatMap((report) => report.snapshotIds).toSorted());
    expect(snapshots.map((snapshot) => snapshot.parentSnapshotId)).toEqual([
      null,
      ...snapshots.slice(0, -1).map((snapshot) => snapshot.snapshotId),
    ]);
    expect(table.metadataLocation).toBe(`${warehouse}/web/events/metadata/v101.metadata.json`);
    expect(await readFile(`${warehouse}/web/events/metadata/version-hint.text`, 'utf8')).toBe('101');
    expect(await (await Table.load(`${warehouse}/web/events`, { io })).scan().count()).toBe(200);
    // They did get in each other's way.
    expect(reports.reduce((sum, report) => sum + report.attempts, 0)).toBeGreaterThan(100);
  });
});
