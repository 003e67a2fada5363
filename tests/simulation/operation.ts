import type { Commit, ErrorCode, Table, TransactionOptions } from '@lh/core';

import type { Effect } from './rows.ts';

/** One change that a writer wants to make. */
export interface Operation {
  /** Goes into the summary of the snapshots that it makes. */
  readonly id: string;
  readonly kind: string;
  run(table: Table, options: TransactionOptions): Promise<Commit>;
  /** What its snapshots do, in their order; none for a change without a snapshot. */
  readonly effects: readonly Effect[];
  /** Where its snapshots belong: on main if left out. */
  readonly on?: string | typeof STAGED;
  /** That it finds nothing to do is no wonder. */
  readonly mayDoNothing?: boolean;
  /** It may be made again without an idempotency key. */
  readonly repeatable?: boolean;
  /** Errors that are no wonder, and say that nothing has changed. */
  readonly refusals?: readonly ErrorCode[];
  /** Errors that say that it was made before. */
  readonly alreadyMade?: ErrorCode;
  /** Of changes without a snapshot: whether the table shows it. */
  isThere?(table: Table): boolean;
  /** Others may make the same change: that it is there says nothing. */
  readonly shared?: boolean;
  /** A key that only its rows have. */
  readonly ownKey?: number;
}

/** A snapshot on no branch, to be published. */
export const STAGED: unique symbol = Symbol('staged');

export interface OperationContext {
  readonly formatVersion: number;
  /** Whether the partitioning changes. Deletes by key find rows in files of one spec only. */
  readonly respecs: boolean;
  /** Rows are deleted by delete files alone, where there may be some. */
  readonly onlyDeleteFiles: boolean;
  randomInteger(bound: number): number;
  /** Keys that no row has had yet: hands out the next ones. */
  freshKeys(count: number): readonly number[];
}

/** An operation, but for its names. */
export type Draft = Omit<Operation, 'id' | 'kind'>;
