import { LakehouseError } from '@lh/core';
import type { StatementText } from '../statements/statement-text.ts';
import { stringValue } from '../text/string-value.ts';
import { afterBracket, isKeyword, isSymbol, pointAt } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';
import type { Fence } from './fence.ts';
import { SETTINGS } from './settings.ts';

/** What a session with `allowedPaths` may run: statements about rows and tables, and nothing about DuckDB itself. */
const FIRST_WORDS: ReadonlySet<string> = new Set(
  (
    'select with from values table describe desc summarize show pivot pivot_wider unpivot pivot_longer explain ' +
    'create alter drop insert update delete merge truncate copy comment call use set reset ' +
    'begin start commit end rollback abort prepare execute deallocate analyze'
  ).split(' '),
);

/** Settings that only say what queries mean, and where names are looked up. */
const ALLOWED_SETTINGS: ReadonlySet<string> = new Set(
  [...SETTINGS, 'schema', 'search_path', 'explain_output'].map((name) => name.toLowerCase()),
);

/**
 * Functions that write files by themselves, change how DuckDB works for all, take addresses in memory, or run text that
 * nobody has looked at.
 */
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set(
  (
    'enable_logging disable_logging truncate_duckdb_logs enable_profiling disable_profiling enable_peg_parser ' +
    'disable_peg_parser checkpoint force_checkpoint copy_database import_database add_parquet_key ' +
    'arrow_scan arrow_scan_dumb seq_scan query query_table json_execute_serialized_sql __lh_feed'
  ).split(' '),
);

/** UNAUTHORIZED for a statement that could leave the fence, or harm the process that runs it. */
export async function checkFenced(text: StatementText, fence: Fence): Promise<void> {
  const { tokens } = text;
  const refuse = (what: string, at: Token | undefined): LakehouseError => {
    const position = text.toSource(at?.start ?? 0);
    return new LakehouseError(
      'UNAUTHORIZED',
      `${what} in a session with allowedPaths.\n${pointAt(text.source, position)}`,
      { context: { position } },
    );
  };
  const first = mainWord(tokens);
  const word = tokens[first]?.value.toLowerCase() ?? '';
  if (!isSymbol(tokens[first], '(') && (tokens[first]?.kind !== 'word' || !FIRST_WORDS.has(word))) {
    throw refuse(`${word.toUpperCase()} isn't allowed`, tokens[first]);
  }
  for (const [i, token] of tokens.entries()) {
    if (isSymbol(tokens[i + 1], '(') && REFUSED_FUNCTIONS.has(token.value.toLowerCase()) && token.kind !== 'string') {
      throw refuse(`The function ${token.value} isn't allowed`, token);
    }
  }
  if (word === 'set' || word === 'reset') checkSetting(tokens, first, refuse);
  if (word === 'create' || word === 'drop') {
    const object = tokens.slice(first + 1).find((one) => !isKeyword(one, ...BEFORE_OBJECTS));
    if (isKeyword(object, 'secret')) throw refuse(`${word.toUpperCase()} SECRET isn't allowed`, object);
  }
  if (word === 'copy') await checkCopy(tokens, first, fence, refuse);
}

const BEFORE_OBJECTS = ['or', 'replace', 'temp', 'temporary', 'persistent'] as const;

type Refuse = (what: string, at: Token | undefined) => LakehouseError;

/** Index of the word that says what is done: EXPLAIN ANALYZE does it, too. */
function mainWord(tokens: readonly Token[]): number {
  if (!isKeyword(tokens[0], 'explain')) return 0;
  let i = 1;
  while (isKeyword(tokens[i], 'analyze', 'verbose')) i++;
  const isOption = isSymbol(tokens[i], '(') && isKeyword(tokens[i + 1], 'format', 'analyze');
  return isOption ? afterBracket(tokens, i) : i;
}

function checkSetting(tokens: readonly Token[], first: number, refuse: Refuse): void {
  let i = first + 1;
  if (isKeyword(tokens[i], 'variable')) return;
  if (isKeyword(tokens[i], 'session', 'local', 'global')) i++;
  const isTimeZone = isKeyword(tokens[i], 'time') && isKeyword(tokens[i + 1], 'zone');
  const name = tokens[i]?.value.toLowerCase() ?? '';
  if (isTimeZone || ALLOWED_SETTINGS.has(name)) return;
  throw refuse(`The setting ${name} can't be changed`, tokens[i]);
}

/** Files of catalogs are read by name, but only statements about their tables write them. */
async function checkCopy(tokens: readonly Token[], first: number, fence: Fence, refuse: Refuse): Promise<void> {
  let i = first + 1;
  while (i < tokens.length && !isKeyword(tokens[i], 'to', 'from')) {
    i = isSymbol(tokens[i], '(') ? afterBracket(tokens, i) : i + 1;
  }
  if (!isKeyword(tokens[i], 'to')) return;
  const path = tokens[i + 1];
  const location = path?.kind === 'string' ? stringValue(path.value) : null;
  if (location === null) throw refuse('COPY needs a path in single quotes', path);
  await fence.check(location, 'write');
}
