import { setTimeout as sleep } from 'node:timers/promises';
import type { FileData } from '@lh/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listUploads, type ProxyFault, type ProxyRule, type S3Operation } from '../../../tests/support/s3/src/index.ts';
import { s3Place } from '../../../tests/support/s3/vitest/place.ts';
import type { S3FileIO } from '../src/index.ts';
import { beforeRetries, chunked, expectBytes, failure, newRoot, pattern, s3FileIO, throughProxy } from './support.ts';

const MB = 1024 * 1024;
const PARTS = { partSize: 5 * MB };
const BIG = pattern(17 * MB + 321);
const TWO_PARTS = BIG.subarray(0, 5 * MB + 4321);
const SMALL = pattern(1000);
const OTHER = pattern(1001).subarray(1);

let root: string;
let direct: S3FileIO;
beforeAll(async () => {
  root = await newRoot();
  direct = s3FileIO();
});
afterAll(() => direct.close());

let names = 0;
const newLocation = (): string => `${root}/file ${names++}`;

function once(fault: ProxyFault, operation: S3Operation, more: Partial<ProxyRule> = {}): ProxyRule {
  return { fault, operations: [operation], times: 1, ...more };
}

async function uploadsLeft(): Promise<readonly unknown[]> {
  return listUploads(s3Place(), root.slice('s3://'.length));
}

