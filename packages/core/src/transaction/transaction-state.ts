import type { LoadedMetadata, TableOperations } from '../catalog/catalog.ts';
import type { Reporter } from '../reporter.ts';
import type { Runtime } from '../runtime.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { DataFileWriter } from '../write/data-file-writer.ts';
import type { Action, StagingContext } from './action.ts';
import type { TransactionOptions } from './transaction-options.ts';

/** What a transaction knows of the table it belongs to. */
export interface TransactionHost {
  readonly operations: TableOperations;
  readonly runtime: Runtime;
  readonly reporter: Reporter | undefined;
  readonly writer: DataFileWriter;
}

export interface TransactionState {
  readonly host: TransactionHost;
  readonly base: LoadedMetadata;
  readonly branch: string;
  readonly options: TransactionOptions;
  readonly staging: StagingContext;
  /** The transaction is one call made for the user, who has seen nothing of it: it may be worked out anew. */
  readonly single: boolean;
  readonly actions: Action[];
  /** How many of the actions `metadata` has in it. */
  applied: number;
  /** The table with the first so many actions, snapshots included. */
  preview: {
    readonly metadata: TableMetadata;
    readonly built: number;
    readonly ownSnapshots: ReadonlySet<bigint>;
  } | null;
  /** For the user: what the writer of data files didn't do, though the table's properties ask for it. */
  readonly warnings: Set<string>;
  /** The table with the changes so far; snapshots are added only when the transaction is committed. */
  metadata: TableMetadata;
  /** The asynchronous call that is under way. */
  running: Promise<unknown> | null;
  finished: boolean;
}
