import { randomBytes } from 'node:crypto';

import {
  FaultProxy,
  type ProxyFault,
  type ProxyRule,
  type S3Operation,
  assumeRole,
  newBucket,
  signedRequest,
} from 'lakehouse-s3-server';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';

// What the faults of other tests are made of does what it says.

const BODY = randomBytes(300_000).toString('hex');

let bucket: string;
let proxy: FaultProxy;
beforeAll(async () => {
  bucket = await newBucket(s3Place());
});
beforeEach(async () => {
  proxy = await FaultProxy.start(s3Place().endpoint);
});
afterEach(() => proxy.stop());

/** A request through the proxy: `PUT key`, with a body, or another one. */
function send(line: string, body?: string) {
  const [method, path] = line.split(' ') as [string, string];
  const place = { ...s3Place(), endpoint: proxy.endpoint };
  return signedRequest(place, { method, path: `/${bucket}/${path}`, service: 's3', ...(body && { body }) });
}

async function stored(key: string): Promise<string | null> {
  const answer = await signedRequest(s3Place(), { method: 'GET', path: `/${bucket}/${key}`, service: 's3' });
  return answer.status === 200 ? answer.body : null;
}

function rule(fault: ProxyFault, more?: Partial<ProxyRule>): ProxyRule {
  return { fault, times: 1, ...more };
}

test('requests pass, and are counted by operation', async () => {
  expect((await send('PUT a%20b/c', BODY)).status).toBe(200);
  expect((await send('GET a%20b/c')).body).toBe(BODY);
  expect((await send('GET none')).status).toBe(404);
  expect((await send('HEAD a%20b/c')).status).toBe(200);
  expect((await send('GET ?list-type=2')).body).toContain('a b/c');
  expect((await send('POST a%20b/d?uploads=')).body).toContain('UploadId');
  expect((await send('DELETE a%20b/c')).status).toBe(204);
  const [put, got] = proxy.requests;
  expect(put).toMatchObject({ operation: 'PutObject', bucket, key: 'a b/c', status: 200, sent: BODY.length });
  expect(got).toMatchObject({ operation: 'GetObject', status: 200, sent: 0, received: BODY.length, fault: null });
  const requests = [...proxy.counts()].map(([operation, count]) => [operation, count.requests]);
  expect(Object.fromEntries(requests)).toEqual({
    PutObject: 1,
    GetObject: 2,
    HeadObject: 1,
    ListObjectsV2: 1,
    CreateMultipartUpload: 1,
    DeleteObject: 1,
  } satisfies Partial<Record<S3Operation, number>>);
});

test.for([
  { fault: 'reset', acted: false },
  { fault: 'reset-request', acted: false },
  { fault: 'drop-answer', acted: true },
  { fault: 'reset-response', acted: true },
] as const)('$fault: the client is cut off, and the server has acted: $acted', async ({ fault, acted }) => {
  proxy.rules = [rule(fault)];
  await expect(send(`PUT ${fault}`, BODY)).rejects.toThrow(/ECONNRESET|hang up/);
  expect(await stored(fault)).toBe(acted ? BODY : null);
  expect((await send(`PUT ${fault}`, BODY)).status).toBe(200);
  expect(proxy.requests.map((request) => request.fault)).toEqual([fault, null]);
});

test('an answer breaks in the middle of its body', async () => {
  await send('PUT half', BODY);
  proxy.rules = [rule('reset-response')];
  await expect(send('GET half')).rejects.toThrow(/aborted|ECONNRESET/);
  expect(proxy.requests.at(-1)!.received).toBe(BODY.length / 2);
});

test('a request that arrives late is carried out all the same', async () => {
  proxy.rules = [rule('act-late', { delayMs: 100 })];
  await expect(send('PUT late', BODY)).rejects.toThrow(/ECONNRESET|hang up/);
  expect(await stored('late')).toBeNull();
  await expect.poll(() => stored('late')).toBe(BODY);
});

test('503 SlowDown comes without the server having heard', async () => {
  proxy.rules = [rule('slow-down', { operations: ['PutObject'] })];
  expect((await send('GET busy')).status).toBe(404);
  expect(await send('PUT busy', BODY)).toMatchObject({ status: 503, body: expect.stringContaining('SlowDown') });
  expect(await stored('busy')).toBeNull();
  expect((await send('PUT busy', BODY)).status).toBe(200);
});

test('rules are drawn by a seed', async () => {
  const faults = async (seed: number): Promise<string> => {
    await proxy.stop();
    proxy = await FaultProxy.start(s3Place().endpoint, { seed, rules: [{ fault: 'slow-down', probability: 0.5 }] });
    let drawn = '';
    for (let i = 0; i < 30; i++) drawn += (await send('GET none')).status === 503 ? 'x' : '.';
    return drawn;
  };
  const [one, again, other] = [await faults(1), await faults(1), await faults(2)];
  expect(one).toMatch(/x.*\..*x/);
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

test('latency and bandwidth take their time', async () => {
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedMs = performance.now();
    await work();
    return performance.now() - startedMs;
  };
  proxy.latencyMs = 60;
  expect(await timed(() => send('PUT slow', BODY))).toBeGreaterThanOrEqual(59);
  await proxy.stop();
  proxy = await FaultProxy.start(s3Place().endpoint, { bytesPerSecond: 3_000_000 });
  expect(await timed(() => send('GET slow'))).toBeGreaterThanOrEqual(190);
  expect(await timed(() => Promise.all([send('GET slow'), send('GET slow')]))).toBeGreaterThanOrEqual(390);
});

test('temporary credentials may do what they are allowed to', async () => {
  const { sessionToken, ...keys } = await assumeRole(s3Place(), [
    { actions: ['s3:GetObject'], resources: [`arn:aws:s3:::${bucket}/allowed/*`] },
  ]);
  const get = (key: string, headers: Record<string, string>) =>
    signedRequest({ ...s3Place(), ...keys }, { method: 'GET', path: `/${bucket}/${key}`, service: 's3', headers });
  const token = { 'x-amz-security-token': sessionToken };
  await send('PUT allowed/there', BODY);
  expect((await get('allowed/there', token)).status).toBe(200);
  expect((await get('forbidden', token)).status).toBe(403);
  expect((await get('allowed/there', { 'x-amz-security-token': `${sessionToken}x` })).status).toBe(403);
  expect((await get('allowed/there', {})).status).toBe(403);
});
