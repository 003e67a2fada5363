import type { FileIO, IOOptions } from '../io/file-io.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import type { ManifestContent, ManifestEntry } from '../spec/manifest.ts';
import { FILE_PATH } from '../spec/position-delete-fields.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableView } from '../transaction/operations/table-view.ts';

/** The data or delete files of a snapshot, these with what tells which data file they are about. */
export async function* liveEntries(
  content: ManifestContent,
  io: FileIO,
  snapshot: Snapshot | null,
  metadata: TableMetadata,
  options: IOOptions,
): AsyncGenerator<ManifestEntry> {
  if (snapshot === null) return;
  const stats = content === 'data' ? 'none' : new Set([FILE_PATH.id]);
  const reading = { ...tableDefinitions(metadata), columns: { stats }, liveOnly: true, ...options } as const;
  for (const manifest of await readManifestList(io, snapshot, metadata, options)) {
    if (manifest.content !== content) continue;
    for await (const batch of readManifest(io, manifest, reading)) yield* batch;
  }
}

/** The delete files of a view's snapshot. */
export function liveDeletes({ metadata, snapshot, state }: TableView): AsyncGenerator<ManifestEntry> {
  const { signal } = state.options;
  return liveEntries('deletes', state.host.operations.io, snapshot, metadata, signal ? { signal } : {});
}
