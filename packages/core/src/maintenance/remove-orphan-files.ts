import type { LoadedMetadata, TableOperations } from '../catalog/catalog.ts';
import { invalidArgument, unsupported } from '../errors.ts';
import type { LakehouseError } from '../errors.ts';
import { deleteInBatches } from '../io/delete-in-batches.ts';
import type { FileIO, FileStat } from '../io/file-io.ts';
import { comparableLocation, withoutSlashes } from '../io/locations.ts';
import type { Runtime } from '../runtime.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { tableProperty } from '../spec/table-properties.ts';
import { replacedTable } from '../transaction/commit-loop.ts';
import { toEpochMs } from '../transaction/time-input.ts';
import type { TimeInput } from '../transaction/time-input.ts';
import { ReachableFiles } from './reachable-files.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_AGE_MS = 3 * DAY_MS;

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
  readonly filesTotal: number;
}

export interface OrphanFilesReport {
  /** Files that no snapshot and no version of the metadata reaches. */
  readonly orphanFiles: readonly string[];
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

export interface OrphanSearch {
  readonly operations: TableOperations;
  readonly runtime: Runtime;
  readonly tableUuid: string;
}

/**
 * Deletes files in a table's location that nothing reaches: what failed, killed or lost writes left. The table is read
 * before the listing and again after it, so that what was committed meanwhile stays. In memory are 53 bits for each
 * file that is reachable, and the names of the orphans.
 *
 * INVALID_ARGUMENT for a location outside the table's; UNSUPPORTED if another table lives in it, or the table says that
 * its files belong to others as well (`gc.enabled`). Nothing is deleted then, nor if anything reachable can't be read.
 */
export async function removeOrphanFiles(
  { operations, runtime, tableUuid }: OrphanSearch,
  options: RemoveOrphanFilesOptions = {},
): Promise<OrphanFilesReport> {
  const { signal, dryRun = false } = options;
  const { io, name } = operations;
  const load = async (): Promise<LoadedMetadata> => {
    const loaded = await operations.load();
    if (loaded.metadata.tableUuid !== tableUuid) throw replacedTable(name);
    return loaded;
  };
  const before = await load();
  refuseSharedFiles(before.metadata, name);
  const prefix = searchedPrefix(before.metadata.location, options.location);
  const cutoffMs = cutoff(options.olderThan, runtime);
  const reachable = new ReachableFiles(io, signal);
  await reachable.add(before);

  const own = ownFiles(before.metadata, operations);
  const candidates: FileStat[] = [];
  let filesListed = 0;
  for await (const file of io.list(prefix, signal ? { signal } : {})) {
    filesListed++;
    own.refuseOtherTable(file.location);
    const isOld = file.lastModifiedMs !== undefined && file.lastModifiedMs < cutoffMs;
    if (!isOld || !own.mayBeOrphan(file.location, prefix) || reachable.has(file.location)) continue;
    if (reachable.hasElsewhere(file.location)) throw sameFileElsewhere(file.location, name);
    candidates.push(file);
  }
  await reachable.add(await load());
  const orphans = candidates.filter((file) => !reachable.has(file.location));
  const report = {
    orphanFiles: orphans.map((file) => file.location),
    orphanBytes: orphans.reduce((sum, file) => sum + file.size, 0),
    filesListed,
    dryRun,
  };
  if (dryRun) return { ...report, filesDeleted: 0, failed: [] };
  await io.deleteUnfinishedWrites?.(prefix, { olderThan: cutoffMs, ...(signal && { signal }) });
  return { ...report, ...(await deleteFiles(io, report.orphanFiles, options)) };
}

function refuseSharedFiles(metadata: TableMetadata, name: string): void {
  if (tableProperty(metadata.properties, 'gc.enabled')) return;
  throw unsupported(
    `Orphan files of ${name} can't be removed: its property gc.enabled is false, so its files may belong to other tables.`,
    { table: name },
  );
}

function sameFileElsewhere(location: string, name: string): LakehouseError {
  return unsupported(
    `Orphan files of ${name} can't be told from others: the table names a file like '${location}' in another bucket or with another scheme, which may be the same file. Nothing was deleted.`,
    { table: name, location },
  );
}

function searchedPrefix(tableLocation: string, given: string | undefined): string {
  const root = `${withoutSlashes(tableLocation)}/`;
  if (given === undefined) return root;
  const prefix = `${withoutSlashes(given)}/`;
  if (prefix.split('/').includes('..') || !comparableLocation(prefix).startsWith(comparableLocation(root))) {
    throw invalidArgument(
      `Orphan files are looked for in the table's location ${root} or below it, not in '${given}'.`,
    );
  }
  return prefix;
}

function cutoff(olderThan: TimeInput | undefined, runtime: Runtime): number {
  return olderThan === undefined ? runtime.now() - DEFAULT_AGE_MS : toEpochMs(olderThan, 'olderThan');
}

interface OwnFiles {
  /** UNSUPPORTED for the metadata of a table that is not this one. */
  refuseOtherTable(location: string): void;
  /** Whether a file that nothing reaches is this library's, or an Iceberg writer's, to delete. */
  mayBeOrphan(location: string, prefix: string): boolean;
}

const METADATA_FILE = /\.metadata\.json(?:\.gz)?$/;

function ownFiles(metadata: TableMetadata, operations: TableOperations): OwnFiles {
  const { name } = operations;
  const directory = directoryOf(operations.newMetadataFileLocation(metadata, 'x'));
  const partitionDirectories = metadata.partitionSpecs.flatMap((spec) => spec.fields.map((field) => `${field.name}=`));
  // Other formats keep their logs, and jobs their markers, under names that begin so (Hadoop's hidden files).
  const isHidden = (part: string): boolean =>
    /^[._]/.test(part) && !partitionDirectories.some((start) => part.startsWith(start));
  return {
    refuseOtherTable(location) {
      if (!METADATA_FILE.test(location) || directoryOf(location) === directory) return;
      throw unsupported(
        `Orphan files of ${name} can't be told from others: '${location}' is the metadata of another table in its location.`,
        { table: name, location },
      );
    },
    mayBeOrphan(location, prefix) {
      const parts = location.slice(prefix.length).split('/');
      if (parts.includes('..') || parts.some(isHidden)) return false;
      // The hint is no part of the metadata, and versions are given up by those who commit: a name that is free again
      // could be claimed a second time by a writer that has slept.
      return directoryOf(location) !== directory || !/^v\d+\.|^version-hint\.text$/.test(parts.at(-1)!);
    },
  };
}

function directoryOf(location: string): string {
  return comparableLocation(location.slice(0, location.lastIndexOf('/')));
}

async function deleteFiles(
  io: FileIO,
  locations: readonly string[],
  { signal, onProgress }: RemoveOrphanFilesOptions,
): Promise<Pick<OrphanFilesReport, 'filesDeleted' | 'failed'>> {
  const failed: { readonly location: string; readonly error: unknown }[] = [];
  let filesDeleted = 0;
  for await (const result of deleteInBatches(io, locations, signal ? { signal } : {})) {
    filesDeleted += result.deleted.length;
    failed.push(...result.failed);
    onProgress?.({ filesDeleted, filesTotal: locations.length });
  }
  return { filesDeleted, failed };
}
