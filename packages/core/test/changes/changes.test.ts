import { expect, test } from 'vitest';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { writeManifestList } from '../../src/manifest/write-manifest-list.ts';
import { fileSystemTableOperations } from '../../src/catalog/file-system/table-operations.ts';
import type { ManifestFile } from '../../src/spec/manifest.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { MappedFileIO } from '../../src/io/mapped-file-io.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { expectError, newTable } from '../table/support.ts';

const shape = schema({ id: t.long().required(), v: t.string() }, { identifier: ['id'] });

const row = (id: number, v: string | null = 'x') => ({ id: BigInt(id), v });

/** Three commits: two rows, one more, and the first one changed. */
async function history() {
  const table = await newTable({ schema: shape });
  const ids: bigint[] = [];
  for (const commit of [
    () => table.append([row(1), row(2)]),
    () => table.append([row(3)]),
    () => table.update('id = 1', { v: 'y' }),
  ]) {
    ids.push((await commit()).snapshotId!);
  }
  return { table, ids: ids as [bigint, bigint, bigint] };
}

test('every row says how, in which order and by which snapshot it changed', async () => {
  const { table, ids } = await history();
  expect(await table.changes({ from: ids[0] }).toRows()).toEqual([
    { id: 3n, v: 'x', _change_type: 'insert', _change_ordinal: 0, _commit_snapshot_id: ids[1] },
    { id: 1n, v: 'x', _change_type: 'delete', _change_ordinal: 1, _commit_snapshot_id: ids[2] },
    { id: 1n, v: 'y', _change_type: 'insert', _change_ordinal: 1, _commit_snapshot_id: ids[2] },
  ]);
});

test('changes are Arrow batches of the columns that were selected, and those of the change', async () => {
  const { table, ids } = await history();
  const changes = table.changes({ from: ids[1], select: ['_pos', 'v'] });
  expect(changes.snapshots.map(({ snapshotId }) => snapshotId)).toEqual([ids[2]]);
  const arrow = await changes.toArrow();
  expect(arrow.schema.fields.map(({ name }) => name)).toEqual([
    'v',
    '_pos',
    '_change_type',
    '_change_ordinal',
    '_commit_snapshot_id',
  ]);
  let rows = 0;
  for await (const batch of changes) rows += batch.numRows;
  expect([rows, arrow.numRows]).toEqual([2, 2]);
});

test('net changes pair the images of an update', async () => {
  const { table, ids } = await history();
  const net = await table.changes({ from: ids[0], net: true, select: ['v'] }).toRows();
  expect(net).toEqual([
    { v: 'x', _change_type: 'insert', _change_ordinal: 0, _commit_snapshot_id: ids[1] },
    { v: 'x', _change_type: 'update_before', _change_ordinal: 1, _commit_snapshot_id: ids[2] },
    { v: 'y', _change_type: 'update_after', _change_ordinal: 1, _commit_snapshot_id: ids[2] },
  ]);
  const all = await table.changes({ net: { on: ['id'] } }).toRows();
  expect(all.map((one) => `${one.id} ${one.v} ${one._change_type}`)).toEqual([
    '2 x insert',
    '3 x insert',
    '1 y insert',
  ]);
});

test('snapshots that replace files have no changes, and nothing has changed between a snapshot and itself', async () => {
  const { table, ids } = await history();
  expect(await table.changes({ from: ids[2], to: ids[2] }).toRows()).toEqual([]);
  expect(await (await newTable({ schema: shape })).changes().toRows()).toEqual([]);
});

