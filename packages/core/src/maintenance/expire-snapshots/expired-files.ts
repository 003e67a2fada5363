import { isLakehouseError, throwIfAborted } from '../../errors.ts';
import { comparableLocation, fileKeyOf } from '../../io/locations.ts';
import type { FileIO } from '../../io/file-io.ts';
import { liveFilesCount } from '../../manifest/manifest-file.ts';
import { readManifestList } from '../../manifest/read-manifest-list.ts';
import { decodeManifest, readManifestBytes } from '../../manifest/read-manifest.ts';
import { tableDefinitions } from '../../manifest/table-definitions.ts';
import type { Runtime } from '../../runtime.ts';
import { lookAhead } from '../../scan/look-ahead.ts';
import type { DataFile, FileContent } from '../../spec/data-file.ts';
import type { ManifestFile } from '../../spec/manifest.ts';
import { snapshotById } from '../../spec/metadata-accessors.ts';
import type { Snapshot } from '../../spec/snapshot.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { LocationSet } from '../location-set.ts';

export interface ExpiredFilesSource {
  readonly io: FileIO;
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  /** The table with the snapshots that are expired. */
  readonly before: TableMetadata;
  /** The table without them, as new as can be: what it reaches stays. */
  readonly after: TableMetadata;
  /** Told of every snapshot whose manifests are known, and of every manifest that was read. */
  readonly onRead?: ((read: ReadSoFar) => void) | undefined;
}

export interface ReadSoFar {
  readonly snapshotsRead: number;
  readonly manifestsRead: number;
}

/** What a file is, for the report. */
export type ExpiredFileKind = FileContent | 'manifest' | 'manifest-list' | 'statistics';

export interface ExpiredFile {
  readonly location: string;
  readonly kind: ExpiredFileKind;
}

/**
 * Finds the files that expired snapshots reach and no other snapshot does. In memory are the lines of all manifests,
 * each once, and a hash for each file that is listed by a manifest that goes: it is dropped again if another manifest
 * lists the file. Nothing is given before everything that stays has been read, so an error means that nothing was deleted.
 */
export class ExpiredFiles {
  readonly #source: ExpiredFilesSource;
  readonly #expired: readonly Snapshot[];
  readonly #read: { snapshotsRead: number; manifestsRead: number } = { snapshotsRead: 0, manifestsRead: 0 };

  constructor(source: ExpiredFilesSource) {
    this.#source = source;
    const { before, after } = source;
    this.#expired = before.snapshots.filter(({ snapshotId }) => !snapshotById(after, snapshotId));
  }

  /**
   * Data and delete files first, then manifests, manifest lists and statistics. Fails where something that stays can't be
   * read, or something that goes, unless it is gone already.
   */
  async *find(): AsyncGenerator<ExpiredFile, void, undefined> {
    const { before, after } = this.#source;
    const kept = await this.#manifests(after.snapshots, after, false);
    const gone = await this.#manifests(this.#expired, before, true);
    for (const key of kept.keys()) gone.delete(key);
    yield* this.#dataFiles([...gone.values()], [...kept.values()]);
    for (const { path } of gone.values()) yield { location: path, kind: 'manifest' };
    yield* this.#manifestLists();
    yield* this.#statistics();
  }

  /** Each manifest of the snapshots once, those of the newest snapshots first. */
  async #manifests(
    snapshots: readonly Snapshot[],
    metadata: TableMetadata,
    mayBeGone: boolean,
  ): Promise<Map<string, ManifestFile>> {
    const { io, runtime, signal } = this.#source;
    const manifests = new Map<string, ManifestFile>();
    const read = (snapshot: Snapshot): Promise<readonly ManifestFile[] | null> =>
      unlessGone(() => readManifestList(io, snapshot, metadata, signal ? { signal } : {}), mayBeGone);
    for await (const list of lookAhead(snapshots.toReversed(), runtime.concurrency, read)) {
      throwIfAborted(signal);
      for (const manifest of list ?? []) {
        const key = this.#key(manifest.path);
        // Partition summaries are most of a line, and not asked for.
        if (!manifests.has(key)) manifests.set(key, { ...manifest, partitions: null });
      }
      this.#read.snapshotsRead++;
      this.#report();
    }
    return manifests;
  }

  async *#dataFiles(
    gone: readonly ManifestFile[],
    kept: readonly ManifestFile[],
  ): AsyncGenerator<ExpiredFile, void, undefined> {
    const { before, after } = this.#source;
    const doomed = new LocationSet();
    for await (const files of this.#liveFiles(gone, before, true)) {
      for (const { path } of files) doomed.add(this.#key(path));
    }
    for await (const files of this.#liveFiles(doomed.size === 0 ? [] : kept, after, false)) {
      for (const { path } of files) doomed.delete(this.#key(path));
      if (doomed.size === 0) return;
    }
    if (doomed.size === 0) return;
    for await (const files of this.#liveFiles(gone, before, true)) {
      // Several manifests list a file, and many deletion vectors lie in one.
      for (const { path, content } of files)
        if (doomed.delete(this.#key(path))) yield { location: path, kind: content };
    }
  }

  /** Files that are deleted in a manifest were live in an older one, which counts. */
  async *#liveFiles(
    manifests: readonly ManifestFile[],
    metadata: TableMetadata,
    mayBeGone: boolean,
  ): AsyncGenerator<readonly DataFile[], void, undefined> {
    const { io, runtime, signal } = this.#source;
    const options = { ...tableDefinitions(metadata), columns: { stats: 'none' }, liveOnly: true } as const;
    const listing = manifests.filter((manifest) => liveFilesCount(manifest) !== 0);
    const read = async (manifest: ManifestFile) => {
      const bytes = await unlessGone(() => readManifestBytes(io, manifest, signal ? { signal } : {}), mayBeGone);
      return [manifest, bytes] as const;
    };
    for await (const [manifest, bytes] of lookAhead(listing, runtime.concurrency, read)) {
      throwIfAborted(signal);
      if (bytes !== null) {
        for (const entries of decodeManifest(bytes, manifest, options)) yield entries.map(({ file }) => file);
      }
      this.#read.manifestsRead++;
      this.#report();
    }
  }

  *#manifestLists(): Generator<ExpiredFile, void, undefined> {
    const kept = new Set(this.#source.after.snapshots.map(({ manifestList }) => manifestList));
    for (const { manifestList } of this.#expired) {
      if (manifestList !== null && !kept.has(manifestList)) yield { location: manifestList, kind: 'manifest-list' };
    }
  }

  *#statistics(): Generator<ExpiredFile, void, undefined> {
    const { before, after } = this.#source;
    const kept = new Set(statisticsPaths(after));
    for (const location of new Set(statisticsPaths(before))) {
      if (!kept.has(location)) yield { location, kind: 'statistics' };
    }
  }

  #key(location: string): string {
    return comparableLocation(fileKeyOf(this.#source.io, location));
  }

  #report(): void {
    this.#source.onRead?.({ ...this.#read });
  }
}

function statisticsPaths({ statistics, partitionStatistics }: TableMetadata): readonly string[] {
  return [...statistics, ...partitionStatistics].map(({ statisticsPath }) => statisticsPath);
}

/** What an expiry that broke off has deleted leads to nothing any more. */
async function unlessGone<T>(read: () => Promise<T>, mayBeGone: boolean): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (mayBeGone && isLakehouseError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}