describe('requests of a write', () => {
  test('one for what is small, streamed or not', async () => {
    const { io, proxy } = await throughProxy([], PARTS);
    for (const data of [SMALL, chunked(SMALL, 7), new Uint8Array(), chunked(BIG.subarray(0, 5 * MB), 1 * MB + 1)]) {
      await io.write(newLocation(), data, { ifNoneMatch: true });
    }
    expect(proxy.requests.map(({ operation }) => operation)).toEqual(Array(4).fill('PutObject'));
  });

  test('the parts of what is large', async () => {
    const { io, proxy } = await throughProxy([], PARTS);
    for (const data of [BIG, chunked(BIG, 3 * MB + 17)]) {
      proxy.clear();
      const location = newLocation();
      const stat = await io.write(location, data);
      expect(stat.size).toBe(BIG.length);
      expect(await direct.stat(location)).toMatchObject(stat);
      expectBytes(await direct.read(location), BIG);
      expect(Object.fromEntries([...proxy.counts()].map(([name, { requests }]) => [name, requests]))).toEqual({
        CreateMultipartUpload: 1,
        UploadPart: 4,
        CompleteMultipartUpload: 1,
      });
      expect(proxy.requests.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(BIG.length + 2000);
    }
  });

  test('a stream is asked for no more than the parts under way take', async () => {
    const { io, proxy } = await throughProxy([], { ...PARTS, partConcurrency: 2 });
    const state = { given: 0, most: 0 };
    const chunk = pattern(1 * MB);
    const source = (async function* () {
      for (; state.given < 40; state.given++) {
        const arrived = proxy.requests.reduce((sum, { sent }) => sum + sent, 0) / MB;
        state.most = Math.max(state.most, state.given - arrived);
        yield chunk;
      }
    })();
    await io.write(newLocation(), source);
    // Two parts under way and one that is being filled; what the proxy has of them isn't seen.
    expect(state.most).toBeLessThanOrEqual(16);
  });
});

describe('writes that fail leave nothing behind', () => {
  const broken = async function* () {
    yield BIG.subarray(0, 12 * MB);
    throw new Error('The source broke.');
  };

  test.each<[string, () => Promise<unknown>]>([
    ['a source that breaks', () => expect(direct.write(newLocation(), broken())).rejects.toThrow('The source broke.')],
    [
      'a part that the store refuses again and again',
      async () => {
        const rule: ProxyRule = { fault: 'slow-down', operations: ['UploadPart'] };
        const { io } = await throughProxy([rule], { ...PARTS, retry: { maxAttempts: 3, baseDelayMs: 1 } });
        const error = await failure(io.write(newLocation(), BIG), 'UNAVAILABLE');
        expect(error.retryable).toBe(true);
        expect(error.context).toMatchObject({ s3Code: 'SlowDown', status: 503 });
      },
    ],
    [
      'a signal in the middle',
      async () => {
        const abort = new AbortController();
        const { io, proxy } = await throughProxy([], PARTS);
        proxy.latencyMs = 30;
        const writing = failure(io.write(newLocation(), BIG, { signal: abort.signal }), 'ABORTED');
        while (!proxy.requests.some(({ operation }) => operation === 'UploadPart')) await sleep(1);
        abort.abort();
        await writing;
      },
    ],
    [
      'a signal while the source hangs',
      async () => {
        const abort = new AbortController();
        const hangs = (async function* () {
          yield BIG.subarray(0, 12 * MB);
          setTimeout(() => abort.abort(), 50);
          await new Promise(() => undefined);
        })();
        await failure(s3FileIO(PARTS).write(newLocation(), hangs, { signal: abort.signal }), 'ABORTED');
      },
    ],
    [
      'a file that exists',
      async () => {
        const location = newLocation();
        await direct.write(location, SMALL);
        await failure(s3FileIO(PARTS).write(location, chunked(TWO_PARTS, MB), { ifNoneMatch: true }), 'ALREADY_EXISTS');
        await failure(
          s3FileIO(PARTS).write(location, chunked(TWO_PARTS, MB), { ifMatch: '"other"' }),
          'COMMIT_CONFLICT',
        );
        await failure(
          s3FileIO(PARTS).write(newLocation(), chunked(TWO_PARTS, MB), { ifMatch: '"other"' }),
          'COMMIT_CONFLICT',
        );
        expectBytes(await direct.read(location), SMALL);
      },
    ],
  ])('%s', async (_name, fails) => {
    const before = names;
    await fails();
    expect(await uploadsLeft()).toEqual([]);
    if (_name !== 'a file that exists') expect(await direct.stat(`${root}/file ${before}`)).toBeNull();
  });

  test('a source is closed when its write fails', async () => {
    let closed = false;
    const source: AsyncIterable<Uint8Array> = (async function* () {
      try {
        for (;;) yield BIG.subarray(0, MB);
      } finally {
        closed = true;
      }
    })();
    const { io } = await throughProxy([{ fault: 'slow-down', operations: ['UploadPart'] }], {
      ...PARTS,
      retry: { maxAttempts: 1 },
    });
    await failure(io.write(newLocation(), source), 'UNAVAILABLE');
    await sleep(10);
    expect(closed).toBe(true);
  });
});

// Of a request whose answer is lost nobody knows what became of it. Asked again, S3 refuses it because of the very file
// that it made the first time.
describe('answers that get lost', () => {
  const streamed = (): FileData => chunked(TWO_PARTS, 4 * MB);
  const CASES: [string, () => FileData, Uint8Array, S3Operation][] = [
    ['one request', () => SMALL, SMALL, 'PutObject'],
    ['parts', streamed, TWO_PARTS, 'CompleteMultipartUpload'],
  ];
  const ACTED: ProxyFault[] = ['drop-answer', 'act-late', 'reset-response'];

  for (const [name, data, bytes, operation] of CASES) {
    test.each(ACTED)(`a file that is created by ${name} is not one that existed: %s`, async (fault) => {
      const location = newLocation();
      const { io, proxy } = await throughProxy([once(fault, operation, { delayMs: 0 })], PARTS);
      const stat = await io.write(location, data(), { ifNoneMatch: true });
      expect(proxy.requests.some((request) => request.fault === fault)).toBe(true);
      expect(stat).toMatchObject({ location, size: bytes.length });
      expect((await direct.stat(location))?.etag).toBe(stat.etag);
      expectBytes(await direct.read(location), bytes);
    });

    test(`a file that is replaced by ${name} is not another one by now`, async () => {
      const location = newLocation();
      const { etag = '' } = await direct.write(location, OTHER);
      const { io } = await throughProxy([once('drop-answer', operation)], PARTS);
      const stat = await io.write(location, data(), { ifMatch: etag });
      expect((await direct.stat(location))?.etag).toBe(stat.etag);
      expectBytes(await direct.read(location), bytes);
    });

    test(`a file that another writer made meanwhile is told from one's own: ${name}`, async () => {
      const location = newLocation();
      const runtime = beforeRetries(() => direct.write(location, bytes, { ifNoneMatch: true }));
      const { io } = await throughProxy([once('reset', operation)], { ...PARTS, runtime });
      await failure(io.write(location, data(), { ifNoneMatch: true }), 'ALREADY_EXISTS');
      expect(await uploadsLeft()).toEqual([]);
    });

    test(`what stays unknown is called so: ${name}`, async () => {
      const location = newLocation();
      const retry = { maxAttempts: 2, baseDelayMs: 1 };
      const { io } = await throughProxy([{ fault: 'drop-answer', operations: [operation, 'HeadObject'] }], {
        ...PARTS,
        retry,
      });
      const error = await failure(io.write(location, data(), { ifNoneMatch: true }), 'UNAVAILABLE');
      expect(error.retryable).toBe(true);
      expectBytes(await direct.read(location), bytes);
    });

    test(`a later refusal does not say that nothing was written: ${name}`, async () => {
      const location = newLocation();
      const { accessKeyId, secretAccessKey } = s3Place();
      let keys = { accessKeyId, secretAccessKey };
      // Keys that are about to expire are asked for each time.
      const credentials = async () => ({ ...keys, expiration: new Date() });
      const runtime = beforeRetries(async () => (keys = { accessKeyId: 'revoked', secretAccessKey }));
      const { io } = await throughProxy([once('drop-answer', operation)], { ...PARTS, credentials, runtime });
      const error = await failure(io.write(location, data(), { ifNoneMatch: true }), 'UNAVAILABLE');
      expect(error.retryable).toBe(true);
      expect(error.cause).toMatchObject({ code: 'UNAUTHORIZED' });
      expectBytes(await direct.read(location), bytes);
    });

    test(`a file that is gone again may have been one's own: ${name}`, async () => {
      const location = newLocation();
      const gone: ProxyRule = { fault: 'reset', operations: ['HeadObject'], times: 1 };
      let isDeleted = false;
      // The second wait is for the question whose file it is.
      const runtime = beforeRetries(async () => {
        if (isDeleted) await direct.delete([location]);
        isDeleted = true;
      });
      const { io, proxy } = await throughProxy([once('drop-answer', operation), gone], { ...PARTS, runtime });
      const outcome = await io.write(location, data(), { ifNoneMatch: true }).catch((error: unknown) => error);
      expect(proxy.requests.filter(({ fault }) => fault !== null).length).toBe(2);
      // One request is made again and creates it anew; the parts of an upload are gone.
      if (operation === 'PutObject') expect(outcome).toMatchObject({ location, size: bytes.length });
      else expect(outcome).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    });

    test(`a file without a condition is written again, or found complete: ${name}`, async () => {
      const location = newLocation();
      const { io } = await throughProxy([once('drop-answer', operation)], PARTS);
      const stat = await io.write(location, data());
      expect(stat.size).toBe(bytes.length);
      expect((await direct.stat(location))?.etag).toBe(stat.etag);
    });
  }

  test('parts are sent again', async () => {
    const faults = ['reset-request', 'drop-answer', 'reset'] as const;
    const { io } = await throughProxy(
      faults.map((fault) => once(fault, 'UploadPart')),
      PARTS,
    );
    const location = newLocation();
    await io.write(location, streamed());
    expectBytes(await direct.read(location), TWO_PARTS);
  });
});

test('an upload that someone else ends says so, and can be made again', async () => {
  const location = newLocation();
  const io = s3FileIO(PARTS);
  const source = (async function* () {
    yield BIG.subarray(0, 12 * MB);
    await sleep(50);
    const { deleted } = await direct.deleteUnfinishedWrites(`${root}/`, { olderThan: Date.now() + 60_000 });
    expect(deleted).toEqual([location]);
    yield BIG.subarray(12 * MB);
  })();
  const error = await failure(io.write(location, source), 'UNAVAILABLE');
  expect(error.retryable).toBe(true);
  expect(await direct.stat(location)).toBeNull();
});

test('of writers that race through an unreliable network, exactly one is told that it made the file', async () => {
  const { io } = await throughProxy(
    [
      { fault: 'drop-answer', operations: ['PutObject'], probability: 0.3 },
      { fault: 'act-late', operations: ['PutObject'], probability: 0.1, delayMs: 20 },
      { fault: 'reset', operations: ['PutObject'], probability: 0.1 },
      { fault: 'slow-down', operations: ['PutObject'], probability: 0.1 },
    ],
    { retry: { baseDelayMs: 2, maxAttempts: 30, budget: 10_000 } },
  );
  for (let round = 0; round < 10; round++) {
    const location = newLocation();
    const writers = Array.from({ length: 6 }, (_, index) => pattern(100 + index));
    const results = await Promise.allSettled(writers.map((bytes) => io.write(location, bytes, { ifNoneMatch: true })));
    const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners.length).toBe(1);
    expectBytes(await direct.read(location), writers[winners[0]!]!);
    for (const result of results) {
      if (result.status === 'rejected') await failure(Promise.reject(result.reason as Error), 'ALREADY_EXISTS');
    }
  }
});
