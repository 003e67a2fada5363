import type { Table } from '@lh/core';
import type { ScanReport } from '../query/scan-report.ts';
import type { TablePlace, TableResolver } from '../query/table-resolver.ts';
import type { SqlResult } from '../results/sql-result.ts';
import type { Lease } from '../session/session.ts';
import type { QueryData } from '../write/query-data.ts';
import type { StatementText } from './statement-text.ts';

/** What a statement about tables of catalogs works with. */
export interface StatementContext {
  readonly resolver: TableResolver;
  readonly signal: AbortSignal | undefined;
  /** The table of a catalog, whose files DuckDB writes; null if the name is one of the session's. NOT_FOUND if it is no one's. */
  target(parts: readonly string[]): Promise<Table | null>;
  /** A table whose files DuckDB writes from now on. */
  writable(table: Table): Table;
  /** Where a table of that name is, or would be. */
  place(parts: readonly string[]): TablePlace;
  /** A connection beside the main one, for values and small queries. */
  lease(): Promise<Lease>;
  /** Runs a query of the statement, with all its tables. */
  run(sql: string, signal?: AbortSignal): Promise<SqlResult>;
  /** Rows of a query of the statement, to be written. */
  rows(sql: string): QueryData;
}

export type StatementOutcome =
  /** The statement's result is the rows of this query, which has nothing of catalogs. */
  | { readonly kind: 'rows'; readonly sql: string }
  | {
      readonly kind: 'changed';
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
