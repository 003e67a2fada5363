import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { readManifest, type ReadManifestOptions } from '../../src/manifest/read-manifest.ts';
import { writeManifest, type NewManifestEntry, type WriteManifestOptions } from '../../src/manifest/write-manifest.ts';
import { NO_METRICS } from '../../src/spec/data-file.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../../src/spec/manifest.ts';
import type { PartitionSpec } from '../../src/spec/partition-spec.ts';
import type { Schema } from '../../src/spec/schema.ts';

export const SCHEMA: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    { id: 1, name: 'id', required: true, type: { kind: 'long' } },
    { id: 2, name: 'city', required: false, type: { kind: 'string' } },
    { id: 3, name: 'amount', required: false, type: { kind: 'double' } },
  ],
};

export const BY_CITY: PartitionSpec = {
  specId: 1,
  fields: [{ sourceIds: [2], fieldId: 1000, name: 'city', transform: { kind: 'identity' } }],
};

/** A data file of `BY_CITY`, without statistics. */
export function fileOf(over: Partial<DataFile> = {}): DataFile {
  return {
    content: 'data',
    path: 's3://b/t/data/a.parquet',
    format: 'parquet',
    specId: 1,
    partition: ['Seoul'],
    recordCount: 10,
    fileSizeInBytes: 1000,
    ...NO_METRICS,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
    ...over,
  };
}

export function added(file: DataFile, snapshotId = 5n): NewManifestEntry {
  return { status: 'added', snapshotId, sequenceNumber: 0n, fileSequenceNumber: 0n, file };
}

export class Manifests {
  readonly io: MemoryFileIO = new MemoryFileIO();

  write(entries: readonly NewManifestEntry[], over: Partial<WriteManifestOptions> = {}): Promise<ManifestFile> {
    return writeManifest(
      {
        io: this.io,
        location: 's3://b/t/metadata/m0.avro',
        formatVersion: 2,
        schema: SCHEMA,
        spec: BY_CITY,
        content: 'data',
        snapshotId: 5n,
        ...over,
      },
      entries,
    );
  }

  async read(manifest: ManifestFile, over: Partial<ReadManifestOptions> = {}): Promise<ManifestEntry[]> {
    const result: ManifestEntry[] = [];
    for await (const batch of readManifest(this.io, manifest, { specs: [BY_CITY], schema: SCHEMA, ...over }))
      result.push(...batch);
    return result;
  }
}

/** The manifest as the manifest list of a commit with this sequence number has it. */
export function committed(
  manifest: ManifestFile,
  sequenceNumber: bigint,
  firstRowId: bigint | null = null,
): ManifestFile {
  const minSequenceNumber = manifest.minSequenceNumber < 0n ? sequenceNumber : manifest.minSequenceNumber;
  return { ...manifest, sequenceNumber, minSequenceNumber, firstRowId };
}
