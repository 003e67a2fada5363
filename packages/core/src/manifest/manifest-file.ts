import type { ManifestFile } from '../spec/manifest.ts';

/** Of a manifest whose commit is not done: the manifest list puts the snapshot's number in its place. */
export const UNASSIGNED_SEQUENCE_NUMBER = -1n;

/** The number of live files (added or existing); null if the manifest list doesn't tell. */
export function liveFilesCount({ addedFilesCount, existingFilesCount }: ManifestFile): number | null {
  return addedFilesCount === null || existingFilesCount === null ? null : addedFilesCount + existingFilesCount;
}

/** The same of rows. */
export function liveRowsCount({ addedRowsCount, existingRowsCount }: ManifestFile): number | null {
  return addedRowsCount === null || existingRowsCount === null ? null : addedRowsCount + existingRowsCount;
}

/** The sum of a count over manifests; null if it is unknown of one of them. */
export function sumOfCounts(
  manifests: readonly ManifestFile[],
  count: (manifest: ManifestFile) => number | null,
): number | null {
  let sum = 0;
  for (const manifest of manifests) {
    const one = count(manifest);
    if (one === null) return null;
    sum += one;
  }
  return sum;
}
