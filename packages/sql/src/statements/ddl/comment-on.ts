import type { CatalogStatement, StatementContext, StatementOutcome, Target } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { columnPath } from './column-path.ts';
import { NO_ROWS } from './outcomes.ts';

/** `COMMENT ON TABLE name IS 'text'`, `COMMENT ON COLUMN name.column IS NULL`. */
export function commentOn(text: StatementText): CatalogStatement | null {
  const reader = new TokenReader(text);
  if (!reader.take('comment', 'on')) return null;
  const what = reader.takeOneOf('table', 'column');
  if (what === null) return null;
  const name = reader.name('a name');
  reader.expect('is');
  const comment = reader.take('null') ? null : reader.string('a comment');
  reader.end();
  return {
    async run(context) {
      if (what === 'column') return commentOnColumn(name, comment, context, reader);
      const target = await context.target(name);
      if (target === null) return null;
      await context.change(target, (tx) =>
        comment === null ? tx.removeProperties(['comment']) : tx.setProperties({ comment }),
      );
      return NO_ROWS;
    },
  };
}

async function commentOnColumn(
  name: readonly string[],
  comment: string | null,
  context: StatementContext,
  reader: TokenReader,
): Promise<StatementOutcome | null> {
  if (name.length < 2) throw reader.error('A column is named with its table, as in web.events.city.', 3);
  const found = await tableOfColumn(name, context);
  if (found === null) return null;
  const { target, column } = found;
  await context.change(target, (tx) =>
    tx.updateSchema((schema) => schema.updateColumnDoc(columnPath(schema.schema, column) ?? column, comment)),
  );
  return NO_ROWS;
}

/** How much of the name is the table's is not to be seen; the longest that is one counts. */
async function tableOfColumn(
  name: readonly string[],
  context: StatementContext,
): Promise<{ readonly target: Target; readonly column: string } | null> {
  for (let length = name.length - 1; length > 0; length--) {
    const resolved = await context.resolver.resolve(name.slice(0, length));
    if (resolved?.kind !== 'table') continue;
    return { target: { table: resolved.table, branch: undefined }, column: name.slice(length).join('.') };
  }
  const target = await context.target(name.slice(0, -1));
  return target && { target, column: name.at(-1)! };
}
