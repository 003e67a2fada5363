import type { ColumnBatch } from '../columns/column.ts';
import { throwIfAborted } from '../errors.ts';
import { requestsAtOnce } from '../io/requests-at-once.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { systemRuntime } from '../runtime.ts';
import { fetchManifests } from '../scan/fetch-manifests.ts';
import { lookAhead } from '../scan/look-ahead.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import { entryBatches } from './entry-batches.ts';
import type { EntryScan } from './entry-batches.ts';
import type { InspectedTable } from './metadata-table-definition.ts';

type Signal = AbortSignal | undefined;

/** The manifests of a snapshot; none without one. */
export async function snapshotManifests(
  { io, metadata }: InspectedTable,
  snapshot: Snapshot | null,
  signal: Signal,
): Promise<readonly ManifestFile[]> {
  if (snapshot === null) return [];
  return readManifestList(io, snapshot, metadata, signal ? { signal } : {});
}

/** The manifests of snapshots, in their order. */
export function manifestLists(
  table: InspectedTable,
  snapshots: readonly Snapshot[],
  signal: Signal,
): AsyncGenerator<{ readonly snapshot: Snapshot; readonly manifests: readonly ManifestFile[] }> {
  return lookAhead(snapshots, requestsAtOnce(table.io, table.runtime ?? systemRuntime), async (snapshot) => ({
    snapshot,
    manifests: await snapshotManifests(table, snapshot, signal),
  }));
}

/** The manifests of all snapshots, each of them once. */
export async function reachableManifests(table: InspectedTable, signal: Signal): Promise<readonly ManifestFile[]> {
  const byPath = new Map<string, ManifestFile>();
  for await (const { manifests } of manifestLists(table, table.metadata.snapshots, signal)) {
    throwIfAborted(signal);
    for (const manifest of manifests) if (!byPath.has(manifest.path)) byPath.set(manifest.path, manifest);
  }
  return [...byPath.values()];
}

/** The entries of manifests, one manifest after the other: no more is in memory than the next few manifests' bytes. */
export async function* readEntries(
  table: InspectedTable,
  manifests: readonly ManifestFile[],
  scan: EntryScan,
  signal: Signal,
): AsyncGenerator<ColumnBatch> {
  for await (const [manifest, bytes] of manifestFiles(table, manifests, signal)) {
    for (const batch of entryBatches(bytes, manifest, scan)) {
      throwIfAborted(signal);
      yield batch;
    }
  }
}

/** The bytes of manifests, in their order. */
export function manifestFiles(
  { io, runtime = systemRuntime }: InspectedTable,
  manifests: readonly ManifestFile[],
  signal: Signal,
): AsyncGenerator<readonly [ManifestFile, Uint8Array]> {
  return fetchManifests(io, manifests, runtime, signal ? { signal } : {});
}
