import { LakehouseError, isLakehouseError } from '@lh/core';
import type { ErrorCode } from '@lh/core';

/** What a DuckDB error asks of the caller, by the name that its message starts with. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  Parser: 'INVALID_ARGUMENT',
  Binder: 'INVALID_ARGUMENT',
  Catalog: 'NOT_FOUND',
  Conversion: 'INVALID_ARGUMENT',
  'Mismatch Type': 'INVALID_ARGUMENT',
  'Invalid type': 'INVALID_ARGUMENT',
  'Invalid Input': 'INVALID_ARGUMENT',
  'Out of Range': 'INVALID_ARGUMENT',
  Constraint: 'INVALID_ARGUMENT',
  Dependency: 'INVALID_ARGUMENT',
  Syntax: 'INVALID_ARGUMENT',
  TransactionContext: 'INVALID_ARGUMENT',
  'Parameter Not Resolved': 'INVALID_ARGUMENT',
  'Parameter Not Allowed': 'INVALID_ARGUMENT',
  'Not implemented': 'UNSUPPORTED',
  'Missing Extension': 'UNSUPPORTED',
  Autoload: 'UNSUPPORTED',
  'Out of Memory': 'RESOURCE_EXHAUSTED',
  IO: 'UNAVAILABLE',
  HTTP: 'UNAVAILABLE',
  Permission: 'UNAUTHORIZED',
  INTERRUPT: 'ABORTED',
  Interrupt: 'ABORTED',
};

/**
 * DuckDB's error as the library's. `show` may replace the lines that point into the text, which is not the text that
 * the user wrote.
 */
export function duckdbError(error: unknown, show?: string): unknown {
  if (isLakehouseError(error) || !(error instanceof Error)) return error;
  const [kind, message] = splitMessage(error.message);
  const code = CODES[kind] ?? (/interrupt/i.test(kind) ? 'ABORTED' : 'INVALID_ARGUMENT');
  const text = withoutPointer(message);
  return new LakehouseError(codeOf(code, text), show === undefined ? text : `${text}\n${show}`, { cause: error });
}

function splitMessage(message: string): readonly [kind: string, message: string] {
  const match = /^([A-Za-z ]+?) Error: ([\s\S]*)$/.exec(message);
  return match ? [match[1]!, match[2]!] : ['', message];
}

function codeOf(code: ErrorCode, message: string): ErrorCode {
  // What S3 says of requests that DuckDB makes itself.
  if (code === 'UNAVAILABLE' && /\(HTTP 40[13] |ExpiredToken|InvalidToken/.test(message)) return 'UNAUTHORIZED';
  if (code === 'UNAVAILABLE' && /\(HTTP 404 /.test(message)) return 'NOT_FOUND';
  if (code === 'UNAVAILABLE' && /no files found|no such file|does not exist/i.test(message)) return 'NOT_FOUND';
  if (
    code === 'INVALID_ARGUMENT' &&
    /parquet|thrift|footer/i.test(message) &&
    /corrupt|invalid|magic|read/i.test(message)
  )
    return 'INVALID_DATA';
  return code;
}

/** Cuts `LINE 1: …` and the caret off; DuckDB's text has lists of files where the user's has a table's name. */
export function withoutPointer(message: string): string {
  return message.split(/\n+LINE \d+: /)[0]!.trimEnd();
}
