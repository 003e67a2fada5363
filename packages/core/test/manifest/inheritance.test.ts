import { describe, expect, it } from 'vitest';
import { UNASSIGNED_SEQUENCE_NUMBER } from '../../src/manifest/manifest-file.ts';
import type { NewManifestEntry } from '../../src/manifest/write-manifest.ts';
import type { EntryStatus } from '../../src/spec/manifest.ts';
import { added, committed, fileOf, Manifests } from './support.ts';

function entryOf(status: EntryStatus, over: Partial<NewManifestEntry['file']> = {}): NewManifestEntry {
  return {
    status,
    snapshotId: status === 'existing' ? 2n : 5n,
    sequenceNumber: 3n,
    fileSequenceNumber: 4n,
    file: fileOf(over),
  };
}

describe('sequence numbers', () => {
  it('are inherited by added entries only; data and file number may differ', async () => {
    const manifests = new Manifests();
    const written = await manifests.write([entryOf('added'), entryOf('existing'), entryOf('deleted')]);
    expect(written).toMatchObject({ sequenceNumber: UNASSIGNED_SEQUENCE_NUMBER, minSequenceNumber: 3n });
    const read = await manifests.read(committed(written, 9n));
    expect(
      read.map((entry) => [entry.status, entry.snapshotId, entry.sequenceNumber, entry.fileSequenceNumber]),
    ).toEqual([
      ['added', 5n, 9n, 9n],
      ['existing', 2n, 3n, 4n],
      ['deleted', 5n, 3n, 4n],
    ]);
  });

  it('may be given to added files that hold older rows; the file number is inherited all the same', async () => {
    const manifests = new Manifests();
    const written = await manifests.write([entryOf('added')], { sequenceNumber: 6n });
    expect(written.minSequenceNumber).toBe(6n);
    const [entry] = await manifests.read(committed(written, 9n));
    expect(entry).toMatchObject({ sequenceNumber: 6n, fileSequenceNumber: 9n });
  });

  it('are 0 in manifests of version 1, whatever the table has become', async () => {
    const manifests = new Manifests();
    const written = await manifests.write([entryOf('added'), entryOf('existing')], { formatVersion: 1 });
    expect(written).toMatchObject({ sequenceNumber: 0n, minSequenceNumber: 0n });
    const read = await manifests.read({ ...written, sequenceNumber: 8n });
    expect(read.map((entry) => [entry.sequenceNumber, entry.fileSequenceNumber])).toEqual([
      [0n, 0n],
      [0n, 0n],
    ]);
  });

  it('do not come down from deleted entries to the minimum', async () => {
    const written = await new Manifests().write([entryOf('deleted'), { ...entryOf('existing'), sequenceNumber: 4n }]);
    expect(written.minSequenceNumber).toBe(4n);
  });
});

describe('first row ids', () => {
  const rows = [
    entryOf('added', { recordCount: 10 }),
    entryOf('existing', { recordCount: 20, firstRowId: 7n }),
    entryOf('deleted', { recordCount: 30 }),
    entryOf('existing', { recordCount: 40 }),
    entryOf('added', { recordCount: 50 }),
  ];

  it('are a running sum over live files without one, existing ones included', async () => {
    const manifests = new Manifests();
    const written = await manifests.write(rows, { formatVersion: 3 });
    const read = await manifests.read(committed(written, 9n, 1000n));
    expect(read.map(({ file }) => file.firstRowId)).toEqual([1000n, 7n, null, 1010n, 1050n]);
  });

  it('count files that a filter leaves out', async () => {
    const manifests = new Manifests();
    const written = await manifests.write(rows, { formatVersion: 3 });
    const filter = {
      metrics: {
        columns: new Set<number>(),
        matches: ({ recordCount }: { recordCount: number }) => recordCount === 50,
      },
    };
    const byMetrics = await manifests.read(committed(written, 9n, 1000n), { filter });
    expect(byMetrics.map(({ file }) => file.firstRowId)).toEqual([1050n]);
    const none = { partition: () => false };
    expect(await manifests.read(committed(written, 9n, 1000n), { filter: none, liveOnly: true })).toEqual([]);
  });

  it('are null in snapshots from before the upgrade', async () => {
    const manifests = new Manifests();
    const written = await manifests.write(rows, { formatVersion: 3 });
    const read = await manifests.read(committed(written, 9n, null));
    expect(read.every(({ file }) => file.firstRowId === null)).toBe(true);
  });

  it('are kept in a manifest whose commit is under way', async () => {
    const manifests = new Manifests();
    const written = await manifests.write(rows, { formatVersion: 3 });
    const read = await manifests.read(written);
    expect(read.map(({ file }) => file.firstRowId)).toEqual([null, 7n, null, null, null]);
  });

  it('are never written for new files: a commit decides on them', async () => {
    const manifests = new Manifests();
    const written = await manifests.write([added(fileOf({ firstRowId: 3n }))], { formatVersion: 3 });
    const [entry] = await manifests.read(committed(written, 9n, 1000n));
    expect(entry!.file.firstRowId).toBe(1000n);
  });
});
