import { referencedPath } from '../scan/delete-file-index.ts';
import type { DeleteFileIndex } from '../scan/delete-file-index.ts';
import type { DeleteFile } from '../scan/file-scan-task.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import { specById } from '../spec/metadata-accessors.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { ManifestPartitions } from '../transaction/manifest-partitions.ts';
import type { ChangeSource } from './change-source.ts';
import type { SequencedFile, SnapshotFiles } from './snapshot-files.ts';
import { deleteIndex, isGlobalDelete } from './touched-files.ts';

/** The deletes that some data files had just before a snapshot, and have since. */
export interface DeletesAround {
  readonly before: DeleteFileIndex;
  readonly after: DeleteFileIndex;
}

/**
 * Reads the deletes that may apply to these data files. All of them are in the snapshot's own manifests: those that it
 * removed are listed with its id, so that its parent need not be there any more.
 */
export async function readDeletesAround(
  source: ChangeSource,
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
  files: SnapshotFiles,
  touched: readonly SequencedFile[],
): Promise<DeletesAround> {
  const kept: DeleteFile[] = [];
  const targets = new Targets(source, touched);
  // A manifest that was written for the snapshot lists others' files, too.
  const others = manifests.filter((one) => targets.mayBeIn(one));
  const wanted = {
    stats: 'all' as const,
    liveOnly: true,
    partition: targets.hasPartition,
  };
  for await (const entries of source.entries(others, wanted)) {
    for (const { status, snapshotId, file, sequenceNumber } of entries) {
      if (status === 'added' && snapshotId === snapshot.snapshotId) continue;
      if (targets.mayBeAbout({ file, sequenceNumber })) kept.push({ file, sequenceNumber });
    }
  }
  const relevant = (deletes: readonly DeleteFile[]) => deletes.filter((entry) => targets.mayBeAbout(entry));
  return {
    before: deleteIndex(source, [...kept, ...relevant(files.removedDeletes)]),
    after: deleteIndex(source, [...kept, ...relevant(files.addedDeletes)]),
  };
}

/** Some data files, and what may delete from them. */
class Targets {
  readonly #source: ChangeSource;
  readonly #partitions = new ManifestPartitions();
  readonly #paths: ReadonlySet<string>;
  readonly #oldest: bigint | null;
  readonly hasPartition = (specId: number, tuple: PartitionTuple): boolean =>
    this.#isUnpartitioned(specId) || this.#partitions.has(specId, tuple);

  constructor(source: ChangeSource, files: readonly SequencedFile[]) {
    this.#source = source;
    for (const { file } of files) this.#partitions.add(file.specId, file.partition);
    this.#paths = new Set(files.map(({ file }) => file.path));
    this.#oldest = files.reduce<bigint | null>(
      (oldest, { sequenceNumber: n }) => (oldest === null || n < oldest ? n : oldest),
      null,
    );
  }

  mayBeIn(manifest: ManifestFile): boolean {
    if (manifest.content !== 'deletes' || this.#oldest === null || manifest.sequenceNumber < this.#oldest) return false;
    if (!this.#source.mayMatch(manifest)) return false;
    return this.#isUnpartitioned(manifest.partitionSpecId) || this.#partitions.mayBeIn(manifest, this.#source.metadata);
  }

  mayBeAbout(entry: DeleteFile): boolean {
    const { file } = entry;
    const path = file.content === 'position-deletes' ? referencedPath(file) : null;
    if (path !== null) return this.#paths.has(path);
    return isGlobalDelete(this.#source, entry) || this.#partitions.has(file.specId, file.partition);
  }

  #isUnpartitioned(specId: number): boolean {
    return isUnpartitioned(specById(this.#source.metadata, specId));
  }
}
