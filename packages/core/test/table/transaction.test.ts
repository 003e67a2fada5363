import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Transaction } from '../../src/transaction/transaction.ts';
import { FORMAT_VERSIONS, expectError, listFiles, newTable } from './support.ts';

const shape = schema({ id: t.long().required(), city: t.string() });

test('several changes are one version of the table', async () => {
  const table = await newTable({ schema: shape, formatVersion: 2 });
  await table.append([{ id: 1n, city: 'Oslo' }]);
  const { metadataLocation } = table;
  const commit = await table.transaction(async (tx) => {
    tx.updateSchema((s) => s.addColumn('country', t.string()));
    tx.updateSpec((p) => p.add(partitionBy.identity('country')));
    tx.setProperties({ owner: 'me' });
    await tx.append([{ id: 2n, city: 'Seoul', country: 'KR' }]);
    await tx.append([{ id: 3n, country: 'JP' }]);
    tx.createTag('after');
  });
  expect(commit.attempts).toBe(1);
  expect(table.metadata.metadataLog.map((entry) => entry.metadataFile)).toContain(metadataLocation);
  expect(table.metadata.metadataLog).toHaveLength(2);
  expect(table.snapshots()).toHaveLength(3);
  expect(table.snapshots().map((snapshot) => snapshot.sequenceNumber)).toEqual([1n, 2n, 3n]);
  expect(table.refs()['after']!.snapshotId).toBe(table.currentSnapshot()!.snapshotId);
  expect(table.properties['owner']).toBe('me');
  expect(commit.snapshotId).toBe(table.currentSnapshot()!.snapshotId);
  expect(table.currentSnapshot()!.summary['total-records']).toBe('3');
  expect(await table.scan({ filter: 'id > 1' }).toRows()).toEqual(
    expect.arrayContaining([
      { id: 2n, city: 'Seoul', country: 'KR' },
      { id: 3n, city: null, country: 'JP' },
    ]),
  );
  expect(await table.scan({ filter: "country = 'KR'" }).count()).toBe(1);
  expect((await table.scan({ filter: "country = 'KR'" }).plan()).tasks).toHaveLength(2);
});

test.each(FORMAT_VERSIONS)(
  'appends of one transaction to a v%i table have their own sequence numbers and row ids',
  async (formatVersion) => {
    const table = await newTable({
      schema: shape,
      formatVersion,
      properties: { 'commit.manifest.min-count-to-merge': '2' },
    });
    await table.transaction(async (tx) => {
      for (let i = 0; i < 5; i++) await tx.append([{ id: BigInt(i) }, { id: BigInt(10 + i) }]);
    });
    expect(table.snapshots()).toHaveLength(5);
    expect(await table.scan().count()).toBe(10);
    if (formatVersion < 3) return;
    const rows = await table.scan({ select: ['id', '_row_id', '_last_updated_sequence_number'] }).toRows();
    expect(new Set(rows.map((row) => row['_row_id'])).size).toBe(10);
    for (const row of rows) expect(row['_last_updated_sequence_number']).toBe(BigInt(Number(row['id']) % 10) + 1n);
  },
);

test('a function that throws changes nothing, and its files are deleted', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const before = await listFiles(io, 'memory:/');
  const failed = table.transaction(async (tx) => {
    tx.updateSchema((s) => s.addColumn('extra', t.int()));
    await tx.append([{ id: 1n, extra: 5 }]);
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  expect(await listFiles(io, 'memory:/')).toEqual(before);
  expect((await table.refresh()).schema.fields).toHaveLength(2);
});

test('one that does nothing commits nothing', async () => {
  const table = await newTable({ schema: shape });
  const { metadataLocation } = table;
  expect(await table.transaction(() => undefined)).toMatchObject({ changed: false, attempts: 0 });
  const commit = await table.transaction(async (tx) => {
    tx.updateSchema(() => undefined);
    tx.setProperties({});
    tx.removeProperties(['never-set']);
    tx.upgradeFormatVersion(table.formatVersion);
    await tx.append([]);
  });
  expect(commit).toMatchObject({ changed: false, attempts: 0 });
  expect((await table.refresh()).metadataLocation).toBe(metadataLocation);
});

describe('misuse', () => {
  test('a transaction that is over takes no more changes', async () => {
    const table = await newTable({ schema: shape });
    let leaked: Transaction | undefined;
    await table.transaction((tx) => {
      leaked = tx;
    });
    expect(() => leaked!.setProperties({ a: 'b' })).toThrow(/is over/);
    await expectError(leaked!.append([{ id: 1n }]), 'INVALID_ARGUMENT', /is over/);
  });

  test('an append that is not awaited is refused', async () => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape }, { io });
    const before = await listFiles(io, 'memory:/');
    const failed = table.transaction((tx) => {
      void tx.append([{ id: 1n }]);
    });
    await expectError(failed, 'INVALID_ARGUMENT', /await/);
    expect(await listFiles(io, 'memory:/')).toEqual(before);
  });

  test('a bad change fails where it is made', async () => {
    const table = await newTable({ schema: shape });
    let reached = false;
    const failed = table.transaction((tx) => {
      tx.updateSchema((s) => s.deleteColumn('nope'));
      reached = true;
    });
    await expectError(failed, 'INVALID_ARGUMENT');
    expect(reached).toBe(false);
  });
});
