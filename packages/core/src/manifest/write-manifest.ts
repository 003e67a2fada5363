import { invalidArgument } from '../errors.ts';
import type { AvroCodec } from '../formats/avro/codecs.ts';
import { AvroContainerWriter } from '../formats/avro/container.ts';
import type { FileIO } from '../io/file-io.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { EntryStatus, ManifestFile } from '../spec/manifest.ts';
import type { PartitionSpec } from '../spec/partition-spec.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { contentProblem } from './content-problem.ts';
import { CONTENTS, STATUS } from './entry-decoder.ts';
import { UNASSIGNED_SEQUENCE_NUMBER } from './manifest-file.ts';
import { manifestFormat, type ManifestForm } from './manifest-format.ts';
import { FILE_FIELD } from './manifest-schema.ts';
import { PartitionSummary } from './partition-summary.ts';

export interface WriteManifestOptions extends EncodeManifestOptions {
  readonly io: FileIO;
}

export interface EncodeManifestOptions extends ManifestForm {
  readonly location: string;
  /** The snapshot that the manifest is written for. */
  readonly snapshotId: bigint;
  /**
   * The data sequence number of added files, for files that hold older rows, as compacted ones do. Left out: they
   * inherit the one of the commit.
   */
  readonly sequenceNumber?: bigint;
  /** 'deflate' if left out. */
  readonly compression?: AvroCodec;
}

/**
 * An entry to write. Of added entries the sequence numbers and the first row id are not written, but inherited when
 * they are read; existing and deleted ones carry theirs. A deleted entry gets the writing snapshot's id.
 */
export interface NewManifestEntry {
  readonly status: EntryStatus;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly fileSequenceNumber: bigint;
  readonly file: DataFile;
}

/** A manifest that is to be written, and its line of a manifest list. */
export interface EncodedManifest {
  readonly bytes: Uint8Array;
  /**
   * Sequence numbers are `UNASSIGNED_SEQUENCE_NUMBER` where they depend on the commit: `writeManifestList` fills them in,
   * so that a manifest that is written once fits every attempt.
   */
  readonly manifest: ManifestFile;
}

/** INVALID_ARGUMENT for entries that the format forbids. */
export function encodeManifest(options: EncodeManifestOptions, entries: Iterable<NewManifestEntry>): EncodedManifest {
  const encoder = new ManifestEncoder(options);
  for (const entry of entries) encoder.add(entry);
  const bytes = encoder.finish();
  return { bytes, manifest: encoder.manifestFile(bytes.length) };
}

/** Writes a manifest, and gives its line of a manifest list. */
export async function writeManifest(
  options: WriteManifestOptions,
  entries: Iterable<NewManifestEntry>,
): Promise<ManifestFile> {
  const { bytes, manifest } = encodeManifest(options, entries);
  await options.io.write(options.location, bytes);
  return manifest;
}

/** A manifest that is encoded entry by entry. */
export class ManifestEncoder {
  readonly #options: EncodeManifestOptions;
  readonly #container: AvroContainerWriter;
  readonly #encode: (entry: NewManifestEntry) => void;
  readonly #summary: PartitionSummary;
  readonly #files: Record<EntryStatus, number> = { added: 0, existing: 0, deleted: 0 };
  readonly #rows: Record<EntryStatus, number> = { added: 0, existing: 0, deleted: 0 };
  #minSequenceNumber: bigint | null = null;

  constructor(options: EncodeManifestOptions) {
    if (options.formatVersion === 1 && options.content === 'deletes') {
      throw invalidArgument('Tables of format version 1 have no delete files; upgrade the table to version 2.');
    }
    this.#options = options;
    const { partition, entry: type, encode, avroSchema, header } = manifestFormat(options);
    const record = entryRecord(options, type);
    this.#summary = new PartitionSummary(partition);
    this.#container = new AvroContainerWriter({
      schema: avroSchema,
      metadata: header,
      codec: options.compression ?? 'deflate',
      name: options.location,
    });
    this.#encode = (entry) => this.#container.append((block) => encode(block, record(entry)));
  }

  add(entry: NewManifestEntry): void {
    this.#check(entry);
    const { status, file } = entry;
    this.#files[status]++;
    this.#rows[status] += file.recordCount;
    this.#summary.add(file.partition);
    this.#trackSequenceNumber(entry);
    this.#encode(entry);
  }

  finish(): Uint8Array {
    return this.#container.finish();
  }

  manifestFile(length: number): ManifestFile {
    const { location, formatVersion, spec, content, snapshotId } = this.#options;
    return {
      path: location,
      length,
      partitionSpecId: spec.specId,
      content,
      sequenceNumber: formatVersion === 1 ? 0n : UNASSIGNED_SEQUENCE_NUMBER,
      minSequenceNumber: formatVersion === 1 ? 0n : (this.#minSequenceNumber ?? UNASSIGNED_SEQUENCE_NUMBER),
      addedSnapshotId: snapshotId,
      addedFilesCount: this.#files.added,
      existingFilesCount: this.#files.existing,
      deletedFilesCount: this.#files.deleted,
      addedRowsCount: this.#rows.added,
      existingRowsCount: this.#rows.existing,
      deletedRowsCount: this.#rows.deleted,
      partitions: this.#summary.result(),
      keyMetadata: null,
      firstRowId: null,
    };
  }

  /** Files that inherit theirs are newer than all others, so that they don't lower the minimum. */
  #trackSequenceNumber({ status, sequenceNumber }: NewManifestEntry): void {
    if (status === 'deleted') return;
    const explicit = status === 'added' ? this.#options.sequenceNumber : sequenceNumber;
    if (explicit === undefined) return;
    if (this.#minSequenceNumber === null || explicit < this.#minSequenceNumber) this.#minSequenceNumber = explicit;
  }

  #check(entry: NewManifestEntry): void {
    const { spec, content, snapshotId, formatVersion } = this.#options;
    const { status, file } = entry;
    const problem =
      contentProblem(file, content) ?? partitionProblem(file, spec) ?? vectorVersionProblem(file, formatVersion);
    if (problem !== null) throw invalidArgument(`${file.path} ${problem}.`, { path: file.path });
    if (status === 'added' && entry.snapshotId !== snapshotId) {
      throw invalidArgument(
        `${file.path} was added by snapshot ${entry.snapshotId}; in a manifest of ${snapshotId} it is an existing file.`,
        { path: file.path },
      );
    }
    if (status !== 'added' && (entry.sequenceNumber < 0n || entry.fileSequenceNumber < 0n)) {
      throw invalidArgument(`${file.path} needs the sequence numbers that it was committed with.`, { path: file.path });
    }
  }
}

