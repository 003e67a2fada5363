import { invalidArgument } from '../errors.ts';
import { AvroContainerWriter } from '../formats/avro/container.ts';
import { valueEncoder, type ValueEncoder } from '../formats/avro/encode-values.ts';
import { toAvroSchema, type AvroJson } from '../formats/avro/iceberg-schema.ts';
import type { FileIO } from '../io/file-io.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { withCounts } from './count-entries.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from './manifest-file.ts';
import { LIST_FIELD, manifestFileType } from './manifest-schema.ts';

export interface WriteManifestListOptions {
  readonly io: FileIO;
  readonly location: string;
  readonly formatVersion: FormatVersion;
  readonly snapshotId: bigint;
  readonly parentSnapshotId: bigint | null;
  /** Of the snapshot; it goes to all manifests that are new with it. */
  readonly sequenceNumber: bigint;
  /** v3: the table's next row id. Required there. */
  readonly firstRowId?: bigint;
}

export interface WrittenManifestList {
  /** As written, with sequence numbers and first row ids assigned. */
  readonly manifests: readonly ManifestFile[];
  /** v3: the table's next row id after this snapshot; null before v3. */
  readonly nextRowId: bigint | null;
  /** Bytes. */
  readonly length: number;
}

/**
 * Writes the manifest list of a snapshot. Manifests that this commit made get its sequence number; in v3 data manifests
 * without a first row id get one (spec: "First Row ID Assignment"), so that a retry needs a new list but no new
 * manifests. INVALID_ARGUMENT for manifests that the format version can't list.
 */
export async function writeManifestList(
  options: WriteManifestListOptions,
  manifests: readonly ManifestFile[],
): Promise<WrittenManifestList> {
  const { bytes, ...written } = await encodeManifestList(options, manifests);
  await options.io.write(options.location, bytes);
  return written;
}

/** The same without writing it. `io` reads the counts that lines of v1 lists may lack. */
export async function encodeManifestList(
  options: WriteManifestListOptions,
  manifests: readonly ManifestFile[],
): Promise<WrittenManifestList & { readonly bytes: Uint8Array }> {
  const { io, formatVersion, location } = options;
  const counted =
    formatVersion === 1 ? manifests : await Promise.all(manifests.map((manifest) => withCounts(io, manifest)));
  const assigned = assign(options, counted);
  const { type, encode, avroSchema } = LIST_FORMATS[formatVersion];
  const container = new AvroContainerWriter({
    schema: avroSchema,
    metadata: headerMetadata(options),
    codec: 'deflate',
    name: location,
  });
  for (const manifest of assigned.manifests) {
    const values = type.fields.map(({ id }) => LIST_VALUES[id]!(manifest));
    container.append((block) => encode(block, values));
  }
  const bytes = container.finish();
  return { ...assigned, length: bytes.length, bytes };
}

const LIST_FORMATS = { 1: listFormat(1), 2: listFormat(2), 3: listFormat(3) } as const;

function listFormat(formatVersion: FormatVersion): {
  readonly type: StructType;
  readonly encode: ValueEncoder;
  readonly avroSchema: AvroJson;
} {
  const type = manifestFileType(formatVersion);
  return { type, encode: valueEncoder(type), avroSchema: toAvroSchema(type, 'manifest_file') };
}

function headerMetadata(options: WriteManifestListOptions): Record<string, string> {
  const { formatVersion, snapshotId, parentSnapshotId, sequenceNumber, firstRowId } = options;
  return {
    'snapshot-id': String(snapshotId),
    'parent-snapshot-id': String(parentSnapshotId),
    ...(formatVersion >= 2 && { 'sequence-number': String(sequenceNumber) }),
    ...(formatVersion >= 3 && { 'first-row-id': String(firstRowId) }),
    'format-version': String(formatVersion),
  };
}

