import type { FileIO } from '../io/file-io.ts';
import type { Schema } from '../spec/schema.ts';
import type { FormatVersion, TableMetadata } from '../spec/table-metadata.ts';
import type { TableRequirement, TableUpdate } from '../spec/updates.ts';
import type { Table } from '../table.ts';
import type { PartitionFieldInput, SortFieldInput } from '../spec/inputs.ts';

/** A namespace or a table: 'web.events', or its levels when a level holds a dot. */
export type Identifier = string | readonly string[];

/**
 * A catalog: names for tables, and the one place where a commit becomes visible. Every mutation of a table reduces to
 * `{ requirements, updates }`, as the REST specification has them.
 */
export interface Catalog {
  readonly name: string;
  /** What its tables are read and written with, where that is the same for all of them. */
  readonly io?: FileIO;

  createNamespace(namespace: Identifier, properties?: Readonly<Record<string, string>>): Promise<void>;
  listNamespaces(parent?: Identifier): Promise<readonly string[][]>;
  namespaceExists(namespace: Identifier): Promise<boolean>;
  loadNamespaceProperties(namespace: Identifier): Promise<Readonly<Record<string, string>>>;
  dropNamespace(namespace: Identifier): Promise<void>;

  /** The table's rows have the type of the schema: `InferRow`. */
  createTable<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>>;
  /**
   * A table that is not there yet: the first commit on the handle makes it, together with what that commit adds, so that
   * nobody sees it without its first rows. One that is never committed to leaves nothing. As `createTable` otherwise;
   * the commit is ALREADY_EXISTS if others were faster.
   */
  stageTable?<Row extends Record<string, unknown>>(
    name: Identifier,
    options: CreateTableOptions<Row>,
  ): Promise<Table<Row>>;
  loadTable(name: Identifier): Promise<Table>;
  tableExists(name: Identifier): Promise<boolean>;
  listTables(namespace: Identifier): Promise<readonly string[][]>;
  renameTable(from: Identifier, to: Identifier): Promise<void>;
  /** Without `purge` the files stay where they are. */
  dropTable(name: Identifier, options?: { readonly purge?: boolean }): Promise<void>;
  registerTable(name: Identifier, metadataLocation: string): Promise<Table>;
}

export interface CreateTableOptions<Row = Record<string, unknown>> {
  readonly schema: Schema<Row>;
  readonly partitionBy?: readonly PartitionFieldInput[];
  readonly sortBy?: readonly SortFieldInput[];
  readonly formatVersion?: FormatVersion;
  readonly location?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** One table as its catalog sees it: this is all that `Table` and its transactions know of a catalog. */
export interface TableOperations {
  /** The table's full name, for messages. */
  readonly name: string;
  readonly io: FileIO;
  /** Set when commits are refused, with the reason as a sentence. */
  readonly readOnly: string | null;
  /**
   * The newest metadata; what was loaded before, as it is, where it is cheap to tell that it still is. NOT_FOUND when
   * the table is gone.
   */
  load(): Promise<LoadedMetadata>;
  /**
   * Called while the files that a commit on `base` needs are still being written, for what can be looked up before. The
   * commit may never come; what fails here is left to it.
   */
  prepareCommit?(base: LoadedMetadata): Promise<void>;
  /**
   * Makes one new version of the metadata out of the newest one. COMMIT_CONFLICT when a requirement does not hold
   * or another writer won (nothing has changed then); COMMIT_STATE_UNKNOWN when the outcome could not be read back.
   */
  commit(
    base: LoadedMetadata,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<LoadedMetadata>;
  /**
   * For stores that may have a version without having made it last: a power failure doesn't take it away afterwards.
   * `loaded` is what `load` gave. COMMIT_STATE_UNKNOWN if that can't be made sure.
   */
  makeLast?(loaded: LoadedMetadata): Promise<void>;
  /** The location for a new data or metadata file of this table. */
  newMetadataFileLocation(metadata: TableMetadata, fileName: string): string;
}

export interface LoadedMetadata {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
}
