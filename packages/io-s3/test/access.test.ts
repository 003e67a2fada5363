import { inspect } from 'node:util';
import type { ErrorCode, LakehouseError } from '@lh/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { assumeRole, type TemporaryCredentials } from '../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../tests/support/s3/vitest/place.ts';
import type { S3FileIO, S3FileIOOptions } from '../src/index.ts';
import { collect, failure, newRoot, s3FileIO, throughProxy } from './support.ts';

const BIG = new Uint8Array(11 * 1024 * 1024);

let root: string;
let temporary: TemporaryCredentials;
beforeAll(async () => {
  root = await newRoot();
  await s3FileIO().write(`${root}/f`, new Uint8Array(10));
  temporary = await assumeRole(s3Place(), [
    { actions: ['s3:GetObject'], resources: [`arn:aws:s3:::${root.slice(5)}/allowed/*`] },
  ]);
});

/** All that a FileIO does with a place, each of which must fail with the code. */
function everyCall(io: S3FileIO, place: string): Record<string, () => Promise<unknown>> {
  return {
    read: () => io.read(`${place}/f`),
    'read a range': () => io.read(`${place}/f`, { offset: 1, length: 2 }),
    stat: () => io.stat(`${place}/f`),
    write: () => io.write(`${place}/new`, new Uint8Array(3)),
    create: () => io.write(`${place}/new`, new Uint8Array(3), { ifNoneMatch: true }),
    'write parts': () => io.write(`${place}/new`, BIG),
    list: () => collect(io.list(`${place}/`)),
    'list directories': () => collect(io.listDirectories(place)),
    'delete unfinished writes': () => io.deleteUnfinishedWrites(`${place}/`, { olderThan: 0 }),
    delete: async () => {
      const { failed } = await io.delete([`${place}/f`]);
      throw failed[0]?.error ?? new Error('It was deleted.');
    },
  };
}

/** Everything that could be logged of an error. */
function everythingIn(error: LakehouseError): string {
  const shown = [error, error.cause, error.context].map((each) => inspect(each, { depth: 20, showHidden: true }));
  return [...shown, error.stack, JSON.stringify(error), String(error)].join('\n');
}

type Denial = readonly [string, () => S3FileIOOptions, () => string, ErrorCode, RegExp, readonly string[]];

const WRONG_SECRET = 'wrong-secret-0123456789';
const DENIALS: readonly Denial[] = [
  [
    'an access key that the store does not know',
    () => ({ credentials: { accessKeyId: 'nobody-knows-me', secretAccessKey: WRONG_SECRET } }),
    () => root,
    'UNAUTHORIZED',
    /does not know the access key/,
    ['nobody-knows-me', WRONG_SECRET],
  ],
  [
    'a wrong secret key',
    () => ({ credentials: { accessKeyId: s3Place().accessKeyId, secretAccessKey: WRONG_SECRET } }),
    () => root,
    'UNAUTHORIZED',
    /secret key/,
    [WRONG_SECRET],
  ],
  [
    'a token that is not valid',
    () => ({ credentials: { ...temporary, sessionToken: `${temporary.sessionToken.slice(0, -9)}AAAAAAAAA` } }),
    () => root,
    'UNAUTHORIZED',
    /./,
    [],
  ],
  [
    'credentials that do not allow it',
    () => ({ credentials: temporary }),
    () => root,
    'UNAUTHORIZED',
    /do not allow this/,
    [],
  ],
  ['nobody in particular', () => ({ credentials: 'anonymous' }), () => root, 'UNAUTHORIZED', /do not allow this/, []],
  [
    'a provider that fails',
    () => ({ credentials: () => Promise.reject(new Error('no luck at https://sts/?token=abcdef0123&x=1')) }),
    () => root,
    'UNAUTHORIZED',
    /credentials provider/,
    ['abcdef0123'],
  ],
];

describe.each(DENIALS)('%s', (_name, options, place, code, says, secrets) => {
  test('every call says so, at once, and without a secret', async () => {
    const { io, proxy } = await throughProxy([], { partSize: 5 * 1024 * 1024, ...options() });
    const hidden = [...secrets, s3Place().secretAccessKey, temporary.secretAccessKey, temporary.sessionToken];
    for (const [name, call] of Object.entries(everyCall(io, place()))) {
      proxy.clear();
      const error = await failure(call(), code).catch((reason: unknown) => {
        throw new Error(`${name} did something else.`, { cause: reason });
      });
      expect(error.message, name).toMatch(says);
      expect(error.retryable).toBe(false);
      // HEAD's answer doesn't say why, so a GET asks.
      expect(proxy.requests.length, name).toBeLessThanOrEqual(name === 'stat' ? 2 : 1);
      const shown = everythingIn(error);
      for (const secret of hidden) expect(shown.includes(secret), `${name} shows ${secret}`).toBe(false);
      expect(shown, name).not.toMatch(/x-amz-(?:signature|security-token)|AWS4-HMAC|authorization/i);
    }
  });
});

