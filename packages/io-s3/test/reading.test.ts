import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProxyRule } from '../../../tests/support/s3/src/index.ts';
import type { S3FileIO } from '../src/index.ts';
import { beforeRetries, collect, expectBytes, failure, newRoot, pattern, s3FileIO, throughProxy } from './support.ts';

const MB = 1024 * 1024;
const PARTS = { partSize: 5 * MB };
const BIG = pattern(21 * MB + 12_345);
const SMALL = pattern(300_000);

let root: string;
let direct: S3FileIO;
beforeAll(async () => {
  root = await newRoot();
  direct = s3FileIO();
  await Promise.all([direct.write(`${root}/big`, BIG), direct.write(`${root}/small`, SMALL)]);
});
afterAll(() => direct.close());

describe('requests of a read', () => {
  test('one for what is small, whole or in part', async () => {
    const { io, proxy } = await throughProxy();
    expectBytes(await io.read(`${root}/small`), SMALL);
    expectBytes(await io.read(`${root}/small`, { offset: -1000 }), SMALL.subarray(-1000));
    expectBytes(await io.read(`${root}/small`, { offset: -1000, length: 10 }), SMALL.subarray(-1000, -990));
    expectBytes(await io.read(`${root}/small`, { offset: 250_000 }), SMALL.subarray(250_000));
    expect(proxy.requests.map(({ operation }) => operation)).toEqual(Array(4).fill('GetObject'));
  });

  test('the parts of what is large, without a byte twice', async () => {
    const { io, proxy } = await throughProxy([], PARTS);
    expectBytes(await io.read(`${root}/big`), BIG);
    const range = (from: number, to: number): string => `bytes=${from}-${to - 1}`;
    expect(proxy.requests.map((request) => request.range)).toEqual([
      range(0, 10 * MB),
      range(10 * MB, 15 * MB),
      range(15 * MB, 20 * MB),
      range(20 * MB, BIG.length),
    ]);
    expect(proxy.requests.reduce((sum, { received }) => sum + received, 0)).toBe(BIG.length);
    proxy.clear();
    expectBytes(await io.read(`${root}/big`, { offset: 5, length: 12 * MB }), BIG.subarray(5, 5 + 12 * MB));
    expect(proxy.requests.length).toBe(2);
    // Of a large end the size is asked for first.
    proxy.clear();
    expectBytes(await io.read(`${root}/big`, { offset: -12 * MB }), BIG.subarray(-12 * MB));
    expect(proxy.requests.map(({ operation }) => operation)).toEqual(['HeadObject', 'GetObject', 'GetObject']);
  });

  test('small reads that are asked for together and lie close to each other share one', async () => {
    const { io, proxy } = await throughProxy();
    const ranges = [
      { offset: 100, length: 50 },
      { offset: 0, length: 10 },
      { offset: 120, length: 1000 },
      { offset: 4000, length: 1 },
      { offset: 200_000, length: 5 },
    ];
    const read = await Promise.all(ranges.map((range) => io.read(`${root}/small`, range)));
    expect(read).toEqual(ranges.map(({ offset, length }) => SMALL.slice(offset, offset + length)));
    expect(proxy.requests.map(({ range }) => range).toSorted()).toEqual(['bytes=0-4000', 'bytes=200000-200004']);
    read[0]!.fill(0);
    expect(await io.read(`${root}/small`, ranges[2])).toEqual(SMALL.slice(120, 1120));
  });

  test('of reads that share a request, one past the end and one that is given up concern nobody else', async () => {
    const { io } = await throughProxy();
    const abort = new AbortController();
    const [first, past, given, last] = [
      io.read(`${root}/small`, { offset: 299_000, length: 10 }),
      failure(io.read(`${root}/small`, { offset: 299_990, length: 11 }), 'INVALID_ARGUMENT'),
      failure(io.read(`${root}/small`, { offset: 299_010, length: 10, signal: abort.signal }), 'ABORTED'),
      io.read(`${root}/small`, { offset: 299_100, length: 10 }),
    ];
    abort.abort();
    await Promise.all([past, given]);
    expect(await first).toEqual(SMALL.slice(299_000, 299_010));
    expect(await last).toEqual(SMALL.slice(299_100, 299_110));
    await failure(Promise.all([0, 10].map((offset) => io.read(`${root}/none`, { offset, length: 5 }))), 'NOT_FOUND');
  });

  test('no more at the same time than the option says', async () => {
    const { io, proxy } = await throughProxy([], { concurrency: 3 });
    proxy.latencyMs = 20;
    const started = performance.now();
    await Promise.all(Array.from({ length: 12 }, () => io.stat(`${root}/small`)));
    expect(performance.now() - started).toBeGreaterThanOrEqual(4 * 20);
    expect(proxy.requests.length).toBe(12);
    // What waits for its turn can be given up, and takes none.
    const abort = new AbortController();
    const [first, given] = [
      Promise.all([1, 2, 3].map(() => io.stat(`${root}/small`))),
      failure(io.stat(`${root}/small`, { signal: abort.signal }), 'ABORTED'),
    ];
    abort.abort();
    await Promise.all([first, given]);
    expect(proxy.requests.length).toBe(15);
  });
});

