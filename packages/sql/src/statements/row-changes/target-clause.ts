import { unsupported } from '@lh/core/engine';
import { isName } from '../../text/tokens.ts';
import { quoteName } from '../../text/quote.ts';
import type { TokenReader } from '../token-reader.ts';

/** The table that a statement changes, as it names it. */
export interface TargetClause {
  readonly parts: readonly string[];
  /** For a FROM clause, with the alias. */
  readonly sql: string;
  /** What its columns are qualified by. */
  readonly qualifier: string;
}

/** DuckDB's names have three levels at most. */
const MAX_LEVELS = 3;

/** `name [[AS] alias]`; `next` is the word that follows. */
export function readTarget(reader: TokenReader, next: readonly string[]): TargetClause {
  const first = reader.index;
  const parts = reader.name('the name of a table');
  const name = reader.textFrom(first);
  const hasAlias = reader.take('as') || (isName(reader.peek()) && !next.some((word) => reader.isAt(word)));
  if (hasAlias) {
    const alias = quoteName(reader.word('an alias'));
    return { parts, sql: `${name} AS ${alias}`, qualifier: alias };
  }
  return { parts, sql: name, qualifier: parts.length > MAX_LEVELS ? quoteName(parts.at(-1)!) : name };
}

/** Reads the end of a statement. */
export function readEnd(reader: TokenReader): void {
  if (reader.isAt('returning')) {
    throw unsupported("RETURNING isn't supported for tables of a catalog; run a SELECT before or after the statement.");
  }
  reader.end();
}
