import { DeleteFileIndex, referencedPath } from '../scan/delete-file-index.ts';
import type { DeleteFile } from '../scan/file-scan-task.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { specById } from '../spec/metadata-accessors.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { ManifestPartitions } from '../transaction/manifest-partitions.ts';
import type { ChangeSource } from './change-source.ts';
import type { SequencedFile, SnapshotFiles } from './snapshot-files.ts';

/**
 * The data files that a snapshot left as they were, but whose deletes it changed: those that deletes which it added or
 * removed apply to. Manifests of other partitions are not read, and no more of them than it takes to find all files
 * where the deletes say which they are about.
 */
export async function readTouchedFiles(
  source: ChangeSource,
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
  files: SnapshotFiles,
): Promise<readonly SequencedFile[]> {
  const changed = [...files.addedDeletes, ...files.removedDeletes];
  if (changed.length === 0) return [];
  // Two indexes: a deletion vector and the one that it replaces are about the same file.
  const indexes = [files.addedDeletes, files.removedDeletes].map((deletes) => deleteIndex(source, deletes));
  const candidates = new Candidates(source, changed, files);
  const touched: SequencedFile[] = [];
  const wanted = {
    stats: new Set(indexes.flatMap(({ equalityColumns }) => [...equalityColumns])),
    liveOnly: true,
    partition: (specId: number, tuple: PartitionTuple) => candidates.hasPartition(specId, tuple),
  };
  const selected = manifests.filter((one) => candidates.mayBeIn(one));
  for await (const entries of source.entries(selected, wanted)) {
    for (const { status, snapshotId, file, sequenceNumber } of entries) {
      if (status === 'added' && snapshotId === snapshot.snapshotId) continue;
      const isTouched = indexes.some((index) => index.forFile(file, sequenceNumber).length > 0);
      if (isTouched) touched.push({ file, sequenceNumber });
      candidates.found(file.path);
    }
    if (candidates.allFound) break;
  }
  return touched;
}

export function deleteIndex(source: ChangeSource, deletes: readonly DeleteFile[]): DeleteFileIndex {
  return new DeleteFileIndex(deletes, { specs: source.metadata.partitionSpecs, schemas: source.schemas });
}

/** Whether a delete file applies to files of every partition (spec: "Scan Planning"). */
export function isGlobalDelete(source: ChangeSource, { file }: DeleteFile): boolean {
  return file.content === 'equality-deletes' && isUnpartitioned(specById(source.metadata, file.specId));
}

/** Where data files can be that some deletes apply to. */
class Candidates {
  readonly #source: ChangeSource;
  readonly #everywhere: boolean;
  readonly #partitions = new ManifestPartitions();
  readonly #newest: bigint;
  /** The paths of files that are to be found; null if not all deletes name theirs. */
  readonly #missing: Set<string> | null;

  constructor(source: ChangeSource, deletes: readonly DeleteFile[], { addedData, removedData }: SnapshotFiles) {
    this.#source = source;
    this.#everywhere = deletes.some((entry) => isGlobalDelete(source, entry));
    for (const { file } of deletes) this.#partitions.add(file.specId, file.partition);
    this.#newest = deletes.reduce((newest, { sequenceNumber: n }) => (n > newest ? n : newest), 0n);
    const paths = deletes.map(({ file }) => (file.content === 'position-deletes' ? referencedPath(file) : null));
    this.#missing = paths.includes(null) ? null : new Set(paths as readonly string[]);
    for (const { file } of [...addedData, ...removedData]) this.found(file.path);
  }

  get allFound(): boolean {
    return this.#missing?.size === 0;
  }

  found(path: string): void {
    this.#missing?.delete(path);
  }

  mayBeIn(manifest: ManifestFile): boolean {
    if (manifest.content !== 'data' || this.allFound || manifest.minSequenceNumber > this.#newest) return false;
    if (!this.#source.mayMatch(manifest)) return false;
    return this.#everywhere || this.#partitions.mayBeIn(manifest, this.#source.metadata);
  }

  hasPartition(specId: number, tuple: PartitionTuple): boolean {
    return this.#everywhere || this.#partitions.has(specId, tuple);
  }
}
