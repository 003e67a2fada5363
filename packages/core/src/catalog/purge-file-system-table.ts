import type { LoadedMetadata } from './catalog.ts';
import type { FileSystemTableOperations } from './file-system/table-operations.ts';
import { VERSION_HINT, listVersionFiles } from './file-system/version-files.ts';
import { parseTableMetadata } from '../spec/table-metadata-json.ts';
import { deleteAll, purgeReachableFiles } from './purge-files.ts';

/**
 * Deletes what a dropped table's metadata reaches, then the metadata. Its versions go from the oldest up, and the one
 * that says that it is dropped goes last: a purge that breaks off leaves a dropped table.
 *
 * The names of the versions are free then. A writer that still has a request to the old table under way could claim one
 * of them in a new table of that name, so a table should be purged when nobody works on it.
 */
export async function purgeFileSystemTable(
  operations: FileSystemTableOperations,
  dropped: LoadedMetadata,
): Promise<void> {
  const { io, name, metadataDirectory } = operations;
  const { metadata, metadataLocation } = dropped;
  const failures = await purgeReachableFiles(io, metadata);
  failures.throwIfAny(name);
  const logged = new Set(metadata.metadataLog.map((entry) => entry.metadataFile));
  const versions = (await listVersionFiles(io, metadataDirectory)).map((file) => file.location);
  const elsewhere = [...logged].filter((location) => !versions.includes(location));
  await deleteAll(io, elsewhere, failures);
  for (const location of versions) {
    if (location === metadataLocation) break;
    // Versions that the log no longer names may be those of an earlier table that was dropped here.
    if (!logged.has(location)) {
      const { tableUuid } = parseTableMetadata(await io.read(location), location);
      if (tableUuid !== metadata.tableUuid) continue;
    }
    await deleteAll(io, [location], failures);
  }
  failures.throwIfAny(name);
  await deleteAll(io, [`${metadataDirectory}/${VERSION_HINT}`, metadataLocation], failures);
  failures.throwIfAny(name);
}
