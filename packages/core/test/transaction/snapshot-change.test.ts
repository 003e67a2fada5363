import { describe, expect, test } from 'vitest';
import { bindExpression } from '../../src/expr/bind.ts';
import { toExpression } from '../../src/expr/filter-input.ts';
import { currentSchema } from '../../src/spec/metadata-accessors.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { isValidationConflict } from '../../src/transaction/conflict.ts';
import type { RowScope } from '../../src/transaction/row-scope.ts';
import { expectError, orphans } from '../table/support.ts';
import { ChangeTable } from './change-support.ts';

async function filter(table: ChangeTable, text: string): Promise<RowScope> {
  return { filter: bindExpression(currentSchema(await table.metadata()), toExpression(text)) };
}

describe('files that leave', () => {
  test('are DELETED entries of one rewritten manifest; other manifests are not even opened', async () => {
    const table = await ChangeTable.create({ partitioned: true });
    const [a, other] = [await table.dataFile('a'), await table.dataFile('a')];
    await table.append(a, other);
    await table.append(await table.dataFile('b'));
    await table.append(await table.dataFile('c'));
    const [c, b] = await table.manifests();
    // A manifest that can't be read is none that has to be.
    await table.io.delete([b!.path, c!.path]);
    const { commit } = await table.commit([await table.change({ operation: 'delete', removed: [a] })]);
    expect(commit.summary).toMatchObject({
      operation: 'delete',
      'deleted-data-files': '1',
      'deleted-records': '10',
      'removed-files-size': '100',
      'changed-partition-count': '1',
      'total-data-files': '3',
      'total-records': '30',
      'manifests-created': '1',
      'manifests-kept': '2',
      'manifests-replaced': '1',
    });
    const [first, second, rewritten] = await table.manifests();
    expect([first, second]).toEqual([c, b]);
    expect(await table.entriesOf(rewritten!)).toMatchObject([
      { status: 'deleted', file: { path: a.path }, snapshotId: commit.snapshotId, sequenceNumber: 1n },
      { status: 'existing', file: { path: other.path }, sequenceNumber: 1n },
    ]);
  });

  test('take a manifest with them one commit later, when nothing of it is left', async () => {
    const table = await ChangeTable.create();
    const file = await table.dataFile();
    await table.append(file);
    await table.commit([await table.change({ operation: 'delete', removed: [file] })]);
    expect(await table.manifests()).toMatchObject([{ deletedFilesCount: 1, existingFilesCount: 0 }]);
    await table.append(await table.dataFile());
    expect(await table.manifests()).toMatchObject([{ addedFilesCount: 1 }]);
  });

  test('must be there', async () => {
    const table = await ChangeTable.create();
    const [file, stranger] = [await table.dataFile(), await table.dataFile()];
    await table.append(file);
    const change = await table.change({ operation: 'delete', removed: [file, stranger] });
    await expect(table.commit([change])).rejects.toThrow(stranger.path);
    await table.table.refresh();
    expect(await orphans(table.table, table.io)).toEqual([]);
    expect(await table.livePaths()).toEqual([file.path]);
  });

  test('of a table that lists a file twice leave as often as they are named', async () => {
    const table = await ChangeTable.create();
    const file = await table.dataFile();
    await table.append(file);
    await table.append(file);
    await table.commit([await table.change({ operation: 'delete', removed: [file, file] })]);
    expect(await table.livePaths()).toEqual([]);
  });

  test('take their deletion vectors along, and no others of the same Puffin file', async () => {
    const table = await ChangeTable.create({ formatVersion: 3 });
    const [a, b] = [await table.dataFile(), await table.dataFile()];
    await table.append(a, b);
    const path = 'memory:/wh/db/t/data/shared.puffin';
    const vectors = [
      await table.positionDelete(a, { path, offset: 4 }),
      await table.positionDelete(b, { path, offset: 44 }),
    ];
    const { commit: added } = await table.commit([await table.change({ operation: 'delete', deletes: vectors })]);
    expect(added.summary).toMatchObject({ 'added-dvs': '2', 'added-delete-files': '2', 'added-files-size': '80' });
    const { commit } = await table.commit([await table.change({ operation: 'delete', removed: [a] })]);
    expect(commit.summary).toMatchObject({
      'removed-dvs': '1',
      'removed-position-deletes': '2',
      'removed-delete-files': '1',
    });
    expect((await table.liveEntries()).map(({ file }) => file.referencedDataFile ?? file.path)).toEqual([
      b.path,
      b.path,
    ]);
  });

  test('take deletes along that are older than every file that stays', async () => {
    const table = await ChangeTable.create();
    const [old, young] = [await table.dataFile(), await table.dataFile()];
    await table.append(old);
    await table.commit([await table.change({ deletes: [await table.equalityDelete('a', [0, 9])] })]);
    await table.append(young);
    expect(await table.livePaths()).toHaveLength(3);
    const { commit } = await table.commit([await table.change({ operation: 'delete', removed: [old] })]);
    expect(commit.summary).toMatchObject({ 'removed-equality-delete-files': '1', 'total-equality-deletes': '0' });
    expect(await table.livePaths()).toEqual([young.path]);
  });

  test('leave deletes that rewritten files with an old sequence number still need', async () => {
    const table = await ChangeTable.create();
    const old = await table.dataFile();
    await table.append(old);
    const keys = await table.equalityDelete('a', [0, 9]);
    const replace = await table.change({
      operation: 'replace',
      removed: [old],
      add: [await table.dataFile()],
      dataSequenceNumber: 1n,
      checks: { noNewDeletesFor: [old] },
    });
    await table.commit([await table.change({ deletes: [keys] })]);
    await table.append(await table.dataFile());
    await table.commit([replace]);
    expect(await table.livePaths()).toContain(keys.path);
  });

  test('and come in one change must not contradict each other', async () => {
    const table = await ChangeTable.create({ formatVersion: 3 });
    const file = await table.dataFile();
    await table.append(file);
    const deletes = [await table.positionDelete(file)];
    const change = await table.change({ operation: 'delete', removed: [file], deletes });
    expect(() => table.commit([change])).toThrow('to be removed');
    const twice = await table.change({ operation: 'delete', deletes: [...deletes, await table.positionDelete(file)] });
    expect(() => table.commit([twice])).toThrow('two deletion vectors');
  });
});

