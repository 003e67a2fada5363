import type { ManifestFile } from '../spec/manifest.ts';

/** Of a manifest whose commit is not done: the manifest list puts the snapshot's number in its place. */
export const UNASSIGNED_SEQUENCE_NUMBER = -1n;

/** The number of live files (added or existing); null if the manifest list doesn't tell. */
export function liveFilesCount({ addedFilesCount, existingFilesCount }: ManifestFile): number | null {
  return addedFilesCount === null || existingFilesCount === null ? null : addedFilesCount + existingFilesCount;
}
