import type { LoadedMetadata } from '../../catalog/catalog.ts';
import { LakehouseError, invalidArgument } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { fileNameOf, withoutSlashes } from '../../io/locations.ts';
import { randomUuid } from '../../runtime.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import { ByteQueue } from '../../write/byte-queue.ts';
import { checkOptions } from '../check-options.ts';
import type { OptionKinds } from '../check-options.ts';
import { loadNewest } from '../maintained-table.ts';
import type { MaintainedTable } from '../maintained-table.ts';
import type { Relocation } from './relocate-metadata.ts';
import { relocateTable } from './relocate-table.ts';

export interface RewriteTablePathOptions {
  /** What the paths of the table's files begin with: the table's location, or a directory or bucket that it is in. */
  readonly sourcePrefix: string;
  /** What they are to begin with instead. */
  readonly targetPrefix: string;
  /** The name of a metadata file whose files have been copied before: only what came since is told. */
  readonly startVersion?: string | undefined;
  /** The name of the metadata file to end with; the current one if left out. */
  readonly endVersion?: string | undefined;
  /** Where the files with new paths are written; a new directory among the table's metadata if left out. */
  readonly stagingLocation?: string | undefined;
  /** False to write no list of what is to be copied. */
  readonly createFileList?: boolean | undefined;
  /** Counts only; nothing is written. */
  readonly dryRun?: boolean | undefined;
  /** Told of every file. */
  readonly onProgress?: ((progress: { readonly filesDone: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RewriteTablePathReport {
  /** The name of the metadata file that the copy has to be registered with. */
  readonly latestVersion: string;
  readonly stagingLocation: string;
  /** A CSV file of what has to be copied: a line `source,target` for each file. Null if there is none, or in a dry run. */
  readonly fileListLocation: string | null;
  readonly rewrittenMetadataFilesCount: number;
  readonly rewrittenManifestFilePathsCount: number;
  readonly rewrittenDeleteFilePathsCount: number;
  /** Files in the list. */
  readonly filesCount: number;
  readonly dryRun: boolean;
}

/** What directories of copies that were staged begin with, among the table's metadata. Spark's are called so, too. */
export const STAGED_COPY = 'copy-table-staging-';

const OPTIONS: OptionKinds<RewriteTablePathOptions> = {
  sourcePrefix: 'required text',
  targetPrefix: 'required text',
  startVersion: 'text',
  endVersion: 'text',
  stagingLocation: 'text',
  createFileList: 'boolean',
  dryRun: 'boolean',
  onProgress: 'function',
  signal: 'object',
};

/**
 * Prepares a copy of a table at another place: metadata, manifests and position deletes are written to a staging
 * directory with the new paths in them, and a list tells what has to be copied where. The table stays as it is. If it
 * fails, what it staged is deleted. INVALID_ARGUMENT if a file of the table does not begin with the prefix; NOT_FOUND
 * for versions that the metadata log doesn't have.
 */
export async function rewriteTablePath(
  table: MaintainedTable,
  options: RewriteTablePathOptions,
): Promise<RewriteTablePathReport> {
  checkOptions('rewriteTablePath', options, OPTIONS);
  const { operations, runtime } = table;
  const { io } = operations;
  const { signal, dryRun = false } = options;
  const newest = await loadNewest(table);
  const end = await versionOf(io, newest, options.endVersion);
  const start = options.startVersion === undefined ? null : await versionOf(io, newest, options.startVersion);
  if (start !== null && !isReachable(start, end)) {
    throw invalidArgument(
      `startVersion must come before endVersion, and ${fileNameOf(start.metadataLocation)} doesn't.`,
    );
  }
  const to = prefixRelocation(options, end.metadata.location);
  const staging = withoutSlashes(
    options.stagingLocation ??
      operations.newMetadataFileLocation(newest.metadata, `${STAGED_COPY}${randomUuid(runtime)}`),
  );
  const stage = new StagingDirectory(io, staging, options);
  const counts = await inStaging(stage, () =>
    relocateTable(end, stage, { io, runtime, to, olderVersions: true, since: start, signal }),
  );
  return {
    latestVersion: fileNameOf(end.metadataLocation),
    stagingLocation: staging,
    fileListLocation: stage.hasList ? stage.listLocation : null,
    rewrittenMetadataFilesCount: counts.metadataFiles,
    rewrittenManifestFilePathsCount: counts.manifests,
    rewrittenDeleteFilePathsCount: counts.deleteFiles,
    filesCount: stage.filesCount,
    dryRun,
  };
}

async function inStaging<T>(stage: StagingDirectory, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    await stage.finish();
    return result;
  } catch (error) {
    await stage.abandon(error);
    throw error;
  }
}

/** Files with new paths in them, and the list of what is to be copied. */
class StagingDirectory {
  readonly listLocation: string;
  readonly hasList: boolean;
  filesCount = 0;
  readonly #io: FileIO;
  readonly #directory: string;
  readonly #options: RewriteTablePathOptions;
  readonly #written: string[] = [];
  readonly #list: ByteQueue = new ByteQueue();
  readonly #writingList: Promise<unknown>;

  constructor(io: FileIO, directory: string, options: RewriteTablePathOptions) {
    this.#io = io;
    this.#directory = directory;
    this.#options = options;
    this.listLocation = `${directory}/file-list.csv`;
    this.hasList = options.dryRun !== true && options.createFileList !== false;
    this.#writingList = this.hasList ? this.#writeList() : Promise.resolve();
  }

  async write({ source, target, bytes }: { source: string; target: string; bytes: Uint8Array }): Promise<void> {
    const staged = `${this.#directory}/${source.slice(withoutSlashes(this.#options.sourcePrefix).length + 1)}`;
    if (!this.#options.dryRun) {
      this.#written.push(staged);
      await this.#io.write(staged, bytes, this.#aborted());
    }
    await this.copy({ source: staged, target });
  }

  async copy({ source, target }: { source: string; target: string }): Promise<void> {
    this.filesCount++;
    this.#options.onProgress?.({ filesDone: this.filesCount });
    if (this.hasList) await this.#list.push(new TextEncoder().encode(`${csv(source)},${csv(target)}\n`));
  }

  async finish(): Promise<void> {
    this.#list.end();
    await this.#writingList;
  }

  /** What can't be deleted either is an orphan, if it is in the table's location. */
  async abandon(reason: unknown): Promise<void> {
    this.#list.fail(reason);
    await this.#writingList.catch(() => undefined);
    await this.#io.delete([...this.#written, ...(this.hasList ? [this.listLocation] : [])]).catch(() => undefined);
  }

  async #writeList(): Promise<void> {
    try {
      await this.#io.write(this.listLocation, this.#list, this.#aborted());
    } catch (error) {
      this.#list.fail(error);
      throw error;
    }
  }

  #aborted(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }
}

function csv(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function prefixRelocation({ sourcePrefix, targetPrefix }: RewriteTablePathOptions, tableLocation: string): Relocation {
  const [source, target] = [withoutSlashes(sourcePrefix), withoutSlashes(targetPrefix)];
  if (source === '' || target === '') throw invalidArgument('A prefix must not be empty.');
  if (source === target) throw invalidArgument(`Both prefixes are '${source}': no path would change.`);
  const moved = (location: string): string | null => {
    if (location === source) return target;
    return location.startsWith(`${source}/`) ? `${target}${location.slice(source.length)}` : null;
  };
  const file = (location: string): string => {
    const there = moved(location);
    if (there !== null) return there;
    throw invalidArgument(
      `The table has a file that isn't below '${source}', so its path can't be changed: ${location}. Choose a prefix that all files have.`,
      { location },
    );
  };
  return { table: file(withoutSlashes(tableLocation)), file, directory: (location) => moved(location) ?? location };
}

/** A version of the metadata log, by its file's name or location. */
async function versionOf(io: FileIO, newest: LoadedMetadata, version: string | undefined): Promise<LoadedMetadata> {
  if (version === undefined || isVersion(newest.metadataLocation, version)) return newest;
  const entry = newest.metadata.metadataLog.findLast(({ metadataFile }) => isVersion(metadataFile, version));
  if (!entry) {
    throw new LakehouseError('NOT_FOUND', `The table's metadata log has no version '${version}'.`, {
      context: { version },
    });
  }
  const { metadataFile } = entry;
  return { metadata: parseTableMetadata(await io.read(metadataFile), metadataFile), metadataLocation: metadataFile };
}

/** Whether a version is the other one, or one that came before. */
function isReachable({ metadataLocation }: LoadedMetadata, from: LoadedMetadata): boolean {
  const earlier = from.metadata.metadataLog.map(({ metadataFile }) => metadataFile);
  return [...earlier, from.metadataLocation].includes(metadataLocation);
}

function isVersion(location: string, version: string): boolean {
  return location === version || fileNameOf(location) === version;
}
