import type { Commit, DataFileWriter } from '@lh/core';
import { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import { duckdbError } from '../../errors.ts';
import { TableResolver } from '../../query/table-resolver.ts';
import type { Names } from '../../query/table-resolver.ts';
import type { Session } from '../../session/session.ts';
import { SessionTransaction } from './session-transaction.ts';

/** The session's transaction, which is DuckDB's on the main connection as well. */
export class Transactions {
  readonly #session: Session;
  readonly #names: Names;
  readonly #writer: DataFileWriter;
  #current: SessionTransaction | null = null;
  /** The end of what runs in turn; null if statements need not wait for each other. */
  #turns: Promise<unknown> | null = null;

  constructor(session: Session, names: Names, writer: DataFileWriter) {
    this.#session = session;
    this.#names = names;
    this.#writer = writer;
  }

  /** Between BEGIN and COMMIT or ROLLBACK. */
  get current(): SessionTransaction | null {
    return this.#current;
  }

  /** Those of the transaction, or, as a statement of its own begins, the newest. */
  resolver(): TableResolver {
    return this.#current?.resolver ?? new TableResolver(this.#names);
  }

  /**
   * Runs a user's statement. In a transaction statements run one after the other, and one that fails aborts it.
   * `isControl`: the statement begins or ends one.
   */
  async run<T>(isControl: boolean, work: () => Promise<T>): Promise<T> {
    if (!isControl && this.#turns === null) return work();
    const turn = (this.#turns ?? Promise.resolve()).then(() => (isControl ? work() : this.#inTransaction(work)));
    const settled: Promise<void> = turn.then(
      () => this.#leave(settled),
      () => this.#leave(settled),
    );
    this.#turns = settled;
    return turn;
  }

  #leave(turn: Promise<unknown>): void {
    if (this.#turns === turn && this.#current === null) this.#turns = null;
  }

  async #inTransaction<T>(work: () => Promise<T>): Promise<T> {
    const transaction = this.#current;
    if (transaction === null) return work();
    if (transaction.hasFailed) throw aborted('only ROLLBACK can follow');
    try {
      return await work();
    } catch (error) {
      await transaction.rollBack();
      throw error;
    }
  }

  async begin(sql: string, isReadOnly: boolean): Promise<void> {
    if (this.#current !== null) throw invalidArgument('A transaction is open already; COMMIT or ROLLBACK it first.');
    await this.#onMain(sql);
    this.#current = new SessionTransaction(new TableResolver(this.#names), this.#writer, isReadOnly);
  }

  /** Null if no table of a catalog was changed. */
  async commit(transaction: SessionTransaction): Promise<Commit | null> {
    this.#current = null;
    try {
      if (transaction.hasFailed) throw aborted('nothing was committed');
      // What DuckDB itself has given up must not be committed here.
      await this.#onMain('SELECT 1');
      const commit = await transaction.commit();
      await this.#onMain('COMMIT').catch((error: unknown) => {
        throw commit === null ? error : halfCommitted(commit, error);
      });
      return commit;
    } catch (error) {
      await this.#takeBack(transaction);
      throw error;
    }
  }

  async rollBack(transaction: SessionTransaction): Promise<void> {
    this.#current = null;
    await this.#takeBack(transaction);
  }

  async #takeBack(transaction: SessionTransaction): Promise<void> {
    try {
      await transaction.rollBack();
    } finally {
      await this.#onMain('ROLLBACK').catch(() => undefined);
    }
  }

  /** Leaves nothing behind of a transaction that is open when the session ends. */
  async close(): Promise<void> {
    await this.#current?.rollBack();
  }

  async #onMain(sql: string): Promise<void> {
    await this.#session
      .onMain(() => this.#session.main.run(sql))
      .catch((error: unknown) => {
        throw duckdbError(error);
      });
  }
}

function halfCommitted({ snapshotId }: Commit, cause: unknown): LakehouseError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LakehouseError(
    'INVALID_ARGUMENT',
    `The catalog's table was committed (its snapshot is ${snapshotId}), but the changes of DuckDB's own tables were not: ${reason}`,
    { cause, context: { snapshotId } },
  );
}

function aborted(what: string): LakehouseError {
  return new LakehouseError('ABORTED', `The transaction was aborted by an error of a statement before: ${what}.`);
}
