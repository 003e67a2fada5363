import { isKeyword, isSymbol } from './tokens.ts';
import type { Token } from './tokens.ts';

/**
 * Index of a statement's verb: the first word, or the one behind `WITH … AS (…)`. Null if it is none of these, given in
 * lower case.
 */
export function mainVerb(tokens: readonly Token[], ...verbs: readonly string[]): number | null {
  if (isKeyword(tokens[0], ...verbs)) return 0;
  if (!isKeyword(tokens[0], 'with')) return null;
  let depth = 0;
  for (let i = 1; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '(')) depth++;
    else if (isSymbol(tokens[i], ')')) depth--;
    else if (depth === 0 && isKeyword(tokens[i], ...verbs)) return i;
    else if (depth === 0 && isKeyword(tokens[i], 'select', 'from', 'values')) return null;
  }
  return null;
}
