import { atClause } from '../text/at-clause.ts';
import { isKeyword, isSymbol, nameChain } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import type { QueryReferences, TableReference } from './table-references.ts';
import { LEVEL_SEPARATOR } from '../text/level-separator.ts';

/**
 * Mentions of tables in a statement that `json_serialize_sql` refuses (PIVOT and the like): names behind the words that
 * a table follows. Names that turn out to be no table of a catalog are left as they are.
 */
export function keywordReferences(sql: string, tokens: readonly Token[]): QueryReferences {
  const tables: TableReference[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!isKeyword(tokens[i - 1], 'from', 'join', 'pivot', 'unpivot', 'pivot_wider', 'pivot_longer')) continue;
    const chain = nameChain(tokens, i);
    if (!chain || isSymbol(tokens[chain.next], '(')) continue;
    const parts = chain.parts.flatMap((part) => part.split(LEVEL_SEPARATOR));
    const { alias, next } = aliasOf(tokens, chain.next);
    tables.push({
      parts,
      alias,
      start: tokens[i]!.start,
      end: tokens[chain.next - 1]!.end,
      at: atClause(sql, tokens, next),
      verb: null,
    });
  }
  return {
    tables,
    columns: [],
    fileReads: [],
    contextCalls: [],
    functions: new Set(),
    selects: [],
    hasUnnamedSubqueries: false,
  };
}

function aliasOf(tokens: readonly Token[], i: number): { readonly alias: string | null; readonly next: number } {
  if (isKeyword(tokens[i], 'as') && tokens[i + 1]) return { alias: tokens[i + 1]!.value, next: i + 2 };
  return { alias: null, next: i };
}
