import { expect } from 'vitest';
import { partitionKey } from '../../src/scan/partition-key.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { fileKey } from '../../src/transaction/file-key.ts';
import type { ChangeTable } from './change-support.ts';

/** A table and the files that it should have, by key. */
export interface CheckedModel {
  readonly table: ChangeTable;
  readonly model: ReadonlyMap<string, { readonly file: DataFile; readonly sequenceNumber: bigint }>;
  /** Of data files, from the first time that they were seen. */
  readonly rowIds: Map<string, bigint>;
}

/** The table's live files are those of the model, and all that metadata says of them is so. */
export async function checkTable({ table, model, rowIds }: CheckedModel): Promise<void> {
  const metadata = await table.metadata();
  const manifests = await table.manifests();
  const live: ManifestEntry[] = [];
  for (const manifest of manifests) {
    const entries = await table.entriesOf(manifest);
    checkManifest(manifest, entries, metadata.currentSnapshotId);
    live.push(...entries.filter(({ status }) => status !== 'deleted'));
  }
  const found = live.map(({ file, sequenceNumber }) => [
    fileKey(file),
    sequenceNumber,
    partitionKey(file.specId, file.partition),
  ]);
  const wanted = [...model].map(([key, { file, sequenceNumber }]) => [
    key,
    sequenceNumber,
    partitionKey(file.specId, file.partition),
  ]);
  expect(found.toSorted(byKey)).toEqual(wanted.toSorted(byKey));
  if (metadata.formatVersion >= 3 && metadata.snapshots.at(-1)?.firstRowId !== null)
    checkRowIds(live, rowIds, metadata.nextRowId);
  checkTotals(
    (await table.head())?.summary,
    [...model.values()].map(({ file }) => file),
  );
}

/** Ranges of row ids don't overlap, and no file's ever changes. */
function checkRowIds(live: readonly ManifestEntry[], rowIds: Map<string, bigint>, nextRowId: bigint): void {
  const ranges: (readonly [bigint, bigint])[] = [];
  for (const { file } of live) {
    if (file.content !== 'data') {
      expect(file.firstRowId).toBeNull();
      continue;
    }
    expect(file.firstRowId).not.toBeNull();
    const known = rowIds.get(file.path);
    if (known !== undefined) expect(file.firstRowId).toBe(known);
    rowIds.set(file.path, file.firstRowId!);
    ranges.push([file.firstRowId!, file.firstRowId! + BigInt(file.recordCount)]);
  }
  ranges.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [start]] of ranges.entries()) if (i > 0) expect(start).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
  if (ranges.length > 0) expect(ranges.at(-1)![1]).toBeLessThanOrEqual(nextRowId);
}

function checkTotals(summary: Snapshot['summary'] | undefined, files: readonly DataFile[]): void {
  if (summary === undefined) return expect(files).toEqual([]);
  const count = (content: DataFile['content']): readonly DataFile[] => files.filter((file) => file.content === content);
  const rows = (some: readonly DataFile[]): string => String(some.reduce((sum, file) => sum + file.recordCount, 0));
  expect(summary).toMatchObject({
    'total-data-files': String(count('data').length),
    'total-delete-files': String(files.length - count('data').length),
    'total-records': rows(count('data')),
    'total-position-deletes': rows(count('position-deletes')),
    'total-equality-deletes': rows(count('equality-deletes')),
    'total-files-size': String(files.reduce((sum, file) => sum + (file.contentSizeInBytes ?? file.fileSizeInBytes), 0)),
  });
}

function byKey(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

/** What the manifest list says of a manifest is so, and only the snapshot that deletes an entry has it as deleted. */
function checkManifest(manifest: ManifestFile, entries: readonly ManifestEntry[], head: bigint | null): void {
  const ofStatus = (status: ManifestEntry['status']): readonly ManifestEntry[] =>
    entries.filter((entry) => entry.status === status);
  expect(ofStatus('added').length).toBe(manifest.addedFilesCount);
  expect(ofStatus('existing').length).toBe(manifest.existingFilesCount);
  expect(ofStatus('deleted').length).toBe(manifest.deletedFilesCount);
  if (manifest.addedSnapshotId !== head)
    expect(ofStatus('added').length + ofStatus('existing').length).toBeGreaterThan(0);
  const numbers = entries.filter(({ status }) => status !== 'deleted').map(({ sequenceNumber }) => sequenceNumber);
  for (const number of numbers) expect(number).toBeGreaterThanOrEqual(manifest.minSequenceNumber);
}
