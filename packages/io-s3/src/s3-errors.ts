import { isLakehouseError, LakehouseError, type ErrorCode } from '@lh/core';
import { redact } from './redact.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
  /** Making the same request again may help. */
  readonly again?: boolean;
}

const UNKNOWN_KEY: Meaning = {
  code: 'UNAUTHORIZED',
  says: 'the store does not know the access key; check the credentials',
};
const WRONG_SECRET: Meaning = { code: 'UNAUTHORIZED', says: 'the secret key is not that of the access key' };
const EXPIRED: Meaning = {
  code: 'UNAUTHORIZED',
  says: 'the session token has expired or is not valid; get new credentials',
};
const DENIED: Meaning = {
  code: 'UNAUTHORIZED',
  says: 'the credentials do not allow this, or a policy of the bucket forbids it',
};
const NO_BUCKET: Meaning = {
  code: 'NOT_FOUND',
  says: 'there is no such bucket; create it, or check endpoint and region',
};
const NO_OBJECT: Meaning = { code: 'NOT_FOUND', says: 'there is no such file' };
const BUSY: Meaning = { code: 'UNAVAILABLE', says: 'the store asks to be called less often', again: true };
const TROUBLE: Meaning = { code: 'UNAVAILABLE', says: 'the store has trouble; try again', again: true };
const CONFLICT: Meaning = { code: 'UNAVAILABLE', says: 'another request on the same file is under way', again: true };
const DAMAGED: Meaning = { code: 'UNAVAILABLE', says: 'the request was damaged on its way', again: true };
const UNREACHABLE: Meaning = { code: 'UNAVAILABLE', says: 'the connection to the store failed', again: true };
const TIMED_OUT: Meaning = { code: 'UNAVAILABLE', says: 'the store did not answer in time', again: true };
const WRONG_REGION: Meaning = {
  code: 'INVALID_ARGUMENT',
  says: 'the bucket is in another region; set the option region',
};
const NOT_OFFERED: Meaning = { code: 'UNSUPPORTED', says: 'the store does not offer this' };
const FULL: Meaning = { code: 'RESOURCE_EXHAUSTED', says: 'the store or the quota is full; free some space' };
const BAD_NAME: Meaning = { code: 'INVALID_ARGUMENT', says: 'the store does not allow this name' };
const BAD_REQUEST: Meaning = { code: 'INVALID_ARGUMENT', says: 'the store refuses the request' };
const BAD_TLS: Meaning = {
  code: 'UNAVAILABLE',
  says: "the store's certificate can't be trusted; check the endpoint, or name its authority in NODE_EXTRA_CA_CERTS",
};

/** An answer, or a request, that the SDK could make nothing of. */
const GARBLED: Meaning = { code: 'INVALID_DATA', says: 'the answer is not what S3 would say; check the endpoint' };

/** It may have been cut off on its way. */
const UNREADABLE: Meaning = { ...GARBLED, again: true };

/** Those that say too little for anyone to act on. */
const WORDLESS: readonly Meaning[] = [BAD_REQUEST, NOT_OFFERED, TROUBLE, GARBLED, UNREADABLE];

