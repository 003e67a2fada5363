// Tables that need upkeep: real metadata, written by core without syncing it, and data files that hold a byte. A history of
// ten thousand commits would take hours, and no public interface makes one otherwise.
import { mkdirSync, writeFileSync } from 'node:fs';

import { schema, t, type DataFile, type ManifestFile, type Snapshot } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { writeManifestList } from '../../packages/core/dist/manifest/write-manifest-list.js';
import { writeManifest } from '../../packages/core/dist/manifest/write-manifest.js';
import { NO_METRICS } from '../../packages/core/dist/spec/data-file.js';
import { newTableMetadata } from '../../packages/core/dist/spec/new-table-metadata.js';
import { serializeTableMetadata } from '../../packages/core/dist/spec/table-metadata-json.js';

const SHAPE = schema({ id: t.long(), name: t.string() });
const FILES_PER_MANIFEST = 10_000;

export interface History {
  readonly location: string;
  /** When the first snapshot was made; one follows after each second. */
  readonly startMs: number;
}

/**
 * Every commit adds a data file, with a manifest of its own, and drops the one that was added `live` commits before. With
 * a single commit it adds all files at once.
 */
export async function writeHistory(folder: string, commits: number, live: number): Promise<History> {
  mkdirSync(`${folder}/data`, { recursive: true });
  mkdirSync(`${folder}/metadata`, { recursive: true });
  const startMs = Date.UTC(2026, 0, 1);
  const io = new UnsyncedFileIO();
  const metadata = newTableMetadata({
    schema: SHAPE,
    location: folder,
    uuid: '00000000-0000-4000-8000-000000000000',
    nowMs: startMs,
  });
  const form = { io, formatVersion: 2, schema: metadata.schemas[0]!, spec: metadata.partitionSpecs[0]! } as const;
  const snapshots: Snapshot[] = [];
  let manifests: ManifestFile[] = [];
  for (let number = 1; number <= commits; number++) {
    const [snapshotId, sequenceNumber] = [BigInt(number), BigInt(number)];
    const parentSnapshotId = number === 1 ? null : snapshotId - 1n;
    const files = Array.from({ length: commits === 1 ? live : 1 }, (_, i) => dataFile(`${folder}/data/${number}-${i}`));
    for (const { path } of files) writeFileSync(path, 'x');
    for (let start = 0; start < files.length; start += FILES_PER_MANIFEST) {
      const entries = files.slice(start, start + FILES_PER_MANIFEST).map((file) => {
        return { status: 'added', snapshotId, sequenceNumber, fileSequenceNumber: sequenceNumber, file } as const;
      });
      const location = `${folder}/metadata/${number}-m${start}.avro`;
      manifests.unshift(await writeManifest({ ...form, location, content: 'data', snapshotId }, entries));
    }
    if (commits > 1) manifests = manifests.slice(0, live);
    const manifestList = `${folder}/metadata/snap-${number}.avro`;
    const list = {
      io,
      location: manifestList,
      formatVersion: 2,
      snapshotId,
      parentSnapshotId,
      sequenceNumber,
    } as const;
    manifests = [...(await writeManifestList(list, manifests)).manifests];
    const timestampMs = startMs + 1000 * number;
    snapshots.push({ ...NO_DETAILS, snapshotId, parentSnapshotId, sequenceNumber, timestampMs, manifestList });
  }
  const bytes = serializeTableMetadata({
    ...metadata,
    lastSequenceNumber: BigInt(commits),
    lastUpdatedMs: snapshots.at(-1)!.timestampMs,
    currentSnapshotId: BigInt(commits),
    snapshots,
    snapshotLog: snapshots.map(({ timestampMs, snapshotId }) => ({ timestampMs, snapshotId })),
    refs: { main: { ...MAIN, snapshotId: BigInt(commits) } },
  });
  writeFileSync(`${folder}/metadata/v1.metadata.json`, bytes);
  return { location: folder, startMs };
}

const NO_DETAILS = {
  manifests: null,
  operation: 'overwrite',
  summary: {},
  schemaId: 0,
  firstRowId: null,
  addedRows: null,
  keyId: null,
  unknownFields: {},
} as const;

const MAIN = { type: 'branch', minSnapshotsToKeep: null, maxSnapshotAgeMs: null, maxRefAgeMs: null } as const;

function dataFile(path: string): DataFile {
  return {
    ...NO_METRICS,
    content: 'data',
    path: `${path}-5e0e8a2e-90ab-4cde-8f01-23456789abcd.parquet`,
    format: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 1000,
    fileSizeInBytes: 1,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: 0,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
  };
}

class UnsyncedFileIO extends LocalFileIO {
  override write(location: string, data: unknown): ReturnType<LocalFileIO['write']> {
    const bytes = data as Uint8Array;
    writeFileSync(location, bytes);
    return Promise.resolve({ location, size: bytes.length });
  }
}
