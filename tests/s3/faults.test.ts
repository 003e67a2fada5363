import { randomBytes } from 'node:crypto';

import {
  FaultProxy,
  type ProxyFault,
  type ProxyRequest,
  type ProxyRule,
  type S3Operation,
  listUploads,
} from 'lakehouse-s3-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { s3Place } from '../support/s3/vitest/place.ts';
import { seed } from '../support/seed.ts';
import { failure, newWarehouse, s3FileIO } from './support.ts';
import { TrackedTable, append, remove, upsert } from './tracked-table.ts';

const FAULTS: readonly ProxyFault[] = [
  'reset',
  'reset-request',
  'reset-response',
  'drop-answer',
  'act-late',
  'slow-down',
];

const OPERATIONS: readonly S3Operation[] = [
  'GetObject',
  'HeadObject',
  'ListObjectsV2',
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'DeleteObjects',
];

const MIB = 1024 * 1024;

let proxy: FaultProxy;
let table: TrackedTable;
beforeEach(async () => {
  proxy = await FaultProxy.start(s3Place().endpoint, { seed: seed(1) });
  const failing = s3FileIO({
    endpoint: proxy.endpoint,
    partSize: 5 * MIB,
    retry: { baseDelayMs: 1, maxDelayMs: 20 },
  });
  const settled = () => proxy.settled();
  table = await TrackedTable.create(await newWarehouse(), { sound: s3FileIO(), failing, settled });
});
afterEach(() => proxy.stop());

/** Random text, which no codec makes small: more than two parts of an upload. */
const BIG = randomBytes(8 * MIB).toString('base64');

/** Does what makes every kind of request: rewrites, small commits, merged manifests, reads, and an upload in parts. */
async function work(text: string | null = BIG): Promise<void> {
  await table.make(append([1], text));
  await table.make(append([2, 3, 4]));
  await table.make(upsert([3, 5], 1, 'merge-on-read'));
  await table.make(remove(2, 'copy-on-write'));
  await table.make(append([6]));
  await table.make(upsert([6, 7], 2, 'copy-on-write'));
}

test('30 ms of latency are only slow', async () => {
  proxy.latencyMs = 30;
  await work();
  await table.read();
  expect(table.failures).toEqual([]);
  expect(await table.check()).toBe(0);
});

test('an upload whose writer died is found and ended', async () => {
  const endless = (async function* () {
    for (let part = 0; part < 4; part++) yield new Uint8Array(5 * MIB);
    await new Promise(() => undefined);
  })();
  const dying = s3FileIO({ partSize: 5 * MIB });
  void dying.write(`${table.location}/data/half.parquet`, endless).catch(() => undefined);
  const bucket = new URL(table.location).host;
  await expect.poll(() => listUploads(s3Place(), bucket), { timeout: 20_000 }).toHaveLength(1);
  await table.check();
});

test('an append that is told to stop does, and leaves no upload', async () => {
  const stop = new AbortController();
  const isPart = ({ operation }: ProxyRequest): boolean => operation === 'UploadPart';
  proxy.latencyMs = 20;
  proxy.rules = [{ fault: 'slow-down', when: (request) => isPart(request) && (stop.abort(), false) }];
  await failure(append([1], BIG).run(table.handle, stop.signal), 'ABORTED');
  await proxy.settled();
  expect(proxy.requests.some(isPart)).toBe(true);
  expect(await listUploads(s3Place(), new URL(table.location).host)).toEqual([]);
  await table.check();
});

describe.each(FAULTS)('%s', (fault) => {
  test('of one request of each kind is made up for', async () => {
    proxy.rules = OPERATIONS.map((operation): ProxyRule => ({ fault, operations: [operation], times: 1 }));
    await work();
    await table.read();
    expect(table.failures).toEqual([]);
    await table.check();
    const hit = proxy.requests.filter((request) => request.fault === fault).map(({ operation }) => operation);
    expect(hit.toSorted()).toEqual(OPERATIONS.toSorted());
  });

  test('of every third request costs no acknowledged commit', async () => {
    proxy.rules = [{ fault, probability: 1 / 3 }];
    await work(null);
    proxy.rules = [];
    await table.check();
  });
});
