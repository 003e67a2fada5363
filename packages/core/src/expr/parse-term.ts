import { expr } from './expr.ts';
import type { Literal, Term } from './expression.ts';
import { ordinalExample } from './ordinal-text.ts';
import { isKeyword } from './names.ts';
import type { TokenReader } from './token-reader.ts';

type TermParser = (reader: TokenReader) => Term;

const simple =
  (kind: 'year' | 'month' | 'day' | 'hour'): TermParser =>
  (reader) =>
    expr[kind](parseColumn(reader));

const withParameter =
  (kind: 'bucket' | 'truncate'): TermParser =>
  (reader) => {
    const parameter = parsePositive(reader);
    reader.expectSymbol(',');
    return expr[kind](parameter, parseColumn(reader));
  };

/** Transforms as functions; the plural forms are Spark's. */
export const TERM_FUNCTIONS: ReadonlyMap<string, TermParser> = new Map([
  ...(['year', 'month', 'day', 'hour'] as const).flatMap((kind): [string, TermParser][] => [
    [kind, simple(kind)],
    [`${kind}s`, simple(kind)],
  ]),
  // SQL's cast of a timestamp to a date.
  ['date', simple('day')],
  ['bucket', withParameter('bucket')],
  ['truncate', withParameter('truncate')],
]);

/** Takes a column's name, or a transform of a column. */
export function parseTerm(reader: TokenReader): Term {
  const token = reader.peek();
  if (token.kind === 'word' && reader.peek(1).text === '(' && reader.peek(1).kind === 'symbol') {
    const parse = TERM_FUNCTIONS.get(token.text.toLowerCase());
    if (!parse) {
      throw reader.error(
        `There is no function '${token.text}' for filters; there are ${[...TERM_FUNCTIONS.keys()].filter((name) => !name.endsWith('s')).join(', ')}, starts_with and is_nan`,
      );
    }
    reader.next();
    reader.expectSymbol('(');
    const term = parse(reader);
    reader.expectSymbol(')');
    return term;
  }
  return expr.col(parseColumn(reader));
}

/** `a`, `"odd name"`, `a.b`. */
function parseColumn(reader: TokenReader): string {
  const parts: string[] = [];
  do parts.push(parseNamePart(reader, parts.length === 0));
  while (reader.takeSymbol('.'));
  return parts.join('.');
}

function parseNamePart(reader: TokenReader, first: boolean): string {
  const token = reader.peek();
  // After a dot even a keyword can only be a name.
  if (token.kind === 'quoted' || (token.kind === 'word' && !(first && isKeyword(token.text))))
    return reader.next().text;
  if (token.kind === 'word')
    throw reader.error(`Expected a column, but ${token.text} is a keyword; put it in double quotes if it is a name`);
  throw reader.unexpected('a column');
}

function parsePositive(reader: TokenReader): number {
  const token = reader.peek();
  const value = token.kind === 'number' && /^\d+$/.test(token.text) ? Number(token.text) : 0;
  if (value < 1 || value > 0x7fff_ffff) throw reader.unexpected('a positive whole number');
  reader.next();
  return value;
}

/**
 * `year(ts) = 2024` means the year that people count, though the transform counts from 1970. For months and hours a
 * number could mean several things, so they have to be written out.
 */
export function checkOrdinal(reader: TokenReader, start: number, { transform }: Term, literal: Literal): Literal {
  const example = transform && ordinalExample(transform.kind);
  if (!example || typeof literal !== 'number') return literal;
  if (transform.kind === 'year') return String(literal);
  throw reader.errorAt(start, `A number is ambiguous for ${transform.kind}(…); write it like '${example}'`);
}
