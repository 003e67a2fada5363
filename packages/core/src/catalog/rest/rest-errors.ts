import { LakehouseError, isLakehouseError, type ErrorCode } from '../../errors.ts';
import type { JsonValue } from '../../spec/json.ts';
import { isJsonObject } from '../../spec/json-fields.ts';

/** What a server said about a request that it did not carry out (REST specification: "ErrorModel"). */
export interface RestFailure {
  readonly status: number;
  /** The name of Java's exception, where the server gives one. */
  readonly type: string;
  readonly message: string;
}

const MAX_MESSAGE = 1000;

/** The error in a response's body; one without a body, or of a proxy, is told by its status alone. */
export function failureOf(status: number, body: JsonValue): RestFailure {
  const error = isJsonObject(body) ? (body['error'] ?? null) : null;
  if (isJsonObject(error)) {
    return { status, type: textOr(error['type'], ''), message: textOr(error['message'], `status ${status}`) };
  }
  // The form of OAuth2 (RFC 6749, section 5.2).
  const description = isJsonObject(body) ? (body['error_description'] ?? null) : null;
  return { status, type: textOr(error, ''), message: textOr(description, `it answered with status ${status}`) };
}

function textOr(value: JsonValue | undefined, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_MESSAGE) : otherwise;
}

/** Of 409s those that don't mean that a name is taken. */
const CONFLICTS: Readonly<Record<string, ErrorCode>> = {
  CommitFailedException: 'COMMIT_CONFLICT',
  NamespaceNotEmptyException: 'INVALID_ARGUMENT',
};

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  405: 'UNSUPPORTED',
  406: 'UNSUPPORTED',
  419: 'UNAUTHORIZED',
  422: 'INVALID_ARGUMENT',
  501: 'UNSUPPORTED',
};

/** `doing` completes "The REST catalog could not …". */
export function errorOf({ status, type, message }: RestFailure, doing: string): LakehouseError {
  const code =
    status === 409
      ? (CONFLICTS[type] ?? 'ALREADY_EXISTS')
      : (CODES[status] ?? (status < 500 && status !== 429 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE'));
  return new LakehouseError(code, `The REST catalog could not ${doing}: ${sentence(message)}`, {
    retryable: code === 'COMMIT_CONFLICT' || code === 'UNAVAILABLE',
    context: { status, ...(type !== '' && { type }) },
  });
}

/**
 * How far the server got with a request that failed: nobody knows (`lost`); it has not begun, because it never heard of it,
 * was too busy, or wanted other credentials; or it has looked at it and said no.
 */
export type Progress = 'lost' | 'not-begun' | 'refused';

export function progressOf(error: unknown): Progress {
  if (!isLakehouseError(error)) return 'lost';
  const { code, context } = error;
  if (code === 'UNAUTHORIZED' || context['status'] === 429 || context['sent'] === false) return 'not-begun';
  return code === 'UNAVAILABLE' || code === 'ABORTED' ? 'lost' : 'refused';
}

export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
