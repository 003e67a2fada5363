import { describe, expect, test } from 'vitest';
import { LakehouseError } from '../../src/errors.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { expireSnapshots } from '../../src/maintenance/expire-snapshots/expire-snapshots.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { CATALOGS, expectError, listFiles, openCatalog } from '../table/support.ts';

const HOUR_MS = 60 * 60 * 1000;
const shape = schema({ id: t.long().required(), city: t.string() });

/** Four commits, an hour from each to the next; the third replaces all rows. */
async function oldTable(kind: (typeof CATALOGS)[number] = 'file-system', properties: Record<string, string> = {}) {
  const runtime = new SeededRuntime(5);
  const io = new MemoryFileIO({ runtime });
  const catalog = await openCatalog(kind, { io, runtime });
  const table = await catalog.createTable('db.t', { schema: shape, properties });
  await table.append([{ id: 1n, city: 'a' }]);
  runtime.advance(HOUR_MS);
  await table.append([{ id: 2n, city: 'a' }]);
  runtime.advance(HOUR_MS);
  await table.overwrite([{ id: 3n, city: 'a' }]);
  runtime.advance(HOUR_MS);
  await table.append([{ id: 4n, city: 'a' }]);
  runtime.advance(HOUR_MS);
  const ids = table.snapshots().map(({ snapshotId }) => snapshotId);
  return { catalog, io, runtime, table, ids: ids as [bigint, bigint, bigint, bigint] };
}

describe.each(CATALOGS)('expireSnapshots, %s catalog', (kind) => {
  test('removes old snapshots and what only they reached', async () => {
    const { io, runtime, table, ids } = await oldTable(kind);
    const report = await table.expireSnapshots({ olderThan: runtime.now() });
    expect(report).toEqual({
      snapshotIds: ids.slice(0, 3),
      refs: [],
      deletedDataFilesCount: 2,
      deletedPositionDeleteFilesCount: 0,
      deletedEqualityDeleteFilesCount: 0,
      deletedManifestFilesCount: 4,
      deletedManifestListsCount: 3,
      deletedStatisticsFilesCount: 0,
      failed: [],
      dryRun: false,
    });
    expect(await table.scan().count()).toBe(2);
    expect(table.history()).toHaveLength(1);
    expect((await listFiles(io, 'memory:/wh/')).filter((file) => file.endsWith('.parquet'))).toHaveLength(2);
  });

  test('keeps what a tag is made at while it is working', async () => {
    const { catalog, io, runtime, table, ids } = await oldTable(kind);
    const cleaner = await catalog.loadTable('db.t');
    const write = io.write.bind(io);
    let raced = false;
    io.write = async (location, data, options) => {
      if (location.endsWith('.metadata.json') && !raced) {
        raced = true;
        await table.createTag('kept', { snapshotId: ids[1] });
      }
      return write(location, data, options);
    };
    const { snapshotIds } = await cleaner.expireSnapshots({ olderThan: runtime.now() });
    expect(snapshotIds).toEqual([ids[0], ids[2]]);
    expect((await cleaner.scan({ ref: 'kept' }).toRows()).map(({ id }) => id).toSorted()).toEqual([1n, 2n]);
  });

  test('goes by the table’s properties and what branches say of their own', async () => {
    const { runtime, table, ids } = await oldTable(kind, {
      'history.expire.max-snapshot-age-ms': String(2 * HOUR_MS),
      'history.expire.max-ref-age-ms': String(3.5 * HOUR_MS),
    });
    expect((await table.expireSnapshots({ retainLast: 4 })).snapshotIds).toEqual([]);
    await table.createBranch('young', { snapshotId: ids[1], minSnapshotsToKeep: 2 });
    await table.createTag('old', { snapshotId: ids[0] });
    // The tag is too old, but the branch needs its snapshot.
    expect(await table.expireSnapshots()).toMatchObject({ snapshotIds: [], refs: ['old'] });
    await table.dropBranch('young');
    expect((await table.expireSnapshots()).snapshotIds).toEqual([ids[0], ids[1]]);
    runtime.advance(100 * HOUR_MS);
    expect((await table.expireSnapshots()).snapshotIds).toEqual([ids[2]]);
    expect(await table.expireSnapshots()).toMatchObject({ snapshotIds: [], deletedManifestListsCount: 0 });
  });
});

