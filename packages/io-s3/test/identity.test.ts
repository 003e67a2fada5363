import { isLakehouseError, systemRuntime, type Runtime } from '@lh/core';
import { expect, test } from 'vitest';
import { RenewedIdentity } from '../src/identity.ts';
import type { S3Identity } from '../src/index.ts';
import { failure } from './support.ts';

const MINUTE = 60_000;

/** Keys named by number, valid for so long; the clock goes where the test says. */
function renewed(validMs: number | null): {
  identity: RenewedIdentity;
  clock: { ms: number };
  asked: { times: number; fails: boolean };
  current(): Promise<string>;
} {
  const clock = { ms: 1_000_000 };
  const asked = { times: 0, fails: false };
  const runtime: Runtime = { ...systemRuntime, now: () => clock.ms };
  const provider = async (): Promise<S3Identity> => {
    const keys = { accessKeyId: String(asked.times++), secretAccessKey: 's' };
    if (asked.fails) throw new Error('no keys today');
    return validMs === null ? keys : { ...keys, expiration: new Date(clock.ms + validMs) };
  };
  const identity = new RenewedIdentity(provider, runtime);
  return { identity, clock, asked, current: async () => (await identity.current()).accessKeyId };
}

test('keys are asked for once, by all who want them at the same time', async () => {
  const { current, asked, clock } = renewed(60 * MINUTE);
  expect(await Promise.all([current(), current(), current()])).toEqual(['0', '0', '0']);
  clock.ms += 50 * MINUTE;
  expect([await current(), asked.times]).toEqual(['0', 1]);
});

test('ahead of their expiration they are renewed, and nobody waits for it', async () => {
  const { current, asked, clock } = renewed(60 * MINUTE);
  await current();
  clock.ms += 56 * MINUTE;
  expect([await current(), asked.times]).toEqual(['0', 2]);
  expect(await current()).toBe('1');
  clock.ms += 61 * MINUTE;
  expect(await current()).toBe('2');
});

test('keys that are not valid for long are renewed half-way', async () => {
  const { current, asked, clock } = renewed(4 * MINUTE);
  await current();
  clock.ms += 1.9 * MINUTE;
  await current();
  expect(asked.times).toBe(1);
  clock.ms += 0.2 * MINUTE;
  await current();
  expect(asked.times).toBe(2);
});

test('while renewing fails the old ones serve, and are not asked for with each request', async () => {
  const { current, asked, clock } = renewed(60 * MINUTE);
  await current();
  clock.ms += 56 * MINUTE;
  asked.fails = true;
  for (let i = 0; i < 10; i++) {
    expect(await current()).toBe('0');
    await new Promise(setImmediate);
  }
  expect(asked.times).toBe(2);
  clock.ms += 5 * MINUTE;
  const error = await failure(current(), 'UNAUTHORIZED');
  expect(isLakehouseError(error) && (error.cause as Error).message).toBe('no keys today');
  asked.fails = false;
  expect(await current()).toBe('3');
});

test('keys without an expiration last until the store refuses them', async () => {
  const { current, identity, asked, clock } = renewed(null);
  const keys = await identity.current();
  clock.ms += 1e9;
  expect([await current(), asked.times]).toEqual(['0', 1]);
  identity.refused(keys);
  expect(await current()).toBe('1');
  // Late news of the old ones don't count.
  identity.refused(keys);
  expect(await current()).toBe('1');
});

test('what is no pair of keys is refused', async () => {
  for (const given of [undefined, {}, { accessKeyId: 'a' }]) {
    const identity = new RenewedIdentity(async () => given as S3Identity, systemRuntime);
    await failure(identity.current(), 'UNAUTHORIZED');
  }
});
