import type { TokenReader } from '../token-reader.ts';
import { readAssignments } from './assignments.ts';
import type { Assignment } from './assignments.ts';
import { readExpression } from './expression-text.ts';
import { readEnd, readTarget } from './target-clause.ts';
import type { TargetClause } from './target-clause.ts';

export interface UpdateStatement {
  readonly kind: 'update';
  readonly target: TargetClause;
  readonly set: readonly Assignment[];
  /** Other tables. */
  readonly from: string | null;
  readonly where: string | null;
}

/** `UPDATE t [AS a] SET … [FROM …] [WHERE …]`. */
export function readUpdate(reader: TokenReader): UpdateStatement {
  reader.expect('update');
  const target = readTarget(reader, ['set']);
  reader.expect('set');
  const set = readAssignments(reader, ['from', 'where', 'returning']);
  const from = reader.take('from') ? readExpression(reader, 'a table', { words: ['where', 'returning'] }) : null;
  const where = reader.take('where') ? readExpression(reader, 'a condition', { words: ['returning'] }) : null;
  readEnd(reader);
  return { kind: 'update', target, set, from, where };
}
