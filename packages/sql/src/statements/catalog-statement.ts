import type { Commit, Table, Transaction } from '@lh/core';
import type { QueryText } from '../query/query-text.ts';
import type { ScanReport } from '../query/scan-report.ts';
import type { SessionViews } from '../query/session-views.ts';
import type { TablePlace, TableResolver } from '../query/table-resolver.ts';
import type { SqlResult } from '../results/sql-result.ts';
import type { PathUse } from '../session/fence.ts';
import type { Lease } from '../session/session.ts';
import type { QueryData } from '../write/query-data.ts';
import type { StatementText } from './statement-text.ts';
import type { Transactions } from './transaction/transactions.ts';

/** A table of a catalog that a statement changes. */
export interface Target {
  /** As the session sees it, in a transaction with what was done so far. It is changed by `context.change` only. */
  readonly table: Table;
  /** The branch that its name ends in, as Spark has it: `web.events.branch_audit`. Undefined for main. */
  readonly branch: string | undefined;
}

/** Runs queries that are parts of a statement. */
export interface QueryContext {
  /** Runs a query of the statement, with all its tables. */
  run(sql: string, signal?: AbortSignal): Promise<SqlResult>;
  /** Rows of a query of the statement, to be written. */
  rows(sql: string, options?: RowsOptions): QueryData;
}

/** What a statement about tables of catalogs works with. */
export interface StatementContext extends QueryContext {
  readonly resolver: TableResolver;
  readonly signal: AbortSignal | undefined;
  /** The table of a catalog, and the branch; null if the name is one of the session's. NOT_FOUND if it is no one's. */
  target(parts: readonly string[]): Promise<Target | null>;
  /**
   * Changes a table, whose files DuckDB writes, by the calls of a transaction: as one commit, which is worked out anew where
   * others were faster, or between BEGIN and COMMIT as a part of the session's transaction. Null there: nothing is
   * committed yet.
   */
  change(target: Target, work: (transaction: Transaction) => unknown): Promise<Commit | null>;
  /** UNSUPPORTED between BEGIN and COMMIT. `what` begins the sentence: 'DROP TABLE'. */
  refuseInTransaction(what: string): void;
  readonly transactions: Transactions;
  /** A table whose files DuckDB writes from now on. */
  writable(table: Table): Table;
  /** Where a table of that name is, or would be. */
  place(parts: readonly string[]): TablePlace;
  /** UNAUTHORIZED for a place that the session may not touch: for locations in the text, which a FileIO will get. */
  checkPath(location: string, use: PathUse): Promise<void>;
  /** The session was opened with `allowedPaths`. */
  readonly isFenced: boolean;
  /** Views of the session over tables of catalogs. */
  readonly views: SessionViews;
  /** Whether DuckDB has a table or view of that name. */
  isLocal(parts: readonly string[]): Promise<boolean>;
  /** A connection beside the main one, for values and small queries. */
  lease(): Promise<Lease>;
  /**
   * For queries over other tables, or other versions of them, than the statement's. `origin`: the text that they are made
   * of, for errors.
   */
  over(resolver: TableResolver, origin?: QueryText): QueryContext;
  /** Runs SQL of the statement's own as it is on the session's connection, whatever has been aborted. */
  onSession(sql: string): Promise<void>;
}

export interface RowsOptions {
  /** The table's columns that those of the query are, in their order; they go by name if left out. */
  readonly columns?: readonly string[] | undefined;
  /** The part of the query's text that the user wrote, for errors. */
  readonly origin?: QueryText | undefined;
}

export type StatementOutcome =
  /** The statement's result is the rows of this query, which has nothing of catalogs. */
  | { readonly kind: 'rows'; readonly sql: string }
  | { readonly kind: 'result'; readonly result: SqlResult }
  | {
      readonly kind: 'changed';
      /** What was done to the rows, like 'inserted'. */
      readonly done?: string;
      readonly rows: number;
      /** What was committed; null if nothing was. */
      readonly snapshotId: bigint | null;
      readonly scans: readonly ScanReport[];
    };

/** A statement that DuckDB doesn't know, or must not run: it is about tables of catalogs. */
export interface CatalogStatement {
  /** Null if it turns out to be about something of the session, and DuckDB's to run. */
  run(context: StatementContext): Promise<StatementOutcome | null>;
}

/** Null for a statement of another kind. */
export type StatementParser = (text: StatementText) => CatalogStatement | null;
