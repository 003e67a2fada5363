import { LakehouseError, invalidArgument } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { MemoryFileIO } from '../io/memory-file-io.ts';
import type { Reporter } from '../reporter.ts';
import { systemRuntime, type Runtime } from '../runtime.ts';
import { parseTableMetadata } from '../spec/table-metadata-json.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { tableFromOperations, type Table } from '../table.ts';
import type { DataFileWriter } from '../write/data-file-writer.ts';
import type { Catalog, CreateTableOptions, Identifier, LoadedMetadata, TableOperations } from './catalog.ts';
import { createdMetadata } from './created-metadata.ts';
import { identifierLevels, identifierText, tableLevels } from './identifier.ts';
import { MemoryTableOperations, type MemoryTableEntry } from './memory-table-operations.ts';
import { deleteAll, purgeReachableFiles } from './purge-files.ts';
import { stagedTableOperations } from './staged-table-operations.ts';
import { isMetadataFile } from './static-table-operations.ts';
import { normalLocation } from './table-location.ts';

export interface MemoryCatalogOptions {
  /** A new MemoryFileIO if left out. */
  readonly io?: FileIO | undefined;
  /** Where tables go that are created without a location; 'memory://warehouse' if left out. */
  readonly warehouse?: string | undefined;
  /** 'memory' if left out. */
  readonly name?: string | undefined;
  readonly runtime?: Runtime | undefined;
  readonly reporter?: Reporter | undefined;
  /** Makes the data files of the tables' writes; core itself if left out. */
  readonly writer?: DataFileWriter | undefined;
}

/**
 * A catalog that remembers its tables in this process only; the files are where the FileIO has them. For tests, for
 * scratch tables, and for working on tables of another place through `registerTable`.
 */
export class MemoryCatalog implements Catalog {
  readonly name: string;
  readonly io: FileIO;
  readonly warehouse: string;
  readonly #runtime: Runtime;
  readonly #reporter: Reporter | undefined;
  readonly #writer: DataFileWriter | undefined;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #tables = new Map<string, MemoryTableEntry>();

  constructor(options: MemoryCatalogOptions = {}) {
    this.name = options.name ?? 'memory';
    this.io = options.io ?? new MemoryFileIO();
    this.warehouse = normalLocation(this.io, options.warehouse ?? 'memory://warehouse');
    this.#runtime = options.runtime ?? systemRuntime;
    this.#reporter = options.reporter;
    this.#writer = options.writer;
  }

  // --- namespaces -----------------------------------------------------------------------------------------------