/** The codes of S3's answers, and those of its kin. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  AccessDenied: DENIED,
  AccountProblem: DENIED,
  AllAccessDisabled: DENIED,
  Forbidden: DENIED,
  InvalidAccessKeyId: UNKNOWN_KEY,
  SignatureDoesNotMatch: WRONG_SECRET,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  InvalidToken: EXPIRED,
  InvalidTokenId: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  RequestTimeTooSkewed: {
    code: 'UNAUTHORIZED',
    says: "this machine's clock and the store's differ by too much",
    // The client has learnt the store's time from the answer.
    again: true,
  },
  EndpointError: { code: 'INVALID_ARGUMENT', says: 'no host can be made of bucket, region and endpoint; check them' },
  CredentialsProviderError: {
    code: 'UNAUTHORIZED',
    says: 'no credentials were found; give them as an option, or in the environment',
  },
  NoSuchBucket: NO_BUCKET,
  NoSuchKey: NO_OBJECT,
  NotFound: NO_OBJECT,
  NoSuchUpload: {
    code: 'UNAVAILABLE',
    says: 'its upload was ended before it was complete; write it again',
  },
  SlowDown: BUSY,
  SlowDownRead: BUSY,
  SlowDownWrite: BUSY,
  RequestLimitExceeded: BUSY,
  Throttling: BUSY,
  ThrottlingException: BUSY,
  TooManyRequests: BUSY,
  InternalError: TROUBLE,
  ServiceUnavailable: TROUBLE,
  OperationAborted: CONFLICT,
  ConditionalRequestConflict: CONFLICT,
  RequestTimeout: TIMED_OUT,
  BadDigest: DAMAGED,
  IncompleteBody: DAMAGED,
  XAmzContentSHA256Mismatch: DAMAGED,
  PermanentRedirect: WRONG_REGION,
  TemporaryRedirect: TROUBLE,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  NotImplemented: NOT_OFFERED,
  MethodNotAllowed: NOT_OFFERED,
  InvalidObjectState: { code: 'UNSUPPORTED', says: 'the file is archived; restore it first' },
  QuotaExceeded: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  InvalidBucketName: BAD_NAME,
  KeyTooLongError: BAD_NAME,
  XMinioInvalidObjectName: BAD_NAME,
  XMinioInvalidResourceName: BAD_NAME,
  XMinioParentIsObject: BAD_NAME,
  XMinioObjectExistsAsDirectory: BAD_NAME,
  EntityTooLarge: { code: 'INVALID_ARGUMENT', says: 'the file is larger than the store allows' },
};

/** What a status means when its answer names no code that is known: HEAD's answers have none. */
function meaningOfStatus(status: number): Meaning | null {
  if (status === 401 || status === 403) return DENIED;
  if (status === 404) return NO_OBJECT;
  if (status === 301 || status === 307 || status === 308) return WRONG_REGION;
  if (status === 405 || status === 501) return NOT_OFFERED;
  if (status === 408) return TIMED_OUT;
  if (status === 409) return CONFLICT;
  if (status === 429) return BUSY;
  if (status === 507) return FULL;
  if (status >= 500) return TROUBLE;
  return status >= 400 ? BAD_REQUEST : null;
}

/** The codes of Node's network errors. What is not here is a broken connection like the others. */
const NETWORK: Readonly<Record<string, Meaning>> = {
  ENOTFOUND: { ...UNREACHABLE, says: "its host can't be found; check endpoint and region" },
  ECONNREFUSED: { ...UNREACHABLE, says: 'nothing listens there; check the endpoint' },
  ETIMEDOUT: TIMED_OUT,
  TimeoutError: TIMED_OUT,
  RangeError: GARBLED,
  SyntaxError: GARBLED,
  TypeError: GARBLED,
  CERT_HAS_EXPIRED: BAD_TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: BAD_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: BAD_TLS,
  SELF_SIGNED_CERT_IN_CHAIN: BAD_TLS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: BAD_TLS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: BAD_TLS,
};

/** What went wrong with one request, without anything that the SDK's errors carry along: headers, tokens, bodies. */
export interface Failure {
  readonly meaning: Meaning;
  /** S3's code, or that of the network; null if the answer has none. */
  readonly s3Code: string | null;
  /** Of the answer; null if there was none. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** What the store said. */
  readonly text: string;
}

/** What S3's error or one of the network means. */
export function failureOf(error: unknown): Failure {
  const { name, code, message, $metadata, $response } = error as {
    name?: string;
    code?: unknown;
    message?: string;
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { headers?: Readonly<Record<string, string>> };
  };
  const status = $metadata?.httpStatusCode ?? null;
  const region = $response?.headers?.['x-amz-bucket-region'];
  // The SDK says "UnknownError" of what has no body, and in a second line where to look for one.
  const text = message === undefined || message.startsWith('Unknown') ? '' : message.split('\n')[0]!;
  if (status === null) {
    const s3Code = typeof code === 'string' ? code : (name ?? null);
    const meaning = (s3Code && (NETWORK[s3Code] ?? MEANINGS[s3Code])) || meaningOfText(text);
    return { meaning, s3Code: s3Code === 'Error' ? null : s3Code, status, requestId: null, text };
  }
  const s3Code = name !== undefined && /^(?!Unknown|Error$)[A-Za-z]/.test(name) ? name : null;
  // A 200 with an error in it is what S3 answers when it finds out late.
  const found = (s3Code && MEANINGS[s3Code]) || meaningOfStatus(status) || (s3Code ? TROUBLE : UNREADABLE);
  const meaning =
    found === WRONG_REGION && region ? { ...found, says: `the bucket is in ${region}; set the option region` } : found;
  return { meaning, s3Code, status, requestId: $metadata?.requestId ?? null, text };
}

