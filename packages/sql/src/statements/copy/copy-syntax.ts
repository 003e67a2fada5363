import { isKeyword } from '../../text/tokens.ts';
import { columnList } from '../insert/insert-syntax.ts';
import type { NamedToken } from '../insert/table-columns.ts';
import type { StatementText } from '../statement-text.ts';
import { TokenReader } from '../token-reader.ts';

/** An option of COPY: its name in lower case, and SQL of its value; `true` if it has none. */
export interface CopyOption {
  readonly name: string;
  readonly value: string;
}

export type CopyStatement = { readonly target: readonly string[]; readonly columns: readonly NamedToken[] | null } & (
  | { readonly kind: 'from'; readonly file: string; readonly options: readonly CopyOption[] }
  /** `rest` is all that is behind TO. */
  | { readonly kind: 'to'; readonly rest: string }
);

/** The table that `COPY name …` is about; null for other statements, `COPY (query) TO …` among them. */
export function copyTarget(text: StatementText): readonly string[] | null {
  if (!isKeyword(text.tokens[0], 'copy') || isKeyword(text.tokens[1], 'from')) return null;
  const reader = new TokenReader(text, 1);
  return reader.isAtSymbol('(') ? null : reader.name('the name of a table');
}

/** `COPY name [(columns)] {FROM 'file' | TO 'file'} [[WITH] (option [value], …)]`. */
export function parseCopy(text: StatementText): CopyStatement {
  const reader = new TokenReader(text, 1);
  const target = reader.name('the name of a table');
  const columns = reader.isAtSymbol('(') ? columnList(reader) : null;
  if (reader.take('to')) return { kind: 'to', target, columns, rest: reader.rest() };
  if (!reader.take('from')) throw reader.unexpected('FROM or TO');
  const file = reader.string('the name of a file');
  reader.take('with');
  const options = reader.isAtSymbol('(') ? copyOptions(reader.brackets('the options')) : [];
  reader.end();
  return { kind: 'from', target, columns, file, options };
}

function copyOptions(reader: TokenReader): readonly CopyOption[] {
  const options = reader.list((): CopyOption => {
    const name = reader.word('an option').toLowerCase();
    reader.takeSymbol('=');
    if (reader.isDone || reader.isAtSymbol(',')) return { name, value: 'true' };
    return { name, value: optionValue(reader) };
  });
  reader.end();
  return options;
}

/** A constant; words stand for themselves, and those in brackets are a list. */
function optionValue(reader: TokenReader): string {
  if (reader.isAtSymbol('(')) {
    const inner = reader.brackets('a list');
    const items = inner.list(() => optionValue(inner));
    inner.end();
    return `[${items.join(', ')}]`;
  }
  const next = reader.peek();
  if (next?.kind === 'word' || next?.kind === 'quoted') {
    const word = reader.word('a value');
    if (next.kind === 'word' && /^(?:true|on)$/i.test(word)) return 'true';
    if (next.kind === 'word' && /^(?:false|off)$/i.test(word)) return 'false';
    return `'${word.replaceAll("'", "''")}'`;
  }
  const first = reader.index;
  while (!reader.isDone && !reader.isAtSymbol(',')) reader.skip();
  return reader.textFrom(first);
}
