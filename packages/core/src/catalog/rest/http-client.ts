import { LakehouseError, invalidArgument, throwIfAborted } from '../../errors.ts';
import { randomFraction, type Runtime } from '../../runtime.ts';
import { parseJson, stringifyJson, type JsonValue } from '../../spec/json.ts';
import type { RestAuth } from './auth/auth.ts';
import { errorOf, failureOf, progressOf, sentence } from './rest-errors.ts';
import type { Secrets } from './secrets.ts';

/** `fetch`, or anything that is called like it: one with a proxy, certificates or a pool of connections of its own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RestRetryOptions {
  /** How often a request is made at most, if it is safe to make it again; 5 if left out. */
  readonly maxAttempts?: number;
  /** The first wait is drawn from [0, baseDelayMs), each next bound is twice as large; 100 if left out. */
  readonly baseDelayMs?: number;
  /** No wait is longer, whatever the server asks for; 10,000 if left out. */
  readonly maxDelayMs?: number;
}

export interface HttpSettings {
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly retry: Required<RestRetryOptions>;
  readonly signal: AbortSignal | undefined;
  readonly runtime: Runtime;
  readonly secrets: Secrets;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Completes "The REST catalog could not …". */
  readonly doing: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly text: string };
  /** Made twice it does no more than once. */
  readonly repeatable: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Null where there is none. */
  readonly body: JsonValue;
}

/** What passes, so that a repeatable request is worth another try. */
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const UNAUTHENTICATED: ReadonlySet<number> = new Set([401, 419]);
const NOT_MODIFIED = 304;
/** There was no connection that anything could have been sent over. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Requests to one server. Those that are safe to repeat are made again when the server is busy or unreachable; all
 * others only if it has not begun: there was no connection, or it says so (429, or 503 with `Retry-After`). When it
 * refuses the credentials, it is asked once more with new ones.
 */
export class HttpClient {
  readonly #settings: HttpSettings;
  readonly #auth: RestAuth;

  constructor(settings: HttpSettings, auth: RestAuth) {
    this.#settings = settings;
    this.#auth = auth;
  }

  /**
   * The answer to a request that succeeded, or 304. A `LakehouseError` by the status otherwise; UNAVAILABLE if it is
   * unknown whether the server has done it.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { retry, runtime, signal } = this.#settings;
    let lost: unknown = null;
    // That the last try has not begun says nothing of one before, which may have been carried out.
    const final = (error: unknown): unknown => (lost !== null && progressOf(error) === 'not-begun' ? lost : error);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#authenticated(request).catch((error: unknown) => {
        throw final(error);
      });
      if (!(outcome instanceof Refusal)) return outcome;
      if (attempt === retry.maxAttempts || !outcome.mayRepeat(request)) throw final(outcome.error);
      if (progressOf(outcome.error) === 'lost') lost ??= outcome.error;
      const backoff = randomFraction(runtime) * retry.baseDelayMs * 2 ** (attempt - 1);
      const wait = Math.min(Math.max(outcome.waitMs(runtime), backoff), retry.maxDelayMs);
      await runtime.sleep(wait, signal).catch(() => throwIfAborted(signal));
    }
  }

  async #authenticated(request: HttpRequest): Promise<HttpAnswer | Refusal> {
    const first = await this.#credentials(request);
    const outcome = await this.#once(request, first);
    if (!(outcome instanceof Refusal) || !UNAUTHENTICATED.has(outcome.status)) return outcome;
    if (!(await this.#auth.renew?.(first))) return outcome;
    return this.#once(request, await this.#credentials(request));
  }

  #credentials({ method, url, body, headers }: HttpRequest): Promise<Readonly<Record<string, string>>> {
    return this.#auth.headers({
      method,
      url: new URL(url),
      headers: { ...headers, ...(body && { 'content-type': body.type }) },
      body: body?.text ?? '',
    });
  }

  async #once(request: HttpRequest, credentials: Readonly<Record<string, string>>): Promise<HttpAnswer | Refusal> {
    const { fetch, headers, timeoutMs, signal, secrets } = this.#settings;
    throwIfAborted(signal);
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(request.url, {
        method: request.method,
        headers: {
          accept: 'application/json',
          ...headers,
          ...(request.body && { 'content-type': request.body.type }),
          ...request.headers,
          ...credentials,
        },
        ...(request.body && { body: request.body.text }),
        // Credentials are not carried to where a server points.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const text = await response.text();
      if (response.ok) return { status: response.status, headers: response.headers, body: jsonOf(text, request) };
      if (response.status === NOT_MODIFIED) return { status: NOT_MODIFIED, headers: response.headers, body: null };
      return this.#refusal(request, response, text);
    } catch (error) {
      if (error instanceof LakehouseError) throw error;
      throwIfAborted(signal);
      const reason = timeout.aborted ? `it did not answer within ${timeoutMs} ms` : reasonOf(error);
      const sent = !NOT_CONNECTED.has(codeOf(error));
      return new Refusal(0, unavailable(request, secrets.redact(reason), { sent }), null);
    }
  }

  #refusal(request: HttpRequest, response: Response, text: string): Refusal {
    const { status, headers } = response;
    const { secrets } = this.#settings;
    if (status >= 300 && status < 400) {
      const to = URL.canParse(headers.get('location') ?? '')
        ? new URL(headers.get('location') ?? '').origin
        : 'elsewhere';
      const message = `The REST catalog could not ${request.doing}: the server redirects to ${to}; give that as its URI.`;
      return new Refusal(status, invalidArgument(message), null);
    }
    let body: JsonValue = null;
    try {
      body = parseJson(text);
    } catch {
      // A proxy's page; the status says enough.
    }
    const failure = failureOf(status, body);
    const redacted = { ...failure, message: secrets.redact(failure.message), type: secrets.redact(failure.type) };
    return new Refusal(status, errorOf(redacted, request.doing), headers.get('retry-after'));
  }
}

/** An attempt that failed, with what decides about the next one. */
class Refusal {
  /** 0 if there was no answer. */
  readonly status: number;
  readonly error: LakehouseError;
  readonly #retryAfter: string | null;

