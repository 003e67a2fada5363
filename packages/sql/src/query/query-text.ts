import type { DuckDBConnection } from '@duckdb/node-api';
import { LakehouseError, isLakehouseError } from '@lh/core';
import { byteOffsetMap } from '../text/edits.ts';
import type { EditedText } from '../text/edits.ts';
import { pointAt } from '../text/tokens.ts';
import type { SerializedError } from './serialized.ts';

/** What a query will run on. */
export interface Executor {
  readonly connection: DuckDBConnection;
  /** It is the session's own connection, with its temporary tables, macros and variables. */
  readonly isMain: boolean;
  /** Keeps the time of `now()` from here to the end of the query. False if it can't. */
  freezeTime(): Promise<boolean>;
}

export interface QueryText {
  /** The query with its parameters in place. */
  readonly sql: string;
  /** The text that the user gave, and where an offset of `sql` is in it: for errors. */
  readonly source: string;
  toSource(offset: number): number;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  /** False for a statement that can't be planned; its tables are then scanned whole. */
  readonly plans: boolean;
  /** The query is the whole statement: its result is the user's. */
  readonly isWhole: boolean;
}

/** The place of a planning error in the text that the user wrote. */
export function pointer(text: QueryText, edited: EditedText, { position }: SerializedError): string | undefined {
  if (position === null) return undefined;
  const offset = edited.toOriginal(byteOffsetMap(edited.text)(position));
  return pointAt(text.source, text.toSource(offset));
}

/** The place of a syntax error in the text that the user wrote. */
export function syntaxError(text: QueryText, error: SerializedError): LakehouseError {
  const offset = error.position === null ? null : text.toSource(byteOffsetMap(text.sql)(error.position));
  const place = offset === null ? '' : `\n${pointAt(text.source, offset)}`;
  return new LakehouseError('INVALID_ARGUMENT', `${error.message}${place}`, {
    context: offset === null ? {} : { position: offset },
  });
}

/** The same error with the place of what it is about. */
export function placedError(error: unknown, { source, toSource }: QueryText, offset: number): unknown {
  if (!isLakehouseError(error) || 'position' in error.context || error.retryable) return error;
  const position = toSource(offset);
  return new LakehouseError(error.code, `${error.message}\n${pointAt(source, position)}`, {
    context: { ...error.context, position },
    cause: error.cause,
  });
}
