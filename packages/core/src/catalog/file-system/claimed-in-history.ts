import { fileNameOf } from '../../io/locations.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { versionOf, type VersionFile } from './version-files.ts';

/**
 * What the newest version tells about one that was claimed: that one is the newest itself, or the newest goes back to it,
 * with or without naming it in its metadata log, or does not, or can't tell.
 */
export type History = 'newest' | 'logged' | 'forgotten' | 'not-committed' | 'unknown';

/**
 * Whether a newer version goes back to the claimed one: its metadata log has the file with our time, or a snapshot that
 * we added is there. Unknown if the log does not reach back so far.
 */
export function historyIn(
  newer: TableMetadata,
  claimed: VersionFile,
  base: TableMetadata | null,
  ours: TableMetadata,
): Exclude<History, 'newest'> {
  if (newer.tableUuid !== ours.tableUuid) return 'not-committed';
  const logged = newer.metadataLog.map((entry) => ({ ...entry, version: versionOf(fileNameOf(entry.metadataFile)) }));
  const entries = logged.filter((entry) => entry.version === claimed.version);
  if (entries.length > 0) {
    return entries.some((entry) => entry.timestampMs === ours.lastUpdatedMs) ? 'logged' : 'not-committed';
  }
  const before = new Set(base?.snapshots.map((snapshot) => snapshot.snapshotId));
  const now = new Set(newer.snapshots.map((snapshot) => snapshot.snapshotId));
  if (ours.snapshots.some(({ snapshotId }) => !before.has(snapshotId) && now.has(snapshotId))) return 'forgotten';
  return logged.some(({ version }) => version !== null && version < claimed.version) ? 'not-committed' : 'unknown';
}
