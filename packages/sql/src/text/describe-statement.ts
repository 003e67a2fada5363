import { atClause } from './at-clause.ts';
import type { AtClause } from './at-clause.ts';
import { LEVEL_SEPARATOR } from './level-separator.ts';
import { afterBracket, isKeyword, isName, nameChain } from './tokens.ts';
import type { Token } from './tokens.ts';

/** `DESCRIBE [TABLE] [EXTENDED | FORMATTED] name [AT (…)]`; DuckDB knows it without the words in the middle. */
export interface DescribeStatement {
  readonly parts: readonly string[];
  readonly at: AtClause | null;
  readonly isExtended: boolean;
}

/** Null for any other statement: DESCRIBE of a query, for one. */
export function describeStatement(sql: string, tokens: readonly Token[]): DescribeStatement | null {
  if (!isKeyword(tokens[0], 'describe', 'desc')) return null;
  // A table may have one of these words as its name.
  const isOption = (i: number, ...words: readonly string[]): boolean =>
    isKeyword(tokens[i], ...words) && isName(tokens[i + 1]) && !isKeyword(tokens[i + 1], 'at');
  let first = 1;
  if (isOption(first, 'table')) first++;
  const isExtended = isOption(first, 'extended', 'formatted');
  if (isExtended) first++;
  const chain = nameChain(tokens, first);
  if (!chain) return null;
  const at = atClause(sql, tokens, chain.next);
  const end = at ? afterBracket(tokens, chain.next + 1) : chain.next;
  if (end !== tokens.length) return null;
  return { parts: chain.parts.flatMap((part) => part.split(LEVEL_SEPARATOR)), at, isExtended };
}
