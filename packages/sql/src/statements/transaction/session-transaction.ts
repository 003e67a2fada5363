import type { Commit, DataFileWriter, Table, Transaction } from '@lh/core';
import { invalidArgument, unsupported } from '@lh/core/engine';
import type { TableResolver } from '../../query/table-resolver.ts';
import type { Target } from '../catalog-statement.ts';
import { OpenTransaction } from './open-transaction.ts';

/**
 * What a session does between BEGIN and COMMIT: changes of one table, which become one commit. A table that was read
 * stays at that version, and shows what the transaction has done to it.
 */
export class SessionTransaction {
  /** The tables as the transaction sees them. */
  readonly resolver: TableResolver;
  readonly #writer: DataFileWriter;
  readonly #isReadOnly: boolean;
  #changed: ChangedTable | null = null;
  #hasFailed = false;

  constructor(resolver: TableResolver, writer: DataFileWriter, isReadOnly: boolean) {
    this.resolver = resolver;
    this.#writer = writer;
    this.#isReadOnly = isReadOnly;
  }

  /** A statement has failed: nothing but the end of the transaction can follow. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  async change(target: Target, work: (transaction: Transaction) => unknown): Promise<void> {
    const changed = (this.#changed ??= await this.#begin(target));
    if (!changed.versions.has(target.table)) {
      throw unsupported(
        `The transaction changes ${changed.name} already, and a transaction changes one table; COMMIT before ${target.table.name} is changed.`,
        { table: target.table.name },
      );
    }
    if (changed.branch !== target.branch) {
      throw unsupported(
        `The transaction changes ${branchText(changed.branch)} of ${changed.name}; COMMIT before ${branchText(target.branch)} is changed.`,
        { table: target.table.name },
      );
    }
    const { transaction } = changed.open;
    await work(transaction);
    const version = changed.base.withMetadata(await transaction.preview());
    changed.versions.add(version);
    this.resolver.show(changed.base, version);
  }

  async #begin({ table, branch }: Target): Promise<ChangedTable> {
    if (this.#isReadOnly) throw invalidArgument('The transaction is READ ONLY; ROLLBACK, and BEGIN one that writes.');
    const open = await OpenTransaction.begin(table, { branch, writer: this.#writer });
    return { name: table.name, branch, base: table, versions: new WeakSet([table]), open };
  }

  /** Null if no table was changed. */
  async commit(): Promise<Commit | null> {
    const changed = this.#changed;
    this.#changed = null;
    return changed && changed.open.commit();
  }

  /** Takes back what was done. */
  async rollBack(): Promise<void> {
    this.#hasFailed = true;
    const changed = this.#changed;
    this.#changed = null;
    await changed?.open.rollBack();
  }
}

/** The table that the transaction changes. */
interface ChangedTable {
  readonly name: string;
  readonly branch: string | undefined;
  /** As it was when the transaction first saw it. */
  readonly base: Table;
  /** Handles that stand for it. */
  readonly versions: WeakSet<Table>;
  readonly open: OpenTransaction;
}

function branchText(branch: string | undefined): string {
  return branch === undefined ? 'the main branch' : `the branch '${branch}'`;
}
