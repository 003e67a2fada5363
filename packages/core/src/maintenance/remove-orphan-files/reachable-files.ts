import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { comparableLocation, fileKeyOf, pathInStore } from '../../io/locations.ts';
import { decodeManifest } from '../../manifest/read-manifest.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import type { Runtime } from '../../runtime.ts';
import { fetchManifests } from '../../scan/fetch-manifests.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { ManifestFile } from '../../spec/manifest.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { LocationSet } from '../location-set.ts';

export interface ReachableFilesOptions {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** Where files are looked for that may be among the reachable ones. */
  readonly prefix: string;
}

/**
 * All files that some version of a table, or several, reach: metadata, manifest lists, manifests, live data and delete
 * files of every snapshot, statistics. Versions add to it; what was read for one is not read again for the next. In
 * memory are a hash for each file, and the names of manifests.
 */
export class ReachableFiles {
  readonly #options: ReachableFilesOptions;
  readonly #store: string;
  readonly #locations = new LocationSet();
  /** Of files in other stores than the prefix, without scheme and bucket. */
  readonly #pathsElsewhere = new LocationSet();
  readonly #snapshots = new Set<bigint>();
  /** Not by hash: of one that is taken for another, files that are needed would be taken for orphans. */
  readonly #manifests = new Set<string>();

  constructor(options: ReachableFilesOptions) {
    this.#options = options;
    this.#store = storeOf(comparableLocation(options.prefix));
  }

  has(location: string): boolean {
    return this.#locations.has(this.#key(location));
  }

  /** Whether a file is reachable under another scheme, or in another bucket: the same file by another name, perhaps. */
  hasElsewhere(location: string): boolean {
    return !this.has(location) && this.#pathsElsewhere.has(pathInStore(location));
  }

  /** Fails if anything can't be read: what a file that is not known leads to is not known either. */
  async add({ metadata, metadataLocation }: LoadedMetadata): Promise<void> {
    this.#add(metadataLocation);
    for (const { metadataFile } of metadata.metadataLog) this.#add(metadataFile);
    for (const { statisticsPath } of metadata.statistics) this.#add(statisticsPath);
    for (const { statisticsPath } of metadata.partitionStatistics) this.#add(statisticsPath);
    const { io, runtime, signal } = this.#options;
    const snapshots = metadata.snapshots.filter(({ snapshotId }) => !this.#snapshots.has(snapshotId));
    const lists = lookAhead(snapshots, runtime.concurrency, async (snapshot) => {
      return [snapshot, await readManifestList(io, snapshot, metadata, signal ? { signal } : {})] as const;
    });
    for await (const [{ snapshotId, manifestList }, manifests] of lists) {
      throwIfAborted(signal);
      if (manifestList !== null) this.#add(manifestList);
      await this.#addManifests(
        manifests.filter(({ path }) => !this.#manifests.has(path)),
        metadata,
      );
      this.#snapshots.add(snapshotId);
    }
  }

  /** Deleted entries don't count: older snapshots that still have the file list it as live. */
  async #addManifests(manifests: readonly ManifestFile[], metadata: TableMetadata): Promise<void> {
    const { io, runtime, signal } = this.#options;
    const options = { ...tableDefinitions(metadata), columns: { stats: 'none' }, liveOnly: true } as const;
    for await (const [manifest, bytes] of fetchManifests(io, manifests, runtime, signal ? { signal } : {})) {
      throwIfAborted(signal);
      this.#add(manifest.path);
      for (const entries of decodeManifest(bytes, manifest, options)) {
        for (const { file } of entries) this.#add(file.path);
      }
      this.#manifests.add(manifest.path);
    }
  }

  #add(location: string): void {
    const key = this.#key(location);
    this.#locations.add(key);
    if (storeOf(key) !== this.#store) this.#pathsElsewhere.add(pathInStore(location));
  }

  #key(location: string): string {
    return comparableLocation(fileKeyOf(this.#options.io, location));
  }
}

/** Scheme and host or bucket; '' for the local disk. */
function storeOf(comparable: string): string {
  return /^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*)?/.exec(comparable)?.[0] ?? '';
}
