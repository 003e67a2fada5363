import type { TokenReader } from '../token-reader.ts';
import { readExpression } from './expression-text.ts';
import { readEnd, readTarget } from './target-clause.ts';
import type { TargetClause } from './target-clause.ts';

export interface DeleteStatement {
  readonly kind: 'delete';
  readonly target: TargetClause;
  /** Other tables. */
  readonly using: string | null;
  readonly where: string | null;
}

/** `DELETE FROM t [AS a] [USING …] [WHERE …]`. */
export function readDelete(reader: TokenReader): DeleteStatement {
  reader.expect('delete', 'from');
  const target = readTarget(reader, ['using', 'where', 'returning']);
  const using = reader.take('using') ? readExpression(reader, 'a table', { words: ['where', 'returning'] }) : null;
  const where = reader.take('where') ? readExpression(reader, 'a condition', { words: ['returning'] }) : null;
  readEnd(reader);
  return { kind: 'delete', target, using, where };
}
