import { isDeletionVector } from '../manifest/content-problem.ts';
import type { FileIO } from '../io/file-io.ts';
import { referencedPath } from '../scan/delete-file-index.ts';
import { partitionKey } from '../scan/partition-key.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestEntry } from '../spec/manifest.ts';
import { isUnpartitioned } from '../spec/partition-spec.ts';
import { MAIN_BRANCH } from '../spec/snapshot.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { Action } from '../transaction/action.ts';
import type { CommitOutcome } from '../transaction/commit.ts';
import { parentOnBranch } from '../transaction/refs.ts';
import { snapshotChangeAction } from '../transaction/snapshot-change-action.ts';
import { checkOptions } from './check-options.ts';
import type { OptionKinds } from './check-options.ts';
import { liveEntries } from './live-entries.ts';
import { checkWritable, commitMaintenance, loadNewest } from './maintained-table.ts';
import type { MaintainedTable } from './maintained-table.ts';

export interface RemoveDanglingDeletesOptions {
  /** The branch to work on; main if left out. */
  readonly branch?: string | undefined;
  /** Only tells how many would be removed. */
  readonly dryRun?: boolean | undefined;
  /** Told of every file of the branch that was looked at, deletes first. */
  readonly onProgress?: ((progress: RemoveDanglingDeletesProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoveDanglingDeletesProgress {
  readonly filesSeen: number;
}

export interface RemoveDanglingDeletesReport {
  /** Delete files, and deletion vectors. */
  readonly removedDeleteFilesCount: number;
  /** The snapshot that was made; null if none was. */
  readonly snapshotId: bigint | null;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<RemoveDanglingDeletesOptions> = {
  branch: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/**
 * Removes the delete files of a branch that apply to no data file, as one snapshot; none if there are none. They do no
 * harm, but cost every plan. In memory are the delete files, and a number for each partition.
 */
export async function removeDanglingDeletes(
  table: MaintainedTable,
  options: RemoveDanglingDeletesOptions = {},
): Promise<{ readonly report: RemoveDanglingDeletesReport; readonly outcome: CommitOutcome | null }> {
  checkOptions('removeDanglingDeletes', options, OPTIONS);
  const { branch = MAIN_BRANCH, dryRun = false, signal } = options;
  const { io } = table.operations;
  if (dryRun) {
    const { metadata } = await loadNewest(table);
    const found = await danglingDeletes(parentOnBranch(metadata, branch), metadata, io, options);
    return { report: { removedDeleteFilesCount: found.length, snapshotId: null, dryRun }, outcome: null };
  }
  checkWritable(table);
  let removed: readonly DataFile[] = [];
  const action: Action = {
    async build(metadata, attempt) {
      const base = parentOnBranch(metadata, branch);
      removed = await danglingDeletes(base, metadata, io, options);
      if (removed.length === 0) return [];
      const nothing = { addedData: [], addedDeletes: [], checks: {}, summary: {} };
      // Found out on the very version that the snapshot is made on.
      const baseSnapshotId = base?.snapshotId ?? null;
      const change = { ...nothing, baseSnapshotId, branch, operation: 'replace' as const, removed };
      return snapshotChangeAction(change).build(metadata, attempt);
    },
  };
  const outcome = await commitMaintenance(table, action, { signal, branch });
  const { changed, snapshotId } = outcome.commit;
  const removedDeleteFilesCount = changed ? removed.length : 0;
  return { report: { removedDeleteFilesCount, snapshotId: changed ? snapshotId : null, dryRun }, outcome };
}

/** Spec: "Scan Planning": which deletes apply to which data files. */
async function danglingDeletes(
  snapshot: Snapshot | null,
  metadata: TableMetadata,
  io: FileIO,
  { signal, onProgress }: RemoveDanglingDeletesOptions,
): Promise<readonly DataFile[]> {
  const options = signal ? { signal } : {};
  let filesSeen = 0;
  const seen = (): void => onProgress?.({ filesSeen: ++filesSeen });
  const deletes: ManifestEntry[] = [];
  for await (const entry of liveEntries('deletes', io, snapshot, metadata, options)) {
    deletes.push(entry);
    seen();
  }
  if (deletes.length === 0) return [];
  const referenced = new Set(deletes.flatMap(({ file }) => dataFileOf(file) ?? []));
  const existing = new Set<string>();
  const oldest = new Map<string, bigint>();
  const age = (key: string, sequenceNumber: bigint): void => {
    const known = oldest.get(key);
    if (known === undefined || sequenceNumber < known) oldest.set(key, sequenceNumber);
  };
  for await (const { file, sequenceNumber } of liveEntries('data', io, snapshot, metadata, options)) {
    if (referenced.has(file.path)) existing.add(file.path);
    age(partitionKey(file.specId, file.partition), sequenceNumber);
    age(EVERYWHERE, sequenceNumber);
    seen();
  }
  const global = new Set(metadata.partitionSpecs.filter(isUnpartitioned).map(({ specId }) => specId));
  const isDangling = ({ file, sequenceNumber }: ManifestEntry): boolean => {
    const path = dataFileOf(file);
    if (path !== null && !existing.has(path)) return true;
    const isGlobal = file.content === 'equality-deletes' && global.has(file.specId);
    const min = oldest.get(isGlobal ? EVERYWHERE : partitionKey(file.specId, file.partition));
    if (min === undefined) return true;
    return file.content === 'equality-deletes' ? sequenceNumber <= min : sequenceNumber < min;
  };
  return deletes.filter(isDangling).map(({ file }) => file);
}

const EVERYWHERE = '';

/** The one data file that a delete file is about; null if it may be about several. */
function dataFileOf(file: DataFile): string | null {
  if (file.content !== 'position-deletes') return null;
  return isDeletionVector(file) ? file.referencedDataFile : referencedPath(file);
}
