import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { isLakehouseError, unsupported } from '../../errors.ts';
import type { LakehouseError } from '../../errors.ts';
import { deleteInBatches } from '../../io/delete-in-batches.ts';
import type { DeleteResult, FileIO, FileStat, IOOptions } from '../../io/file-io.ts';
import { toEpochMs } from '../../transaction/time-input.ts';
import type { TimeInput } from '../../transaction/time-input.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { checkOwnsFiles, loadNewest } from '../maintained-table.ts';
import type { MaintainedTable } from '../maintained-table.ts';
import { deleteInOrder, oldVersions } from './old-versions.ts';
import type { VersionSeen } from './old-versions.ts';
import { ReachableFiles } from './reachable-files.ts';
import { TableDirectory } from './table-directory.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_AGE_MS = 3 * DAY_MS;

/** So many candidates are in memory at a time; if there are more, the location is listed once more to delete them. */
const MOST_CANDIDATES = 20_000;
/** So many orphans does the report name. */
const MOST_NAMED = 100_000;

export interface RemoveOrphanFilesOptions {
  /**
   * Only files last written before; three days ago if left out. A file that a job has written but not committed yet is
   * no part of the table: a time later than the start of the longest job under way deletes from under it.
   */
  readonly olderThan?: TimeInput | undefined;
  /** Where to look; the table's location if left out, which it must be or lie in. */
  readonly location?: string | undefined;
  /** Only tells what would be deleted. */
  readonly dryRun?: boolean | undefined;
  /** Told of every batch of files that were deleted. */
  readonly onProgress?: ((progress: OrphanProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OrphanProgress {
  readonly filesDeleted: number;
  /** How many orphans are known so far. */
  readonly filesTotal: number;
}

export interface OrphanFilesReport {
  /** Files that no snapshot and no version of the metadata reaches; the first 100,000 of them. */
  readonly orphanFiles: readonly string[];
  readonly orphanFilesCount: number;
  /** Of all of them, in bytes. */
  readonly orphanBytes: number;
  /** How many of them were deleted; 0 in a dry run. */
  readonly filesDeleted: number;
  /** Those that could not be deleted. */
  readonly failed: readonly { readonly location: string; readonly error: unknown }[];
  /** How many files were looked at. */
  readonly filesListed: number;
  readonly dryRun: boolean;
}

const OPTIONS: OptionKinds<RemoveOrphanFilesOptions> = {
  olderThan: 'any',
  location: 'text',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/**
 * Deletes files in a table's location that nothing reaches: what failed, killed or lost writes left, what an expiry that
 * broke off did not get to, versions of the metadata that have left its log, what a table that was dropped here left.
 * Everything is listed before anything is deleted, and the table is read again after that, so that what was committed
 * meanwhile stays. In memory are some 16 to 32 bytes for each file that is reachable, and the names of 100,000 orphans.
 *
 * INVALID_ARGUMENT for a location outside the table's; UNSUPPORTED if another table lives in it, or the table says that
 * its files belong to others as well (`gc.enabled`). Nothing is deleted then, nor if anything reachable can't be read.
 */
export async function removeOrphanFiles(
  table: MaintainedTable,
  options: RemoveOrphanFilesOptions = {},
): Promise<OrphanFilesReport> {
  checkOptions('removeOrphanFiles', options, OPTIONS);
  const { operations, runtime } = table;
  const { signal, dryRun = false } = options;
  const { io, name } = operations;
  const before = await loadNewest(table);
  checkOwnsFiles(before.metadata, name, 'Orphan files');
  const directory = new TableDirectory(operations, before.metadata);
  const prefix = directory.prefix(options.location);
  const ioOptions = signal ? { signal } : {};
  await directory.checkAbove(prefix, ioOptions);
  const nowMs = runtime.now();
  const cutoffMs = options.olderThan === undefined ? nowMs - DEFAULT_AGE_MS : toEpochMs(options.olderThan, 'olderThan');
  const reachable = new ReachableFiles({ io, runtime, signal, prefix });
  await addNewest(table, reachable, before);

  const search = new Search({ io, name, directory, prefix, cutoffMs, reachable }, ioOptions);
  const first = await search.first();
  const newest = await addNewest(table, reachable);
  const removal = new Removal(io, options);
  const versions: FileStat[] = [];
  for await (const file of oldVersions(io, search.versions, newest, { cutoffMs, nowMs, ...ioOptions })) {
    versions.push(file);
  }
  if (search.isComplete) await removal.remove(first, reachable);
  else {
    for await (const some of search.chunks()) {
      await addNewest(table, reachable);
      await removal.remove(some, reachable);
    }
  }
  await removal.removeVersions(versions);
  if (!dryRun) await io.deleteUnfinishedWrites?.(prefix, { olderThan: cutoffMs, ...ioOptions });
  return { ...removal.report(), filesListed: search.filesListed, dryRun };
}

/**
 * Adds what the newest version reaches. A file that an expiry deletes meanwhile was reached by an older one alone: then
 * there is a newer one, to be added instead.
 */
async function addNewest(
  table: MaintainedTable,
  reachable: ReachableFiles,
  known?: LoadedMetadata,
): Promise<LoadedMetadata> {
  let loaded = known ?? (await loadNewest(table));
  for (;;) {
    try {
      await reachable.add(loaded);
      return loaded;
    } catch (error) {
      if (!isLakehouseError(error, 'NOT_FOUND')) throw error;
      const newer = await loadNewest(table);
      if (newer.metadataLocation === loaded.metadataLocation) throw error;
      loaded = newer;
    }
  }
}

interface SearchSource {
  readonly io: FileIO;
  readonly name: string;
  readonly directory: TableDirectory;
  readonly prefix: string;
  readonly cutoffMs: number;
  readonly reachable: ReachableFiles;
}

/** Looks for files that may be orphans: all of them at first, to know that none of them is another table's. */
class Search {
  readonly #source: SearchSource;
  readonly #options: IOOptions;
  readonly versions: VersionSeen[] = [];
  filesListed = 0;
  /** Whether the first look has named all candidates. */
  isComplete = true;

  constructor(source: SearchSource, options: IOOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** As many candidates as are kept. UNSUPPORTED if not all files are surely the table's. */
  async first(): Promise<readonly FileStat[]> {
    const { io, prefix, directory, reachable } = this.#source;
    const candidates: FileStat[] = [];
    for await (const file of io.list(prefix, this.#options)) {
      this.filesListed++;
      const version = directory.versionIn(file.location);
      if (version !== null) this.versions.push({ version, file });
      if (reachable.has(file.location)) continue;
      await directory.check(file, this.#options);
      if (!this.#isCandidate(file)) continue;
      if (reachable.hasElsewhere(file.location)) throw this.#sameFileElsewhere(file.location);
      if (candidates.length < MOST_CANDIDATES) candidates.push(file);
      else this.isComplete = false;
    }
    return candidates;
  }

  /** All candidates, in parts. */
  async *chunks(): AsyncGenerator<readonly FileStat[], void, undefined> {
    const { io, prefix } = this.#source;
    let candidates: FileStat[] = [];
    for await (const file of io.list(prefix, this.#options)) {
      if (!this.#isCandidate(file)) continue;
      candidates.push(file);
      if (candidates.length < MOST_CANDIDATES) continue;
      yield candidates;
      candidates = [];
    }
    yield candidates;
  }

  #isCandidate({ location, lastModifiedMs }: FileStat): boolean {
    const { cutoffMs, directory, prefix, reachable } = this.#source;
    const isOld = lastModifiedMs !== undefined && lastModifiedMs < cutoffMs;
    return isOld && directory.mayBeOrphan(location, prefix) && !reachable.has(location);
  }

  #sameFileElsewhere(location: string): LakehouseError {
    const { name } = this.#source;
    return unsupported(
      `Orphan files of ${name} can't be told from others: the table names a file like '${location}' in another bucket or with another scheme, which may be the same file. Nothing was deleted.`,
      { table: name, location },
    );
  }
}

/** Deletes orphans, or only counts them. */
class Removal {
  readonly #io: FileIO;
  readonly #options: RemoveOrphanFilesOptions;
  readonly #named: string[] = [];
  readonly #failed: { readonly location: string; readonly error: unknown }[] = [];
  #count = 0;
  #bytes = 0;
  #deleted = 0;

  constructor(io: FileIO, options: RemoveOrphanFilesOptions) {
    this.#io = io;
    this.#options = options;
  }

  async remove(candidates: readonly FileStat[], reachable: ReachableFiles): Promise<void> {
    const orphans = candidates.filter(({ location }) => !reachable.has(location));
    await this.#remove(orphans, (locations, options) => deleteInBatches(this.#io, locations, options));
  }

  async removeVersions(files: readonly FileStat[]): Promise<void> {
    await this.#remove(files, (locations, options) => deleteInOrder(this.#io, locations, options));
  }

  async #remove(
    orphans: readonly FileStat[],
    deleteThem: (locations: readonly string[], options: IOOptions) => AsyncIterable<DeleteResult>,
  ): Promise<void> {
    const { signal, dryRun = false, onProgress } = this.#options;
    const locations = orphans.map(({ location }) => location);
    for (const { location, size } of orphans) {
      if (this.#named.length < MOST_NAMED) this.#named.push(location);
      this.#count++;
      this.#bytes += size;
    }
    if (dryRun) return;
    for await (const { deleted, failed } of deleteThem(locations, signal ? { signal } : {})) {
      this.#deleted += deleted.length;
      this.#failed.push(...failed);
      onProgress?.({ filesDeleted: this.#deleted, filesTotal: this.#count });
    }
  }

  report(): Omit<OrphanFilesReport, 'filesListed' | 'dryRun'> {
    return {
      orphanFiles: this.#named,
      orphanFilesCount: this.#count,
      orphanBytes: this.#bytes,
      filesDeleted: this.#deleted,
      failed: this.#failed,
    };
  }
}
