import { throwIfAborted } from '../../errors.ts';
import { fetchManifests } from '../../scan/fetch-manifests.ts';
import { partitionKey } from '../../scan/partition-key.ts';
import type { ManifestEntry, ManifestFile } from '../../spec/manifest.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import type { StagingContext } from '../../transaction/action.ts';
import { liveEntries, openManifest } from '../../transaction/stage-manifests.ts';
import type { ManifestSettings, OpenManifest } from '../../transaction/stage-manifests.ts';
import type { Cluster, ManifestLayout } from './manifest-layout.ts';

/** All manifests that are under way at a time take about so much memory; for the next ones everything is read again. */
const BYTES_AT_ONCE = 128 * 1024 * 1024;

/**
 * Writes the live entries of manifests into new ones, as existing entries with the numbers and row ids that they have
 * (spec: "Sequence Number Inheritance", "First Row ID Inheritance").
 */
export async function writeLayout(
  inputs: readonly ManifestFile[],
  layout: ManifestLayout,
  settings: ManifestSettings,
  metadata: TableMetadata,
  context: StagingContext,
): Promise<readonly ManifestFile[]> {
  const written: ManifestFile[] = [];
  const { operations, runtime, signal } = context;
  for (const clusters of rounds(layout)) {
    const open = clusters.map(() => new RollingManifest(layout.entriesPerManifest, settings, metadata, context));
    const byPartition = new Map(clusters.flatMap(({ keys }, i) => keys.map((key) => [key, open[i]!] as const)));
    for await (const [manifest, bytes] of fetchManifests(operations.io, inputs, runtime, signal ? { signal } : {})) {
      throwIfAborted(signal);
      for (const entry of liveEntries(bytes, manifest, metadata, 'all')) {
        await byPartition.get(partitionKey(entry.file.specId, entry.file.partition))?.add(entry);
      }
    }
    for (const one of open) written.push(...(await one.finish()));
  }
  return written;
}

function* rounds({ clusters, bytesPerEntry }: ManifestLayout): Generator<readonly Cluster[]> {
  let round: Cluster[] = [];
  let bytes = 0;
  for (const one of clusters) {
    if (round.length > 0 && bytes + one.entries * bytesPerEntry > BYTES_AT_ONCE) {
      yield round;
      [round, bytes] = [[], 0];
    }
    round.push(one);
    bytes += one.entries * bytesPerEntry;
  }
  if (round.length > 0) yield round;
}

/** The manifests of one cluster, one after the other. */
class RollingManifest {
  readonly #most: number;
  readonly #openNext: () => OpenManifest;
  readonly #finished: ManifestFile[] = [];
  #open: OpenManifest | null = null;
  #count = 0;

  constructor(most: number, settings: ManifestSettings, metadata: TableMetadata, context: StagingContext) {
    this.#most = most;
    this.#openNext = () => openManifest(settings, metadata, context);
  }

  /** Waits only where a manifest is full. */
  add(entry: ManifestEntry): Promise<void> | undefined {
    this.#open ??= this.#openNext();
    this.#open.add({ ...entry, status: 'existing' });
    return ++this.#count < this.#most ? undefined : this.#close();
  }

  async finish(): Promise<readonly ManifestFile[]> {
    await this.#close();
    return this.#finished;
  }

  async #close(): Promise<void> {
    const open = this.#open;
    [this.#open, this.#count] = [null, 0];
    if (open !== null) this.#finished.push(await open.finish());
  }
}
