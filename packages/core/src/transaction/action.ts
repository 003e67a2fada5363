import type { TableOperations } from '../catalog/catalog.ts';
import type { Runtime } from '../runtime.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { TableUpdate } from '../spec/updates.ts';
import type { StagedFiles } from './staged-files.ts';

/**
 * One change of a table, as a transaction keeps it. It is built anew for every attempt to commit; what it staged
 * (data files, manifests) is the same in each of them.
 */
export interface Action {
  /**
   * The updates that make the change on top of `metadata`: the newest version of the table with the transaction's
   * earlier actions applied. None if there is nothing to do. Throws if the change is impossible there.
   */
  build(metadata: TableMetadata, attempt: CommitAttempt): Updates | Promise<Updates>;
}

/** A change that needs nothing but metadata, so that a transaction can make it at once and build on it. */
export interface MetadataAction extends Action {
  build(metadata: TableMetadata): Updates;
}

export type Updates = readonly TableUpdate[];

/** What it takes to write a transaction's files. */
export interface StagingContext {
  readonly operations: TableOperations;
  readonly runtime: Runtime;
  readonly staged: StagedFiles;
  /** Distinct for each transaction, in the names of its metadata files. */
  readonly commitUuid: string;
  readonly signal: AbortSignal | undefined;
}

export interface CommitAttempt extends StagingContext {
  /** 1 for the first attempt. */
  readonly number: number;
  /** Snapshots that earlier actions of the transaction have made in this attempt. */
  readonly ownSnapshots: ReadonlySet<bigint>;
}
