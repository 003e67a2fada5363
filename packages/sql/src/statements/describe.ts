import { describeRows } from '../query/describe-rows.ts';
import { describeStatement } from '../text/describe-statement.ts';
import type { CatalogStatement } from './catalog-statement.ts';
import type { StatementText } from './statement-text.ts';

/** `DESCRIBE` of a catalog's table. */
export function describeTable({ sql, tokens }: StatementText): CatalogStatement | null {
  const statement = describeStatement(sql, tokens);
  if (statement === null) return null;
  return {
    async run({ resolver, lease: lend }) {
      const resolved = await resolver.resolve(statement.parts);
      if (resolved?.kind !== 'table' && resolved?.kind !== 'metadata') {
        // DuckDB's grammar has no such words: a table of the session can't be meant.
        if (statement.isExtended) throw await resolver.unknown(statement.parts, []);
        return null;
      }
      const lease = await lend();
      try {
        return { kind: 'rows', sql: await describeRows(lease.connection, resolved, statement) };
      } finally {
        lease.release();
      }
    },
  };
}