  async createNamespace(namespace: Identifier, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const levels = namespaceLevels(namespace);
    if (this.#namespaces.has(keyOf(levels))) throw alreadyExists('Namespace', levels);
    // Its parents are there from now on, too, unless they were before.
    for (let length = 1; length < levels.length; length++) {
      const parent = levels.slice(0, length);
      if (!this.#namespaces.has(keyOf(parent))) this.#namespaces.set(keyOf(parent), { levels: parent, properties: {} });
    }
    this.#namespaces.set(keyOf(levels), { levels, properties: { ...properties } });
  }

  async listNamespaces(parent: Identifier = []): Promise<readonly string[][]> {
    const levels = this.#existing(parent);
    return childrenOf(levels, this.#namespaces.values());
  }

  async namespaceExists(namespace: Identifier): Promise<boolean> {
    return this.#namespaces.has(keyOf(namespaceLevels(namespace)));
  }

  async loadNamespaceProperties(namespace: Identifier): Promise<Readonly<Record<string, string>>> {
    const levels = this.#existing(namespaceLevels(namespace));
    return { ...this.#namespaces.get(keyOf(levels))?.properties };
  }

  /** INVALID_ARGUMENT if it is not empty. */
  async dropNamespace(namespace: Identifier): Promise<void> {
    const levels = this.#existing(namespaceLevels(namespace));
    const [child] = [...childrenOf(levels, this.#namespaces.values()), ...childrenOf(levels, this.#tables.values())];
    if (child) {
      throw invalidArgument(`Namespace ${identifierText(levels)} is not empty: drop ${identifierText(child)} first.`);
    }
    this.#namespaces.delete(keyOf(levels));
  }

  // --- tables ---------------------------------------------------------------------------------------------------

  async createTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const { entry, operations, metadata } = this.#newTable(name, options);
    return this.#table(operations, await this.#create(entry, operations, metadata));
  }

  async stageTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>> {
    const { entry, operations, metadata } = this.#newTable(name, options);
    const staged = stagedTableOperations(operations, metadata, this.#runtime, (first) =>
      this.#create(entry, operations, first),
    );
    return this.#table(staged, await staged.load());
  }

  async loadTable(name: Identifier): Promise<Table> {
    const entry = this.#entry(name);
    const operations = this.#operations(entry);
    return this.#table(operations, await operations.load());
  }

  async tableExists(name: Identifier): Promise<boolean> {
    return this.#tables.has(keyOf(identifierLevels(name)));
  }

  async listTables(namespace: Identifier): Promise<readonly string[][]> {
    return childrenOf(this.#existing(namespace), this.#tables.values());
  }

  /** The table's files stay where they are. */
  async renameTable(from: Identifier, to: Identifier): Promise<void> {
    const entry = this.#entry(from);
    const levels = this.#freeName(to);
    this.#tables.delete(keyOf(entry.levels));
    entry.levels = levels;
    this.#tables.set(keyOf(levels), entry);
  }

  async dropTable(name: Identifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const entry = this.#entry(name);
    const { metadataLocation } = entry;
    this.#tables.delete(keyOf(entry.levels));
    entry.metadataLocation = null;
    if (!options.purge || metadataLocation === null) return;
    const metadata = parseTableMetadata(await this.io.read(metadataLocation), metadataLocation);
    const failures = await purgeReachableFiles(this.io, metadata);
    failures.throwIfAny(identifierText(entry.levels));
    const previous = metadata.metadataLog.map((logged) => logged.metadataFile);
    await deleteAll(this.io, [...previous, metadataLocation], failures);
    failures.throwIfAny(identifierText(entry.levels));
  }

  async registerTable(name: Identifier, metadataLocation: string): Promise<Table> {
    const levels = this.#freeName(name);
    if (!isMetadataFile(metadataLocation)) {
      throw invalidArgument(`'${metadataLocation}' can't be registered: name a table's *.metadata.json file.`);
    }
    parseTableMetadata(await this.io.read(metadataLocation), metadataLocation);
    const entry: MemoryTableEntry = { levels, metadataLocation: null };
    this.#publish(entry, metadataLocation);
    const operations = this.#operations(entry);
    return this.#table(operations, await operations.load());
  }

  // --- names ----------------------------------------------------------------------------------------------------

  #newTable(
    name: Identifier,
    options: CreateTableOptions,
  ): {
    readonly entry: MemoryTableEntry;
    readonly operations: MemoryTableOperations;
    readonly metadata: TableMetadata;
  } {
    const levels = this.#freeName(name);
    const location = normalLocation(this.io, options?.location ?? [this.warehouse, ...levels].join('/'));
    const entry: MemoryTableEntry = { levels, metadataLocation: null };
    return { entry, operations: this.#operations(entry), metadata: createdMetadata(options, location, this.#runtime) };
  }

  async #create(
    entry: MemoryTableEntry,
    operations: MemoryTableOperations,
    metadata: TableMetadata,
  ): Promise<LoadedMetadata> {
    const loaded = await operations.writeMetadata(metadata, null);
    try {
      this.#publish(entry, loaded.metadataLocation);
    } catch (error) {
      await this.io.delete([loaded.metadataLocation]);
      throw error;
    }
    return loaded;
  }

  /** Nothing is awaited here: of those who create one table at once, one finds its name free. */
  #publish(entry: MemoryTableEntry, location: string): void {
    if (this.#tables.has(keyOf(entry.levels))) throw alreadyExists('Table', entry.levels);
    entry.metadataLocation = location;
    this.#tables.set(keyOf(entry.levels), entry);
  }

  #operations(entry: MemoryTableEntry): MemoryTableOperations {
    return new MemoryTableOperations(entry, this.io, this.#runtime);
  }

  #table<Row = Record<string, unknown>>(operations: TableOperations, loaded: LoadedMetadata): Table<Row> {
    return tableFromOperations(operations, loaded, {
      runtime: this.#runtime,
      reporter: this.#reporter,
      writer: this.#writer,
    });
  }

  #existing(namespace: Identifier): readonly string[] {
    const levels = identifierLevels(namespace);
    if (levels.length > 0 && !this.#namespaces.has(keyOf(levels))) {
      const message = `There is no namespace ${identifierText(levels)} in catalog ${this.name}; create it first.`;
      throw new LakehouseError('NOT_FOUND', message, { context: { namespace: identifierText(levels) } });
    }
    return levels;
  }

  #freeName(name: Identifier): readonly string[] {
    const { namespace, name: own } = tableLevels(name);
    const levels = [...this.#existing(namespace), own];
    if (this.#tables.has(keyOf(levels))) throw alreadyExists('Table', levels);
    return levels;
  }

  #entry(name: Identifier): MemoryTableEntry {
    const levels = identifierLevels(name);
    const entry = this.#tables.get(keyOf(levels));
    if (entry) return entry;
    const message = `There is no table ${identifierText(levels)} in catalog ${this.name}.`;
    throw new LakehouseError('NOT_FOUND', message, { context: { table: identifierText(levels) } });
  }
}

interface Namespace {
  readonly levels: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

function keyOf(levels: readonly string[]): string {
  return JSON.stringify(levels);
}

function namespaceLevels(namespace: Identifier): readonly string[] {
  const levels = identifierLevels(namespace);
  if (levels.length === 0) throw invalidArgument('The name of a namespace needs at least one level.');
  return levels;
}

function childrenOf(parent: readonly string[], all: Iterable<{ readonly levels: readonly string[] }>): string[][] {
  return [...all]
    .filter(({ levels }) => levels.length === parent.length + 1 && parent.every((level, at) => levels[at] === level))
    .map(({ levels }) => [...levels])
    .toSorted((a, b) => (a.at(-1)! < b.at(-1)! ? -1 : 1));
}

function alreadyExists(what: 'Table' | 'Namespace', levels: readonly string[]): LakehouseError {
  const name = identifierText(levels);
  return new LakehouseError('ALREADY_EXISTS', `${what} ${name} exists already.`, { context: { name } });
}