test('a range that is none is refused', async () => {
  const { table, ids } = await history();
  await table.createBranch('other', { snapshotId: ids[0] });
  const { snapshotId: aside } = await table.append([row(9)], { branch: 'other' });
  expect(() => table.changes({ from: ids[2], to: ids[0] })).toThrow(/comes after snapshot/);
  expect(() => table.changes({ from: aside!, to: ids[2] })).toThrow(/is no ancestor of/);
  expect(() => table.changes({ from: 5n })).toThrow(/no snapshot 5 to start from/);
  expect(() => table.changes({ to: 5n })).toThrow(/no snapshot 5/);
  expect(() => table.changes({ to: ids[2], ref: 'other' })).toThrow(/not in the history of 'other'/);
  expect(() => table.changes({ from: 5 as unknown as bigint })).toThrow(/a bigint/);
  expect(() => table.changes({ filtr: 'id = 1' } as object)).toThrow(/no option 'filtr'/);
  expect(() => table.changes({ net: { on: ['nope'] } })).toThrow(/no column 'nope'/);
  const rows = await table.changes({ from: ids[0], ref: 'other' }).toRows();
  expect(rows.map(({ id }) => id)).toEqual([9n]);
});

test('net changes need a key, and changes a name for their columns', async () => {
  const keyless = await newTable({ schema: schema({ id: t.long() }) });
  expect(() => keyless.changes({ net: true })).toThrow(/no identifier fields/);
  const odd = await newTable({ schema: schema({ id: t.long(), _change_type: t.string() }) });
  expect(() => odd.changes()).toThrow(/column '_change_type' of its own/);
  expect(await odd.changes({ select: ['id'] }).toRows()).toEqual([]);
});

