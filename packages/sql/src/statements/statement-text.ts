import type { QueryText } from '../query/query-text.ts';
import type { OnProgress } from '../results/progress.ts';
import { dialectEdits } from '../text/dialect.ts';
import { applyEdits } from '../text/edits.ts';
import { parameterEdits } from '../text/parameters.ts';
import type { SqlParameters } from '../text/parameters.ts';
import type { Statement } from '../text/statements.ts';
import { placeInOrigin } from '../text/place-in-origin.ts';
import { tokenize } from '../text/tokens.ts';
import type { Token } from '../text/tokens.ts';

export interface StatementRequest {
  /** The whole text, of which the statement is a part. */
  readonly source: string;
  readonly statement: Statement;
  readonly parameters: SqlParameters | undefined;
  /** The text has no other statement: then all parameters are its own. */
  readonly isOnly: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** What the user wrote, where `source` was made of it: as a whole, or of pieces of it. */
  readonly origin?: QueryText | undefined;
}

/** A statement's text with parameters and dialect resolved, and its tokens. */
export interface StatementText {
  readonly sql: string;
  readonly tokens: readonly Token[];
  /** The text that the user gave, and where an offset of `sql` is in it: for errors. */
  readonly source: string;
  toSource(offset: number): number;
}

export function prepareText({ source, statement, parameters, isOnly, origin }: StatementRequest): StatementText {
  const shift = (offset: number): number => offset - statement.start;
  const tokens = statement.tokens.map((token) => ({ ...token, start: shift(token.start), end: shift(token.end) }));
  const own = source.slice(statement.start, statement.end);
  const withValues = applyEdits(own, parameterEdits(tokens, parameters, isOnly));
  const withValuesTokens = tokenize(withValues.text);
  const inDialect = applyEdits(withValues.text, dialectEdits(withValues.text, withValuesTokens));
  const toSource = (offset: number): number => statement.start + withValues.toOriginal(inDialect.toOriginal(offset));
  const text = { sql: inDialect.text, tokens: tokenize(inDialect.text), source, toSource };
  if (!origin) return text;
  const originStart = source.indexOf(origin.sql);
  const toOrigin = (offset: number): number =>
    originStart < 0
      ? (placeInOrigin(source, toSource(offset), origin.sql) ?? 0)
      : Math.min(Math.max(0, toSource(offset) - originStart), origin.sql.length);
  return { ...text, source: origin.source, toSource: (offset) => origin.toSource(toOrigin(offset)) };
}
