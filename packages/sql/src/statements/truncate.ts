import { expr } from '@lh/core';
import { nameChain, isKeyword } from '../text/tokens.ts';
import type { CatalogStatement } from './catalog-statement.ts';
import type { StatementText } from './statement-text.ts';
import { TokenReader } from './token-reader.ts';

/** `TRUNCATE [TABLE] name`: all rows are gone, and no file is read. */
export function truncateTable(text: StatementText): CatalogStatement | null {
  const { tokens } = text;
  if (!isKeyword(tokens[0], 'truncate')) return null;
  const first = isKeyword(tokens[1], 'table') ? 2 : 1;
  const name = nameChain(tokens, first);
  if (!name) return null;
  return {
    async run(context) {
      const target = await context.target(name.parts);
      if (target === null) return null;
      new TokenReader(text, name.next).end();
      const { table, branch } = target;
      const rows = await table.scan({ ref: branch }).count();
      const commit = await context.change(target, (transaction) => transaction.delete(expr.alwaysTrue()));
      return {
        kind: 'changed',
        done: 'deleted',
        rows,
        snapshotId: commit?.changed ? commit.snapshotId : null,
        scans: [],
      };
    },
  };
}