describe('a scope that leaves', () => {
  test('takes what surely lies in it, by partition and by metrics, and is a conflict with what lies in it in part', async () => {
    const table = await ChangeTable.create({ partitioned: true });
    const [a, low, high] = [
      await table.dataFile('a', [0, 99]),
      await table.dataFile('b', [0, 9]),
      await table.dataFile('b', [10, 19]),
    ];
    const keys = await table.equalityDelete('a', [0, 9]);
    await table.append(a, low, high);
    await table.commit([await table.change({ deletes: [keys] })]);
    const removeAll = await filter(table, "city = 'a' OR id < 10");
    const { commit } = await table.commit([await table.change({ operation: 'delete', removeAll })]);
    expect(commit.summary).toMatchObject({ 'deleted-data-files': '2', 'removed-equality-delete-files': '1' });
    expect(await table.livePaths()).toEqual([high.path]);
    const part = await table.change({ operation: 'delete', removeAll: await filter(table, 'id < 15') });
    await expect(table.commit([part])).rejects.toSatisfy(isValidationConflict);
  });

  test('is looked at anew when another writer was faster', async () => {
    const table = await ChangeTable.create({ partitioned: true });
    await table.append(await table.dataFile('a'));
    const add = await table.dataFile('a');
    const removeAll = { partitions: [{ specId: add.specId, tuple: add.partition }] };
    const change = await table.change({ removeAll, add: [add] });
    await table.commit([change], async (attempt) => {
      if (attempt === 1) await table.append(await table.dataFile('a'), await table.dataFile('b'));
    });
    expect((await table.liveEntries()).map(({ file }) => file.partition).toSorted()).toEqual([['a'], ['b']]);
    expect(await table.livePaths()).toContain(add.path);
  });

  test('that is empty changes nothing', async () => {
    const table = await ChangeTable.create({ partitioned: true });
    await table.append(await table.dataFile('a'));
    const before = await table.metadata();
    const change = await table.change({ operation: 'delete', removeAll: await filter(table, "city = 'x'") });
    expect((await table.commit([change])).commit).toMatchObject({ changed: false, attempts: 0 });
    expect(await table.metadata()).toEqual(before);
  });

  test('does not hold rows whose column may be null', async () => {
    const table = await ChangeTable.create();
    const file = await table.dataFile('b', [0, 9], { nullValueCounts: new Map([[1, 0]]) });
    await table.append(file);
    const change = await table.change({ operation: 'delete', removeAll: await filter(table, "city != 'a'") });
    await expect(table.commit([change])).rejects.toSatisfy(isValidationConflict);
  });
});