test('a bucket that is not there is NOT_FOUND, at once', async () => {
  const { io, proxy } = await throughProxy();
  const { stat, ...others } = everyCall(io, 's3://no-such-bucket-lh');
  expect(await stat!()).toBeNull();
  for (const call of Object.values(others)) {
    proxy.clear();
    expect((await failure(call(), 'NOT_FOUND')).message).toContain('no such bucket');
    expect(proxy.requests.length).toBe(1);
  }
});

test('nobody listens: UNAVAILABLE, when it has been tried as often as the options say', async () => {
  const { proxy } = await throughProxy();
  const { endpoint } = proxy;
  await proxy.stop();
  const io = s3FileIO({ endpoint, retry: { maxAttempts: 3, baseDelayMs: 1 } });
  for (const call of Object.values(everyCall(io, root))) {
    const error = await failure(call(), 'UNAVAILABLE');
    expect(error.retryable).toBe(true);
    expect(error.message).toContain('ECONNREFUSED');
  }
});

test('a store that never answers: UNAVAILABLE, after the time that the options say', async () => {
  const { io, proxy } = await throughProxy([], {
    timeouts: { idleMs: 100 },
    retry: { maxAttempts: 2, baseDelayMs: 1 },
  });
  proxy.latencyMs = 3_000;
  const started = performance.now();
  const error = await failure(io.read(`${root}/f`), 'UNAVAILABLE');
  expect(error.message).toContain('did not answer in time');
  expect(performance.now() - started).toBeLessThan(2_500);
  expect(proxy.requests.length).toBe(2);
});

test('a FileIO shows none of its keys', () => {
  const { secretAccessKey } = s3Place();
  const shown = inspect(s3FileIO({ headers: { 'x-custom': 'my-own-secret' } }), { depth: 20, showHidden: true });
  expect(shown).not.toContain(secretAccessKey);
  expect(shown).not.toContain('my-own-secret');
});

describe('credentials that change', () => {
  test('a token that the store refuses is renewed once, and the request made again', async () => {
    let asked = 0;
    const credentials = async () => {
      const token = asked++ === 0 ? 'expired' : temporary.sessionToken;
      return { ...temporary, sessionToken: token };
    };
    const { io } = await throughProxy([], { credentials });
    await s3FileIO().write(`${root}/allowed/f`, new Uint8Array(5));
    expect((await io.read(`${root}/allowed/f`)).length).toBe(5);
    expect(asked).toBe(2);
    // Those that never become valid are asked for twice, and no more.
    const hopeless = s3FileIO({ credentials: async () => ({ ...temporary, sessionToken: `expired ${asked++}` }) });
    asked = 0;
    await failure(hopeless.read(`${root}/allowed/f`), 'UNAUTHORIZED');
    expect(asked).toBe(2);
  });

  test('what another client needs to reach the store is told as of now', async () => {
    let asked = 0;
    const expiration = new Date(Date.now() + 1_000);
    const io = s3FileIO({
      credentials: async () => ({ accessKeyId: `key-${asked++}`, secretAccessKey: 'secret', expiration }),
      requesterPays: true,
    });
    const object = io.capabilities.s3Object?.('s3a://bucket/a b%20c');
    expect(object).toMatchObject({ bucket: 'bucket', key: 'a b%20c' });
    const { endpoint, region } = s3Place();
    expect(await object?.access()).toEqual({
      endpoint,
      region,
      pathStyle: true,
      requesterPays: true,
      credentials: {
        accessKeyId: 'key-0',
        secretAccessKey: 'secret',
        sessionToken: null,
        expiresAtMs: expiration.getTime(),
      },
    });
    expect((await object?.access())?.credentials?.accessKeyId).toBe('key-1');
    expect(io.capabilities.s3Object?.('/local/f')).toBeNull();
    expect(io.capabilities.s3Object?.('s3://bucket')).toBeNull();
    const anonymous = s3FileIO({ credentials: 'anonymous' });
    expect((await anonymous.capabilities.s3Object?.('s3://b/k')?.access())?.credentials).toBeNull();
    const customersKey = s3FileIO({ encryption: { type: 'SSE-C', key: new Uint8Array(32) } });
    expect(customersKey.capabilities.s3Object?.('s3://b/k')).toBeNull();
    expect(s3FileIO({ headers: { 'x-more': '1' } }).capabilities.s3Object?.('s3://b/k')).toBeNull();
  });
});
