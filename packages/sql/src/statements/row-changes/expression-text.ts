import { isKeyword, isSymbol } from '../../text/tokens.ts';
import type { TokenReader } from '../token-reader.ts';

/** What ends an expression of a statement: words of its grammar, and maybe a comma. */
export interface ExpressionEnd {
  readonly words: readonly string[];
  readonly comma?: boolean;
}

/** Reads an expression, or a list of tables, up to what ends it: its text as the user wrote it. */
export function readExpression(reader: TokenReader, what: string, end: ExpressionEnd): string {
  const first = reader.index;
  let cases = 0;
  while (!reader.isDone && !(cases === 0 && isAtEnd(reader, end))) {
    if (isWord(reader, 'case')) cases++;
    else if (isWord(reader, 'end')) cases--;
    reader.skip();
  }
  const text = reader.textFrom(first);
  if (text === '') throw reader.unexpected(what);
  return text;
}

function isAtEnd(reader: TokenReader, { words, comma = false }: ExpressionEnd): boolean {
  if (comma && reader.isAtSymbol(',')) return true;
  if (!isWord(reader, ...words)) return false;
  // `a IS DISTINCT FROM b` goes on.
  return !(reader.isAt('from') && isKeyword(reader.peek(-1), 'distinct'));
}

/** A keyword that is no part of a name. */
function isWord(reader: TokenReader, ...words: readonly string[]): boolean {
  return words.some((word) => reader.isAt(word)) && !isSymbol(reader.peek(-1), '.');
}
