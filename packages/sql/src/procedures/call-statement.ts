import { afterBracket, isKeyword, isName, isSymbol, nameChain } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';

/** `CALL [catalog.]system.procedure(…)`, as Spark has it. */
export interface CallStatement {
  readonly catalog: string | null;
  /** In lower case. */
  readonly procedure: string;
  readonly args: readonly CallArgument[];
}

/** A value by its position, or by name: `table => 'web.events'`. */
export interface CallArgument {
  readonly name: string | null;
  /** An expression, without columns. */
  readonly sql: string;
}

/** Null for any other statement: CALL of a function of DuckDB, for one. */
export function callStatement(sql: string, tokens: readonly Token[]): CallStatement | null {
  if (!isKeyword(tokens[0], 'call')) return null;
  const chain = nameChain(tokens, 1);
  if (!chain || chain.parts.at(-2)?.toLowerCase() !== 'system' || chain.parts.length > 3) return null;
  if (!isSymbol(tokens[chain.next], '(') || afterBracket(tokens, chain.next) !== tokens.length) return null;
  const inner = tokens.slice(chain.next + 1, -1);
  const args = splitAtCommas(inner).map((part) => argument(sql, part));
  const catalog = chain.parts.length === 3 ? chain.parts[0]! : null;
  return { catalog, procedure: chain.parts.at(-1)!.toLowerCase(), args };
}

function argument(sql: string, tokens: readonly Token[]): CallArgument {
  const [name, first, second] = tokens;
  const isNamed =
    isName(name) &&
    ((isSymbol(first, '=') && isSymbol(second, '>')) || (isSymbol(first, ':') && isSymbol(second, '=')));
  const value = isNamed ? tokens.slice(3) : tokens;
  return { name: isNamed ? name.value.toLowerCase() : null, sql: expression(sql, value) };
}

/** Spark's `array(1, 2)` and `map('a', '1', 'b', '2')` in DuckDB's words. */
function expression(sql: string, tokens: readonly Token[]): string {
  const [head, open] = tokens;
  const text = tokens.length === 0 ? '' : sql.slice(head!.start, tokens.at(-1)!.end);
  if (!isSymbol(open, '(') || afterBracket(tokens, 1) !== tokens.length) return text;
  const items = splitAtCommas(tokens.slice(2, -1)).map((item) => expression(sql, item));
  if (isKeyword(head, 'array')) return `[${items.join(', ')}]`;
  // DuckDB's own map() takes two lists.
  if (!isKeyword(head, 'map') || items.some((item) => item.startsWith('['))) return text;
  const pairs = items.flatMap((item, i) => (i % 2 === 0 ? [`${item}: ${items[i + 1] ?? 'NULL'}`] : []));
  return `MAP {${pairs.join(', ')}}`;
}

function splitAtCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = tokens.length === 0 ? [] : [[]];
  for (let i = 0; i < tokens.length;) {
    const token = tokens[i]!;
    if (isSymbol(token, ',')) {
      parts.push([]);
      i++;
      continue;
    }
    const isOpen = isSymbol(token, '(') || isSymbol(token, '[') || isSymbol(token, '{');
    const next = isOpen ? afterBracket(tokens, i) : i + 1;
    parts.at(-1)!.push(...tokens.slice(i, next));
    i = next;
  }
  return parts;
}
