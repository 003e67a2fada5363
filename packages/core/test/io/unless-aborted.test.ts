import { expect, test } from 'vitest';
import { unlessAborted } from '../../src/io/unless-aborted.ts';
import { expectError } from '../table/support.ts';

test('many wait for one signal without a warning, and all are told', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const controller = new AbortController();
  const never = new Promise<never>(() => undefined);
  const waiting = Array.from({ length: 50 }, () => unlessAborted(never, controller.signal));
  expect(await Promise.all([1, 2].map((one) => unlessAborted(Promise.resolve(one), controller.signal)))).toEqual([
    1, 2,
  ]);
  const outcomes = waiting.map((one) => expectError(one, 'ABORTED'));
  controller.abort();
  await Promise.all(outcomes);
  await expectError(unlessAborted(never, controller.signal), 'ABORTED');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

test('nobody listens once nobody waits', async () => {
  const { signal } = new AbortController();
  const counted = { added: 0, removed: 0 };
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (counted.added++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (counted.removed++, remove(...args));
  for (let round = 0; round < 3; round++) {
    await Promise.all([1, 2, 3].map((one) => unlessAborted(Promise.resolve(one), signal)));
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(counted).toEqual({ added: 3, removed: 3 });
});
