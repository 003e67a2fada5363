import { callStatement } from '../procedures/call-statement.ts';
import { callProcedure } from '../procedures/procedures.ts';
import { namedParts } from '../query/table-resolver.ts';
import type { CatalogStatement } from './catalog-statement.ts';
import type { StatementText } from './statement-text.ts';

/** `CALL [catalog.]system.procedure(…)`. */
export function callOfProcedure({ sql, tokens }: StatementText): CatalogStatement | null {
  const call = callStatement(sql, tokens);
  if (call === null) return null;
  return {
    async run({ lease: lend, resolver, writable, checkPath, isFenced, signal, refuseInTransaction }) {
      refuseInTransaction('CALL');
      const lease = await lend();
      try {
        const rows = await callProcedure(lease.connection, call, {
          table: async (name) => writable(await resolver.table(namedParts(name), call.catalog)),
          place: (name) => resolver.place(namedParts(name), call.catalog),
          checkPath,
          isFenced,
          signal,
        });
        return { kind: 'rows', sql: rows };
      } finally {
        lease.release();
      }
    },
  };
}
