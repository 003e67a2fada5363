import type { LoadedMetadata } from '../catalog/catalog.ts';
import { throwIfAborted } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { comparableLocation, pathInStore } from '../io/locations.ts';
import { readManifest } from '../manifest/read-manifest.ts';
import { readManifestList } from '../manifest/read-manifest-list.ts';
import { tableDefinitions } from '../manifest/table-definitions.ts';
import type { ManifestFile } from '../spec/manifest.ts';
import type { Snapshot } from '../spec/snapshot.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { LocationSet } from './location-set.ts';

/**
 * All files that some version of a table, or several, reach: metadata, manifest lists, manifests, live data and delete
 * files of every snapshot, statistics. Versions add to it; what was read for one is not read again for the next.
 */
export class ReachableFiles {
  readonly #io: FileIO;
  readonly #signal: AbortSignal | undefined;
  readonly #locations = new LocationSet();
  /** The same without scheme and bucket. */
  readonly #paths = new LocationSet();
  readonly #snapshots = new Set<bigint>();
  readonly #manifests = new LocationSet();

  constructor(io: FileIO, signal: AbortSignal | undefined) {
    this.#io = io;
    this.#signal = signal;
  }

  has(location: string): boolean {
    return this.#locations.has(comparableLocation(location));
  }

  /** Whether a file is reachable under another scheme, or in another bucket: the same file by another name, perhaps. */
  hasElsewhere(location: string): boolean {
    return !this.has(location) && this.#paths.has(pathInStore(location));
  }

  /** Fails if anything can't be read: what a file that is not known leads to is not known either. */
  async add({ metadata, metadataLocation }: LoadedMetadata): Promise<void> {
    this.#add(metadataLocation);
    for (const { metadataFile } of metadata.metadataLog) this.#add(metadataFile);
    for (const { statisticsPath } of metadata.statistics) this.#add(statisticsPath);
    for (const { statisticsPath } of metadata.partitionStatistics) this.#add(statisticsPath);
    for (const snapshot of metadata.snapshots) await this.#addSnapshot(snapshot, metadata);
  }

  async #addSnapshot(snapshot: Snapshot, metadata: TableMetadata): Promise<void> {
    if (this.#snapshots.has(snapshot.snapshotId)) return;
    throwIfAborted(this.#signal);
    if (snapshot.manifestList !== null) this.#add(snapshot.manifestList);
    for (const manifest of await readManifestList(this.#io, snapshot, metadata, this.#options())) {
      if (this.#manifests.has(manifest.path)) continue;
      this.#add(manifest.path);
      await this.#addEntries(manifest, metadata);
      this.#manifests.add(manifest.path);
    }
    this.#snapshots.add(snapshot.snapshotId);
  }

  /** Deleted entries don't count: older snapshots that still have the file list it as live. */
  async #addEntries(manifest: ManifestFile, metadata: TableMetadata): Promise<void> {
    const entries = readManifest(this.#io, manifest, {
      ...tableDefinitions(metadata),
      columns: { stats: 'none' },
      liveOnly: true,
      ...this.#options(),
    });
    for await (const batch of entries) for (const { file } of batch) this.#add(file.path);
  }

  #add(location: string): void {
    this.#locations.add(comparableLocation(location));
    this.#paths.add(pathInStore(location));
  }

  #options(): { readonly signal?: AbortSignal } {
    return this.#signal ? { signal: this.#signal } : {};
  }
}
