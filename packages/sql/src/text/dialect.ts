import { aliasAt } from './alias.ts';
import type { Edit } from './edits.ts';
import { quoteName } from './quote.ts';
import { afterBracket, isKeyword, isSymbol, nameChain } from './tokens.ts';
import type { Token } from './tokens.ts';
import { LEVEL_SEPARATOR } from './level-separator.ts';
import { tableChanges } from './table-changes.ts';

/**
 * What other engines' SQL has and DuckDB's grammar hasn't, put into words that it understands: Spark's and Trino's
 * `FOR VERSION AS OF`, `FOR TIMESTAMP AS OF`, an alias behind AT, and names of more than three levels.
 */
export function dialectEdits(text: string, tokens: readonly Token[]): readonly Edit[] {
  const edits: Edit[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (!isTablePosition(tokens, i)) continue;
    const chain = nameChain(tokens, i);
    if (!chain) continue;
    const changes = tableChanges(text, tokens, i);
    if (changes) {
      edits.push(changes);
      continue;
    }
    if (chain.parts.length > 3) edits.push(joinLevels(tokens, chain.parts, i, chain.next));
    // A branch that is written to is INSERT's to read.
    const clause = isInsertTarget(tokens, i) ? null : timeTravel(text, tokens, chain.next);
    if (clause) edits.push(clause);
  }
  return edits;
}

/** Whether a table's name may stand here: behind FROM or JOIN, or behind a comma in a FROM list. */
function isTablePosition(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  if (isKeyword(before, 'from') && !isFromClause(tokens, i - 1)) return false;
  if (
    isKeyword(
      before,
      'from',
      'join',
      'table',
      'describe',
      'desc',
      'extended',
      'formatted',
      'summarize',
      'pivot',
      'unpivot',
      'into',
      'update',
    )
  )
    return true;
  if (!isSymbol(before, ',') && !isSymbol(before, '(')) return false;
  let depth = 0;
  for (let at = i - 1; at >= 0; at--) {
    const token = tokens[at]!;
    if (isSymbol(token, ')')) depth++;
    else if (isSymbol(token, '(')) depth--;
    // Out of the brackets: what they stand in decides.
    if (depth < 0) {
      if (
        !isKeyword(tokens[at - 1], 'from', 'join') &&
        !isSymbol(tokens[at - 1], ',') &&
        !isSymbol(tokens[at - 1], '(')
      )
        return false;
      depth = 0;
    } else if (depth === 0 && token.kind === 'word') {
      const word = token.value.toLowerCase();
      if (word === 'from' || word === 'join') return true;
      if (CLAUSE_WORDS.has(word)) return false;
    }
  }
  return false;
}

function isInsertTarget(tokens: readonly Token[], i: number): boolean {
  const before = isKeyword(tokens[i - 1], 'table') ? tokens[i - 2] : tokens[i - 1];
  return isKeyword(before, 'into', 'overwrite');
}

/** False for the FROM of `IS DISTINCT FROM x`, `extract(year FROM x)` and their kin. */
function isFromClause(tokens: readonly Token[], from: number): boolean {
  if (isKeyword(tokens[from - 1], 'distinct') && isKeyword(tokens[from - 2], 'is', 'not')) return false;
  let depth = 0;
  for (let at = from - 1; at >= 0; at--) {
    if (isSymbol(tokens[at], ')')) depth++;
    else if (isSymbol(tokens[at], '(') && --depth < 0) {
      return !isKeyword(tokens[at - 1], 'extract', 'substring', 'trim', 'overlay', 'position');
    }
  }
  return true;
}

const CLAUSE_WORDS: ReadonlySet<string> = new Set([
  'select',
  'where',
  'group',
  'having',
  'order',
  'on',
  'using',
  'limit',
  'offset',
  'window',
  'qualify',
  'values',
  'set',
  'by',
  'in',
  'with',
  'returning',
]);

/** DuckDB has room for a catalog, a schema and a table: the levels between the first and the last go into one name. */
function joinLevels(tokens: readonly Token[], parts: readonly string[], first: number, next: number): Edit {
  const schema = parts.slice(0, -1).join(LEVEL_SEPARATOR);
  return {
    start: tokens[first]!.start,
    end: tokens[next - 1]!.end,
    text: `${quoteName(schema)}.${quoteName(parts.at(-1)!)}`,
  };
}

/** A time-travel clause at a token, in the form and the place that DuckDB wants; null if there is nothing to change. */
function timeTravel(text: string, tokens: readonly Token[], i: number): Edit | null {
  const clause = asOfClause(text, tokens, i) ?? atClause(text, tokens, i);
  if (!clause) return null;
  const alias = aliasAt(tokens, clause.next);
  if (clause.isDuckdbs && !alias) return null;
  const end = alias ? tokens[alias.next - 1]!.end : tokens[clause.next - 1]!.end;
  const aliasText = alias ? `${text.slice(tokens[alias.first]!.start, end)} ` : '';
  return { start: tokens[i]!.start, end, text: `${aliasText}${clause.text}` };
}

interface Clause {
  readonly text: string;
  readonly next: number;
  readonly isDuckdbs: boolean;
}

function atClause(text: string, tokens: readonly Token[], i: number): Clause | null {
  if (!isKeyword(tokens[i], 'at') || !isSymbol(tokens[i + 1], '(') || !isKeyword(tokens[i + 2], 'version', 'timestamp'))
    return null;
  const next = afterBracket(tokens, i + 1);
  return { text: text.slice(tokens[i]!.start, tokens[next - 1]!.end), next, isDuckdbs: true };
}

/** `[FOR] VERSION | TIMESTAMP | SYSTEM_VERSION | SYSTEM_TIME AS OF value`. */
function asOfClause(text: string, tokens: readonly Token[], i: number): Clause | null {
  const at = isKeyword(tokens[i], 'for') ? i + 1 : i;
  const isVersion = isKeyword(tokens[at], 'version', 'system_version');
  if (!isVersion && !isKeyword(tokens[at], 'timestamp', 'system_time')) return null;
  if (!isKeyword(tokens[at + 1], 'as') || !isKeyword(tokens[at + 2], 'of')) return null;
  const next = afterValue(tokens, at + 3);
  const value = text.slice(tokens[at + 3]?.start, tokens[next - 1]!.end);
  return { text: `AT (${isVersion ? 'VERSION' : 'TIMESTAMP'} => ${value})`, next, isDuckdbs: false };
}

/** The value of an AS OF clause: a constant, `TIMESTAMP '…'`, a parameter, a call, or anything in brackets. */
function afterValue(tokens: readonly Token[], i: number): number {
  let next = i;
  if (isSymbol(tokens[next], '(')) return afterBracket(tokens, next);
  if (isSymbol(tokens[next], '-') || isKeyword(tokens[next], 'timestamp', 'timestamptz', 'date')) next++;
  if (tokens[next]?.kind === 'word' && isSymbol(tokens[next + 1], '(')) return afterBracket(tokens, next + 1);
  return Math.min(next + 1, tokens.length);
}
