import { afterBracket, isKeyword, isName, isSymbol } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Tokens of an alias, `[AS] name [(columns)]`; null if there is none. */
export function aliasAt(tokens: readonly Token[], i: number): { readonly first: number; readonly next: number } | null {
  const hasAs = isKeyword(tokens[i], 'as');
  const name = tokens[hasAs ? i + 1 : i];
  if (!isName(name) || (!hasAs && name.kind === 'word' && NO_ALIAS.has(name.value.toLowerCase()))) return null;
  const next = (hasAs ? i + 1 : i) + 1;
  return { first: i, next: isSymbol(tokens[next], '(') ? afterBracket(tokens, next) : next };
}

/** Words that may follow a table and can't be its alias. */
const NO_ALIAS: ReadonlySet<string> = new Set(
  (
    'all analyse analyze and anti any array as asc asof asymmetric at both case cast check collate collation column concurrently constraint create cross ' +
    'default deferrable desc describe distinct do else end except false fetch for foreign freeze from full generated glob group having ilike in initially ' +
    'inner intersect into is isnull join lambda lateral leading left like limit map natural not notnull null offset on only or order outer overlaps pivot ' +
    'pivot_longer pivot_wider placing positional primary qualify references returning right select semi show similar some struct summarize symmetric table ' +
    'tablesample then to trailing true try_cast union unique unpack unpivot using variadic verbose when where window with'
  ).split(' '),
);
