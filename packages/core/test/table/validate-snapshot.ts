import assert from 'node:assert/strict';
import { isDeletionVector } from '../../src/manifest/content-problem.ts';
import type { FileContent } from '../../src/spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import { fileKey } from '../../src/transaction/file-key.ts';

/** What a snapshot is made of. */
export interface SnapshotContent {
  readonly snapshot: Snapshot;
  readonly manifests: readonly { readonly manifest: ManifestFile; readonly entries: readonly ManifestEntry[] }[];
  /** Its live data and delete files, by key. */
  readonly live: ReadonlyMap<string, ManifestEntry>;
}

export function snapshotContent(snapshot: Snapshot, manifests: SnapshotContent['manifests']): SnapshotContent {
  const entries = manifests.flatMap((one) => one.entries).filter(({ status }) => status !== 'deleted');
  const live = new Map(entries.map((entry) => [fileKey(entry.file), entry]));
  assert.equal(live.size, entries.length, `a file is twice in snapshot ${snapshot.snapshotId}`);
  return { snapshot, manifests, live };
}

/** All that a snapshot's manifest list, its manifests and its summary say of each other, and of the parent. */
export function validateSnapshot(content: SnapshotContent, parent: SnapshotContent | null): void {
  for (const { manifest, entries } of content.manifests) validateManifest(manifest, entries);
  validateChange(content, parent);
  validateDeletes(content);
  if (content.snapshot.firstRowId !== null) validateRowIds(content, parent);
  validateSummary(content, parent);
}

const STATUSES = { added: 'added', existing: 'existing', deleted: 'deleted' } as const;

/** Spec: "Manifest Lists". */
function validateManifest(manifest: ManifestFile, entries: readonly ManifestEntry[]): void {
  for (const status of Object.values(STATUSES)) {
    const some = entries.filter((entry) => entry.status === status);
    assert.equal(manifest[`${status}FilesCount`], some.length, `${status} files of ${manifest.path}`);
    const rows = some.reduce((sum, { file }) => sum + file.recordCount, 0);
    assert.equal(manifest[`${status}RowsCount`], rows, `${status} rows of ${manifest.path}`);
  }
  const live = entries.filter(({ status }) => status !== 'deleted');
  for (const { sequenceNumber, fileSequenceNumber, file } of live) {
    assert.ok(sequenceNumber >= manifest.minSequenceNumber, `${file.path} is older than its manifest says`);
    assert.ok(fileSequenceNumber <= manifest.sequenceNumber, `${file.path} is newer than its manifest`);
    assert.ok(sequenceNumber <= fileSequenceNumber, `the data of ${file.path} is newer than the file`);
    assert.equal(file.specId, manifest.partitionSpecId);
    assert.equal(file.content === 'data', manifest.content === 'data');
  }
  for (const entry of entries) {
    if (entry.status === 'added')
      assert.equal(entry.snapshotId, manifest.addedSnapshotId, `${entry.file.path}: added by`);
  }
}

/** The files are the parent's, without those that the snapshot has deleted, with those that it has added. */
function validateChange({ snapshot, manifests, live }: SnapshotContent, parent: SnapshotContent | null): void {
  const expected = new Map(parent?.live);
  const own = manifests
    .flatMap(({ entries }) => entries)
    .filter((entry) => entry.snapshotId === snapshot.snapshotId && entry.status !== 'existing');
  for (const { status, file } of own) {
    if (status === 'deleted') assert.ok(expected.delete(fileKey(file)), `${file.path} is deleted, but was not there`);
  }
  for (const entry of own) {
    if (entry.status !== 'added') continue;
    assert.ok(!expected.has(fileKey(entry.file)), `${entry.file.path} is added, but was there`);
    assert.equal(entry.fileSequenceNumber, snapshot.sequenceNumber, `${entry.file.path}: sequence number`);
    expected.set(fileKey(entry.file), entry);
  }
  assert.deepEqual([...live.keys()].toSorted(), [...expected.keys()].toSorted(), `files of ${snapshot.snapshotId}`);
  for (const [key, { snapshotId, sequenceNumber, fileSequenceNumber, file }] of live) {
    const before = expected.get(key)!;
    assert.equal(snapshotId, before.snapshotId, `${key}: the snapshot that added it`);
    assert.equal(sequenceNumber, before.sequenceNumber, `${key}: sequence number`);
    assert.equal(fileSequenceNumber, before.fileSequenceNumber, `${key}: file sequence number`);
    if (before.file.firstRowId !== null) assert.equal(file.firstRowId, before.file.firstRowId, `${key}: first row id`);
  }
}

