import type { TableOperations } from '../../catalog/catalog.ts';
import { versionOf } from '../../catalog/file-system/version-files.ts';
import { invalidArgument, isLakehouseError, unsupported } from '../../errors.ts';
import type { LakehouseError } from '../../errors.ts';
import type { FileIO, FileStat, IOOptions } from '../../io/file-io.ts';
import { comparableLocation, fileNameOf, withoutSlashes } from '../../io/locations.ts';
import { parseTableMetadata } from '../../spec/table-metadata-json.ts';
import type { TableMetadata } from '../../spec/table-metadata.ts';
import { STAGED_COPY } from '../rewrite-table-path/rewrite-table-path.ts';

const METADATA_FILE = /\.metadata\.json(?:\.gz)?$/;
const VERSION_HINT = /^version-hint\.text$/;

/** Whose a file in a table's location is, as far as its name and content tell. */
export class TableDirectory {
  readonly #operations: TableOperations;
  readonly #tableUuid: string;
  readonly #root: string;
  readonly #metadataDirectory: string;
  /** Names that begin so are hidden nowhere: fields may be called `_x`. */
  readonly #partitionStarts: readonly string[];

  constructor(operations: TableOperations, metadata: TableMetadata) {
    this.#operations = operations;
    this.#tableUuid = metadata.tableUuid;
    this.#root = `${withoutSlashes(metadata.location)}/`;
    this.#metadataDirectory = directoryOf(operations.newMetadataFileLocation(metadata, 'x'));
    this.#partitionStarts = metadata.partitionSpecs.flatMap(({ fields }) => fields.map(({ name }) => `${name}=`));
  }

  /** Where to list. INVALID_ARGUMENT for a location that is not in the table's. */
  prefix(given: string | undefined): string {
    if (given === undefined) return this.#root;
    const prefix = `${withoutSlashes(given)}/`;
    if (prefix.split('/').includes('..') || !comparableLocation(prefix).startsWith(comparableLocation(this.#root))) {
      throw invalidArgument(
        `Orphan files are looked for in the table's location ${this.#root} or below it, not in '${given}'.`,
      );
    }
    return prefix;
  }

  /** UNSUPPORTED if a directory between the table's and the prefix is one of another table, which is not listed. */
  async checkAbove(prefix: string, options: IOOptions): Promise<void> {
    const below = comparableLocation(prefix).slice(comparableLocation(this.#root).length).split('/').slice(0, -1);
    for (let depth = 1; depth < below.length; depth++) {
      const directory = `${this.#root}${below.slice(0, depth).join('/')}/metadata/`;
      for await (const { location } of this.#operations.io.list(directory, options)) this.#checkPlace(location);
    }
  }

  /** UNSUPPORTED for the metadata of a table that is not this one. */
  async check(file: FileStat, options: IOOptions): Promise<void> {
    this.#checkPlace(file.location);
    // Versions that others made are those of tables that were dropped here.
    if (!this.#isOwnMetadata(file.location) || versionOf(fileNameOf(file.location)) !== null) return;
    const uuid = await readTableUuid(this.#operations.io, file, options);
    if (uuid !== null && uuid !== this.#tableUuid) throw this.#otherTable(file.location);
  }

  #checkPlace(location: string): void {
    if (!METADATA_FILE.test(location) || directoryOf(location) === this.#metadataDirectory) return;
    if (this.#isStagedCopy(location)) return;
    throw this.#otherTable(location);
  }

  /** It was made to be copied elsewhere, and has had its time when it is as old as an orphan. */
  #isStagedCopy(location: string): boolean {
    return comparableLocation(location).startsWith(`${this.#metadataDirectory}/${STAGED_COPY}`);
  }

  /** Whether a file that nothing reaches is an Iceberg writer's to delete. Versions of the metadata are a case of their own. */
  mayBeOrphan(location: string, prefix: string): boolean {
    const parts = location.slice(prefix.length).split('/');
    if (parts.includes('..') || parts.some((part) => this.#isHidden(part))) return false;
    const name = parts.at(-1)!;
    const isOfVersions = /^v\d+\./.test(name) || VERSION_HINT.test(name);
    return !(isOfVersions && directoryOf(location) === this.#metadataDirectory);
  }

  /** The version of the metadata that a file holds; null if it holds none. */
  versionIn(location: string): number | null {
    return this.#isOwnMetadata(location) ? versionOf(fileNameOf(location)) : null;
  }

  #isOwnMetadata(location: string): boolean {
    return METADATA_FILE.test(location) && directoryOf(location) === this.#metadataDirectory;
  }

  /** Other formats keep their logs, and jobs their markers, under names that begin so (Hadoop's hidden files). */
  #isHidden(part: string): boolean {
    return /^[._]/.test(part) && !this.#partitionStarts.some((start) => part.startsWith(start));
  }

  #otherTable(location: string): LakehouseError {
    const { name } = this.#operations;
    return unsupported(
      `Orphan files of ${name} can't be told from others: '${location}' is the metadata of another table in its location. Nothing was deleted.`,
      { table: name, location },
    );
  }
}

function directoryOf(location: string): string {
  return comparableLocation(location.slice(0, location.lastIndexOf('/')));
}

/** Writers put it near the start. */
const HEAD_BYTES = 4096;
const TABLE_UUID = /"table-uuid"\s*:\s*"([^"]+)"/;

/** Whose metadata a file is; null if it doesn't say, because it is none or gone. */
export async function readTableUuid(io: FileIO, file: FileStat, options: IOOptions): Promise<string | null> {
  const { location, size } = file;
  try {
    const head = await io.read(location, { ...options, offset: 0, length: Math.min(size, HEAD_BYTES) });
    const found = TABLE_UUID.exec(new TextDecoder().decode(head));
    return found?.[1] ?? parseTableMetadata(await io.read(location, options), location).tableUuid;
  } catch (error) {
    if (isLakehouseError(error) && UNTOLD.has(error.code)) return null;
    throw error;
  }
}

const UNTOLD: ReadonlySet<string> = new Set(['NOT_FOUND', 'INVALID_DATA', 'INVALID_ARGUMENT', 'UNSUPPORTED']);
