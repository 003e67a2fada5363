import { inspect } from 'node:util';

import {
  type LakehouseError,
  RestCatalog,
  type RestCatalogOptions,
  type Runtime,
  isLakehouseError,
  schema,
  systemRuntime,
  t,
} from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type ProxyDecision, type ProxyRequest, RestProxy, errorAnswer } from '../support/rest/rest-proxy.ts';
import { type RestServer, startRestServer } from '../support/rest/start-rest-server.ts';
import { s3Place } from '../support/s3/vitest/place.ts';
import { failure } from './support.ts';

const CLIENT = 'the-client';
const SECRET = 'c0nfidential/+=%';

let server: RestServer;
let proxy: RestProxy;

beforeAll(async () => {
  server = await startRestServer();
  proxy = await RestProxy.start(server.uri);
});

beforeEach(() => {
  proxy.requests.length = 0;
  proxy.decide = () => 'pass';
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

function open(options: Partial<RestCatalogOptions> = {}): Promise<RestCatalog> {
  return RestCatalog.open({ uri: proxy.uri, io: new LocalFileIO(), retry: { maxAttempts: 2 }, ...options });
}

/** Lets those through whose header is one of these; repeats others' credentials, as servers like to do. */
function onlyWith(isGood: (authorization: string) => boolean, status = 401): void {
  proxy.decide = ({ headers }) => {
    const given = headers['authorization'] ?? '';
    if (isGood(given)) return 'pass';
    const body = JSON.stringify({
      error: { message: `Not authorized: ${given}`, type: 'NotAuthorized', code: status },
    });
    return { answer: { status, headers: { 'content-type': 'application/json' }, body } };
  };
}

describe('tokens', () => {
  test('a bearer token is sent with every request', async () => {
    onlyWith((given) => given === 'Bearer my-own-token');
    const catalog = await open({ token: 'my-own-token' });
    expect(await catalog.listNamespaces()).toEqual([]);
    const error = await failure(open({ token: 'wrong-token' }), 'UNAUTHORIZED');
    expect(inspect(error)).not.toContain('wrong-token');
    await failure(open(), 'UNAUTHORIZED');
  });

  test.each([401, 419])('a function is asked for another token when the server refuses one (%i)', async (status) => {
    let valid = 1;
    let asked = 0;
    onlyWith((given) => given === `Bearer token-${valid}`, status);
    const catalog = await open({ token: async () => `token-${++asked}` });
    valid = 2;
    await Promise.all([1, 2, 3, 4].map(() => catalog.listNamespaces()));
    expect(asked).toBe(2);
    // It is asked once for each refusal, and no more.
    valid = 9;
    await failure(catalog.listNamespaces(), 'UNAUTHORIZED');
    expect(asked).toBe(3);
  });

  test("headers of one's own go along", async () => {
    await open({ headers: { 'X-Tenant': 'north' } });
    expect(proxy.requests[0]?.headers['x-tenant']).toBe('north');
  });
});

describe('OAuth2', () => {
  interface Issuer {
    /** The forms that it was sent. */
    readonly forms: URLSearchParams[];
    /** The token that is good now. */
    valid: string;
    /** Seconds that a token is good for, as it says; null: it doesn't say. */
    lifetime: number | null;
    isDown: boolean;
  }

  /** A token server, and a catalog that takes the last token that it gave. */
  function issuer(): Issuer {
    const state: Issuer = { forms: [], valid: '', lifetime: null, isDown: false };
    proxy.decide = (request) => {
      if (request.path === '/v1/oauth/tokens') return issue(state, request);
      if (request.headers['authorization'] === `Bearer ${state.valid}`) return 'pass';
      return { answer: errorAnswer(401, 'NotAuthorizedException') };
    };
    return state;
  }

  function issue(state: Issuer, { body }: ProxyRequest): ProxyDecision {
    const form = new URLSearchParams(body);
    state.forms.push(form);
    const isClient = form.get('client_id') === CLIENT && form.get('client_secret') === SECRET;
    if (state.isDown) return { answer: errorAnswer(503, 'ServiceUnavailable') };
    if (!isClient && form.get('grant_type') === 'client_credentials') {
      const error = JSON.stringify({ error: 'invalid_client', error_description: `no such secret: ${body}` });
      return { answer: { status: 400, headers: {}, body: error } };
    }
    state.valid = `issued-token-${state.forms.length}`;
    const expiry = state.lifetime === null ? {} : { expires_in: state.lifetime };
    const answer = JSON.stringify({ access_token: state.valid, token_type: 'bearer', ...expiry });
    return { answer: { status: 200, headers: { 'content-type': 'application/json' }, body: answer } };
  }

  const credential = `${CLIENT}:${SECRET}`;

  test('client credentials get a token, with scope and parameters', async () => {
    const state = issuer();
    const catalog = await open({ credential, oauth2: { scope: 'all', audience: 'lake' } });
    await catalog.listNamespaces();
    expect(state.forms.map(Object.fromEntries)).toEqual([
      { grant_type: 'client_credentials', client_id: CLIENT, client_secret: SECRET, scope: 'all', audience: 'lake' },
    ]);
  });

  test('a wrong secret is UNAUTHORIZED, and not shown', async () => {
    issuer();
    const error = await failure(open({ credential: `${CLIENT}:wrong-secret` }), 'UNAUTHORIZED');
    expect(inspect(error)).not.toContain('wrong-secret');
  });

  test('a token that expired in the middle of a job is renewed once, and nobody notices', async () => {
    const state = issuer();
    const catalog = await open({ credential, reportMetrics: false });
    await catalog.createNamespace('job');
    const table = await catalog.createTable('job.t', { schema: schema({ id: t.long() }) });
    for (let round = 0; round < 3; round++) {
      const before = state.forms.length;
      state.valid = 'none of those that were given';
      await Promise.all([1, 2, 3, 4, 5].map(() => catalog.loadTable('job.t')));
      state.valid = 'none again';
      await table.append([{ id: BigInt(round) }]);
      expect(state.forms.length - before).toBe(2);
    }
    expect(await table.scan().count()).toBe(3);
  });

  test('a token is renewed ahead of its expiry, and kept while renewing fails', async () => {
    const state = issuer();
    state.lifetime = 100;
    let nowMs = 1_800_000_000_000;
    const runtime: Runtime = { ...systemRuntime, now: () => nowMs };
    const catalog = await open({ credential, runtime });
    nowMs += 80_000;
    await catalog.listNamespaces();
    expect(state.forms).toHaveLength(1);
    nowMs += 15_000;
    state.isDown = true;
    await catalog.listNamespaces();
    state.isDown = false;
    await Promise.all([1, 2, 3].map(() => catalog.listNamespaces()));
    expect(state.valid).toBe(`issued-token-${state.forms.length}`);
    const refused = proxy.requests.filter(({ headers }) => headers['authorization'] === 'Bearer ');
    expect(refused).toEqual([]);
  });

  test("somebody's token is exchanged for one of the catalog", async () => {
    const state = issuer();
    const subjectTokenType = 'urn:ietf:params:oauth:token-type:jwt';
    const exchange = { subjectToken: 'a-users-token', subjectTokenType, actorToken: 'a-service-token' };
    const catalog = await open({ oauth2: { exchange } });
    await catalog.listNamespaces();
    expect(state.forms.map(Object.fromEntries)).toEqual([
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: 'a-users-token',
        subject_token_type: subjectTokenType,
        actor_token: 'a-service-token',
        actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'catalog',
      },
    ]);
  });

  test('a token that is about to expire is exchanged for the next one', async () => {
    const state = issuer();
    const nowMs = 1_800_000_000_000;
    const claims = (seconds: number): string =>
      Buffer.from(JSON.stringify({ exp: nowMs / 1000 + seconds })).toString('base64url');
    state.valid = `head.${claims(-1)}.sign`;
    const runtime: Runtime = { ...systemRuntime, now: () => nowMs };
    const catalog = await open({ token: state.valid, oauth2: {}, runtime });
    await catalog.listNamespaces();
    expect(state.forms[0]?.get('subject_token')).toBe(`head.${claims(-1)}.sign`);
  });
});

describe('SigV4, checked by MinIO', () => {
  const signedWith = (secretAccessKey: string): Promise<RestCatalog> => {
    const { endpoint, region, accessKeyId } = s3Place();
    const sigV4 = { service: 's3', region, credentials: async () => ({ accessKeyId, secretAccessKey }) };
    return open({ uri: `${endpoint}/no-such-bucket`, sigV4, warehouse: "it's a (warehouse)*" });
  };

  test('a good signature gets as far as the bucket, which is not there', async () => {
    await failure(signedWith(s3Place().secretAccessKey), 'NOT_FOUND');
  });

  test('a wrong key gets nowhere', async () => {
    await failure(signedWith('wrong'), 'UNAUTHORIZED');
  });
});

describe('nothing that is secret is seen', () => {
  const secrets = ['my-own-token', SECRET, 'header-secret', 'property-secret', 'a-lent-token'];

  test('in errors, whatever the server repeats, and in the paths of requests', async () => {
    const errors: LakehouseError[] = [];
    const echo = (status: number): void => {
      proxy.decide = ({ path, headers, body }) => {
        if (path.startsWith('/v1/config')) return 'pass';
        if (path.startsWith('/v1/oauth')) {
          return {
            answer: { status: 200, headers: {}, body: '{"access_token": "a-lent-token", "token_type": "bearer"}' },
          };
        }
        const message = JSON.stringify({ headers, body });
        return {
          answer: { status, headers: {}, body: JSON.stringify({ error: { message, type: message, code: status } }) },
        };
      };
    };
    for (const credentials of [{ token: 'my-own-token' }, { credential: `${CLIENT}:${SECRET}` }]) {
      for (const status of [400, 401, 403, 404, 409, 419, 422, 500, 503]) {
        echo(status);
        const catalog = await open({
          ...credentials,
          headers: { 'x-api-key': 'header-secret' },
          properties: { 's3.secret-access-key': 'property-secret' },
        });
        const calls = [
          catalog.listNamespaces(),
          catalog.loadTable('a.b'),
          catalog.createNamespace('x'),
          catalog.dropTable('a.b'),
        ];
        for (const outcome of await Promise.allSettled(calls)) {
          if (outcome.status === 'rejected' && isLakehouseError(outcome.reason)) errors.push(outcome.reason);
        }
      }
    }
    expect(errors.length).toBeGreaterThan(60);
    for (const secret of secrets) {
      const spellings = [secret, encodeURIComponent(secret)];
      for (const spelling of spellings) {
        for (const error of errors) {
          const seen = `${inspect(error, { depth: 10 })} ${error.message} ${error.stack} ${inspect(error.context)}`;
          expect(seen).not.toContain(spelling);
        }
        for (const { path } of proxy.requests) expect(path).not.toContain(spelling);
      }
    }
  });

  test('a URI with credentials in it is refused', async () => {
    const error = await failure(open({ uri: 'https://user:pass-word@host/' }), 'INVALID_ARGUMENT');
    expect(inspect(error)).not.toContain('pass-word');
  });

  test('credentials are not carried to where a server redirects', async () => {
    proxy.decide = () => ({
      answer: { status: 307, headers: { location: 'https://elsewhere.example/x?y' }, body: '' },
    });
    const error = await failure(open({ token: 'my-own-token' }), 'INVALID_ARGUMENT');
    expect(error.message).toContain('https://elsewhere.example');
  });
});

describe('servers that are slow, busy or away', () => {
  test('a request takes no longer than it may', async () => {
    const catalog = await open({ timeoutMs: 300, retry: { maxAttempts: 1 } });
    proxy.decide = async (): Promise<ProxyDecision> => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return 'pass';
    };
    const error = await failure(catalog.listNamespaces(), 'UNAVAILABLE');
    expect(error.message).toContain('300 ms');
  });

  test('a signal ends what is under way', async () => {
    const abort = new AbortController();
    const catalog = await open({ signal: abort.signal });
    proxy.decide = async (): Promise<ProxyDecision> => {
      abort.abort();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return 'pass';
    };
    await failure(catalog.listNamespaces(), 'ABORTED');
  });

  test('what only reads is asked for again; what changes is not, unless the server has not begun', async () => {
    const catalog = await open({ retry: { maxAttempts: 3, baseDelayMs: 1 } });
    const answers = (answer: ProxyDecision): void => {
      proxy.requests.length = 0;
      let left = 2;
      proxy.decide = () => (left-- > 0 ? answer : 'pass');
    };
    answers({ answer: errorAnswer(503, 'ServiceUnavailable') });
    await catalog.listNamespaces();
    expect(proxy.requests).toHaveLength(3);
    answers('drop-request');
    await catalog.listNamespaces();
    answers('drop-answer');
    await failure(catalog.createNamespace('once'), 'UNAVAILABLE');
    expect(proxy.requests).toHaveLength(1);
    answers({ answer: errorAnswer(503, 'ServiceUnavailable', { 'retry-after': '0' }) });
    await catalog.createNamespace('later');
    expect(proxy.requests).toHaveLength(3);
    answers({ answer: errorAnswer(429, 'TooManyRequests') });
    await catalog.dropNamespace('later');
    expect(proxy.requests).toHaveLength(3);
  });

  test('no server is UNAVAILABLE, and says why', async () => {
    const error = await failure(open({ uri: 'http://127.0.0.1:9' }), 'UNAVAILABLE');
    expect(error.message).toMatch(/can not be reached|bad port/);
  });
});
