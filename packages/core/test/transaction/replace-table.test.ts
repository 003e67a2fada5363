import { describe, expect, test } from 'vitest';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { Table } from '../../src/table.ts';
import { expectError, newTable, orphans } from '../table/support.ts';

const before = schema({ id: t.long().required(), city: t.string() }, { identifier: ['id'] });
const after = schema({ city: t.string(), n: t.int() });

async function tableWithRows(formatVersion: 1 | 2 | 3 = 2) {
  const table = await newTable({ schema: before, formatVersion, partitionBy: [partitionBy.identity('city')] });
  await table.append([{ id: 1n, city: 'Seoul' }]);
  await table.createTag('kept');
  return table;
}

describe('replaceTable', () => {
  test.each([1, 2, 3] as const)(
    'empties main and keeps the history, in one commit with new rows (v%i)',
    async (version) => {
      const table = await tableWithRows(version);
      const { uuid } = table;
      const [old] = table.snapshots();
      const commit = await table.transaction(async (tx) => {
        tx.replaceTable({
          schema: after,
          partitionBy: [partitionBy.bucket(2, 'n')],
          sortBy: ['n'],
          properties: { a: 'b' },
        });
        await tx.append([{ city: 'Busan', n: 5 }]);
      });
      expect(commit.summary).toMatchObject({ operation: 'append', 'total-records': '1' });
      expect(table.uuid).toBe(uuid);
      expect(table.currentSnapshot()?.parentSnapshotId).toBeNull();
      expect(await table.scan().toRows()).toEqual([{ city: 'Busan', n: 5 }]);
      expect(await table.scan({ ref: 'kept' }).toRows()).toEqual([{ id: 1n, city: 'Seoul' }]);
      expect(table.refs()['kept']?.snapshotId).toBe(old!.snapshotId);
      expect(table.schema.fields.map(({ id, name }) => [id, name])).toEqual([
        [2, 'city'],
        [3, 'n'],
      ]);
      expect(table.schema.identifierFieldIds).toEqual([]);
      expect(table.properties).toMatchObject({ a: 'b' });
      expect(await orphans(table, table.io)).toEqual([]);
    },
  );

  test('of a version that others were faster on replaces theirs; their commits stay in the history', async () => {
    const table = await tableWithRows();
    const other = await Table.load(table.location, { io: table.io });
    await other.append([{ id: 2n, city: 'Jeju' }]);
    await table.transaction((tx) => tx.replaceTable({ schema: after }));
    expect(table.snapshots()).toHaveLength(2);
    expect(table.currentSnapshot()).toBeNull();
    // Of what is written by who has the old one, columns of the same name are read.
    await other.append([{ id: 3n, city: 'x' }]);
    await table.refresh();
    expect(await table.scan().toRows()).toEqual([{ city: 'x', n: null }]);
  });

  test('upgrades the version, never back; a second replacement takes columns by their names', async () => {
    const table = await tableWithRows();
    await table.transaction((tx) => tx.replaceTable({ schema: after, formatVersion: 3 }));
    expect(table.formatVersion).toBe(3);
    await table.transaction((tx) => tx.replaceTable({ schema: before, partitionBy: [partitionBy.identity('city')] }));
    expect(table.schema.fields.map(({ id, name }) => [id, name])).toEqual([
      [4, 'id'],
      [2, 'city'],
    ]);
    expect(table.spec.fields).toMatchObject([{ fieldId: 1000, name: 'city' }]);
    await expectError(
      table.transaction((tx) => tx.replaceTable({ schema: after, formatVersion: 2 })),
      'INVALID_ARGUMENT',
    );
  });
});

describe('replaceBranch and replaceTag', () => {
  test('move refs, and keep what of their retention is not given', async () => {
    const table = await tableWithRows();
    const first = table.currentSnapshot()!.snapshotId;
    await table.createBranch('audit', { maxRefAgeMs: 5, minSnapshotsToKeep: 2 });
    await table.append([{ id: 2n, city: 'Busan' }]);
    const second = table.currentSnapshot()!.snapshotId;
    await table.transaction((tx) => {
      tx.replaceBranch('audit', { minSnapshotsToKeep: 7 });
      tx.replaceTag('kept', { snapshotId: second, maxRefAgeMs: 9 });
    });
    expect(table.refs()['audit']).toMatchObject({ snapshotId: second, maxRefAgeMs: 5, minSnapshotsToKeep: 7 });
    expect(table.refs()['kept']).toMatchObject({ snapshotId: second, maxRefAgeMs: 9 });
    await table.transaction((tx) => tx.replaceBranch('audit', { snapshotId: first }));
    expect(table.refs()['audit']?.snapshotId).toBe(first);
    const replaced = (name: string, snapshotId: bigint) =>
      table.transaction((tx) => tx.replaceBranch(name, { snapshotId }));
    await expectError(replaced('kept', first), 'INVALID_ARGUMENT', /is a tag/);
    await expectError(replaced('nope', first), 'NOT_FOUND');
    await expectError(replaced('audit', 5n), 'NOT_FOUND');
  });
});