/** Spec: "Deletion Vectors"; v3 tables get no other position deletes any more. */
function validateDeletes({ snapshot, live }: SnapshotContent): void {
  const withVector = new Set<string>();
  for (const { snapshotId, file } of live.values()) {
    if (file.content !== 'position-deletes') continue;
    const isNew = snapshotId === snapshot.snapshotId;
    if (isNew) assert.equal(isDeletionVector(file), snapshot.firstRowId !== null, `${file.path}: kind of deletes`);
    if (!isDeletionVector(file)) continue;
    const path = file.referencedDataFile!;
    assert.ok(!withVector.has(path), `${path} has two deletion vectors`);
    withVector.add(path);
    const data = live.get(path)?.file;
    assert.ok(data, `${path} is gone, its deletion vector is not`);
    assert.ok(file.recordCount <= data.recordCount, `more rows of ${path} are deleted than it has`);
    assert.deepEqual(
      [file.specId, file.partition],
      [data.specId, data.partition],
      `partition of the vector of ${path}`,
    );
  }
}

/** Spec: "Row Lineage": every data file has row ids of its own, below what the table says comes next. */
function validateRowIds({ snapshot, live }: SnapshotContent, parent: SnapshotContent | null): void {
  const next = snapshot.firstRowId! + (snapshot.addedRows ?? 0n);
  const ranges: (readonly [bigint, bigint])[] = [];
  for (const [key, { file }] of live) {
    if (file.content !== 'data') {
      assert.equal(file.firstRowId, null, `${key} has row ids`);
      continue;
    }
    assert.notEqual(file.firstRowId, null, `${key} has no row ids`);
    const isNew = (parent?.live.get(key)?.file.firstRowId ?? null) === null;
    if (isNew) assert.ok(file.firstRowId! >= snapshot.firstRowId!, `${key} has row ids from before its snapshot`);
    ranges.push([file.firstRowId!, file.firstRowId! + BigInt(file.recordCount)]);
  }
  ranges.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [start]] of ranges.entries()) {
    if (i > 0) assert.ok(start >= ranges[i - 1]![1], `row ids from ${start} on are given twice`);
  }
  if (ranges.length > 0) assert.ok(ranges.at(-1)![1] <= next, `row ids go beyond ${next}`);
}

/** The totals are counts of the live files; what is missing is unknown. */
function validateSummary({ snapshot, live }: SnapshotContent, parent: SnapshotContent | null): void {
  const files = [...live.values()].map(({ file }) => file);
  const of = (content: FileContent): typeof files => files.filter((file) => file.content === content);
  const rows = (some: typeof files): number => some.reduce((sum, file) => sum + file.recordCount, 0);
  const totals: Readonly<Record<string, number>> = {
    'total-data-files': of('data').length,
    'total-delete-files': files.length - of('data').length,
    'total-records': rows(of('data')),
    'total-position-deletes': rows(of('position-deletes')),
    'total-equality-deletes': rows(of('equality-deletes')),
    'total-files-size': files.reduce((sum, file) => sum + (file.contentSizeInBytes ?? file.fileSizeInBytes), 0),
  };
  for (const [key, total] of Object.entries(totals)) {
    if (parent !== null && parent.snapshot.summary[key] === undefined) continue;
    assert.equal(snapshot.summary[key], String(total), `${key} of snapshot ${snapshot.snapshotId}`);
  }
}
