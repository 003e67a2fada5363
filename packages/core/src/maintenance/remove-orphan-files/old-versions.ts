import { versionOf } from '../../catalog/file-system/version-files.ts';
import { fileNameOf } from '../../io/locations.ts';
import type { LoadedMetadata } from '../../catalog/catalog.ts';
import type { DeleteResult, FileIO, FileStat, IOOptions } from '../../io/file-io.ts';
import { readTableUuid } from './table-directory.ts';

/**
 * Younger versions stay whatever is asked for: a writer that was slow may still be building on one, and would claim the
 * next one anew if it were gone.
 */
const MINIMUM_AGE_MS = 10 * 60_000;

export interface VersionSeen {
  readonly version: number;
  readonly file: FileStat;
}

/**
 * Versions of a file-system catalog's metadata that have left the metadata log, oldest first: up to the first that is too
 * young. Those of tables that were dropped here stay.
 */
export async function* oldVersions(
  io: FileIO,
  seen: readonly VersionSeen[],
  { metadata, metadataLocation }: LoadedMetadata,
  { cutoffMs, nowMs, ...options }: { readonly cutoffMs: number; readonly nowMs: number } & IOOptions,
): AsyncGenerator<FileStat, void, undefined> {
  const current = versionOf(fileNameOf(metadataLocation));
  if (current === null) return;
  const logged = metadata.metadataLog.map(({ metadataFile }) => versionOf(fileNameOf(metadataFile)));
  const oldestKept = Math.min(current, ...logged.filter((version) => version !== null));
  const latest = Math.min(cutoffMs, nowMs - MINIMUM_AGE_MS);
  for (const { version, file } of seen.toSorted((a, b) => a.version - b.version)) {
    if (version >= oldestKept || file.lastModifiedMs === undefined || file.lastModifiedMs >= latest) return;
    if ((await readTableUuid(io, file, options)) === metadata.tableUuid) yield file;
  }
}

/** One after the other, until one fails: while a version exists, none above it is gone. */
export async function* deleteInOrder(
  io: FileIO,
  locations: readonly string[],
  options: IOOptions,
): AsyncGenerator<DeleteResult, void, undefined> {
  for (const location of locations) {
    const result = await io.delete([location], options);
    yield result;
    if (result.failed.length > 0) return;
  }
}
