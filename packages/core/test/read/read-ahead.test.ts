import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { readAhead } from '../../src/read/read-ahead.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';

interface Step {
  readonly findMs: number;
  readonly openMs: number;
  readonly useMs: number;
  readonly bytes: number;
}

const steps = fc.array(
  fc.record({
    findMs: fc.integer({ min: 0, max: 3 }),
    openMs: fc.integer({ min: 0, max: 9 }),
    useMs: fc.integer({ min: 0, max: 9 }),
    bytes: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 30 },
);

/** What was done to `items`, on a clock that only waiting moves. */
async function run(
  items: readonly Step[],
  limits: { readonly items: number; readonly bytes: number },
  { failing = -1, stopAt = Infinity } = {},
): Promise<{ taken: number[]; mostItems: number; tooMany: boolean; error: unknown; left: number; ms: number }> {
  const runtime = new SeededRuntime(1);
  const startedMs = runtime.now();
  const open = new Map<number, number>();
  const taken: number[] = [];
  let [mostItems, tooMany, error, left] = [0, false, null as unknown, 0];
  const sum = (): number => [...open.values()].reduce((total, bytes) => total + bytes, 0);
  const source = async function* (): AsyncGenerator<number> {
    try {
      for (const [i, { findMs }] of items.entries()) {
        await runtime.sleep(findMs);
        yield i;
      }
    } finally {
      left++;
    }
  };
  const opened = async (i: number): Promise<number> => {
    // The one that goes beyond a limit may be the last.
    if (open.size > 0 && sum() >= limits.bytes) tooMany = true;
    open.set(i, items[i]!.bytes);
    mostItems = Math.max(mostItems, open.size);
    await runtime.sleep(items[i]!.openMs);
    if (i === failing) throw new Error(`item ${i}`);
    return i;
  };
  const consume = async (): Promise<void> => {
    for await (const i of readAhead(source(), opened, { ...limits, bytesOf: (each) => items[each]!.bytes })) {
      open.delete(i);
      taken.push(i);
      if (taken.length >= stopAt) return;
      await runtime.sleep(items[i]!.useMs);
    }
  };
  const [outcome] = await runtime.run([consume]);
  if (outcome!.status === 'rejected') error = outcome!.reason;
  return { taken, mostItems, tooMany, error, left, ms: runtime.now() - startedMs };
}

describe('reading ahead', () => {
  const limits = fc.record({ items: fc.integer({ min: 1, max: 8 }), bytes: fc.integer({ min: 1, max: 30 }) });

  it('gives everything in order, and opens no more than it may', async () => {
    await fc.assert(
      fc.asyncProperty(steps, limits, async (items, most) => {
        const result = await run(items, most);
        expect(result.error).toBeNull();
        expect(result.taken).toEqual(items.map((_, i) => i));
        expect(result.mostItems).toBeLessThanOrEqual(most.items);
        expect(result.tooMany).toBe(false);
        expect(result.left).toBe(1);
        // Never slower than one after the other.
        expect(result.ms).toBeLessThanOrEqual(items.reduce((ms, s) => ms + s.findMs + s.openMs + s.useMs, 0));
      }),
      { numRuns: runs(100) },
    );
  });

  it('reports a failure in its turn, and ends when the consumer does', async () => {
    await fc.assert(
      fc.asyncProperty(steps, limits, fc.nat(30), fc.integer({ min: 1, max: 30 }), async (items, most, at, stopAt) => {
        const failing = await run(items, most, { failing: at });
        expect(failing.taken).toHaveLength(Math.min(at, items.length));
        expect(failing.error === null).toBe(at >= items.length);
        expect(failing.left).toBe(1);
        const stopped = await run(items, most, { stopAt });
        expect(stopped.taken).toHaveLength(Math.min(stopAt, items.length));
        expect(stopped.left).toBe(1);
      }),
      { numRuns: runs(100) },
    );
  });

  it('has a far store answer many requests in the time of one', async () => {
    const items = Array.from({ length: 62 }, () => ({ findMs: 0, openMs: 10, useMs: 0, bytes: 1 }));
    expect((await run(items, { items: 32, bytes: 1000 })).ms).toBeLessThanOrEqual(50);
    expect((await run(items, { items: 1, bytes: 1000 })).ms).toBe(620);
  });

  it('reports what breaks while items are looked for', async () => {
    const source = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('no more');
    };
    const taken: number[] = [];
    const consume = async (): Promise<void> => {
      for await (const i of readAhead(source(), (item) => Promise.resolve(item), {
        items: 4,
        bytes: 10,
        bytesOf: () => 1,
      }))
        taken.push(i);
    };
    await expect(consume()).rejects.toThrow('no more');
    expect(taken).toEqual([1]);
  });
});
