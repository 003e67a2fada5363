import { isLakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';
import type { CatalogStatement } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { findTarget } from './find-target.ts';
import { NO_ROWS } from './outcomes.ts';

export interface DropTable {
  readonly name: readonly string[];
  readonly ifExists: boolean;
  /** Its files go, too. */
  readonly purge: boolean;
}

export function readDropTable(text: StatementText): DropTable | null {
  const reader = new TokenReader(text);
  if (!reader.take('drop', 'table')) return null;
  const ifExists = reader.take('if', 'exists');
  const name = reader.name('the name of a table');
  const purge = reader.take('purge');
  // Words of DuckDB's, which mean nothing here.
  if (!purge) reader.takeOneOf('cascade', 'restrict');
  reader.end();
  return { name, ifExists, purge };
}

/** `DROP TABLE [IF EXISTS] name [PURGE]` of a catalog. */
export function dropTable(text: StatementText): CatalogStatement | null {
  const statement = readDropTable(text);
  if (statement === null) return null;
  const { name, ifExists, purge } = statement;
  return {
    async run(context) {
      const target = await findTarget(name, context, ifExists);
      if (target === 'nothing') return NO_ROWS;
      if (target === null) return null;
      const located = target.branch === undefined ? await context.resolver.locate(name) : null;
      if (located === null) {
        const how =
          target.branch === undefined
            ? 'registered; take it back with lake.unregister'
            : 'a branch; it is dropped with ALTER TABLE … DROP BRANCH';
        throw invalidArgument(`'${name.join('.')}' is ${how}.`);
      }
      context.refuseInTransaction('DROP TABLE');
      await located.catalog.dropTable(located.path, { purge }).catch((error: unknown) => {
        // Others were faster.
        if (!ifExists || !isLakehouseError(error, 'NOT_FOUND')) throw error;
      });
      return NO_ROWS;
    },
  };
}
