import { invalidData, isLakehouseError } from '../errors.ts';
import { liveFilesCount, sumOfCounts } from '../manifest/manifest-file.ts';
import type { DeleteFile } from '../scan/file-scan-task.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestContent, ManifestFile } from '../spec/manifest.ts';
import { snapshotById } from '../spec/metadata-accessors.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { ChangeSource } from './change-source.ts';

/** A data file with its data sequence number. */
export interface SequencedFile {
  readonly file: DataFile;
  readonly sequenceNumber: bigint;
}

/** The files that one snapshot added and removed, as far as they may be about rows that match. */
export interface SnapshotFiles {
  readonly addedData: readonly SequencedFile[];
  readonly removedData: readonly SequencedFile[];
  readonly addedDeletes: readonly DeleteFile[];
  readonly removedDeletes: readonly DeleteFile[];
}

/**
 * Reads what a snapshot added and removed: the entries with its id in the manifests that were written for it (spec:
 * "Manifests"). `manifests` is its manifest list. INVALID_DATA if these entries don't make up for the difference to its
 * parent.
 */
export async function readSnapshotFiles(
  source: ChangeSource,
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
): Promise<SnapshotFiles> {
  await checkCounts(source, snapshot, manifests);
  const { snapshotId } = snapshot;
  // Summaries may leave out files that are gone.
  const mayMatch = (one: ManifestFile): boolean => one.deletedFilesCount !== 0 || source.mayMatch(one);
  const written = manifests.filter((one) => one.addedSnapshotId === snapshotId && mayMatch(one));
  // Statistics tell which deletes don't concern a file.
  const hasDeletes = manifests.some(({ content }) => content === 'deletes');
  const read = async (content: ManifestContent) => {
    const added: SequencedFile[] = [];
    const removed: SequencedFile[] = [];
    const ofContent = written.filter((one) => one.content === content);
    for await (const entries of source.entries(ofContent, { stats: hasDeletes ? 'all' : 'none' })) {
      for (const { status, snapshotId: changedBy, file, sequenceNumber } of entries) {
        if (status === 'existing' || changedBy !== snapshotId) continue;
        (status === 'added' ? added : removed).push({ file, sequenceNumber });
      }
    }
    return { added, removed };
  };
  const [data, deletes] = await Promise.all([read('data'), read('deletes')]);
  return {
    addedData: data.added,
    removedData: data.removed,
    addedDeletes: deletes.added,
    removedDeletes: deletes.removed,
  };
}

/** A writer that drops files without a word would make changes wrong without a word: where counts are known, they must add up. */
async function checkCounts(
  source: ChangeSource,
  snapshot: Snapshot,
  manifests: readonly ManifestFile[],
): Promise<void> {
  const { snapshotId, parentSnapshotId } = snapshot;
  const parent = parentSnapshotId === null ? undefined : snapshotById(source.metadata, parentSnapshotId);
  const before = parent === undefined ? null : await manifestsIfThere(source, parent);
  if (before === null) return;
  const isWritten = (one: ManifestFile): boolean => one.addedSnapshotId === snapshotId;
  for (const content of ['data', 'deletes'] as const) {
    const [now, then] = [manifests, before].map((list) => list.filter((one) => one.content === content));
    const live = sumOfCounts(now!, liveFilesCount);
    const liveBefore = sumOfCounts(then!, liveFilesCount);
    const added = sumOfCounts(now!.filter(isWritten), ({ addedFilesCount }) => addedFilesCount);
    const deleted = sumOfCounts(now!.filter(isWritten), ({ deletedFilesCount }) => deletedFilesCount);
    if (live === null || liveBefore === null || added === null || deleted === null) continue;
    if (liveBefore + added - deleted === live) continue;
    throw invalidData(
      `The changes of snapshot ${snapshotId} can't be told: it has ${live} ${content} files, its parent ${liveBefore}, but it says that it added ${added} and removed ${deleted}.`,
      { snapshotId, content },
    );
  }
}

/** Null if the snapshot has been expired since the table was loaded. */
async function manifestsIfThere(source: ChangeSource, snapshot: Snapshot): Promise<readonly ManifestFile[] | null> {
  try {
    return await source.manifests(snapshot);
  } catch (error) {
    if (isLakehouseError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}
