import { invalidArgument } from '@lh/core/engine';
import { aliasAt } from './alias.ts';
import type { Edit } from './edits.ts';
import { LEVEL_SEPARATOR } from './level-separator.ts';
import { quoteName } from './quote.ts';
import { stringValue } from './string-value.ts';
import { afterBracket, isKeyword, isName, isSymbol, nameChain, pointAt, tokenize } from './tokens.ts';
import type { Token } from './tokens.ts';

/**
 * `table_changes('web.events', from => …, to => …)` as the table that has the rows, between two of its states:
 * `web.events.changes AT (VERSION => {'from': …, 'to': …})`. Null if that isn't what stands at a token.
 */
export function tableChanges(text: string, tokens: readonly Token[], i: number): Edit | null {
  if (!isKeyword(tokens[i], 'table_changes') || !isSymbol(tokens[i + 1], '(')) return null;
  const next = afterBracket(tokens, i + 1);
  const args = new Map<string, string>();
  for (const { name, tokens: value } of argumentsIn(tokens.slice(i + 2, next - 1))) {
    const key = name ?? PARAMETERS[args.size] ?? '';
    if (!PARAMETERS.includes(key) || args.has(key) || value.length === 0) throw misused(text, tokens[i]!);
    args.set(key, text.slice(value[0]!.start, value.at(-1)!.end));
  }
  const table = stringValue(args.get('table') ?? '');
  const tableTokens = tokenize(table ?? '');
  const chain = nameChain(tableTokens, 0);
  if (!chain || chain.next !== tableTokens.length) throw misused(text, tokens[i]!);
  const name = `${quoteName(chain.parts.join(LEVEL_SEPARATOR))}.changes`;
  const alias = aliasAt(tokens, next);
  const end = tokens[(alias?.next ?? next) - 1]!.end;
  const aliasText = alias ? text.slice(tokens[alias.first]!.start, end) : 'AS table_changes';
  const range = `{'from': ${args.get('from') ?? 'NULL'}, 'to': ${args.get('to') ?? 'NULL'}}`;
  return { start: tokens[i]!.start, end, text: `${name} ${aliasText} AT (VERSION => ${range})` };
}

const PARAMETERS: readonly string[] = ['table', 'from', 'to'];

function misused(text: string, { start }: Token): Error {
  return invalidArgument(
    `table_changes takes the name of a table in quotes, and from and to: table_changes('web.events', from => 123, to => 'main').\n${pointAt(text, start)}`,
  );
}

interface Argument {
  readonly name: string | null;
  readonly tokens: readonly Token[];
}

function argumentsIn(tokens: readonly Token[]): readonly Argument[] {
  const found: Argument[] = [];
  for (let i = 0; i < tokens.length;) {
    let end = i;
    while (end < tokens.length && !isSymbol(tokens[end], ',')) {
      const isOpen = isSymbol(tokens[end], '(') || isSymbol(tokens[end], '[') || isSymbol(tokens[end], '{');
      end = isOpen ? afterBracket(tokens, end) : end + 1;
    }
    const [first, colon, sign] = tokens.slice(i, end);
    const isNamed =
      isName(first) && ((isSymbol(colon, '=') && isSymbol(sign, '>')) || (isSymbol(colon, ':') && isSymbol(sign, '=')));
    found.push({
      name: isNamed ? first.value.toLowerCase() : null,
      tokens: tokens.slice(isNamed ? i + 3 : i, end),
    });
    i = end + 1;
  }
  return found;
}