  constructor(status: number, error: LakehouseError, retryAfter: string | null) {
    this.status = status;
    this.error = error;
    this.#retryAfter = retryAfter;
  }

  mayRepeat({ repeatable }: HttpRequest): boolean {
    if (repeatable) return this.status === 0 || PASSING.has(this.status);
    if (this.error.context['sent'] === false) return true;
    return this.status === 429 || (this.status === 503 && this.#retryAfter !== null);
  }

  /** Seconds, or a date (RFC 9110: "Retry-After"). */
  waitMs(runtime: Runtime): number {
    if (this.#retryAfter === null) return 0;
    const seconds = Number(this.#retryAfter);
    const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(this.#retryAfter) - runtime.now();
    return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
  }
}

export function jsonBody(value: unknown): { readonly type: string; readonly text: string } {
  return { type: 'application/json', text: stringifyJson(value) };
}

function jsonOf(text: string, request: HttpRequest): JsonValue {
  if (text === '') return null;
  try {
    return parseJson(text);
  } catch (error) {
    // A server that has done what it was asked for said so; that its words can't be read is no reason to do it again.
    throw unavailable(request, 'its answer is not JSON', { cause: error });
  }
}

function unavailable(
  request: HttpRequest,
  reason: string,
  { sent = true, cause }: { readonly sent?: boolean; readonly cause?: unknown } = {},
): LakehouseError {
  const message = `The REST catalog could not ${request.doing}: ${sentence(reason)}`;
  const where = new URL(request.url).origin;
  return new LakehouseError('UNAVAILABLE', message, { retryable: true, context: { where, sent }, cause });
}

/** `fetch` hides what went wrong in the cause of its error. */
function innermost(error: unknown): Error | null {
  if (!(error instanceof Error)) return null;
  return error.cause instanceof Error ? error.cause : error;
}

function codeOf(error: unknown): string {
  const inner = innermost(error);
  return inner !== null && 'code' in inner && typeof inner.code === 'string' ? inner.code : '';
}

function reasonOf(error: unknown): string {
  const details = [codeOf(error), innermost(error)?.message].filter((text) => text !== undefined && text !== '');
  return `the server can not be reached (${details.join(': ')})`;
}
