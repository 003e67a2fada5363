import { UNASSIGNED_SEQUENCE_NUMBER } from '../manifest/manifest-file.ts';
import { decodeManifest } from '../manifest/read-manifest.ts';
import type { StatsColumns } from '../manifest/stats-columns.ts';
import { ManifestEncoder } from '../manifest/write-manifest.ts';
import type { NewManifestEntry } from '../manifest/write-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import { fetchManifests } from '../scan/fetch-manifests.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestContent, ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { tableProperty } from '../spec/table-properties.ts';
import type { StagingContext } from './action.ts';

/** Some megabytes of manifest for a table of ordinary width; Iceberg Java splits at the same count. */
const FILES_PER_MANIFEST = 10_000;

/** Avro's names of the codecs that the table property knows. */
const CODECS = { gzip: 'deflate', zstd: 'zstandard', snappy: 'snappy', uncompressed: 'null' } as const;

/** What the entries of a manifest have in common. */
export interface ManifestSettings {
  readonly content: ManifestContent;
  readonly spec: PartitionSpec;
  /** The snapshot that the manifest is written for. */
  readonly snapshotId: bigint;
  /** The data sequence number of added files; left out, they inherit that of the commit. */
  readonly sequenceNumber?: bigint | undefined;
}

/** Writes manifests that add the files. What is left to be inherited fits any attempt, so they are written once. */
export async function writeAddedManifests(
  files: readonly DataFile[],
  settings: ManifestSettings,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<readonly ManifestFile[]> {
  const manifests: ManifestFile[] = [];
  for (let start = 0; start < files.length; start += FILES_PER_MANIFEST) {
    const some = files.slice(start, start + FILES_PER_MANIFEST);
    manifests.push(await stageManifest(addedEntries(some, settings.snapshotId), settings, metadata, context));
  }
  return manifests;
}

/**
 * Writes one manifest out of new files and the live entries of committed manifests. Those carry their sequence numbers
 * and row ids explicitly from now on (spec: "Sequence Number Inheritance", "First Row ID Inheritance").
 */
export async function writeMergedManifest(
  newFiles: readonly DataFile[],
  inputs: readonly ManifestFile[],
  settings: ManifestSettings,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<ManifestFile> {
  const entries: NewManifestEntry[] = [...addedEntries(newFiles, settings.snapshotId)];
  const { operations, runtime, signal } = context;
  for await (const [manifest, bytes] of fetchManifests(operations.io, inputs, runtime, signal ? { signal } : {})) {
    for (const entry of liveEntries(bytes, manifest, metadata, 'all')) entries.push({ ...entry, status: 'existing' });
  }
  return stageManifest(entries, settings, metadata, context);
}

/** What a manifest adds to its snapshot or takes over, with all that it inherits. */
export function* liveEntries(
  bytes: Uint8Array,
  manifest: ManifestFile,
  metadata: TableMetadata,
  stats: StatsColumns,
): Generator<ManifestEntry> {
  const batches = decodeManifest(bytes, manifest, {
    ...tableDefinitions(metadata),
    columns: { stats },
    liveOnly: true,
  });
  for (const batch of batches) yield* batch;
}

function* addedEntries(files: readonly DataFile[], snapshotId: bigint): Generator<NewManifestEntry> {
  const unassigned = UNASSIGNED_SEQUENCE_NUMBER;
  for (const file of files) {
    yield { status: 'added', snapshotId, sequenceNumber: unassigned, fileSequenceNumber: unassigned, file };
  }
}

/** Writes one manifest under a name of its own; it is there when the transaction's staged files are `written`. */
export async function stageManifest(
  entries: Iterable<NewManifestEntry>,
  settings: ManifestSettings,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<ManifestFile> {
  const open = openManifest(settings, metadata, context);
  for (const entry of entries) open.add(entry);
  return open.finish();
}

/** A manifest under way: in memory are its bytes. */
export interface OpenManifest {
  add(entry: NewManifestEntry): void;
  /** Stages it. */
  finish(): Promise<ManifestFile>;
}

export function openManifest(
  { content, spec, snapshotId, sequenceNumber }: ManifestSettings,
  metadata: TableMetadata,
  context: StagingContext,
): OpenManifest {
  const { operations, staged } = context;
  const location = operations.newMetadataFileLocation(
    metadata,
    `${context.commitUuid}-m${staged.nextManifestNumber()}.avro`,
  );
  const { schema, otherSchemas } = tableDefinitions(metadata);
  const encoder = new ManifestEncoder({
    location,
    formatVersion: metadata.formatVersion,
    schema,
    otherSchemas,
    spec,
    content,
    snapshotId,
    ...(sequenceNumber !== undefined && { sequenceNumber }),
    compression: CODECS[tableProperty(metadata.properties, 'write.manifest.compression-codec')],
  });
  return {
    add: (entry) => encoder.add(entry),
    async finish() {
      const bytes = encoder.finish();
      await staged.write(location, bytes);
      return encoder.manifestFile(bytes.length);
    },
  };
}
