import { invalidData, unsupported } from '../errors.ts';
import { valueDecoder } from '../formats/avro/decode-values.ts';
import { readAvroContainer } from '../formats/avro/container.ts';
import { withCache } from '../io/caching-file-io.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';
import type { ManifestContent, ManifestFile, PartitionFieldSummary } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { LIST_FIELD, manifestFileType } from './manifest-schema.ts';

/**
 * The manifests of a snapshot, data and deletes, in the order of its manifest list. Counts that the list leaves out are
 * null: unknown, so possibly not zero. Snapshots of v1 tables may list manifests without a manifest list.
 * INVALID_DATA if the list is damaged, UNSUPPORTED if it is encrypted.
 */
export async function readManifestList(
  io: FileIO,
  snapshot: Snapshot,
  metadata: TableMetadata,
  options: IOOptions = {},
): Promise<readonly ManifestFile[]> {
  if (snapshot.keyId !== null) {
    throw unsupported(`Snapshot ${snapshot.snapshotId} is encrypted; encrypted tables can't be read yet.`, {
      snapshotId: snapshot.snapshotId,
    });
  }
  const { manifestList } = snapshot;
  if (manifestList === null) return readEmbeddedManifests(io, snapshot, options);
  const bytes = await withCache(io).read(manifestList, options);
  const manifests = decodeManifestList(bytes, manifestList, snapshot);
  for (const { path, partitionSpecId } of manifests) {
    if (!metadata.partitionSpecs.some(({ specId }) => specId === partitionSpecId)) {
      throw invalidData(
        `${manifestList} names the partition spec ${partitionSpecId}, which the table lacks, for ${path}.`,
        {
          path: manifestList,
        },
      );
    }
  }
  return manifests;
}

/** All fields of every version; what a list lacks reads as null. */
const READ_TYPE: StructType = manifestFileType(3);

const SLOTS: ReadonlyMap<number, number> = new Map(READ_TYPE.fields.map((field, slot) => [field.id, slot]));

function decodeManifestList(bytes: Uint8Array, location: string, snapshot: Snapshot): ManifestFile[] {
  const container = readAvroContainer(bytes, location);
  if (container.schema.kind !== 'record')
    throw invalidData(`${location} is no manifest list: it has no records.`, { location });
  const ids = new Set(container.schema.fields.map(({ fieldId }) => fieldId));
  for (const id of [LIST_FIELD.manifestPath, LIST_FIELD.manifestLength, LIST_FIELD.partitionSpecId]) {
    if (!ids.has(id))
      throw invalidData(`${location} is no manifest list: its schema lacks the field id ${id}.`, { location });
  }
  const decode = valueDecoder(container.schema, READ_TYPE, location);
  const manifests: ManifestFile[] = [];
  for (const { count, reader } of container.blocks()) {
    for (let i = 0; i < count; i++) {
      const values = decode(reader) as readonly Value[];
      reader.checkEnd();
      manifests.push(new LineReader(values, location).manifest(snapshot));
    }
  }
  return manifests;
}

const CONTENTS: readonly ManifestContent[] = ['data', 'deletes'];

/** One line of a manifest list, checked (spec: "Manifest Lists"). */
class LineReader {
  readonly #values: readonly Value[];
  readonly #location: string;

  constructor(values: readonly Value[], location: string) {
    this.#values = values;
    this.#location = location;
  }

  manifest(snapshot: Snapshot): ManifestFile {
    const content = CONTENTS[this.#count('content') ?? 0];
    if (!content) throw this.#invalid(`has the content ${String(this.#value('content'))}`);
    const sequenceNumber = this.#long('sequenceNumber') ?? 0n;
    return {
      path: this.#required('manifestPath', this.#value('manifestPath')) as string,
      length: this.#required('manifestLength', this.#count('manifestLength')),
      partitionSpecId: this.#required('partitionSpecId', this.#value('partitionSpecId')) as number,
      content,
      sequenceNumber,
      minSequenceNumber: this.#long('minSequenceNumber') ?? 0n,
      addedSnapshotId: this.#long('addedSnapshotId') ?? snapshot.snapshotId,
      addedFilesCount: this.#count('addedFilesCount'),
      existingFilesCount: this.#count('existingFilesCount'),
      deletedFilesCount: this.#count('deletedFilesCount'),
      addedRowsCount: this.#count('addedRowsCount'),
      existingRowsCount: this.#count('existingRowsCount'),
      deletedRowsCount: this.#count('deletedRowsCount'),
      partitions: this.#partitions(),
      keyMetadata: this.#value('keyMetadata') as Uint8Array | null,
      // Delete manifests have none, whatever the list says.
      firstRowId: content === 'data' ? this.#long('firstRowId') : null,
    };
  }

  #partitions(): readonly PartitionFieldSummary[] | null {
    const summaries = this.#value('partitions') as readonly (readonly Value[])[] | null;
    return (
      summaries?.map(([containsNull, containsNaN, lowerBound, upperBound]) => ({
        // A list that doesn't tell leaves the worst case.
        containsNull: (containsNull as boolean | null) ?? true,
        containsNaN: containsNaN as boolean | null,
        lowerBound: lowerBound as Uint8Array | null,
        upperBound: upperBound as Uint8Array | null,
      })) ?? null
    );
  }

  #value(field: keyof typeof LIST_FIELD): Value {
    return this.#values[SLOTS.get(LIST_FIELD[field])!] ?? null;
  }

  #long(field: keyof typeof LIST_FIELD): bigint | null {
    return this.#value(field) as bigint | null;
  }

  #count(field: keyof typeof LIST_FIELD): number | null {
    const value = this.#value(field);
    if (value === null) return null;
    const count = Number(value);
    if (count < 0 || !Number.isSafeInteger(count)) throw this.#invalid(`has the ${field} ${String(value)}`);
    return count;
  }

  #required<T>(field: keyof typeof LIST_FIELD, value: T | null): T {
    if (value === null) throw this.#invalid(`has no ${field}`);
    return value;
  }

  #invalid(what: string): Error {
    return invalidData(`The manifest list ${this.#location} is damaged: a line ${what}.`, { location: this.#location });
  }
}

/**
 * Before manifest lists, v1 snapshots named their manifests. Each says itself which spec it has; v1 files have no
 * sequence numbers and no counts (spec: "Snapshots").
 */
async function readEmbeddedManifests(
  io: FileIO,
  snapshot: Snapshot,
  options: IOOptions,
): Promise<readonly ManifestFile[]> {
  const cached = withCache(io);
  const read = async (path: string): Promise<ManifestFile> => {
    const bytes = await cached.read(path, options);
    const { metadata } = readAvroContainer(bytes, path);
    return {
      path,
      length: bytes.length,
      partitionSpecId: Number(metadata.get('partition-spec-id') ?? 0),
      content: 'data',
      sequenceNumber: 0n,
      minSequenceNumber: 0n,
      addedSnapshotId: snapshot.snapshotId,
      addedFilesCount: null,
      existingFilesCount: null,
      deletedFilesCount: null,
      addedRowsCount: null,
      existingRowsCount: null,
      deletedRowsCount: null,
      partitions: null,
      keyMetadata: null,
      firstRowId: null,
    };
  };
  return Promise.all((snapshot.manifests ?? []).map(read));
}
