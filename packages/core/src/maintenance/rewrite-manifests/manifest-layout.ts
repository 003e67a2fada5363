import { throwIfAborted } from '../../errors.ts';
import { partitionType } from '../../manifest/partition-type.ts';
import { decodeManifest } from '../../manifest/read-manifest.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import { fetchManifests } from '../../scan/fetch-manifests.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import { compareTuples } from '../../spec/compare-values.ts';
import type { ManifestFile } from '../../spec/manifest.ts';
import { currentSchema } from '../../spec/metadata-accessors.ts';
import type { PartitionSpec, PartitionTuple } from '../../spec/partition-spec.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { PrimitiveType } from '../../spec/types.ts';

export interface LayoutSource {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly metadata: TableMetadata;
  readonly signal: AbortSignal | undefined;
}

/** Partitions that are next to each other and share a manifest; a large one has several of its own. */
export interface Cluster {
  readonly keys: readonly string[];
  readonly entries: number;
}

/** How the live entries of some manifests of one spec and content are spread over new ones. */
export interface ManifestLayout {
  readonly clusters: readonly Cluster[];
  /** At most so many entries go into a manifest. */
  readonly entriesPerManifest: number;
  /** What an entry takes in the manifests that there are. */
  readonly bytesPerEntry: number;
}

/** Partitions are next to each other by the values of their fields. */
export interface Clustering {
  readonly spec: PartitionSpec;
  /** The places of all fields, the one that counts most first. */
  readonly order: readonly number[];
}

interface PartitionCount {
  readonly key: string;
  readonly tuple: PartitionTuple;
  count: number;
}

/**
 * Works out few manifests of even size, each of which is about few partitions, so that a filter leaves most of them
 * unread. In memory is a counter for each partition.
 */
export async function layOut(
  source: LayoutSource,
  manifests: readonly ManifestFile[],
  clustering: Clustering,
  targetSizeBytes: number,
): Promise<ManifestLayout> {
  const partitions = await countPartitions(source, manifests);
  const total = partitions.reduce((sum, { count }) => sum + count, 0);
  const bytes = manifests.reduce((sum, { length }) => sum + length, 0);
  const wanted = Math.max(1, Math.ceil(bytes / targetSizeBytes));
  const entriesPerManifest = Math.max(1, Math.ceil(total / wanted));
  const compare = tupleOrder(clustering, source.metadata);
  const sorted = partitions.toSorted((a, b) => compare(a.tuple, b.tuple));
  return { clusters: cluster(sorted, entriesPerManifest), entriesPerManifest, bytesPerEntry: bytes / total };
}

export function manifestsOfLayout({ clusters, entriesPerManifest }: ManifestLayout): number {
  return clusters.reduce((sum, { entries }) => sum + Math.ceil(entries / entriesPerManifest), 0);
}

async function countPartitions(
  { io, runtime, metadata, signal }: LayoutSource,
  manifests: readonly ManifestFile[],
): Promise<readonly PartitionCount[]> {
  const counts = new Map<string, PartitionCount>();
  const options = { ...tableDefinitions(metadata), columns: { stats: 'none' }, liveOnly: true } as const;
  for await (const [manifest, bytes] of fetchManifests(io, manifests, runtime, signal ? { signal } : {})) {
    for (const entries of decodeManifest(bytes, manifest, options)) {
      throwIfAborted(signal);
      for (const { file } of entries) {
        const key = partitionKey(file.specId, file.partition);
        const known = counts.get(key);
        if (known) known.count++;
        else counts.set(key, { key, tuple: file.partition, count: 1 });
      }
    }
  }
  return [...counts.values()];
}

/** By the fields in turn, nulls first, as manifests' bounds have them. */
function tupleOrder(
  { spec, order }: Clustering,
  metadata: TableMetadata,
): (a: PartitionTuple, b: PartitionTuple) => number {
  const { fields } = partitionType(spec, [currentSchema(metadata), ...metadata.schemas]);
  const compare = compareTuples(order.map((i) => fields[i]!.type as PrimitiveType));
  const ordered = (tuple: PartitionTuple): PartitionTuple => order.map((i) => tuple[i] ?? null);
  return (a, b) => compare(ordered(a), ordered(b));
}

function cluster(partitions: readonly PartitionCount[], entriesPerManifest: number): readonly Cluster[] {
  const clusters: Cluster[] = [];
  let keys: string[] = [];
  let entries = 0;
  const close = (): void => {
    if (keys.length > 0) clusters.push({ keys, entries });
    [keys, entries] = [[], 0];
  };
  for (const { key, count } of partitions) {
    if (entries + count > entriesPerManifest) close();
    keys.push(key);
    entries += count;
  }
  close();
  return clusters;
}
