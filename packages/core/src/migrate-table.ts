import type { Catalog, CreateTableOptions, Identifier, LoadedMetadata, TableOperations } from './catalog/catalog.ts';
import { fileSystemTableOperations } from './catalog/file-system/table-operations.ts';
import { invalidArgument, isLakehouseError } from './errors.ts';
import type { FileIO } from './io/file-io.ts';
import { randomUuid, systemRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { newTableMetadata } from './spec/new-table-metadata.ts';
import type { AddFilesOptions } from './transaction/add-files/add-files.ts';
import { planMigration } from './transaction/add-files/plan-migration.ts';
import type { MigrationSource } from './transaction/add-files/plan-migration.ts';
import type { TransactionOptions } from './transaction/transaction-options.ts';

export type MigrateOptions = MigrationSource &
  MigrationTarget &
  Pick<CreateTableOptions, 'sortBy' | 'properties'> &
  Pick<AddFilesOptions, 'partition'> &
  Pick<TransactionOptions, 'signal' | 'onProgress' | 'snapshotProperties'> & { readonly runtime?: Runtime | undefined };

/** A new table of a catalog, or one without a catalog, as `Table.load` opens it. */
export type MigrationTarget =
  | {
      readonly catalog: Catalog;
      readonly name: Identifier;
      /** What reads the source; the catalog's own if left out. */
      readonly io?: FileIO | undefined;
    }
  | { readonly catalog?: undefined; readonly location: string; readonly io: FileIO };

type Table = Awaited<ReturnType<Catalog['loadTable']>>;

/** Opens what was made without a catalog. */
type OpenTable = (operations: TableOperations, loaded: LoadedMetadata) => Table;

interface CreatedTable {
  readonly table: Table;
  /** Takes it back, without its files. */
  readonly drop: () => Promise<unknown>;
}

/** See `Table.migrate`. */
export async function migrateTable(options: MigrateOptions, open: OpenTable): Promise<Table> {
  const { signal, onProgress, snapshotProperties, partition, runtime = systemRuntime } = options;
  const io = options.io ?? options.catalog?.io;
  if (io === undefined) throw invalidArgument('Migrating files takes the `io` that reads them.');
  const { files, ...columns } = await planMigration(options, { io, runtime, signal });
  const { sortBy, properties, formatVersion } = options;
  const asked: CreateTableOptions = {
    ...columns,
    ...(sortBy && { sortBy }),
    ...(properties && { properties }),
    ...(formatVersion && { formatVersion }),
  };
  const { table, drop } = await createTable(options, asked, { io, runtime, open });
  try {
    const add = { partition, signal, onProgress, snapshotProperties, checkDuplicates: false };
    await table.addFiles({ selected: files }, add);
  } catch (error) {
    // What failed is told, whatever comes of this; a commit that may have happened is kept.
    if (!isLakehouseError(error, 'COMMIT_STATE_UNKNOWN')) await drop().catch(() => undefined);
    throw error;
  }
  return table;
}

async function createTable(
  target: MigrationTarget,
  options: CreateTableOptions,
  { io, runtime, open }: { readonly io: FileIO; readonly runtime: Runtime; readonly open: OpenTable },
): Promise<CreatedTable> {
  if (target.catalog) {
    const { catalog, name } = target;
    return { table: await catalog.createTable(name, options), drop: () => catalog.dropTable(name) };
  }
  const operations = fileSystemTableOperations(target.location, io, { runtime });
  const { location } = operations;
  const made = newTableMetadata({ ...options, location, uuid: randomUuid(runtime), nowMs: runtime.now() });
  const table = open(operations, await operations.create(made));
  return { table, drop: async () => operations.drop(await operations.load()) };
}
