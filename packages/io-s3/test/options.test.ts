import { afterEach, describe, expect, test, vi } from 'vitest';
import { S3FileIO, type S3FileIOOptions } from '../src/index.ts';
import { settingsOf } from '../src/options.ts';
import { failure, s3FileIO } from './support.ts';

afterEach(() => vi.unstubAllEnvs());

describe('options that can not be meant are refused', () => {
  const KEYS = { accessKeyId: 'a', secretAccessKey: 'b' };
  const refused: Record<string, S3FileIOOptions> = {
    'an endpoint without a scheme': { endpoint: 'localhost:9000' },
    'an endpoint of another protocol': { endpoint: 'ftp://localhost' },
    'an endpoint with keys in it': { endpoint: 'http://a:hidden-key@localhost:9000' },
    'an endpoint with a query': { endpoint: 'http://localhost:9000/?x-amz-signature=hidden-key' },
    'half of a pair of keys': { credentials: { accessKeyId: 'a', secretAccessKey: '' } },
    'parts that S3 does not take': { partSize: 1024 * 1024 },
    'no requests at all': { concurrency: 0 },
    'half an attempt': { retry: { maxAttempts: 1.5 } },
    'no time': { timeouts: { idleMs: 0 } },
    'a short key': { encryption: { type: 'SSE-C', key: new Uint8Array(16) } },
    'a signature of one’s own': { headers: { Authorization: 'hidden-key' } },
    'a range of one’s own': { headers: { range: 'bytes=0-1' } },
    'a condition of one’s own': { headers: { 'If-Match': 'x' } },
  };
  test.each(Object.entries(refused))('%s', async (_name, options) => {
    const making = Promise.resolve().then(() => new S3FileIO({ credentials: KEYS, ...options }));
    const error = await failure(making, 'INVALID_ARGUMENT');
    expect(error.message).not.toContain('hidden-key');
  });
});

test('an endpoint has defaults of its own: path style, and a region that nobody asks for', () => {
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'AWS_REGION', 'AWS_DEFAULT_REGION'])
    vi.stubEnv(name, '');
  expect(settingsOf({})).toMatchObject({ endpoint: null, region: null, forcePathStyle: false });
  expect(settingsOf({ endpoint: 'http://localhost:9000/' })).toMatchObject({
    endpoint: 'http://localhost:9000',
    region: 'us-east-1',
    forcePathStyle: true,
  });
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://all:1');
  vi.stubEnv('AWS_REGION', 'mars-1');
  expect(settingsOf({})).toMatchObject({ endpoint: 'http://all:1', region: 'mars-1', forcePathStyle: true });
  vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://s3:1');
  expect(settingsOf({ forcePathStyle: false, region: 'r' })).toMatchObject({
    endpoint: 'http://s3:1',
    region: 'r',
    forcePathStyle: false,
  });
});

test('keys of the environment are found', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'from-environment');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'token');
  const access = await new S3FileIO({ endpoint: 'http://127.0.0.1:1' }).capabilities.s3Object?.('s3://b/k')?.access();
  expect(access?.credentials).toMatchObject({ accessKeyId: 'from-environment', sessionToken: 'token' });
});

describe('what the environment lacks is asked for in a sentence', () => {
  const NOWHERE = {
    AWS_REGION: undefined,
    AWS_DEFAULT_REGION: undefined,
    AWS_ENDPOINT_URL: undefined,
    AWS_ENDPOINT_URL_S3: undefined,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: '/nowhere',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    AWS_EC2_METADATA_DISABLED: 'true',
  };

  test('a region', async () => {
    for (const [name, value] of Object.entries(NOWHERE)) vi.stubEnv(name, value);
    const io = new S3FileIO({ credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    expect((await failure(io.read('s3://bucket/f'), 'INVALID_ARGUMENT')).message).toContain('set the option region');
    const elsewhere = new S3FileIO({ credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, region: 'no region' });
    expect((await failure(elsewhere.read('s3://bucket/f'), 'INVALID_ARGUMENT')).message).toContain('AWS_REGION');
    await failure(elsewhere.read('s3://arn:aws:s3:x/f'), 'INVALID_ARGUMENT');
  });

  test('keys', async () => {
    for (const [name, value] of Object.entries(NOWHERE)) vi.stubEnv(name, value);
    const io = new S3FileIO({ endpoint: 'http://127.0.0.1:1' });
    expect((await failure(io.read('s3://bucket/f'), 'UNAUTHORIZED')).message).toContain('no credentials were found');
    const access = io.capabilities.s3Object?.('s3://bucket/f')?.access();
    await failure(Promise.resolve(access), 'UNAUTHORIZED');
  });
});

test('locations that are none of S3 are refused with advice', async () => {
  const io = s3FileIO();
  for (const location of [
    '/data/f',
    'file:///data/f',
    'gs://bucket/f',
    's3:/bucket/f',
    's3://',
    's3:///f',
    's3://b',
    's3://b/',
  ]) {
    for (const call of [io.read(location), io.stat(location), io.write(location, new Uint8Array())]) {
      expect((await failure(call, 'INVALID_ARGUMENT')).message).toContain(location);
    }
  }
  const listing = async (): Promise<void> => {
    for await (const _ of io.list('/data/')) expect.fail('There is nothing there.');
  };
  await failure(listing(), 'INVALID_ARGUMENT');
});
