import { readManifest } from '../manifest/read-manifest.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from '../manifest/manifest-file.ts';
import { writeManifest } from '../manifest/write-manifest.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { StagingContext } from './action.ts';
import type { StagedData } from './staged-data.ts';

/** Some megabytes of manifest for a table of ordinary width; Iceberg Java splits at the same count. */
const FILES_PER_MANIFEST = 10_000;

/** Avro's names of the codecs that the table property knows. */
const CODECS = { gzip: 'deflate', zstd: 'zstandard', snappy: 'snappy', uncompressed: 'null' } as const;

/** Manifests of new files. They fit every version of the table that has this format version. */
export interface AddedManifests {
  readonly formatVersion: FormatVersion;
  readonly manifests: readonly ManifestFile[];
}

/** Writes manifests that add the files. Sequence numbers and row ids are left to be inherited, so they fit any attempt. */
export async function writeAddedManifests(
  data: StagedData,
  snapshotId: bigint,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<AddedManifests> {
  const manifests: ManifestFile[] = [];
  for (let start = 0; start < data.files.length; start += FILES_PER_MANIFEST) {
    const files = data.files.slice(start, start + FILES_PER_MANIFEST);
    const entries = files.map((file) => addedEntry(file, snapshotId));
    manifests.push(await stageManifest(entries, data.spec, snapshotId, metadata, context));
  }
  return { formatVersion: metadata.formatVersion, manifests };
}

/**
 * Writes one manifest out of the new files, if they are to be in it, and the live entries of committed manifests.
 * Those carry their sequence numbers and row ids explicitly from now on (spec: "Sequence Number Inheritance", "First Row
 * ID Inheritance").
 */
export async function writeMergedManifest(
  data: StagedData,
  withNew: boolean,
  inputs: readonly ManifestFile[],
  snapshotId: bigint,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<ManifestFile> {
  const entries = withNew ? data.files.map((file) => addedEntry(file, snapshotId)) : [];
  for (const manifest of inputs) {
    const batches = readManifest(context.operations.io, manifest, {
      specs: metadata.partitionSpecs,
      schema: currentSchema(metadata),
      otherSchemas: metadata.schemas,
      liveOnly: true,
      ...(context.signal && { signal: context.signal }),
    });
    for await (const batch of batches) {
      for (const entry of batch) entries.push({ ...entry, status: 'existing' });
    }
  }
  return stageManifest(entries, data.spec, snapshotId, metadata, context);
}

function addedEntry(file: DataFile, snapshotId: bigint): ManifestEntry {
  const unassigned = UNASSIGNED_SEQUENCE_NUMBER;
  return { status: 'added', snapshotId, sequenceNumber: unassigned, fileSequenceNumber: unassigned, file };
}

async function stageManifest(
  entries: readonly ManifestEntry[],
  spec: PartitionSpec,
  snapshotId: bigint,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<ManifestFile> {
  const { operations, staged } = context;
  const location = operations.newMetadataFileLocation(
    metadata,
    `${context.commitUuid}-m${staged.nextManifestNumber()}.avro`,
  );
  staged.add(location);
  return writeManifest(
    {
      io: operations.io,
      location,
      formatVersion: metadata.formatVersion,
      schema: currentSchema(metadata),
      otherSchemas: metadata.schemas,
      spec,
      content: 'data',
      snapshotId,
      compression: CODECS[tableProperty(metadata.properties, 'write.manifest.compression-codec')],
    },
    entries,
  );
}
