import { LakehouseError, invalidArgument, isLakehouseError, unsupported } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { listDirectories } from '../io/list-directories.ts';
import { requestsAtOnce } from '../io/requests-at-once.ts';
import type { Reporter } from '../reporter.ts';
import { systemRuntime, type Runtime } from '../runtime.ts';
import { applyUpdates } from '../spec/apply-updates.ts';
import { parseTableMetadata } from '../spec/table-metadata-json.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableUpdate } from '../spec/updates.ts';
import { tableFromOperations, type Table } from '../table.ts';
import type { DataFileWriter } from '../write/data-file-writer.ts';
import type { Catalog, CreateTableOptions, Identifier, LoadedMetadata, TableOperations } from './catalog.ts';
import { createdMetadata } from './created-metadata.ts';
import {
  DROPPED_AT,
  fileSystemTableOperations,
  type FileSystemTableOperations,
} from './file-system/table-operations.ts';
import { purgeFileSystemTable } from './purge-file-system-table.ts';
import { identifierLevels, identifierText, tableLevels } from './identifier.ts';
import { stagedTableOperations } from './staged-table-operations.ts';
import { isMetadataFile } from './static-table-operations.ts';
import { normalLocation, sameLocation } from './table-location.ts';

export interface FileSystemCatalogOptions {
  readonly io: FileIO;
  /** The directory that holds the namespaces: a path or URI of the io. It need not exist yet. */
  readonly warehouse: string;
  /** 'file-system' if left out. */
  readonly name?: string | undefined;
  readonly runtime?: Runtime | undefined;
  readonly reporter?: Reporter | undefined;
  /** Makes the data files of the tables' writes; core itself if left out. */
  readonly writer?: DataFileWriter | undefined;
}

/** An empty file that keeps a namespace without tables; stores have no directories. */
const NAMESPACE_MARKER = '.namespace';

/** How often a drop is tried again when writers are faster. */
const DROP_TRIES = 20;

/**
 * A catalog that needs nothing but a FileIO: the table `web.events` is the directory `<warehouse>/web/events`, in the
 * layout of Iceberg Java's "HadoopCatalog", so that other engines open it by catalog or by path.
 *
 * - A namespace is there when it was created, or holds a table or namespace. It has no properties but its location.
 * - A table's location follows from its name: it can't be chosen, and a table can't be renamed.
 * - A table that is dropped without `purge` stays where it is, as files: its newest metadata is marked as dropped, which
 *   other engines that open the directory don't know of. `registerTable` with any of its metadata files brings it back.
 */
export class FileSystemCatalog implements Catalog {
  readonly name: string;
  readonly warehouse: string;
  readonly #io: FileIO;
  readonly #runtime: Runtime;
  readonly #reporter: Reporter | undefined;
  readonly #writer: DataFileWriter | undefined;

  private constructor(options: FileSystemCatalogOptions) {
    this.name = options.name ?? 'file-system';
    this.warehouse = normalLocation(options.io, options.warehouse);
    this.#io = options.io;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#reporter = options.reporter;
    this.#writer = options.writer;
  }

  /** Nothing is read or written yet: a place that can't be written to can be read. */
  static async open(options: FileSystemCatalogOptions): Promise<FileSystemCatalog> {
    return new FileSystemCatalog(options);
  }

  get io(): FileIO {
    return this.#io;
  }

  // --- namespaces -----------------------------------------------------------------------------------------------