test('whatever is read together, each read gets its bytes', async () => {
  const range = fc.record({ offset: fc.nat(SMALL.length - 1), length: fc.nat(20_000) }).map(({ offset, length }) => ({
    offset,
    length: Math.min(length, SMALL.length - offset),
  }));
  await fc.assert(
    fc.asyncProperty(fc.array(range, { maxLength: 12 }), async (ranges) => {
      const read = await Promise.all(ranges.map((each) => direct.read(`${root}/small`, each)));
      for (const [index, { offset, length }] of ranges.entries()) {
        expectBytes(read[index]!, SMALL.subarray(offset, offset + length));
      }
    }),
    { numRuns: 25 },
  );
});

test('what stat would say is told with the bytes', async () => {
  const stat = await direct.stat(`${root}/small`);
  await direct.write(`${root}/empty`, new Uint8Array());
  const empty = await direct.stat(`${root}/empty`);
  const told: unknown[] = [];
  const onStat = (each: unknown): void => void told.push(each);
  await direct.read(`${root}/small`, { onStat });
  await direct.read(`${root}/small`, { offset: -9, onStat });
  await direct.read(`${root}/small`, { offset: 3, length: 0, onStat });
  await direct.read(`${root}/empty`, { onStat });
  expect(told).toEqual([stat, stat, stat, empty]);
  await direct.read(`${root}/big`, { onStat });
  expect(told.at(-1)).toEqual(await direct.stat(`${root}/big`));
});

test('stat, list and read agree on a file, to the second', async () => {
  const [listed] = await collect(direct.list(`${root}/small`));
  expect(listed).toEqual(await direct.stat(`${root}/small`));
  expect(listed!.lastModifiedMs! % 1000).toBe(0);
});

describe('connections that break', () => {
  test('a body that breaks is gone on with where it broke', async () => {
    const { io, proxy } = await throughProxy([{ fault: 'reset-response', operations: ['GetObject'], times: 3 }]);
    expectBytes(await io.read(`${root}/small`), SMALL);
    const [first, ...others] = proxy.requests;
    expect(others.length).toBe(3);
    for (const { range } of others) expect(range).toMatch(/^bytes=[1-9]\d*-299999$/);
    expect(first!.received).toBe(150_000);
    expect(proxy.requests.reduce((sum, { received }) => sum + received, 0)).toBeLessThan(1.6 * SMALL.length);
  });

  test('so are those of parts', async () => {
    const rule = { fault: 'reset-response', operations: ['GetObject'], probability: 0.5, times: 4 } as const;
    const { io } = await throughProxy([rule], PARTS);
    expectBytes(await io.read(`${root}/big`), BIG);
  });

  test('a file that is replaced when its body has broken is read from the start', async () => {
    const location = `${root}/hint`;
    await direct.write(location, pattern(100_000));
    const other = pattern(100_001).subarray(1);
    const runtime = beforeRetries(() => direct.write(location, other));
    const { io } = await throughProxy([{ fault: 'reset-response', operations: ['GetObject'], times: 1 }], { runtime });
    expectBytes(await io.read(location), other);
  });

  test('a large file that is replaced while its parts are read is INVALID_DATA, not a mixture', async () => {
    const location = `${root}/replaced`;
    await direct.write(location, BIG);
    const first = `bytes=0-${10 * MB - 1}`;
    const runtime = beforeRetries(() => direct.write(location, BIG.slice(1)));
    const rule: ProxyRule = { fault: 'reset', when: ({ range }) => range !== first, times: 1 };
    const { io } = await throughProxy([rule], { ...PARTS, runtime });
    expect((await failure(io.read(location), 'INVALID_DATA')).message).toContain(location);
  });
});

test('a read that is aborted in the middle ends at once, and its connection with it', async () => {
  const { io, proxy } = await throughProxy([], PARTS);
  for (const location of [`${root}/big`, `${root}/small`]) {
    proxy.clear();
    proxy.latencyMs = location.endsWith('big') ? 0 : 5_000;
    const abort = new AbortController();
    const reading = failure(io.read(location, { signal: abort.signal }), 'ABORTED');
    while (!proxy.requests.some(({ received }) => received > 0 || proxy.latencyMs > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const abortedAt = performance.now();
    abort.abort();
    await reading;
    expect(performance.now() - abortedAt).toBeLessThan(1000);
  }
});

test('reads that end early give their connections back', async () => {
  const { io } = await throughProxy([], { concurrency: 2, partSize: 5 * MB });
  for (let i = 0; i < 6; i++) {
    // The store would go on with 9 MB.
    await failure(io.read(`${root}/big`, { offset: BIG.length - 9 * MB, length: 9 * MB + 1 }), 'INVALID_ARGUMENT');
    const abort = new AbortController();
    const onStat = (): void => abort.abort();
    await Promise.allSettled([
      io.read(`${root}/big`, { signal: abort.signal, onStat }),
      io.read(`${root}/none`),
      io.read(`${root}/small`, { offset: SMALL.length + 1 }),
    ]);
  }
  expectBytes(await io.read(`${root}/small`), SMALL);
});
