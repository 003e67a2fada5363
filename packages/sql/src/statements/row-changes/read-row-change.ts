import { isKeyword, isSymbol } from '../../text/tokens.ts';
import type { Token } from '../../text/tokens.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';
import { readDelete } from './delete-statement.ts';
import type { DeleteStatement } from './delete-statement.ts';
import { readMerge } from './merge-statement.ts';
import type { MergeStatement } from './merge-statement.ts';
import { readUpdate } from './update-statement.ts';
import type { UpdateStatement } from './update-statement.ts';

export type RowChangeStatement = (DeleteStatement | UpdateStatement | MergeStatement) & {
  /** `WITH … `, whose tables the statement can name; empty if there is none. */
  readonly with: string;
};

const VERBS = ['delete', 'update', 'merge'] as const;

/** Index of the statement's verb, behind a `WITH` whose brackets are closed; null for a statement of another kind. */
export function verbIndex(tokens: readonly Token[]): number | null {
  if (isKeyword(tokens[0], ...VERBS)) return 0;
  if (!isKeyword(tokens[0], 'with')) return null;
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (isSymbol(token, '(')) depth++;
    else if (isSymbol(token, ')')) depth--;
    else if (depth > 0) continue;
    else if (isSymbol(tokens[i - 1], ')') && isKeyword(token, ...VERBS)) return i;
    else if (isKeyword(token, 'select', 'from', 'values', 'insert')) return null;
  }
  return null;
}

/** The whole statement, whose verb is at an index. INVALID_ARGUMENT for what isn't there as it should be. */
export function readRowChange(text: StatementText, verb: number): RowChangeStatement {
  const reader = new TokenReader(text, verb);
  const own = text.sql.slice(0, text.tokens[verb]!.start);
  const read = reader.isAt('delete') ? readDelete : reader.isAt('update') ? readUpdate : readMerge;
  return { ...read(reader), with: own };
}
