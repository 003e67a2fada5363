import { systemRuntime, type Runtime } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { failure, newRoot, s3FileIO, throughProxy } from './support.ts';

let root: string;
beforeAll(async () => {
  root = await newRoot();
  await s3FileIO().write(`${root}/f`, new Uint8Array(10));
});

/** A clock that goes on only while one sleeps, and always draws the same number. */
function watched(fraction: number): { runtime: Runtime; waits: number[] } {
  const waits: number[] = [];
  let now = 0;
  const runtime: Runtime = {
    ...systemRuntime,
    now: () => now,
    randomBytes: (length) => new Uint8Array(length).fill(fraction * 256),
    sleep: async (milliseconds) => {
      waits.push(Math.round(milliseconds));
      now += milliseconds;
    },
  };
  return { runtime, waits };
}

test('waits are drawn below a bound that doubles, up to the largest', async () => {
  const { runtime, waits } = watched(0.5);
  const retry = { maxAttempts: 8, baseDelayMs: 100, maxDelayMs: 1_500 };
  const { io, proxy } = await throughProxy([{ fault: 'reset' }], { retry, runtime });
  await failure(io.read(`${root}/f`), 'UNAVAILABLE');
  expect(proxy.requests.length).toBe(8);
  const drawn = waits.map((wait) => Math.round(wait / 50) * 50);
  expect(drawn).toEqual([50, 100, 200, 400, 750, 750, 750]);
});

test('a store that asks for patience gets more', async () => {
  const { runtime, waits } = watched(0.5);
  const { io } = await throughProxy([{ fault: 'slow-down', times: 2 }], { retry: { baseDelayMs: 100 }, runtime });
  expect((await io.read(`${root}/f`)).length).toBe(10);
  expect(waits.map((wait) => Math.round(wait / 50) * 50)).toEqual([400, 800]);
});

test('no attempt starts after the time that is given', async () => {
  const { runtime, waits } = watched(0.99);
  const retry = { maxAttempts: 100, baseDelayMs: 1_000, maxDelayMs: 4_000, maxElapsedMs: 10_000 };
  const { io } = await throughProxy([{ fault: 'reset' }], { retry, runtime });
  await failure(io.read(`${root}/f`), 'UNAVAILABLE');
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(10_000);
  expect(waits.length).toBe(3);
});

test('all requests together make no more retries than the budget has, and successes fill it again', async () => {
  const retry = { maxAttempts: 5, baseDelayMs: 0, budget: 6 };
  const { io, proxy } = await throughProxy([{ fault: 'reset' }], { retry });
  await Promise.all(Array.from({ length: 10 }, () => failure(io.stat(`${root}/f`), 'UNAVAILABLE')));
  expect(proxy.requests.length).toBe(10 + 6);
  proxy.rules = [];
  for (let i = 0; i < 5; i++) await io.stat(`${root}/f`);
  proxy.clear();
  proxy.rules = [{ fault: 'reset' }];
  await failure(io.stat(`${root}/f`), 'UNAVAILABLE');
  expect(proxy.requests.length).toBe(2);
});

test('a wait ends with the signal', async () => {
  const { io, proxy } = await throughProxy([{ fault: 'reset' }], {
    retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
  });
  const abort = new AbortController();
  const reading = failure(io.read(`${root}/f`, { signal: abort.signal }), 'ABORTED');
  while (proxy.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  setTimeout(() => abort.abort(), 20);
  await reading;
});

test('a connection that is closed opens again for who goes on', async () => {
  const io = s3FileIO();
  expect((await io.read(`${root}/f`)).length).toBe(10);
  await io.close();
  expect((await io.read(`${root}/f`)).length).toBe(10);
  await io.close();
});
