import { invalidArgument } from '../../errors.ts';
import type { FileIOFactory } from '../../io/file-io-factory.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Reporter } from '../../reporter.ts';
import { systemRuntime, type Runtime } from '../../runtime.ts';
import type { DataFileWriter } from '../../write/data-file-writer.ts';
import { bearerAuth, noAuth, type RestAuth } from './auth/auth.ts';
import { OAuth2, type TokenExchange } from './auth/oauth2.ts';
import { sigV4Auth, type SigV4Options } from './auth/sigv4.ts';
import type { Fetch, HttpSettings, RestRetryOptions } from './http-client.ts';
import { Secrets } from './secrets.ts';

export interface RestCatalogOptions {
  /** Of the server, without `/v1`: `https://catalog.example.com/api`. */
  readonly uri: string;
  /** Reaches the tables' files: one FileIO for all, or a function that makes one of what the server says of a table. */
  readonly io: FileIO | FileIOFactory;
  /** Which of the server's warehouses, by the name or location that the server has for it. */
  readonly warehouse?: string | undefined;
  /** Part of all routes after `/v1/`; the server mostly says it itself. */
  readonly prefix?: string | undefined;
  /** 'rest' if left out. */
  readonly name?: string | undefined;
  /** A bearer token, or a function that is asked for one at first, and when the server refuses the last one. */
  readonly token?: string | (() => Promise<string>) | undefined;
  /** OAuth2's `client-id:client-secret`, for which tokens are got and renewed. */
  readonly credential?: string | undefined;
  readonly oauth2?: RestOAuth2Options | undefined;
  /** Requests are signed for AWS. */
  readonly sigV4?: SigV4Options | undefined;
  /** Any other way to vouch for requests. */
  readonly auth?: RestAuth | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Settings for the `io`, with the names of PyIceberg and Spark: what the server says goes over or under them. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** In place of the built-in `fetch`: with a proxy, certificates, a pool of connections of its own. */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds until a request must be answered in full; 60,000 if left out. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: RestRetryOptions | undefined;
  /** Ends all requests of the catalog. */
  readonly signal?: AbortSignal | undefined;
  /** How many names a page of a listing may have; the server decides if left out. */
  readonly pageSize?: number | undefined;
  /** Whether the server is told of scans and commits, if it wants to be; true if left out. */
  readonly reportMetrics?: boolean | undefined;
  readonly runtime?: Runtime | undefined;
  readonly reporter?: Reporter | undefined;
  /** Makes the data files of the tables' writes; core itself if left out. */
  readonly writer?: DataFileWriter | undefined;
}

export interface RestOAuth2Options {
  /** Where tokens are given; `<uri>/v1/oauth/tokens`, which the specification is about to drop, if left out. */
  readonly serverUri?: string | undefined;
  /** 'catalog' if left out. */
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  readonly resource?: string | undefined;
  /** Somebody's token, which is exchanged for one of the catalog (RFC 8693). */
  readonly exchange?: TokenExchange | undefined;
}

const RETRY: Required<RestRetryOptions> = { maxAttempts: 5, baseDelayMs: 100, maxDelayMs: 10_000 };
const TIMEOUT_MS = 60_000;

/** The URI as routes are added to it. INVALID_ARGUMENT for what is none. */
export function checkedUri(uri: string): string {
  if (!URL.canParse(uri) || !/^https?:$/.test(new URL(uri).protocol)) {
    throw invalidArgument("A REST catalog needs the URI of its server: { uri: 'https://host/path' }.");
  }
  const { username, password, search, hash } = new URL(uri);
  if (username || password || search || hash) {
    throw invalidArgument('The URI of a REST catalog has no user, query or fragment: give credentials by themselves.');
  }
  return uri.replace(/\/+$/, '').replace(/\/v1$/, '');
}

export function httpSettings(options: RestCatalogOptions): HttpSettings {
  const { headers = {}, timeoutMs = TIMEOUT_MS, retry } = options;
  const secrets = new Secrets();
  secrets.add(...Object.values(headers), typeof options.token === 'string' ? options.token : undefined);
  secrets.add(...Object.entries(options.properties ?? {}).flatMap(([name, value]) => (SECRET.test(name) ? value : [])));
  if (!(timeoutMs > 0)) throw invalidArgument(`A request needs some time: timeoutMs can't be ${timeoutMs}.`);
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    // Looked up at each call: tools that watch `fetch` replace it.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    headers: Object.fromEntries(names) as Record<string, string>,
    timeoutMs,
    retry: { ...RETRY, ...retry },
    signal: options.signal,
    runtime: options.runtime ?? systemRuntime,
    secrets,
  };
}

const SECRET = /secret|token|password|credential/i;

/** Who makes the requests. INVALID_ARGUMENT if that is said in two ways. */
export function authOf(options: RestCatalogOptions, uri: string, settings: HttpSettings): RestAuth {
  const { auth, sigV4, credential, token, oauth2 } = options;
  const ways = [auth, sigV4, credential ?? oauth2?.exchange ?? token].filter((way) => way !== undefined);
  if (ways.length > 1) throw invalidArgument('A REST catalog takes one kind of credentials: auth, sigV4, or a token.');
  if (auth) return auth;
  if (sigV4) return sigV4Auth(sigV4, settings.runtime);
  if (typeof token === 'function') return bearerAuth(token);
  if (credential === undefined && token === undefined && oauth2?.exchange === undefined) return noAuth;
  const { serverUri, scope = 'catalog', audience, resource, exchange } = oauth2 ?? {};
  // A token alone is one that somebody else takes care of.
  if (token !== undefined && credential === undefined && oauth2 === undefined) return bearerAuth(token);
  return new OAuth2(
    {
      serverUri: serverUri ?? `${uri}/v1/oauth/tokens`,
      credential,
      token,
      scope,
      parameters: { ...(audience !== undefined && { audience }), ...(resource !== undefined && { resource }) },
      exchange,
    },
    settings,
  );
}
