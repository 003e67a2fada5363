import { syntaxError } from './syntax-error.ts';

/** One token of a filter's text. `start` and `end` are offsets into it. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'bytes' | 'number' | 'symbol' | 'end';
  /** Without quotes and escapes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What each token looks like, most specific first. */
const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['bytes', /[xX]'[^']*'/y],
  ['string', /'(?:[^']|'')*'/y],
  ['quoted', /"(?:[^"]|"")*"|`(?:[^`]|``)*`/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['word', /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy],
  ['symbol', /<=|>=|<>|!=|==|[=<>(),.+-]/y],
];

const SPACE = /\s*/y;

/** Splits a filter into tokens, with an `end` token last. INVALID_ARGUMENT that points at what it can't read. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(SPACE, text, at)!.length;
    if (at === text.length) break;
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', start: text.length, end: text.length });
  return tokens;
}

function tokenAt(text: string, start: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    const raw = match(pattern, text, start);
    if (raw === undefined) continue;
    const end = start + raw.length;
    if (kind === 'number' && match(/[\p{L}_]/uy, text, end)) {
      throw syntaxError(
        text,
        end,
        'A number ends here, and a name can only start after a space; quote names that start with a digit: "1a"',
      );
    }
    return { kind, text: unquote(kind, raw), start, end };
  }
  const character = String.fromCodePoint(text.codePointAt(start)!);
  if (character === "'") throw syntaxError(text, start, 'This text has no closing quote');
  if (character === '"' || character === '`') throw syntaxError(text, start, 'This quoted name has no closing quote');
  throw syntaxError(text, start, `Unexpected character '${character}'`);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function unquote(kind: Token['kind'], raw: string): string {
  if (kind === 'bytes') return raw.slice(2, -1);
  if (kind !== 'string' && kind !== 'quoted') return raw;
  const quote = raw[0]!;
  return raw.slice(1, -1).replaceAll(quote + quote, quote);
}
