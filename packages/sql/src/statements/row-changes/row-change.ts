import { isName } from '../../text/tokens.ts';
import type { CatalogStatement } from '../catalog-statement.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import type { ErrorAt } from './new-values.ts';
import { readRowChange, verbIndex } from './read-row-change.ts';
import { runRowChange } from './run-row-change.ts';

/** `UPDATE`, `DELETE FROM` and `MERGE INTO`, maybe with a `WITH` in front. */
export function changeOfRows(text: StatementText): CatalogStatement | null {
  const verb = verbIndex(text.tokens);
  if (verb === null) return null;
  const reader = new TokenReader(text, verb);
  const isOne = reader.take('delete', 'from') || reader.take('merge', 'into') || reader.take('update');
  // DuckDB tells what is wrong with others.
  if (!isOne || !isName(reader.peek())) return null;
  const target = reader.name('the name of a table');
  const errorAt: ErrorAt = (message, at) => reader.error(message, at);
  return { run: (context) => runRowChange(target, () => readRowChange(text, verb), context, { text, errorAt }) };
}
