import type { TableOperations } from '../catalog/catalog.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { CommitAttempt } from './action.ts';

interface WrittenList {
  readonly location: string;
  readonly manifests: readonly ManifestFile[];
}

/** The list that a handle of a table wrote last: its next commit mostly builds on that one. */
const lastWritten = new WeakMap<TableOperations, WrittenList>();

/** To be told of a manifest list that was written, under a name that it has alone. */
export function rememberManifests(operations: TableOperations, list: WrittenList): void {
  lastWritten.set(operations, list);
}

/** The manifests that a snapshot on top of `parent` starts with. */
export async function inheritedManifests(
  parent: Snapshot | null,
  metadata: TableMetadata,
  { operations, signal }: CommitAttempt,
): Promise<readonly ManifestFile[]> {
  if (parent === null) return [];
  const last = lastWritten.get(operations);
  if (last?.location === parent.manifestList) return last.manifests;
  return readManifestList(operations.io, parent, metadata, signal ? { signal } : {});
}
