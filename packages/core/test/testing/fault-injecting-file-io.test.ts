import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { FaultInjectingFileIO, SeededRuntime, type FaultRule } from '../../src/testing/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function faulty(...rules: FaultRule[]): { inner: MemoryFileIO; io: FaultInjectingFileIO; runtime: SeededRuntime } {
  const runtime = new SeededRuntime(7);
  const inner = new MemoryFileIO({ runtime });
  return { inner, io: new FaultInjectingFileIO(inner, { runtime, rules }), runtime };
}

async function listed(io: FaultInjectingFileIO): Promise<string[]> {
  const seen: string[] = [];
  for await (const file of io.list('')) seen.push(file.location);
  return seen;
}

test('fail-before does nothing, fail-after does it and loses the answer', async () => {
  const before = faulty({ fault: 'fail-before', operations: ['write'] });
  await expect(before.io.write('f', bytes('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  expect(await before.inner.stat('f')).toBeNull();

  const after = faulty({ fault: 'fail-after', operations: ['write'] });
  await expect(after.io.write('f', bytes('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await after.inner.read('f')).toEqual(bytes('x'));
});

test('fail-late fails now and happens later', async () => {
  const { inner, io, runtime } = faulty({ fault: 'fail-late', operations: ['write'], delayMs: 50 });
  await runtime
    .run([
      async () => {
        await expect(io.write('f', bytes('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        expect(await inner.stat('f')).toBeNull();
        await runtime.sleep(60);
        expect(await inner.stat('f')).not.toBeNull();
      },
    ])
    .then(([result]) => expect(result).toMatchObject({ status: 'fulfilled' }));
});

test('rules choose by operation, predicate and number of times', async () => {
  const { io } = faulty(
    { fault: 'fail-before', operations: ['read'], when: (call) => call.location === 'a', times: 2 },
    { fault: 'fail-before', operations: ['stat'], when: (call) => call.index === 1, error: () => new Error('mine') },
  );
  await io.write('a', bytes('a'));
  await io.write('b', bytes('b'));
  await io.read('b');
  await expect(io.read('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(io.read('a')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await io.read('a')).toEqual(bytes('a'));
  await io.stat('a');
  await expect(io.stat('a')).rejects.toMatchObject({ message: 'mine' });
  expect(io.calls.map((call) => call.operation)).toEqual([
    'write',
    'write',
    'read',
    'read',
    'read',
    'read',
    'stat',
    'stat',
  ]);
});

test('partial: a short read, a broken list, half a delete, no write', async () => {
  const { inner, io } = faulty({ fault: 'partial' });
  for (const name of ['1', '2', '3', '4']) await inner.write(name, bytes('0123'));
  expect(await io.read('1')).toEqual(bytes('01'));
  await expect(listed(io)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const { deleted, failed } = await io.delete(['1', '2', '3', '4']);
  expect([deleted, failed.map((one) => one.location)]).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  await expect(io.write('1', bytes('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await inner.stat('1')).toBeNull();
});

async function trace(seed: number): Promise<string> {
  const runtime = new SeededRuntime(seed);
  const rules: FaultRule[] = [
    { fault: 'fail-before', probability: 0.3 },
    { fault: 'delay', probability: 0.3 },
  ];
  const io = new FaultInjectingFileIO(new MemoryFileIO({ runtime }), { runtime, rules, latencyMs: 10 });
  const events: string[] = [];
  const writer = (name: string) => async (): Promise<void> => {
    for (let index = 0; index < 5; index++) {
      const outcome = await io.write(`${name}${index}`, bytes('')).then(
        () => 'ok',
        () => 'failed',
      );
      events.push(`${name}${index} ${outcome} ${runtime.now()}`);
    }
  };
  await runtime.run(['a', 'b', 'c'].map(writer));
  return events.join('\n');
}

test('the same seed gives the same interleaving', async () => {
  expect(await trace(1)).toBe(await trace(1));
  expect(await trace(1)).not.toBe(await trace(2));
});

test('the clock of the seeded runtime moves only as far as someone sleeps', async () => {
  const runtime = new SeededRuntime(1, { startMs: 1000 });
  const order: string[] = [];
  await runtime.run([
    async () => {
      await runtime.sleep(3_600_000);
      order.push(`slow ${runtime.now()}`);
    },
    async () => {
      await runtime.sleep(5);
      order.push(`fast ${runtime.now()}`);
    },
  ]);
  expect(order).toEqual(['fast 1005', 'slow 3601000']);
  await expect(runtime.run([() => new Promise<never>(() => undefined)])).rejects.toMatchObject({ code: 'ABORTED' });
});
