import { readManifestList } from '../manifest/read-manifest-list.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import { FILE_PATH } from '../spec/position-delete-fields.ts';
import type { ManifestEntry } from '../spec/manifest.ts';
import type { TableView } from '../transaction/operations/table-view.ts';

/** The delete files of a view's snapshot, with what tells which data file they are about. */
export async function* liveDeletes({ metadata, snapshot, state }: TableView): AsyncGenerator<ManifestEntry> {
  if (snapshot === null) return;
  const { io } = state.host.operations;
  const { signal } = state.options;
  const options = signal ? { signal } : {};
  for (const manifest of await readManifestList(io, snapshot, metadata, options)) {
    if (manifest.content !== 'deletes') continue;
    const columns = { stats: new Set([FILE_PATH.id]) };
    const entries = readManifest(io, manifest, { ...tableDefinitions(metadata), columns, liveOnly: true, ...options });
    for await (const batch of entries) yield* batch;
  }
}
