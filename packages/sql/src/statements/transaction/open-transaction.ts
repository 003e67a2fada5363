import type { Commit, Table, Transaction, TransactionOptions } from '@lh/core';

/** A transaction of a table that stays open until it is told to end. */
export class OpenTransaction {
  readonly transaction: Transaction;
  readonly #outcome: Promise<Commit>;
  readonly #end: (rollBack: boolean) => void;

  private constructor(transaction: Transaction, outcome: Promise<Commit>, end: (rollBack: boolean) => void) {
    this.transaction = transaction;
    this.#outcome = outcome;
    this.#end = end;
  }

  /** On the version of the handle. Its errors are those of `table.transaction`. */
  static async begin(table: Table, options: TransactionOptions): Promise<OpenTransaction> {
    const opened = await new Promise<() => OpenTransaction>((resolve, reject) => {
      const outcome: Promise<Commit> = table.transaction(
        (transaction) =>
          new Promise<void>((commit, fail) => {
            const end = (rollBack: boolean): void => (rollBack ? fail(new RolledBack()) : commit());
            resolve(() => new OpenTransaction(transaction, outcome, end));
          }),
        options,
      );
      outcome.catch(reject);
    });
    return opened();
  }

  commit(): Promise<Commit> {
    this.#end(false);
    return this.#outcome;
  }

  /** Takes back everything, and deletes the files that were written. */
  async rollBack(): Promise<void> {
    this.#end(true);
    await this.#outcome.catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  }
}

class RolledBack extends Error {}
