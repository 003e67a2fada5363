import { invalidData, unsupported } from '../../errors.ts';
import type { Runtime } from '../../runtime.ts';
import { asList, asObject, asString, optional, type JsonReader } from '../../spec/json-fields.ts';
import { rootPlace } from '../../spec/place.ts';
import type { RestAuth } from './auth/auth.ts';
import { ENDPOINTS, routePath, type EndpointName, type RouteNames } from './endpoints.ts';
import { HttpClient, jsonBody, type HttpAnswer, type HttpSettings } from './http-client.ts';
import type { ServerConfig } from './server-config.ts';

export interface RestCall extends RouteNames {
  /** Completes "The REST catalog could not …". */
  readonly doing: string;
  /** Values, encoded already. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The same for all tries of one change; made for each call if left out. */
  readonly idempotencyKey?: string;
}

/** What a server sends in pages. */
interface PagedList<T> {
  readonly key: string;
  readonly item: JsonReader<T>;
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Telling of a scan twice would count it twice, and getting nowhere is no harm. */
const WITHOUT_KEY: ReadonlySet<EndpointName> = new Set(['reportMetrics']);

/** The routes of a server whose configuration is known. */
export class RestSession {
  readonly uri: string;
  readonly config: ServerConfig;
  readonly settings: HttpSettings;
  readonly auth: RestAuth;
  readonly #http: HttpClient;
  readonly #pageSize: number | undefined;

  constructor(uri: string, config: ServerConfig, settings: HttpSettings, auth: RestAuth, pageSize: number | undefined) {
    this.uri = uri;
    this.config = config;
    this.settings = settings;
    this.auth = auth;
    this.#http = new HttpClient(settings, auth);
    this.#pageSize = pageSize;
  }

  /** The same server, with other credentials. */
  with(auth: RestAuth): RestSession {
    return new RestSession(this.uri, this.config, this.settings, auth, this.#pageSize);
  }

  supports(endpoint: EndpointName): boolean {
    return this.config.endpoints.has(endpoint);
  }

  /** UNSUPPORTED if the server has no such route; else what `HttpClient.send` gives and throws. */
  async call(endpoint: EndpointName, call: RestCall): Promise<HttpAnswer> {
    const [method = ''] = ENDPOINTS[endpoint].split(' ');
    if (!this.supports(endpoint)) {
      throw unsupported(`The REST catalog at ${this.uri} can't ${call.doing}: it has no route ${ENDPOINTS[endpoint]}.`);
    }
    const keyed = this.config.idempotencyKeys && !READING.has(method) && !WITHOUT_KEY.has(endpoint);
    const key = call.idempotencyKey ?? newIdempotencyKey(this.settings.runtime);
    const query = Object.entries(call.query ?? {}).flatMap(([name, value]) => {
      return value === undefined ? [] : `${name}=${value}`;
    });
    const path = routePath(endpoint, call, this.config.style);
    return this.#http.send({
      method,
      url: `${this.uri}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`,
      doing: call.doing,
      headers: { ...call.headers, ...(keyed && { 'idempotency-key': key }) },
      ...(call.body !== undefined && { body: jsonBody(call.body) }),
      repeatable: READING.has(method) || keyed,
    });
  }

  /** All pages of a list (REST specification: "PageToken"). */
  async list<T>(endpoint: EndpointName, call: RestCall, { key, item }: PagedList<T>): Promise<readonly T[]> {
    const place = rootPlace('response');
    const items: T[] = [];
    const seen = new Set<string>();
    const size = this.#pageSize;
    let token: string | null = size === undefined ? null : '';
    do {
      const paging = {
        pageToken: token === null ? undefined : encodeURIComponent(token),
        pageSize: size === undefined ? undefined : String(size),
      };
      const { body } = await this.call(endpoint, { ...call, query: { ...call.query, ...paging } });
      const object = asObject(body, place);
      items.push(...optional(object, key, asList(item), place, []));
      token = optional(object, 'next-page-token', asString, place, null);
      if (token !== null && seen.has(token)) {
        throw invalidData(`The REST catalog could not ${call.doing}: its pages go round in circles.`);
      }
      if (token !== null) seen.add(token);
    } while (token !== null);
    return items;
  }
}

/** A UUID of version 7 (RFC 9562): the time in milliseconds, then randomness. */
export function newIdempotencyKey(runtime: Runtime): string {
  const bytes = runtime.randomBytes(16);
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, (BigInt(runtime.now()) << 16n) | 0x7000n);
  bytes.set(runtime.randomBytes(1), 7);
  bytes[6] = 0x70 | (runtime.randomBytes(1)[0]! & 0x0f);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
