/** What went wrong, in terms of what the caller should do about it. */
export type ErrorCode =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'INVALID_ARGUMENT'
  | 'INVALID_DATA'
  | 'COMMIT_CONFLICT'
  | 'COMMIT_STATE_UNKNOWN'
  | 'UNSUPPORTED'
  | 'UNAVAILABLE'
  | 'UNAUTHORIZED'
  | 'RESOURCE_EXHAUSTED'
  | 'ABORTED';

/** Where it went wrong: paths, table names, snapshot ids. Never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | bigint | boolean | null>>;

export interface LakehouseErrorOptions {
  readonly retryable?: boolean;
  readonly context?: ErrorContext;
  readonly cause?: unknown;
}

/** The one error of this library. `message` is a sentence the user can act on. */
export class LakehouseError extends Error {
  readonly code: ErrorCode;
  /** True when the same call may succeed if it is simply made again. */
  readonly retryable: boolean;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: LakehouseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LakehouseError';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.context = options.context ?? {};
  }
}

/** Recognises the error by shape, so that two copies of the library in one process understand each other. */
export function isLakehouseError(error: unknown, code?: ErrorCode): error is LakehouseError {
  return (
    error instanceof Error &&
    error.name === 'LakehouseError' &&
    'code' in error &&
    (code === undefined || error.code === code)
  );
}

export function invalidArgument(message: string, context?: ErrorContext): LakehouseError {
  return new LakehouseError('INVALID_ARGUMENT', message, context ? { context } : {});
}

export function invalidData(message: string, context?: ErrorContext, cause?: unknown): LakehouseError {
  return new LakehouseError('INVALID_DATA', message, { ...(context && { context }), cause });
}

export function unsupported(message: string, context?: ErrorContext): LakehouseError {
  return new LakehouseError('UNSUPPORTED', message, context ? { context } : {});
}

/** Throws ABORTED when the caller has asked to stop. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new LakehouseError('ABORTED', 'The operation was aborted by its signal.', { cause: signal.reason });
  }
}