/** What the SDK has no code for. */
function meaningOfText(text: string): Meaning {
  if (text.startsWith('Region is missing')) {
    return { code: 'INVALID_ARGUMENT', says: 'no region was found; set the option region' };
  }
  if (text.startsWith('Region not accepted')) {
    return { code: 'INVALID_ARGUMENT', says: 'the region is none; check the option region, or AWS_REGION' };
  }
  return UNREACHABLE;
}

export interface Action {
  /** A verb: "Can't read …". */
  readonly verb: string;
  readonly location: string;
  /** A write on a condition: a refusal of its repetition says nothing about the first attempt. */
  readonly isConditional?: boolean;
}

/** The library's error for a failure. Its cause repeats what the store said, with every secret taken out. */
export function fromFailure(failure: Failure, { verb, location }: Action, secrets: readonly string[]): LakehouseError {
  const { meaning, s3Code, status, requestId } = failure;
  const detail = [s3Code, status !== null && status >= 300 ? status : null].filter((part) => part !== null).join(', ');
  const cause = new Error(redact(failure.text, secrets) || 'The store gave no reason.');
  cause.name = s3Code ?? 'S3Error';
  // Where nothing better is known, the store's own words have to do.
  const words = WORDLESS.includes(meaning) && failure.text !== '' ? `: ${cause.message.replace(/\.$/, '')}` : '';
  const message = `Can't ${verb} '${location}': ${meaning.says}${words}${detail && ` (${detail})`}.`;
  const context = { location, ...(s3Code && { s3Code }), ...(status && { status }), ...(requestId && { requestId }) };
  const retryable = meaning.code === 'UNAVAILABLE' && meaning !== BAD_TLS;
  return new LakehouseError(meaning.code, message, { retryable, context, cause });
}

/** Whether S3 answered with this code, or this status. */
export function answered(error: unknown, codeOrStatus: string | number): boolean {
  const { name, $metadata } = (error ?? {}) as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (isLakehouseError(error) || $metadata === undefined) return false;
  return typeof codeOrStatus === 'string' ? name === codeOrStatus : $metadata.httpStatusCode === codeOrStatus;
}

/** There is no object of the name, in a bucket that is there as far as one knows. */
export function isNoObject(error: unknown): boolean {
  return answered(error, 404) && !answered(error, 'NoSuchBucket') && !answered(error, 'NoSuchUpload');
}

/** The keys were valid once, or may become valid with a new token. */
export function isExpiry({ meaning }: Failure): boolean {
  return meaning === EXPIRED;
}

export function isThrottling({ meaning }: Failure): boolean {
  return meaning === BUSY;
}

export function aborted(signal: AbortSignal | undefined): LakehouseError {
  return new LakehouseError('ABORTED', 'The operation was aborted by its signal.', { cause: signal?.reason });
}

export function outcomeUnknown(location: string, cause?: LakehouseError): LakehouseError {
  if (cause?.code === 'UNAVAILABLE') return cause;
  const message = `Whether '${location}' was written is unknown: the answer to a first attempt was lost. Read it back.`;
  return new LakehouseError('UNAVAILABLE', message, { retryable: true, context: { location }, cause });
}

export function notFound(location: string): LakehouseError {
  return new LakehouseError('NOT_FOUND', `There is no file '${location}'.`, { context: { location } });
}

export function changedWhileRead(location: string): LakehouseError {
  const message = `'${location}' was replaced while it was read; files of a table must never change.`;
  return new LakehouseError('INVALID_DATA', message, { context: { location } });
}