test('a snapshot that has been expired is named, and one that only starts the range does no harm', async () => {
  const { table, ids } = await history();
  await removeSnapshots(table, [ids[0]]);
  expect((await table.changes({ from: ids[0] }).toRows()).length).toBe(3);
  expect(() => table.changes()).toThrow(new RegExp(`snapshot ${ids[0]} has been expired.*start from ${ids[0]}`));
  await removeSnapshots(table, [ids[1]]);
  expect(() => table.changes({ from: ids[0] })).toThrow(new RegExp(`snapshot ${ids[1]} has been expired`));
  await table.refresh();
  const gone = table.changes({ from: ids[1] });
  const removed = (await table.inspect('entries')).toArray().map((entry) => entry.toJSON());
  const dropped = removed.filter(({ status }) => status === 2).map((entry) => entry['data_file'].file_path as string);
  expect(dropped.length).toBe(1);
  await table.io.delete(dropped);
  await expectError(gone.toRows(), 'NOT_FOUND', /can't be read any more: There is no file/);
});

async function removeSnapshots(
  table: Pick<Table, 'transaction' | 'refresh' | 'location' | 'io'>,
  snapshotIds: readonly bigint[],
) {
  const operations = fileSystemTableOperations(table.location, table.io, {});
  await operations.commit(await operations.load(), [], [{ action: 'remove-snapshots', snapshotIds }]);
  await table.refresh();
}

test('a parent that is expired while its successor is read does no harm, the successor itself is missed', async () => {
  const { table, ids } = await history();
  const [first, second] = table.snapshots();
  /** By a process that has read nothing yet. */
  const read = async () => {
    const loaded = await Table.load(table.location, { io: new MappedFileIO(table.io, {}) });
    return loaded.changes({ from: ids[0], to: ids[1] }).toRows();
  };
  await table.io.delete([first!.manifestList!]);
  expect((await read()).length).toBe(1);
  await table.io.delete([second!.manifestList!]);
  await expectError(read(), 'NOT_FOUND', /can't be read any more/);
});

/** Commits a snapshot of these manifests, whatever they say. */
async function commitManifests(table: Table, manifests: readonly ManifestFile[]): Promise<void> {
  const operations = fileSystemTableOperations(table.location, table.io, {});
  const base = await operations.load();
  const { metadata } = base;
  const [parent, id] = [metadata.snapshots.at(-1), BigInt(1000 + metadata.snapshots.length)];
  const sequenceNumber = metadata.lastSequenceNumber + 1n;
  const manifestList = `${table.location}/metadata/snap-${id}.avro`;
  const ids = { snapshotId: id, parentSnapshotId: parent?.snapshotId ?? null };
  await writeManifestList(
    { ...ids, io: table.io, location: manifestList, formatVersion: 2, sequenceNumber },
    manifests,
  );
  const snapshot: Snapshot = {
    ...ids,
    sequenceNumber,
    timestampMs: metadata.lastUpdatedMs,
    manifestList,
    manifests: null,
    operation: 'overwrite',
    summary: {},
    schemaId: 0,
    firstRowId: null,
    addedRows: null,
    keyId: null,
    unknownFields: {},
  };
  const ref = {
    snapshotId: id,
    type: 'branch',
    minSnapshotsToKeep: null,
    maxSnapshotAgeMs: null,
    maxRefAgeMs: null,
  } as const;
  const updates = [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: 'main', ref },
  ] as const;
  await operations.commit(base, [], updates);
  await table.refresh();
}

test('a snapshot that drops files without a word is an error, not a change that is missed', async () => {
  const table = (await newTable({ schema: shape })) as unknown as Table;
  for (const id of [1, 2]) await table.append([row(id)]);
  const manifests = await readManifestList(table.io, table.currentSnapshot()!, table.metadata);
  await commitManifests(table, manifests.slice(1));
  const changes = table.changes({ from: table.snapshots()[1]!.snapshotId });
  await expectError(changes.toRows(), 'INVALID_DATA', /has 1 data files, its parent 2, but it says that it added 0/);
});

test('all that the first snapshot has is new, whoever added it', async () => {
  const [source, table] = [await newTable({ schema: shape }), (await newTable({ schema: shape })) as unknown as Table];
  await source.append([row(1)]);
  const [manifest] = await readManifestList(source.io, source.currentSnapshot()!, source.metadata);
  const { tasks } = await source.scan().plan();
  for (const location of [manifest!.path, ...tasks.map(({ file }) => file.path)]) {
    await table.io.write(location, await source.io.read(location));
  }
  await commitManifests(table, [manifest!]);
  const rows = await table.changes().toRows();
  expect(rows).toMatchObject([
    { id: 1n, _change_type: 'insert', _commit_snapshot_id: table.currentSnapshot()!.snapshotId },
  ]);
});

test('reading stops when the signal is aborted, and errors of the store are passed on', async () => {
  const { table } = await history();
  const stop = new AbortController();
  const changes = table.changes({ signal: stop.signal });
  stop.abort();
  await expectError(changes.toRows(), 'ABORTED');

  let isDown = false;
  const io = new FaultInjectingFileIO(new MemoryFileIO(), {
    rules: [{ fault: 'fail-before', operations: ['read'], when: () => isDown }],
  });
  const failing = await newTable({ schema: shape }, { io });
  await failing.append([row(1)]);
  isDown = true;
  await expectError(failing.changes().toRows(), 'UNAVAILABLE');
});

test('an incremental scan of appends gives what was added, deleted since or not', async () => {
  const { table, ids } = await history();
  await table.delete('id = 2');
  const ofAppends = async (options = {}) =>
    (await table.incrementalAppendScan(options).toRows()).map(({ id, v }) => `${id}${v}`).toSorted();
  expect(await ofAppends()).toEqual(['1x', '2x', '3x']);
  expect(await ofAppends({ from: ids[0] })).toEqual(['3x']);
  expect(await ofAppends({ to: ids[0] })).toEqual(['1x', '2x']);
  expect(await ofAppends({ filter: 'id > 1', from: null })).toEqual(['2x', '3x']);
  expect(await table.incrementalAppendScan({ from: ids[2] }).count()).toBe(0);
  const { tasks, metrics } = await table.incrementalAppendScan({ filter: 'id = 3' }).plan();
  expect(tasks.map(({ deletes }) => deletes.length)).toEqual([0]);
  expect([metrics.filesScanned, metrics.filesSkipped]).toEqual([1, 1]);
  expect(() => table.incrementalAppendScan({ from: 5n })).toThrow(/no snapshot 5/);
  expect(() => table.incrementalAppendScan({ asOf: 0 } as object)).toThrow(/no option 'asOf'/);
});
