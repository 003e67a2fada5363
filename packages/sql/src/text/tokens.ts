import { invalidArgument } from '@lh/core/engine';

/**
 * The tokens of a SQL text as DuckDB's scanner sees them (it is PostgreSQL's, with `?`, `$1` and `$name` parameters).
 * The grammar itself stays DuckDB's business: this only has to know where strings, comments and names begin and end.
 */
export interface Token {
  readonly kind: TokenKind;
  /** UTF-16 offsets into the text. */
  readonly start: number;
  readonly end: number;
  /** A name without its quotes, a parameter without its `$`, the text itself for the rest. */
  readonly value: string;
}

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'parameter' | 'symbol';

const SPACE = /[ \t\n\r\f\v]+/y;
const LINE_COMMENT = /--[^\n\r]*/y;
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER =
  /(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|(?:\d[\d_]*)(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?)/y;
const QUOTED_NAME = /"(?:[^"]|"")*"/y;
const STRING = /'(?:[^']|'')*'/y;
const ESCAPE_STRING = /[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y;
const PREFIXED_STRING = /[xXbB]'(?:[^']|'')*'/y;
const DOLLAR_STRING = /\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$[\s\S]*?\$\1\$/y;
const PARAMETER = /\$(\d+|[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)|\?(\d*)/y;

/** Splits a text into tokens; INVALID_ARGUMENT at the place of a string, name or comment that never ends. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const push = (kind: TokenKind, length: number, value: string) => {
    tokens.push({ kind, start: at, end: at + length, value });
    at += length;
  };
  while (at < text.length) {
    const blank = match(SPACE) ?? match(LINE_COMMENT);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    if (text.startsWith('/*', at)) {
      at = endOfComment(text, at);
      continue;
    }
    const string = match(ESCAPE_STRING) ?? match(PREFIXED_STRING) ?? match(STRING) ?? match(DOLLAR_STRING);
    if (string) {
      push('string', string[0].length, string[0]);
      continue;
    }
    const quoted = match(QUOTED_NAME);
    if (quoted) {
      push('quoted', quoted[0].length, quoted[0].slice(1, -1).replaceAll('""', '"'));
      continue;
    }
    if (text[at] === "'" || text[at] === '"') throw neverEnds(text, at, text[at] === "'" ? 'string' : 'quoted name');
    const word = match(WORD);
    if (word) {
      push('word', word[0].length, word[0]);
      continue;
    }
    const number = match(NUMBER);
    if (number) {
      push('number', number[0].length, number[0]);
      continue;
    }
    const parameter = match(PARAMETER);
    if (parameter) {
      push('parameter', parameter[0].length, parameter[1] ?? parameter[2] ?? '');
      continue;
    }
    push('symbol', 1, text[at]!);
  }
  return tokens;
}

/** Comments nest, as in PostgreSQL. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('/*', at)) {
      depth++;
      at++;
    } else if (text.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  throw neverEnds(text, start, 'comment');
}

function neverEnds(text: string, at: number, what: string): Error {
  return invalidArgument(`The ${what} that starts here never ends:\n${pointAt(text, at)}`, { position: at });
}

/** The line of the text that holds an offset, with a caret under the place. */
export function pointAt(text: string, offset: number): string {
  const at = Math.max(0, Math.min(offset, text.length));
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const nextBreak = text.indexOf('\n', at);
  const line = text.slice(lineStart, nextBreak < 0 ? text.length : nextBreak);
  const lineNumber = text.slice(0, lineStart).split('\n').length;
  const label = `LINE ${lineNumber}: `;
  const column = at - lineStart;
  const cutStart = Math.max(0, column - 60);
  const shown = `${cutStart > 0 ? '…' : ''}${line.slice(cutStart, column + 40)}${line.length > column + 40 ? '…' : ''}`;
  const indent = label.length + (column - cutStart) + (cutStart > 0 ? 1 : 0);
  return `${label}${shown.replaceAll('\t', ' ')}\n${' '.repeat(indent)}^`;
}

/** True for a word token with this keyword (given in lower case); a quoted name is never a keyword. */
export function isKeyword(token: Token | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.value.toLowerCase());
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.value === symbol;
}

export function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted';
}

/** Index of the token after the bracket that closes the one at `open`; the number of tokens if none does. */
export function afterBracket(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== 'symbol') continue;
    if (token.value === '(' || token.value === '[' || token.value === '{') depth++;
    else if (token.value === ')' || token.value === ']' || token.value === '}') depth--;
    if (depth === 0) return i + 1;
  }
  return tokens.length;
}

export interface NameChain {
  readonly parts: readonly string[];
  /** Indexes of the first token and the one after the last. */
  readonly first: number;
  readonly next: number;
}

/** `a."b c".d` from the token at `first`; null if that is no name. */
export function nameChain(tokens: readonly Token[], first: number): NameChain | null {
  const head = tokens[first];
  if (!isName(head)) return null;
  const parts = [head.value];
  let next = first + 1;
  while (isSymbol(tokens[next], '.') && isName(tokens[next + 1])) {
    parts.push(tokens[next + 1]!.value);
    next += 2;
  }
  return { parts, first, next };
}
