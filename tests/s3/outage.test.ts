import { FaultProxy, type ProxyFault, type ProxyRequest } from 'lakehouse-s3-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';
import { newWarehouse, s3FileIO } from './support.ts';
import { TrackedTable, append, upsert } from './tracked-table.ts';

// The store is gone in the middle of a commit for longer than anyone tries: from each of its requests on.

let proxy: FaultProxy;
let table: TrackedTable;
beforeEach(async () => {
  proxy = await FaultProxy.start(s3Place().endpoint);
  const retry = { maxAttempts: 2, baseDelayMs: 1 };
  const failing = s3FileIO({ endpoint: proxy.endpoint, retry });
  const settled = () => proxy.settled();
  table = await TrackedTable.create(await newWarehouse(), { sound: s3FileIO(), failing, settled });
  await table.make(append([1, 2]));
});
afterEach(() => proxy.stop());

/** Breaks all requests after so many. */
function breakAfter(requests: number, fault: ProxyFault): void {
  let passed = 0;
  proxy.rules = [{ fault, when: () => passed++ >= requests }];
}

describe.each(['reset', 'drop-answer'] as const)('%s', (fault) => {
  test('an append fails cleanly, or has happened', async () => {
    const outcomes = new Set<string>();
    for (let n = 0, done = false; !done; n++) {
      breakAfter(n, fault);
      done = await table.make(append([100 + n]));
      outcomes.add(done ? 'acknowledged' : table.failures.at(-1)!.code);
      proxy.rules = [];
      // Whoever comes next finds a table to go on with.
      expect(await table.make(append([200 + n])), `after ${n} requests`).toBe(true);
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['UNAVAILABLE', 'COMMIT_STATE_UNKNOWN', 'acknowledged']));
    expect(await table.check(), 'what was staged by commits that failed').toBeGreaterThan(0);
  });
});

test('a commit whose answers all get lost is read back', async () => {
  const isClaim = ({ key, conditional }: ProxyRequest): boolean => conditional && key.endsWith('.metadata.json');
  proxy.rules = [{ fault: 'drop-answer', operations: ['PutObject'], when: isClaim }];
  await table.make(append([3]));
  expect(table.failures).toEqual([]);
  await table.make(upsert([1, 4], 1, 'merge-on-read'));
  expect(table.failures).toEqual([]);
  await table.check();
});

test('a commit whose request comes late is made once', async () => {
  const isClaim = ({ key, conditional }: ProxyRequest): boolean => conditional && key.endsWith('.metadata.json');
  proxy.rules = [{ fault: 'act-late', operations: ['PutObject'], when: isClaim, delayMs: 30 }];
  for (let n = 0; n < 5; n++) await table.make(append([10 + n]));
  expect(table.failures).toEqual([]);
  await table.check();
});
