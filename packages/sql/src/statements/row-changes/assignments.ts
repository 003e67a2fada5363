import { isKeyword, isSymbol } from '../../text/tokens.ts';
import type { TokenReader } from '../token-reader.ts';
import { readExpression } from './expression-text.ts';

/** What a column becomes. */
export type AssignedValue =
  | { readonly kind: 'default' }
  | { readonly kind: 'expression'; readonly sql: string }
  /** One value of a row: `(a, b) = ROW(1, 2)`, `(a, b) = (SELECT …)`. */
  | {
      readonly kind: 'part';
      readonly row: string;
      readonly isQuery: boolean;
      readonly index: number;
      readonly of: number;
    };

export interface Assignment {
  /** A column, or a field inside structs; what it begins with may be the table's name. */
  readonly path: readonly string[];
  readonly value: AssignedValue;
  /** Index of its first token, for errors. */
  readonly at: number;
}

/** `a = 1, s.f = DEFAULT, (b, c) = (2, 3)`, up to one of the words. */
export function readAssignments(reader: TokenReader, words: readonly string[]): readonly Assignment[] {
  return reader.list(() => readAssignment(reader, words)).flat();
}

function readAssignment(reader: TokenReader, words: readonly string[]): readonly Assignment[] {
  const at = reader.index;
  if (!reader.isAtSymbol('(')) {
    const path = reader.name('a column');
    reader.expectSymbol('=');
    return [{ path, value: readValue(reader, words), at }];
  }
  const names = reader.brackets('the columns');
  const paths = names.list(() => names.name('a column'));
  names.end();
  reader.expectSymbol('=');
  const values = readRow(reader, words, paths.length);
  return paths.map((path, i) => ({ path, value: values[i]!, at }));
}

/** The values of several columns. */
function readRow(reader: TokenReader, words: readonly string[], count: number): readonly AssignedValue[] {
  const isList = reader.isAtSymbol('(') && !isQuery(reader);
  if (isList) {
    const at = reader.index;
    const inner = reader.brackets('the values');
    const values = inner.list(() => readValue(inner, []));
    inner.end();
    if (values.length !== count) throw reader.error(`There are ${count} columns and ${values.length} values.`, at);
    return values;
  }
  const isSubquery = reader.isAtSymbol('(');
  const row = readExpression(reader, 'values', { words, comma: true });
  return Array.from({ length: count }, (_, index) => ({ kind: 'part', row, isQuery: isSubquery, index, of: count }));
}

function isQuery(reader: TokenReader): boolean {
  let depth = 0;
  while (isSymbol(reader.peek(depth), '(')) depth++;
  return isKeyword(reader.peek(depth), 'select', 'with', 'from', 'values', 'table');
}

/** An expression, or DEFAULT. */
export function readValue(reader: TokenReader, words: readonly string[]): AssignedValue {
  if (reader.take('default')) return { kind: 'default' };
  return { kind: 'expression', sql: readExpression(reader, 'a value', { words, comma: true }) };
}
