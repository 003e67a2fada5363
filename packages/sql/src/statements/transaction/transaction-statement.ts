import type { CatalogStatement } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { isKeyword } from '../../text/tokens.ts';
import type { Token } from '../../text/tokens.ts';
import { TokenReader } from '../token-reader.ts';

export type TransactionControl =
  | { readonly kind: 'begin'; readonly isReadOnly: boolean }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' };

/** Whether a statement begins or ends a transaction. */
export function isTransactionControl([first, second]: readonly Token[]): boolean {
  return (
    isKeyword(first, 'begin', 'commit', 'end', 'rollback', 'abort') ||
    (isKeyword(first, 'start') && isKeyword(second, 'transaction'))
  );
}

/** `BEGIN`, `START TRANSACTION`, `COMMIT`, `END`, `ROLLBACK` and `ABORT`, with the words that DuckDB knows behind them. */
export function transactionControl(text: StatementText): TransactionControl | null {
  if (!isTransactionControl(text.tokens)) return null;
  const reader = new TokenReader(text);
  const verb = reader.takeOneOf('begin', 'start', 'commit', 'end', 'rollback', 'abort');
  reader.takeOneOf('transaction', 'work');
  const isReadOnly = (verb === 'begin' || verb === 'start') && reader.take('read', 'only');
  if ((verb === 'begin' || verb === 'start') && !isReadOnly) reader.take('read', 'write');
  reader.end();
  if (verb === 'begin' || verb === 'start') return { kind: 'begin', isReadOnly };
  return { kind: verb === 'commit' || verb === 'end' ? 'commit' : 'rollback' };
}

/** A transaction of the session: of DuckDB's tables and of one table of a catalog, which gets one commit. */
export function transactionStatement(text: StatementText): CatalogStatement | null {
  const control = transactionControl(text);
  if (control === null) return null;
  return {
    async run({ transactions }) {
      const done = { kind: 'changed', rows: 0, snapshotId: null, scans: [] } as const;
      if (control.kind === 'begin') {
        await transactions.begin(text.sql, control.isReadOnly);
        return done;
      }
      // One that was begun on the connection is DuckDB's alone.
      const { current } = transactions;
      if (current === null) return null;
      if (control.kind === 'rollback') {
        await transactions.rollBack(current);
        return done;
      }
      const commit = await transactions.commit(current);
      return { ...done, snapshotId: commit?.changed ? commit.snapshotId : null };
    },
  };
}
