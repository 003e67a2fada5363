import type { FileIO } from '../../io/file-io.ts';
import { fileNameOf } from '../../io/locations.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { listVersionFiles, versionOf } from './version-files.ts';

/**
 * Younger versions stay: a writer that was slow may still be building on one, and would claim the next one anew if it
 * were gone.
 */
const MINIMUM_AGE_MS = 10 * 60_000;

/** How far below the metadata log versions are looked for. Those that are even older are for a clean-up of orphans. */
const WINDOW = 100;

/**
 * Deletes the versions that have left the metadata log, if the table wants that
 * (`write.metadata.delete-after-commit.enabled`). From the oldest up, one after the other, and only until one fails:
 * while a version exists, those above it have not been trimmed. Never throws: the commit is done.
 */
export async function trimOldVersions(
  io: FileIO,
  directory: string,
  newest: { readonly version: number; readonly metadata: TableMetadata; readonly nowMs: number },
): Promise<void> {
  const { version, metadata, nowMs } = newest;
  if (metadata.properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() !== 'true') return;
  const logged = metadata.metadataLog.map((entry) => versionOf(fileNameOf(entry.metadataFile)));
  const oldestKept = Math.min(version, ...logged.filter((each) => each !== null));
  try {
    for (const file of await listVersionFiles(io, directory)) {
      if (file.version >= oldestKept || file.version < oldestKept - WINDOW) continue;
      const modifiedMs = file.stat?.lastModifiedMs;
      if (modifiedMs === undefined || modifiedMs > nowMs - MINIMUM_AGE_MS) return;
      // Versions of a table that was dropped here stay.
      const { tableUuid } = parseTableMetadata(await io.read(file.location), file.location);
      if (tableUuid !== metadata.tableUuid) continue;
      if ((await io.delete([file.location])).failed.length > 0) return;
    }
  } catch {
    // The next commit tries again.
  }
}
