import { isDeletionVector } from '../manifest/content-problem.ts';
import { unionOfStats } from '../manifest/stats-columns.ts';
import type { StatsColumns } from '../manifest/stats-columns.ts';
import { referencedPath } from '../scan/delete-file-index.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { ManifestEntry, ManifestFile } from '../spec/manifest.ts';
import { FILE_PATH } from '../spec/position-delete-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { validationConflict } from './conflict.ts';
import { fileKey } from './file-key.ts';
import { ManifestPartitions } from './manifest-partitions.ts';
import type { ScopeMatcher } from './row-scope.ts';

/** Which entries leave the manifests of one content. */
export interface Removal {
  /** The files that were named, by key, with how often each is expected. */
  readonly named: ReadonlyMap<string, number>;
  /** Whether others than those named may leave, so that all manifests that may have such must be looked through. */
  readonly more: boolean;
  /** The columns whose statistics `takes` looks at. */
  readonly stats: StatsColumns;
  /** False only if nothing in the manifest leaves. */
  mayTouch(manifest: ManifestFile): boolean;
  /** Whether a live entry leaves. Throws a conflict for what can leave only in part. */
  takes(entry: ManifestEntry): boolean;
}

interface RemovalInput {
  /** Files of the content that were named. */
  readonly removed: readonly DataFile[];
  readonly scope: ScopeMatcher | null;
  readonly metadata: TableMetadata;
  readonly table: string;
}

/** Data files that were named, and those that lie in the scope as a whole. */
export function dataRemoval({ removed, scope, metadata, table }: RemovalInput): Removal {
  const named = countByKey(removed);
  const partitions = partitionsOf(removed);
  return {
    named,
    more: scope !== null,
    stats: scope?.stats ?? 'none',
    mayTouch: (manifest) => partitions.mayBeIn(manifest, metadata) || (scope?.mayTouch(manifest) ?? false),
    takes({ file }) {
      if (named.has(fileKey(file))) return true;
      const overlap = scope?.overlap(file) ?? 'none';
      if (overlap !== 'some') return overlap === 'all';
      throw validationConflict(table, `${file.path} holds rows to be removed and others, so it must be rewritten`, {
        path: file.path,
      });
    },
  };
}

interface DeleteRemovalInput extends RemovalInput {
  /** Data files that leave with the same change. */
  readonly removedData: readonly DataFile[];
  /** The smallest data sequence number of the data files that stay. */
  readonly minSequenceNumber: bigint;
}

/**
 * Delete files that were named, that are about nothing but rows of the scope or data files that leave, or that are
 * older than every data file. Those would do no harm, but cost every plan (and a deletion vector must go with its file).
 */
export function deleteRemoval(input: DeleteRemovalInput): Removal {
  const { removed, removedData, scope, metadata, minSequenceNumber } = input;
  const named = countByKey(removed);
  const gone = new Set(removedData.map(({ path }) => path));
  // Position deletes are in the partition of their data file (spec: "Scan Planning").
  const partitions = partitionsOf([...removed, ...removedData]);
  const isOld = (sequenceNumber: bigint): boolean => sequenceNumber > 0n && sequenceNumber < minSequenceNumber;
  return {
    named,
    more: true,
    stats: unionOfStats(scope?.stats ?? 'none', new Set([FILE_PATH.id])),
    mayTouch: (manifest) =>
      isOld(manifest.minSequenceNumber) ||
      partitions.mayBeIn(manifest, metadata) ||
      (scope?.mayTouch(manifest) ?? false),
    takes({ file, sequenceNumber }) {
      if (named.has(fileKey(file)) || isOld(sequenceNumber) || scope?.overlap(file) === 'all') return true;
      return isDangling(file, gone);
    },
  };
}

function isDangling(file: DataFile, gone: ReadonlySet<string>): boolean {
  if (file.content !== 'position-deletes' || gone.size === 0) return false;
  const path = isDeletionVector(file) ? file.referencedDataFile : referencedPath(file);
  return path !== null && gone.has(path);
}

function countByKey(files: readonly DataFile[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    const key = fileKey(file);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function partitionsOf(files: readonly DataFile[]): ManifestPartitions {
  const partitions = new ManifestPartitions();
  for (const { specId, partition } of files) partitions.add(specId, partition);
  return partitions;
}