function partitionProblem({ specId, partition }: DataFile, spec: PartitionSpec): string | null {
  if (specId !== spec.specId) return `belongs to the partition spec ${specId}, not to ${spec.specId} like the manifest`;
  return partition.length === spec.fields.length
    ? null
    : `has ${partition.length} partition values for ${spec.fields.length} fields`;
}

function vectorVersionProblem({ contentOffset }: DataFile, version: number): string | null {
  return contentOffset !== null && version < 3 ? 'is a deletion vector, which needs format version 3' : null;
}

/** Makes an entry a value of `manifestEntryType`. */
function entryRecord(
  { formatVersion, snapshotId, sequenceNumber }: EncodeManifestOptions,
  type: StructType,
): (entry: NewManifestEntry) => Value {
  const fileType = type.fields.at(-1)!.type;
  const getters = fileType.kind === 'struct' ? fileType.fields.map(({ id }) => FILE_VALUES[id]!) : [];
  return (entry: NewManifestEntry): Value => {
    const added = entry.status === 'added';
    const file = getters.map((get) => get(entry.file, added));
    const status = STATUS[entry.status];
    const snapshot = entry.status === 'existing' ? entry.snapshotId : snapshotId;
    if (formatVersion === 1) return [status, snapshot, file];
    const dataSequence = added ? (sequenceNumber ?? null) : entry.sequenceNumber;
    return [status, snapshot, dataSequence, added ? null : entry.fileSequenceNumber, file];
  };
}

type FileValue = (file: DataFile, added: boolean) => Value;

/** What a manifest stores of a data file, by field id. */
const FILE_VALUES: Readonly<Record<number, FileValue>> = {
  [FILE_FIELD.content]: (file) => CONTENTS.indexOf(file.content),
  [FILE_FIELD.filePath]: (file) => file.path,
  // Upper case, as Java has it; all readers ignore the case.
  [FILE_FIELD.fileFormat]: (file) => file.format.toUpperCase(),
  [FILE_FIELD.partition]: (file) => file.partition,
  [FILE_FIELD.recordCount]: (file) => file.recordCount,
  [FILE_FIELD.fileSizeInBytes]: (file) => file.fileSizeInBytes,
  [FILE_FIELD.blockSizeInBytes]: () => V1_BLOCK_SIZE,
  [FILE_FIELD.columnSizes]: (file) => pairs(file.columnSizes),
  [FILE_FIELD.valueCounts]: (file) => pairs(file.valueCounts),
  [FILE_FIELD.nullValueCounts]: (file) => pairs(file.nullValueCounts),
  [FILE_FIELD.nanValueCounts]: (file) => pairs(file.nanValueCounts),
  [FILE_FIELD.lowerBounds]: (file) => pairs(file.lowerBounds),
  [FILE_FIELD.upperBounds]: (file) => pairs(file.upperBounds),
  [FILE_FIELD.keyMetadata]: (file) => file.keyMetadata,
  [FILE_FIELD.splitOffsets]: (file) => file.splitOffsets,
  [FILE_FIELD.equalityIds]: (file) => file.equalityIds,
  [FILE_FIELD.sortOrderId]: (file) => file.sortOrderId,
  // New files get theirs when the commit is read (spec: "First Row ID Inheritance"); delete files have none.
  [FILE_FIELD.firstRowId]: (file, added) => (added || file.content !== 'data' ? null : file.firstRowId),
  [FILE_FIELD.referencedDataFile]: (file) => file.referencedDataFile,
  [FILE_FIELD.contentOffset]: (file) => file.contentOffset,
  [FILE_FIELD.contentSizeInBytes]: (file) => file.contentSizeInBytes,
};

/** A default that v1 readers require and nobody uses: 64 MiB, as Java writes it. */
const V1_BLOCK_SIZE = 64 * 1024 * 1024;

function pairs(map: ReadonlyMap<number, number | Uint8Array> | null): Value {
  return map === null ? null : [...map];
}