function assign(
  options: WriteManifestListOptions,
  manifests: readonly ManifestFile[],
): Pick<WrittenManifestList, 'manifests' | 'nextRowId'> {
  const { formatVersion, firstRowId } = options;
  if (formatVersion < 3)
    return { manifests: manifests.map((manifest) => assignSequenceNumber(manifest, options)), nextRowId: null };
  if (firstRowId === undefined)
    throw invalidArgument('A manifest list of format version 3 needs the first row id of its snapshot.');
  let nextRowId = firstRowId;
  const withRowIds = manifests.map((manifest) => {
    const sequenced = assignSequenceNumber(manifest, options);
    if (manifest.content === 'deletes') return { ...sequenced, firstRowId: null };
    if (manifest.firstRowId !== null) return sequenced;
    const assigned = { ...sequenced, firstRowId: nextRowId };
    // Existing rows count, too: those from before the table's upgrade have no ids yet.
    nextRowId += BigInt((manifest.addedRowsCount ?? 0) + (manifest.existingRowsCount ?? 0));
    return assigned;
  });
  return { manifests: withRowIds, nextRowId };
}

function assignSequenceNumber(manifest: ManifestFile, options: WriteManifestListOptions): ManifestFile {
  const { formatVersion, snapshotId, sequenceNumber } = options;
  checkListable(manifest, formatVersion);
  const sequenceUnassigned = manifest.sequenceNumber === UNASSIGNED_SEQUENCE_NUMBER;
  const minimumUnassigned = manifest.minSequenceNumber === UNASSIGNED_SEQUENCE_NUMBER;
  if (!sequenceUnassigned && !minimumUnassigned) return manifest;
  // Only a manifest of this very commit can still be without (spec: "Sequence Number Inheritance").
  if (manifest.addedSnapshotId !== snapshotId) {
    throw invalidArgument(
      `The manifest ${manifest.path} of snapshot ${manifest.addedSnapshotId} has no sequence number.`,
      {
        path: manifest.path,
      },
    );
  }
  return {
    ...manifest,
    sequenceNumber: sequenceUnassigned ? sequenceNumber : manifest.sequenceNumber,
    minSequenceNumber: minimumUnassigned ? sequenceNumber : manifest.minSequenceNumber,
  };
}

function checkListable(manifest: ManifestFile, version: FormatVersion): void {
  if (version === 1 && manifest.content === 'deletes') {
    throw invalidArgument(`${manifest.path} holds deletes, which format version 1 doesn't have.`, {
      path: manifest.path,
    });
  }
}

const CONTENT_CODES = { data: 0, deletes: 1 } as const;

/** What a manifest list stores of a manifest, by field id. */
const LIST_VALUES: Readonly<Record<number, (manifest: ManifestFile) => Value>> = {
  [LIST_FIELD.manifestPath]: (manifest) => manifest.path,
  [LIST_FIELD.manifestLength]: (manifest) => manifest.length,
  [LIST_FIELD.partitionSpecId]: (manifest) => manifest.partitionSpecId,
  [LIST_FIELD.content]: (manifest) => CONTENT_CODES[manifest.content],
  [LIST_FIELD.sequenceNumber]: (manifest) => manifest.sequenceNumber,
  [LIST_FIELD.minSequenceNumber]: (manifest) => manifest.minSequenceNumber,
  [LIST_FIELD.addedSnapshotId]: (manifest) => manifest.addedSnapshotId,
  [LIST_FIELD.addedFilesCount]: (manifest) => manifest.addedFilesCount,
  [LIST_FIELD.existingFilesCount]: (manifest) => manifest.existingFilesCount,
  [LIST_FIELD.deletedFilesCount]: (manifest) => manifest.deletedFilesCount,
  [LIST_FIELD.addedRowsCount]: (manifest) => manifest.addedRowsCount,
  [LIST_FIELD.existingRowsCount]: (manifest) => manifest.existingRowsCount,
  [LIST_FIELD.deletedRowsCount]: (manifest) => manifest.deletedRowsCount,
  [LIST_FIELD.partitions]: (manifest) =>
    manifest.partitions?.map(({ containsNull, containsNaN, lowerBound, upperBound }) => [
      containsNull,
      containsNaN,
      lowerBound,
      upperBound,
    ]) ?? null,
  [LIST_FIELD.keyMetadata]: (manifest) => manifest.keyMetadata,
  [LIST_FIELD.firstRowId]: (manifest) => manifest.firstRowId,
};