describe('expireSnapshots', () => {
  test('takes ids, but none that a ref is at', async () => {
    const { table, ids } = await oldTable();
    await table.createTag('t', { snapshotId: ids[0] });
    await expectError(table.expireSnapshots({ snapshotIds: [ids[0]] }), 'INVALID_ARGUMENT', /tag 't'/);
    await expectError(table.expireSnapshots({ snapshotIds: [ids[3]] }), 'INVALID_ARGUMENT', /'main'/);
    const { snapshotIds } = await table.expireSnapshots({ snapshotIds: [ids[1], 99n] });
    expect(snapshotIds).toEqual([ids[1]]);
    expect(await table.scan({ ref: 't' }).count()).toBe(1);
    expect(table.history().map(({ snapshotId }) => snapshotId)).toEqual([ids[2], ids[3]]);
  });

  test('keeps forever what Java’s largest long says', async () => {
    const { runtime, table } = await oldTable('file-system', {
      'history.expire.max-snapshot-age-ms': '9223372036854775807',
    });
    runtime.advance(10_000 * HOUR_MS);
    expect((await table.expireSnapshots()).snapshotIds).toEqual([]);
  });

  test('refuses what makes no sense', async () => {
    const { runtime, table } = await oldTable();
    await expectError(table.expireSnapshots({ retainLast: 0 }), 'INVALID_ARGUMENT');
    await expectError(table.expireSnapshots({ olderThan: 'some day' }), 'INVALID_ARGUMENT');
    await expectError(table.expireSnapshots({ signal: AbortSignal.abort() }), 'ABORTED');
    await table.setProperties({ 'gc.enabled': 'false' });
    await expectError(table.expireSnapshots({ olderThan: runtime.now() }), 'UNSUPPORTED', /gc\.enabled/);
    const copy = await Table.load(table.metadataLocation, { io: table.io, runtime });
    await expectError(copy.expireSnapshots(), 'UNSUPPORTED');
  });

  test('leaves the files where that is asked for', async () => {
    const { io, runtime, table } = await oldTable();
    const before = await listFiles(io, `${table.location}/data/`);
    const report = await table.expireSnapshots({ olderThan: runtime.now(), cleanExpiredFiles: false });
    expect(report).toMatchObject({ deletedDataFilesCount: 0, deletedManifestListsCount: 0 });
    expect(report.snapshotIds).toHaveLength(3);
    expect(await listFiles(io, `${table.location}/data/`)).toEqual(before);
    const { orphanFiles } = await table.removeOrphanFiles({ olderThan: runtime.now() });
    expect(orphanFiles.filter((file) => file.endsWith('.parquet'))).toHaveLength(2);
  });

  test('removes statistics with their snapshots, and definitions that nothing uses', async () => {
    const { io, runtime, table } = await oldTable();
    const { statisticsFile } = await table.computeStats({ snapshotId: table.snapshots()[0]!.snapshotId });
    await table.updateSchema((s) => s.addColumn('x', t.int()));
    await table.updateSchema((s) => s.deleteColumn('x'));
    await table.updateSchema((s) => s.addColumn('y', t.int()));
    runtime.advance(HOUR_MS);
    const report = await table.expireSnapshots({ olderThan: runtime.now(), cleanExpiredMetadata: true });
    expect(report.deletedStatisticsFilesCount).toBe(1);
    expect(await io.stat(statisticsFile!)).toBeNull();
    expect(table.metadata.statistics).toEqual([]);
    expect(table.metadata.schemas.map(({ fields }) => fields.map(({ name }) => name))).toEqual([
      ['id', 'city'],
      ['id', 'city', 'y'],
    ]);
    expect(await table.scan().count()).toBe(2);
  });

  test('tells what could not be deleted', async () => {
    const { io, runtime, table } = await oldTable();
    const failing = new FaultInjectingFileIO(io);
    const remove = failing.delete.bind(failing);
    failing.delete = async (locations, options) => {
      const stays = locations.filter((location) => location.endsWith('.parquet'));
      const { deleted, failed } = await remove(
        locations.filter((location) => !stays.includes(location)),
        options,
      );
      return { deleted, failed: [...failed, ...stays.map((location) => ({ location, error: new Error('no') }))] };
    };
    const cleaner = await Table.load(table.location, { io: failing, runtime });
    const report = await cleaner.expireSnapshots({ olderThan: runtime.now() });
    expect(report).toMatchObject({ deletedDataFilesCount: 0, deletedManifestListsCount: 3 });
    expect(report.failed).toHaveLength(2);
  });

  test('deletes nothing if something that stays can’t be read', async () => {
    const { io, runtime, table } = await oldTable();
    const manifestList = table.currentSnapshot()!.manifestList!;
    const rules = [
      {
        fault: 'fail-before',
        operations: ['read'],
        when: ({ location }: { location: string }) => location === manifestList,
      },
    ] as const;
    const broken = await Table.load(table.location, { io: new FaultInjectingFileIO(io, { rules }), runtime });
    const before = (await listFiles(io, `${table.location}/`)).length;
    await expectError(broken.expireSnapshots({ olderThan: runtime.now() }), 'UNAVAILABLE');
    // The commit has happened.
    expect(await listFiles(io, `${table.location}/`)).toHaveLength(before + 1);
    await table.refresh();
    expect(table.snapshots()).toHaveLength(1);
    expect(await table.scan().count()).toBe(2);
    // What an expiry that broke off has left is for the removal of orphans.
    const { orphanFiles } = await table.removeOrphanFiles({ olderThan: runtime.now() });
    expect(orphanFiles.filter((file) => file.endsWith('.parquet'))).toHaveLength(2);
  });

  test('deletes nothing if it is not known whether the commit went through', async () => {
    const { io, runtime, table } = await oldTable();
    const { name } = table;
    const operations = {
      name,
      io,
      readOnly: null,
      load: () => Promise.resolve({ metadata: table.metadata, metadataLocation: table.metadataLocation }),
      commit: () => Promise.reject(new LakehouseError('COMMIT_STATE_UNKNOWN', 'The answer was lost.')),
      newMetadataFileLocation: () => '',
    };
    const before = await listFiles(io, `${table.location}/`);
    const lost = expireSnapshots({ operations, runtime, tableUuid: table.uuid }, { olderThan: runtime.now() });
    await expectError(lost, 'COMMIT_STATE_UNKNOWN');
    expect(await listFiles(io, `${table.location}/`)).toEqual(before);
  });
});
