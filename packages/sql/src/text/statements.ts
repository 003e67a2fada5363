import { mainVerb } from './main-verb.ts';
import { isKeyword, isName, isSymbol, nameChain } from './tokens.ts';
import type { Token } from './tokens.ts';

/** One statement of a text, with its own tokens. */
export interface Statement {
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
}

/** The statements between the semicolons; empty ones are left out. */
export function splitStatements(tokens: readonly Token[]): readonly Statement[] {
  const statements: Statement[] = [];
  let current: Token[] = [];
  const finish = (): void => {
    if (current.length > 0) statements.push({ tokens: current, start: current[0]!.start, end: current.at(-1)!.end });
    current = [];
  };
  for (const token of tokens) {
    if (isSymbol(token, ';')) finish();
    else current.push(token);
  }
  finish();
  return statements;
}

/** A query inside a statement of another kind: `EXPLAIN …`, `CREATE TEMP TABLE t AS …`, `COPY (…) TO …`. */
export interface InnerQuery {
  /** Indexes of the query's first token and the one after its last. */
  readonly first: number;
  readonly next: number;
}

export type StatementKind =
  | { readonly kind: 'query' }
  | { readonly kind: 'wrapped'; readonly query: InnerQuery }
  /** Would change a table of a catalog, or of the session. */
  | {
      readonly kind: 'change';
      readonly verb: string;
      readonly target: readonly string[];
      readonly query: InnerQuery | null;
    }
  /** Nothing about tables of catalogs: settings, transactions, macros… */
  | { readonly kind: 'session' };

const QUERY_WORDS = [
  'select',
  'with',
  'from',
  'values',
  'table',
  'describe',
  'desc',
  'summarize',
  'show',
  'pivot',
  'unpivot',
] as const;

/** What a statement is, by its first words. */
export function classify(tokens: readonly Token[]): StatementKind {
  const [first] = tokens;
  if (isSymbol(first, '(') || isKeyword(first, ...QUERY_WORDS)) return afterWith(tokens);
  if (isKeyword(first, 'explain')) return { kind: 'wrapped', query: explained(tokens) };
  if (isKeyword(first, 'create')) return created(tokens);
  if (isKeyword(first, 'copy') && isSymbol(tokens[1], '('))
    return { kind: 'wrapped', query: { first: 2, next: closing(tokens, 1) } };
  if (isKeyword(first, 'insert', 'update', 'delete', 'merge', 'truncate', 'alter', 'drop')) return change(tokens);
  return { kind: 'session' };
}

/** `WITH … INSERT INTO …` starts like a query. */
function afterWith(tokens: readonly Token[]): StatementKind {
  const verb = mainVerb(tokens, 'insert', 'update', 'delete', 'merge');
  return verb === null ? { kind: 'query' } : change(tokens.slice(verb));
}

function explained(tokens: readonly Token[]): InnerQuery {
  let first = 1;
  if (isKeyword(tokens[first], 'analyze')) first++;
  if (isSymbol(tokens[first], '(') && isName(tokens[first + 1]) && !isKeyword(tokens[first + 1], ...QUERY_WORDS))
    first = closing(tokens, first) + 1;
  return { first, next: tokens.length };
}

function created(tokens: readonly Token[]): StatementKind {
  let i = 1;
  if (isKeyword(tokens[i], 'or') && isKeyword(tokens[i + 1], 'replace')) i += 2;
  const isTemporary = isKeyword(tokens[i], 'temp', 'temporary');
  if (isTemporary) i++;
  const what = tokens[i]?.value.toLowerCase() ?? '';
  i++;
  // Views over tables of catalogs are made elsewhere, and so are namespaces: these are DuckDB's.
  if (what !== 'table') return { kind: 'session' };
  if (isKeyword(tokens[i], 'if')) i += 3;
  const name = nameChain(tokens, i);
  if (!name) return { kind: 'session' };
  const as = tokens.findIndex((token, at) => at >= name.next && isKeyword(token, 'as'));
  const query = as < 0 ? null : { first: as + 1, next: tokens.length };
  if (isTemporary) return query ? { kind: 'wrapped', query } : { kind: 'session' };
  return { kind: 'change', verb: 'CREATE TABLE', target: name.parts, query };
}

/** The words between a verb and its target. */
const FILLERS = ['into', 'from', 'or', 'replace', 'ignore', 'table', 'if', 'exists', 'only'] as const;

function change(tokens: readonly Token[]): StatementKind {
  const verb = tokens[0]!.value.toUpperCase();
  const object = tokens[1]?.value.toLowerCase() ?? '';
  // Views, schemas, macros, types, sequences and indexes are the session's own.
  if (isKeyword(tokens[0], 'drop', 'alter') && object !== 'table') return { kind: 'session' };
  let i = 1;
  while (isKeyword(tokens[i], ...FILLERS)) i++;
  const name = nameChain(tokens, i);
  if (!name) return { kind: 'session' };
  const suffix = ['drop', 'alter'].includes(verb.toLowerCase()) ? ` ${object.toUpperCase()}` : '';
  return { kind: 'change', verb: `${verb}${suffix}`, target: name.parts, query: null };
}

/** Index of the bracket that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (isSymbol(tokens[i], '(')) depth++;
    else if (isSymbol(tokens[i], ')') && --depth === 0) return i;
  }
  return tokens.length;
}