  async createNamespace(namespace: Identifier, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const levels = this.#namespaceLevels(namespace);
    checkNewLevels(levels);
    if (Object.keys(properties).length > 0) {
      throw unsupported(`Namespace ${identifierText(levels)} can't have properties: a file-system catalog keeps none.`);
    }
    await this.#checkRoom(levels);
    if (await this.#isNamespace(levels)) throw alreadyExists('Namespace', levels);
    const { conditionalCreate } = this.#io.capabilities;
    try {
      await this.#io.write(this.#markerOf(levels), new Uint8Array(0), { ifNoneMatch: conditionalCreate });
    } catch (error) {
      throw isLakehouseError(error, 'ALREADY_EXISTS') ? alreadyExists('Namespace', levels, error) : error;
    }
  }

  async listNamespaces(parent: Identifier = []): Promise<readonly string[][]> {
    const levels = identifierLevels(parent);
    await this.#requireNamespace(levels);
    return this.#children(levels, (child) => this.#isNamespace(child));
  }

  async namespaceExists(namespace: Identifier): Promise<boolean> {
    return this.#isNamespace(this.#namespaceLevels(namespace));
  }

  async loadNamespaceProperties(namespace: Identifier): Promise<Readonly<Record<string, string>>> {
    const levels = this.#namespaceLevels(namespace);
    await this.#requireNamespace(levels);
    return { location: this.#locationOf(levels) };
  }

  /** INVALID_ARGUMENT if it is not empty. */
  async dropNamespace(namespace: Identifier): Promise<void> {
    const levels = this.#namespaceLevels(namespace);
    await this.#requireNamespace(levels);
    const isInUse = async (child: readonly string[]): Promise<boolean> =>
      (await this.#isTable(child)) || (await this.#isNamespace(child));
    const [child] = await this.#children(levels, isInUse);
    if (child)
      throw invalidArgument(`Namespace ${identifierText(levels)} is not empty: drop ${identifierText(child)} first.`);
    const { failed } = await this.#io.delete([this.#markerOf(levels)]);
    if (failed[0]) throw failed[0].error;
  }

  // --- tables ---------------------------------------------------------------------------------------------------

  async createTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const { operations, metadata } = await this.#newTable(name, options);
    return this.#table(operations, await operations.create(metadata));
  }

  async stageTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const { levels, operations, metadata } = await this.#newTable(name, options);
    if (await this.#isTable(levels)) throw alreadyExists('Table', levels);
    const create = (first: TableMetadata): Promise<LoadedMetadata> => operations.create(first);
    const staged = stagedTableOperations(operations, metadata, this.#runtime, create);
    return this.#table(staged, await staged.load());
  }

  async #newTable(
    name: Identifier,
    options: CreateTableOptions,
  ): Promise<{
    readonly levels: readonly string[];
    readonly operations: FileSystemTableOperations;
    readonly metadata: TableMetadata;
  }> {
    const levels = this.#newTableLevels(name);
    const location = this.#locationOf(levels);
    if (options?.location !== undefined && !sameLocation(this.#io, options.location, location)) {
      throw unsupported(
        `Table ${identifierText(levels)} can't be at '${options.location}': in a file-system catalog its location follows from its name, '${location}'.`,
      );
    }
    const metadata = createdMetadata(options, location, this.#runtime);
    await this.#checkRoom(levels);
    if (await this.#isNamespace(levels)) throw alreadyExists('Namespace', levels);
    return { levels, operations: this.#operations(levels), metadata };
  }

  async loadTable(name: Identifier): Promise<Table> {
    const operations = this.#operations(this.#tableLevels(name));
    return this.#table(operations, await operations.load());
  }

  async tableExists(name: Identifier): Promise<boolean> {
    return this.#isTable(this.#tableLevels(name));
  }

  /** Tables of other catalogs that keep their files here are listed as well. */
  async listTables(namespace: Identifier): Promise<readonly string[][]> {
    const levels = identifierLevels(namespace);
    await this.#requireNamespace(levels);
    return this.#children(levels, (child) => this.#isTable(child));
  }

  async renameTable(from: Identifier, to: Identifier): Promise<void> {
    const [old, wanted] = [identifierText(identifierLevels(from)), identifierText(identifierLevels(to))];
    throw unsupported(
      `Table ${old} can't be renamed to ${wanted}: in a file-system catalog a table's name is its location, and its files name that location.`,
    );
  }

  async dropTable(name: Identifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const operations = this.#operations(this.#tableLevels(name));
    const dropped = await this.#markDropped(operations);
    if (options.purge) await purgeFileSystemTable(operations, dropped);
  }

  /**
   * Makes a table out of a metadata file: one of a table that was dropped here, or of any other table. The new table's
   * own files are written below its location here; those that the metadata names stay where they are.
   */
  async registerTable(name: Identifier, metadataLocation: string): Promise<Table> {
    const levels = this.#newTableLevels(name);
    if (!isMetadataFile(metadataLocation)) {
      throw invalidArgument(`'${metadataLocation}' can't be registered: name a table's *.metadata.json file.`);
    }
    const source = parseTableMetadata(await this.#io.read(metadataLocation), metadataLocation);
    await this.#checkRoom(levels);
    if (await this.#isNamespace(levels)) throw alreadyExists('Namespace', levels);
    const location = this.#locationOf(levels);
    const updates: TableUpdate[] = [{ action: 'remove-properties', removals: [DROPPED_AT, 'write.metadata.path'] }];
    if (!sameLocation(this.#io, source.location, location)) updates.push({ action: 'set-location', location });
    const context = { nowMs: this.#runtime.now(), baseMetadataLocation: metadataLocation };
    const operations = this.#operations(levels);
    return this.#table(operations, await operations.create(applyUpdates(source, updates, context)));
  }

  // --- how names and places go together -------------------------------------------------------------------------

  #operations(levels: readonly string[]): FileSystemTableOperations {
    const name = identifierText(levels);
    return fileSystemTableOperations(this.#locationOf(levels), this.#io, { name, runtime: this.#runtime });
  }

  #table<Row = Record<string, unknown>>(operations: TableOperations, loaded: LoadedMetadata): Table<Row> {
    return tableFromOperations(operations, loaded, {
      runtime: this.#runtime,
      reporter: this.#reporter,
      writer: this.#writer,
    });
  }

  async #markDropped(operations: FileSystemTableOperations): Promise<LoadedMetadata> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await operations.drop(await operations.load());
      } catch (error) {
        if (!isLakehouseError(error, 'COMMIT_CONFLICT') || attempt === DROP_TRIES) throw error;
        await this.#runtime.sleep(10 * attempt);
      }
    }
  }

  #locationOf(levels: readonly string[]): string {
    return [this.warehouse, ...levels].join('/');
  }

  #markerOf(levels: readonly string[]): string {
    return `${this.#locationOf(levels)}/${NAMESPACE_MARKER}`;
  }

  #namespaceLevels(namespace: Identifier): readonly string[] {
    const levels = identifierLevels(namespace);
    if (levels.length === 0) throw invalidArgument('The name of a namespace needs at least one level.');
    levels.forEach((level) => checkLevel(level, levels));
    return levels;
  }

  #tableLevels(name: Identifier): readonly string[] {
    const { namespace, name: own } = tableLevels(name);
    return this.#namespaceLevels([...namespace, own]);
  }

  #newTableLevels(name: Identifier): readonly string[] {
    const levels = this.#tableLevels(name);
    checkNewLevels(levels);
    return levels;
  }

  async #requireNamespace(levels: readonly string[]): Promise<void> {
    levels.forEach((level) => checkLevel(level, levels));
    if (levels.length > 0 && !(await this.#isNamespace(levels))) {
      const message = `There is no namespace ${identifierText(levels)} in catalog ${this.name}; create it first.`;
      throw new LakehouseError('NOT_FOUND', message, { context: { namespace: identifierText(levels) } });
    }
  }

  /** ALREADY_EXISTS if there is a table of this name; INVALID_ARGUMENT if it would lie inside a table. */
  async #checkRoom(levels: readonly string[]): Promise<void> {
    if (await this.#isTable(levels)) throw alreadyExists('Table', levels);
    for (let length = 1; length < levels.length; length++) {
      const ancestor = levels.slice(0, length);
      if (await this.#holdsMetadata(ancestor)) {
        throw invalidArgument(`${identifierText(levels)} would lie inside of the table ${identifierText(ancestor)}.`);
      }
    }
  }

  async #children(
    levels: readonly string[],
    counts: (child: readonly string[]) => Promise<boolean>,
  ): Promise<readonly string[][]> {
    const names = (await listDirectories(this.#io, this.#locationOf(levels))).filter(isAllowedLevel);
    const children = names.map((name) => [...levels, name]);
    const result: string[][] = [];
    const atOnce = requestsAtOnce(this.#io, this.#runtime);
    for (let start = 0; start < children.length; start += atOnce) {
      const group = children.slice(start, start + atOnce);
      const counted = await Promise.all(group.map(counts));
      result.push(...group.filter((_, index) => counted[index]));
    }
    return result;
  }

  /** Whether a table's metadata files are here, of a table that is dropped as well. */
  async #holdsMetadata(levels: readonly string[]): Promise<boolean> {
    const directory = `${this.#locationOf(levels)}/metadata/`;
    // The few files of our own tables first: a directory may hold many thousand manifests.
    for (const prefix of [`${directory}v`, directory]) {
      for await (const { location } of this.#io.list(prefix)) {
        if (isMetadataFile(location) && !location.includes('/', directory.length)) return true;
      }
    }
    return false;
  }

  async #isTable(levels: readonly string[]): Promise<boolean> {
    if (!(await this.#holdsMetadata(levels))) return false;
    try {
      await this.#operations(levels).load();
      return true;
    } catch (error) {
      if (isLakehouseError(error, 'NOT_FOUND')) return false;
      // A table that can't be read is one nevertheless.
      if (isLakehouseError(error, 'INVALID_DATA') || isLakehouseError(error, 'UNSUPPORTED')) return true;
      throw error;
    }
  }

  async #isNamespace(levels: readonly string[]): Promise<boolean> {
    if (await this.#holdsMetadata(levels)) return false;
    if ((await this.#io.stat(this.#markerOf(levels))) !== null) return true;
    const names = (await listDirectories(this.#io, this.#locationOf(levels))).filter(isAllowedLevel);
    // The empty directories that a purged table leaves on a disk are no namespaces.
    if (names.includes('metadata')) return false;
    for (const name of names) {
      const child = [...levels, name];
      if ((await this.#isTable(child)) || (await this.#isNamespace(child))) return true;
    }
    return false;
  }
}

/** Names become parts of paths: they must not lead elsewhere, and survive UTF-8. */
function isAllowedLevel(level: string): boolean {
  return !['', '.', '..', NAMESPACE_MARKER].includes(level) && !/[/\\\p{Cc}\p{Cs}]/u.test(level);
}

function checkLevel(level: string, levels: readonly string[]): void {
  if (isAllowedLevel(level)) return;
  throw invalidArgument(
    `${JSON.stringify(level)} in ${JSON.stringify(identifierText(levels))} can't be a name in a file-system catalog: it would be a directory. Use no slashes, control characters, '.' or '..'.`,
  );
}

function checkNewLevels(levels: readonly string[]): void {
  if (levels.includes('metadata')) {
    throw invalidArgument(
      `${identifierText(levels)} can't be made: directories named 'metadata' hold the metadata of tables.`,
    );
  }
}

function alreadyExists(what: 'Table' | 'Namespace', levels: readonly string[], cause?: unknown): LakehouseError {
  const name = identifierText(levels);
  return new LakehouseError('ALREADY_EXISTS', `${what} ${name} exists already.`, { context: { name }, cause });
}
