import { afterBracket, isKeyword, isSymbol } from './tokens.ts';
import type { Token } from './tokens.ts';

/** `AT (VERSION => value)` or `AT (TIMESTAMP => value)`. */
export interface AtClause {
  readonly unit: 'VERSION' | 'TIMESTAMP';
  /** The text of the value. */
  readonly expression: string;
  /** The whole clause. */
  readonly start: number;
  readonly end: number;
}

export function isAtClause(tokens: readonly Token[], i: number): boolean {
  return isKeyword(tokens[i], 'at') && isSymbol(tokens[i + 1], '(') && isKeyword(tokens[i + 2], 'version', 'timestamp');
}

/** The clause that begins at a token; null if none does. */
export function atClause(sql: string, tokens: readonly Token[], i: number): AtClause | null {
  if (!isAtClause(tokens, i)) return null;
  // AT ( unit = > value )
  const [unit, value, close] = [tokens[i + 2]!, tokens[i + 5], tokens[afterBracket(tokens, i + 1) - 1]!];
  if (!value) return null;
  return {
    unit: isKeyword(unit, 'timestamp') ? 'TIMESTAMP' : 'VERSION',
    expression: sql.slice(value.start, close.start).trim(),
    start: tokens[i]!.start,
    end: close.end,
  };
}
