import assert from 'node:assert/strict';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { readManifest } from '../../src/manifest/read-manifest.ts';
import { tableDefinitions } from '../../src/manifest/table-definitions.ts';
import { checkTableMetadata } from '../../src/spec/check-metadata.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import { schemaById } from '../../src/spec/metadata-accessors.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';
import type { Table } from '../../src/table.ts';
import { snapshotContent, validateSnapshot } from './validate-snapshot.ts';
import type { SnapshotContent } from './validate-snapshot.ts';

/**
 * Checks all that a table's metadata, manifest lists and manifests say of each other, of every snapshot that the table
 * knows. Snapshots never change, so each is checked once, however often `validate` is called. Throws AssertionErrors.
 */
export class TableValidator {
  readonly #contents = new Map<bigint, SnapshotContent>();
  readonly #entries = new Map<string, Promise<readonly ManifestEntry[]>>();

  async validate({ metadata, io }: Pick<Table, 'metadata' | 'io'>): Promise<void> {
    validateMetadata(metadata);
    for (const snapshot of metadata.snapshots) {
      if (this.#contents.has(snapshot.snapshotId)) continue;
      const manifests = await Promise.all(
        (await readManifestList(io, snapshot, metadata)).map(async (manifest) => ({
          manifest,
          entries: await this.#read(manifest, metadata, io),
        })),
      );
      const content = snapshotContent(snapshot, manifests);
      const parent = snapshot.parentSnapshotId === null ? null : this.#contents.get(snapshot.parentSnapshotId);
      if (parent !== undefined) validateSnapshot(content, parent);
      this.#contents.set(snapshot.snapshotId, content);
    }
  }

  /** What entries inherit depends on what the manifest list says. */
  #read(manifest: ManifestFile, metadata: TableMetadata, io: Table['io']): Promise<readonly ManifestEntry[]> {
    const { path, sequenceNumber, firstRowId } = manifest;
    const key = `${path} ${sequenceNumber} ${firstRowId}`;
    const known = this.#entries.get(key);
    if (known) return known;
    const entries = entriesOf(manifest, metadata, io);
    this.#entries.set(key, entries);
    return entries;
  }
}

async function entriesOf(
  manifest: ManifestFile,
  metadata: TableMetadata,
  io: Table['io'],
): Promise<readonly ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for await (const batch of readManifest(io, manifest, tableDefinitions(metadata))) entries.push(...batch);
  return entries;
}

function validateMetadata(metadata: TableMetadata): void {
  checkTableMetadata(metadata);
  const { snapshots, formatVersion, lastSequenceNumber, lastUpdatedMs, lastPartitionId } = metadata;
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  for (const snapshot of snapshots) validateAncestry(snapshot, byId, metadata);
  const numbers = snapshots.map(({ sequenceNumber }) => sequenceNumber).filter((number) => number > 0n);
  assert.equal(new Set(numbers).size, numbers.length, 'two snapshots have the same sequence number');
  if (formatVersion > 1)
    assert.equal(
      lastSequenceNumber,
      numbers.reduce((a, b) => (a > b ? a : b), 0n),
    );
  for (const spec of metadata.partitionSpecs) {
    for (const { fieldId } of spec.fields) assert.ok(fieldId <= lastPartitionId, `partition field ${fieldId}`);
  }
  validateLogs(metadata);
  for (const { timestampMs } of snapshots) assert.ok(timestampMs <= lastUpdatedMs, 'last-updated-ms');
  validateRowIds(metadata);
}

function validateAncestry(snapshot: Snapshot, byId: ReadonlyMap<bigint, Snapshot>, metadata: TableMetadata): void {
  if (snapshot.schemaId !== null) schemaById(metadata, snapshot.schemaId);
  if (snapshot.parentSnapshotId === null) return;
  const parent = byId.get(snapshot.parentSnapshotId);
  // It may have been expired.
  if (!parent) return;
  assert.ok(parent.timestampMs <= snapshot.timestampMs, 'a snapshot is older than its parent');
  if (snapshot.sequenceNumber > 0n) assert.ok(parent.sequenceNumber < snapshot.sequenceNumber, 'sequence numbers');
}

/** Spec: "Snapshot Log" and "Metadata Log" are in the order of time; what is current was the last to become so. */
function validateLogs({ snapshotLog, metadataLog, currentSnapshotId, lastUpdatedMs, snapshots }: TableMetadata): void {
  const known = new Set(snapshots.map(({ snapshotId }) => snapshotId));
  for (const { snapshotId } of snapshotLog) assert.ok(known.has(snapshotId), `the log has ${snapshotId}`);
  if (currentSnapshotId !== null) assert.equal(snapshotLog.at(-1)?.snapshotId, currentSnapshotId);
  for (const log of [snapshotLog, metadataLog]) {
    const times = [...log.map(({ timestampMs }) => timestampMs), lastUpdatedMs];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      'a log is out of order',
    );
  }
  const files = metadataLog.map(({ metadataFile }) => metadataFile);
  assert.equal(new Set(files).size, files.length, 'the metadata log names a file twice');
}

/** Every snapshot has row ids of its own to give, and the table goes on behind them all. */
function validateRowIds({ snapshots, nextRowId, formatVersion }: TableMetadata): void {
  const ranges = snapshots
    .filter(({ firstRowId }) => firstRowId !== null)
    .map(({ firstRowId, addedRows }) => [firstRowId!, firstRowId! + addedRows!] as const)
    .toSorted(([a, b], [c, d]) => (a === c ? Number(b - d) : Number(a - c)));
  for (const [i, [start]] of ranges.entries()) {
    if (i > 0) assert.ok(start >= ranges[i - 1]![1], `two snapshots give the row id ${start}`);
  }
  if (ranges.length > 0) assert.ok(ranges.at(-1)![1] <= nextRowId, `next-row-id is ${nextRowId}`);
  if (formatVersion < 3) assert.equal(nextRowId, 0n);
}