describe('retries', () => {
  test('rewrite only what the other writer has touched, and leave nothing behind', async () => {
    const table = await ChangeTable.create({ properties: { 'commit.manifest.min-count-to-merge': '2' } });
    const files = [await table.dataFile(), await table.dataFile()];
    await table.append(...files);
    const change = await table.change({ removed: [files[0]!], add: [await table.dataFile()] });
    const { commit } = await table.commit([change], async (attempt) => {
      if (attempt < 3) await table.append(await table.dataFile());
    });
    expect(commit.attempts).toBe(3);
    await table.table.refresh();
    expect(await orphans(table.table, table.io)).toEqual([]);
    expect(await table.livePaths()).toHaveLength(4);
  });

  test('drop delete files that another writer has left nothing to do for', async () => {
    const table = await ChangeTable.create();
    const [a, b] = [await table.dataFile(), await table.dataFile()];
    await table.commit([await table.change({ add: [a, b], deletes: [await table.equalityDelete('a', [0, 9])] })]);
    await table.commit([await table.change({ operation: 'delete', removed: [a] })], async (attempt) => {
      if (attempt === 1) await table.commit([await table.change({ operation: 'delete', removed: [b] })]);
    });
    expect(await table.livePaths()).toEqual([]);
  });

  test('meet an upgrade: manifests are written anew, position deletes are a conflict', async () => {
    for (const from of [1, 2] as const) {
      const table = await ChangeTable.create({ formatVersion: from });
      const file = await table.dataFile();
      await table.append(file, await table.dataFile());
      const change = await table.change({ removed: [file], add: [await table.dataFile()] });
      const { loaded } = await table.commit([change], async (attempt) => {
        if (attempt === 1) await (await table.table.refresh()).upgradeFormatVersion(3);
      });
      expect(loaded.metadata).toMatchObject({ formatVersion: 3, nextRowId: 20n });
      expect((await table.liveEntries()).map((entry) => [entry.sequenceNumber, entry.file.firstRowId])).toEqual([
        [BigInt(from), 0n],
        [BigInt(from - 1), 10n],
      ]);
    }
    const table = await ChangeTable.create({ formatVersion: 2 });
    const file = await table.dataFile();
    await table.append(file);
    const change = await table.change({ operation: 'delete', deletes: [await table.positionDelete(file)] });
    const upgraded = table.commit([change], async (attempt) => {
      if (attempt === 1) await (await table.table.refresh()).upgradeFormatVersion(3);
    });
    await expect(upgraded).rejects.toSatisfy(isValidationConflict);
  });

  test('of several changes in one transaction build on each other', async () => {
    const table = await ChangeTable.create({ formatVersion: 3 });
    const [first, second] = [await table.dataFile(), await table.dataFile()];
    const append = await table.change({ operation: 'append', add: [first, second] });
    const remove = await table.change({ operation: 'delete', removed: [first] });
    const { commit, loaded } = await table.commit([append, remove], async (attempt) => {
      if (attempt === 1) await table.append(await table.dataFile());
    });
    expect(commit.summary).toMatchObject({ operation: 'delete', 'total-data-files': '2' });
    expect(loaded.metadata.snapshots.map(({ operation }) => operation)).toEqual(['append', 'append', 'delete']);
    expect(await table.livePaths()).toContain(second.path);
  });

  test('are not made of a conflict that would come again', async () => {
    const table = await ChangeTable.create();
    const file = await table.dataFile();
    await table.append(file);
    const change = await table.change({ operation: 'delete', removed: [file] });
    let attempts = 0;
    const lost = table.commit([change], async (attempt) => {
      attempts = attempt;
      await table.commit([change]);
    });
    await expectError(lost, 'COMMIT_CONFLICT', /Another writer changed db\.t meanwhile/);
    expect(attempts).toBe(1);
  });
});

describe('specs', () => {
  test('files of several specs are added in one change, and removed from manifests of their own spec', async () => {
    const table = await ChangeTable.create({ formatVersion: 2 });
    const plain = await table.dataFile('a');
    await table.append(plain);
    const late = await table.dataFile('a');
    await (await table.table.refresh()).updateSpec((p) => p.add(partitionBy.identity('city')));
    const parted = await table.dataFile('b');
    await table.commit([await table.change({ operation: 'append', add: [late, parted] })]);
    expect((await table.manifests()).map((manifest) => manifest.partitionSpecId)).toEqual([0, 1, 0]);
    await table.commit([await table.change({ operation: 'delete', removed: [plain, parted] })]);
    expect(await table.livePaths()).toEqual([late.path]);
  });
});

describe('delete manifests', () => {
  test('are merged like others', async () => {
    const table = await ChangeTable.create({ properties: { 'commit.manifest.min-count-to-merge': '3' } });
    for (let i = 0; i < 3; i++) {
      await table.commit([await table.change({ deletes: [await table.equalityDelete('a', [i, i])] })]);
    }
    expect(await table.manifests()).toMatchObject([{ content: 'deletes', addedFilesCount: 1, existingFilesCount: 2 }]);
    expect((await table.liveEntries()).map(({ sequenceNumber }) => sequenceNumber)).toEqual([3n, 2n, 1n]);
  });

  test('are nothing for a table of format version 1', async () => {
    const table = await ChangeTable.create({ formatVersion: 1 });
    const change = await table.change({ deletes: [await table.equalityDelete('a', [0, 1])] });
    await expectError(table.commit([change]), 'COMMIT_CONFLICT', /no deletes/);
  });
});
