import { LakehouseError, invalidArgument, isLakehouseError } from '../../../errors.ts';
import type { Runtime } from '../../../runtime.ts';
import { asLong, asObject, asString, optional, required } from '../../../spec/json-fields.ts';
import { rootPlace } from '../../../spec/place.ts';
import { parseJson, type JsonValue } from '../../../spec/json.ts';
import { HttpClient, type HttpSettings } from '../http-client.ts';
import { bearerHeaders, noAuth, type RestAuth } from './auth.ts';

export interface OAuth2Options {
  /** Where tokens are given; `<uri>/v1/oauth/tokens`, which is deprecated, if left out. */
  readonly serverUri: string;
  /** `client-id:client-secret`, or the secret alone. */
  readonly credential?: string | undefined;
  /** The first token; later ones are got for the credential, or in exchange for it. */
  readonly token?: string | undefined;
  readonly scope: string;
  /** Sent with every request for a token: `audience`, `resource`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Somebody's token, which is exchanged for one of the catalog (RFC 8693). */
  readonly exchange?: TokenExchange | undefined;
}

export interface TokenExchange {
  readonly subjectToken: string;
  /** `urn:ietf:params:oauth:token-type:access_token` if left out. */
  readonly subjectTokenType?: string;
  readonly actorToken?: string;
  readonly actorTokenType?: string;
}

interface Token {
  readonly text: string;
  /** Milliseconds since the epoch; null if nobody said. */
  readonly expiresAtMs: number | null;
  /** When it is time to get the next one. */
  readonly renewAtMs: number | null;
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** A token is renewed after nine tenths of its life, and at most so long before its end. */
const LONGEST_MARGIN_MS = 300_000;

/**
 * Tokens of OAuth2: by client credentials (RFC 6749, section 4.4) or in exchange for another token (RFC 8693). They are
 * renewed ahead of their expiry, and when the server refuses one; all who wait for a new one share one request.
 */
export class OAuth2 implements RestAuth {
  readonly #options: OAuth2Options;
  readonly #settings: HttpSettings;
  #token: Token | null;
  #renewal: Promise<Token> | null = null;

  constructor(options: OAuth2Options, settings: HttpSettings) {
    const { credential, token, exchange } = options;
    if (credential === undefined && token === undefined && exchange === undefined) {
      throw invalidArgument('OAuth2 needs a credential, a token, or a token to exchange.');
    }
    this.#options = options;
    this.#settings = settings;
    this.#token = token === undefined ? null : tokenOf(token, jwtExpiry(token), settings.runtime);
    settings.secrets.add(credential, token, exchange?.subjectToken, exchange?.actorToken);
  }

  async headers(): Promise<Readonly<Record<string, string>>> {
    return bearerHeaders((await this.#valid()).text);
  }

  async renew(refused: Readonly<Record<string, string>>): Promise<boolean> {
    // Another request may have been refused before, and have brought a new one.
    const current = this.#token && bearerHeaders(this.#token.text)['authorization'];
    if (current !== null && current !== refused['authorization']) return true;
    const { credential, exchange } = this.#options;
    // A token that is refused can't be exchanged for another one.
    if (credential === undefined && exchange === undefined) return false;
    await this.#renewed(null);
    return true;
  }

  async #valid(): Promise<Token> {
    const { runtime } = this.#settings;
    const token = this.#token;
    if (token === null) return this.#renewed(null);
    if (token.renewAtMs === null || runtime.now() < token.renewAtMs) return token;
    try {
      return await this.#renewed(token);
    } catch (error) {
      // It still is good for a while; the next request tries again.
      if (token.expiresAtMs !== null && runtime.now() < token.expiresAtMs) return token;
      throw error;
    }
  }

  #renewed(current: Token | null): Promise<Token> {
    this.#renewal ??= this.#request(current).then(
      (token) => {
        this.#renewal = null;
        this.#token = token;
        return token;
      },
      (error: unknown) => {
        this.#renewal = null;
        throw error;
      },
    );
    return this.#renewal;
  }

  async #request(current: Token | null): Promise<Token> {
    const { serverUri, parameters, scope } = this.#options;
    const { runtime, secrets } = this.#settings;
    const form: Record<string, string> = { ...this.#grant(current), ...(scope !== '' && { scope }), ...parameters };
    const exchanged = form['grant_type'] === TOKEN_EXCHANGE && current !== null;
    const auth: RestAuth = exchanged ? { headers: async () => bearerHeaders(current.text) } : noAuth;
    const { body } = await new HttpClient(this.#settings, auth)
      .send({
        method: 'POST',
        url: serverUri,
        doing: 'get a token',
        body: { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() },
        // A token more does no harm.
        repeatable: true,
      })
      .catch((error: unknown) => {
        throw withoutToken(error);
      });
    const place = rootPlace('token response');
    const object = asObject(body, place);
    const text = required(object, 'access_token', asString, place);
    secrets.add(text);
    const seconds = optional(object, 'expires_in', asLong, place, null);
    const expiry = seconds === null ? jwtExpiry(text) : runtime.now() + Number(seconds) * 1000;
    return tokenOf(text, expiry, runtime);
  }

  #grant(current: Token | null): Record<string, string> {
    const { credential, exchange } = this.#options;
    if (credential !== undefined) {
      const colon = credential.indexOf(':');
      return {
        grant_type: 'client_credentials',
        ...(colon >= 0 && { client_id: credential.slice(0, colon) }),
        client_secret: credential.slice(colon + 1),
      };
    }
    const { subjectToken, subjectTokenType, actorToken, actorTokenType } = exchange ?? {
      subjectToken: current?.text ?? '',
    };
    return {
      grant_type: TOKEN_EXCHANGE,
      subject_token: subjectToken,
      subject_token_type: subjectTokenType ?? ACCESS_TOKEN,
      ...(actorToken !== undefined && {
        actor_token: actorToken,
        actor_token_type: actorTokenType ?? ACCESS_TOKEN,
      }),
    };
  }
}

function tokenOf(text: string, expiresAtMs: number | null, runtime: Runtime): Token {
  if (expiresAtMs === null) return { text, expiresAtMs, renewAtMs: null };
  const life = expiresAtMs - runtime.now();
  return { text, expiresAtMs, renewAtMs: expiresAtMs - Math.min(life / 10, LONGEST_MARGIN_MS) };
}

/** When a token of the form of RFC 7519 expires, in milliseconds since the epoch; null for others. */
function jwtExpiry(token: string): number | null {
  const [, payload] = token.split('.');
  if (payload === undefined) return null;
  try {
    const claims: JsonValue = parseJson(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    const place = rootPlace('token');
    return Number(optional(asObject(claims, place), 'exp', asLong, place, null) ?? Number.NaN) * 1000 || null;
  } catch {
    return null;
  }
}

/** Whatever goes wrong here, the request that needs the token has not been sent. */
function withoutToken(error: unknown): unknown {
  if (!isLakehouseError(error)) return error;
  const code = error.code === 'INVALID_ARGUMENT' ? 'UNAUTHORIZED' : error.code;
  return new LakehouseError(code, error.message, {
    retryable: error.retryable,
    context: { ...error.context, sent: false },
    cause: error,
  });
}
