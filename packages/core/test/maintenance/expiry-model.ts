import { readManifest } from '../../src/manifest/read-manifest.ts';
import { readManifestList } from '../../src/manifest/read-manifest-list.ts';
import { tableDefinitions } from '../../src/manifest/table-definitions.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import type { TableMetadata } from '../../src/spec/table-metadata.ts';

export interface Wishes {
  readonly nowMs: number;
  readonly olderThanMs?: number;
  readonly retainLast?: number;
  readonly snapshotIds?: readonly bigint[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The spec's retention policy, step by step; snapshots that no ref leads to by their age, as in Iceberg Java. */
export function naiveRetention(
  { refs, snapshots, properties }: TableMetadata,
  { nowMs, olderThanMs, retainLast, snapshotIds = [] }: Wishes,
): { readonly refs: ReadonlySet<string>; readonly snapshots: ReadonlySet<bigint> } {
  const property = (name: string, missing: number): number => Number(properties[`history.expire.${name}`] ?? missing);
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  const maxAge = property('max-snapshot-age-ms', 5 * DAY_MS);
  const oldest = olderThanMs ?? nowMs - maxAge;
  const keptRefs = new Set<string>();
  const retained = new Set<bigint>();
  const referenced = new Set<bigint>();
  for (const [name, ref] of Object.entries(refs)) {
    const age = nowMs - byId.get(ref.snapshotId)!.timestampMs;
    if (name !== 'main' && age > (ref.maxRefAgeMs ?? property('max-ref-age-ms', Infinity))) continue;
    keptRefs.add(name);
    retained.add(ref.snapshotId);
    referenced.add(ref.snapshotId);
    if (ref.type === 'tag') continue;
    const chain = [];
    for (let at = byId.get(ref.snapshotId); at; at = byId.get(at.parentSnapshotId ?? -1n)) chain.push(at);
    for (const { snapshotId } of chain) referenced.add(snapshotId);
    const minimum = ref.minSnapshotsToKeep ?? retainLast ?? property('min-snapshots-to-keep', 1);
    const limit = ref.maxSnapshotAgeMs === null ? oldest : nowMs - ref.maxSnapshotAgeMs;
    const end = chain.findIndex(({ timestampMs }, i) => i >= minimum && timestampMs < limit);
    for (const { snapshotId } of end < 0 ? chain : chain.slice(0, end)) retained.add(snapshotId);
  }
  for (const { snapshotId, timestampMs } of snapshots) {
    if (!referenced.has(snapshotId) && timestampMs >= oldest) retained.add(snapshotId);
  }
  for (const id of snapshotIds) retained.delete(id);
  return { refs: keptRefs, snapshots: retained };
}

/** All that the snapshots of a table lead to, but for the metadata files. */
export async function reachableFiles(io: FileIO, metadata: TableMetadata): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for (const snapshot of metadata.snapshots) {
    if (snapshot.manifestList !== null) files.add(snapshot.manifestList);
    for (const manifest of await readManifestList(io, snapshot, metadata)) {
      files.add(manifest.path);
      for await (const entries of readManifest(io, manifest, { ...tableDefinitions(metadata), liveOnly: true })) {
        for (const { file } of entries) files.add(file.path);
      }
    }
  }
  for (const { statisticsPath } of [...metadata.statistics, ...metadata.partitionStatistics]) files.add(statisticsPath);
  return files;
}
