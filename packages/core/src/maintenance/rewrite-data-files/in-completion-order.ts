export interface Work<T, R> {
  readonly concurrency: number;
  readonly map: (item: T) => Promise<R>;
  /** Nobody waits for what is under way any more. */
  readonly stop: () => void;
  /** Gets what came of it all the same. */
  readonly discard: (result: R) => Promise<void>;
}

/**
 * Maps items, some of them at a time, and gives the results as they come. If one fails or the consumer stops, it ends
 * when nothing is under way any more.
 */
export async function* inCompletionOrder<T, R>(
  items: readonly T[],
  { concurrency, map, stop, discard }: Work<T, R>,
): AsyncGenerator<R, void, undefined> {
  const running = new Map<number, Promise<readonly [number, R]>>();
  let next = 0;
  const start = (): void => {
    for (; running.size < concurrency && next < items.length; next++) {
      const at = next;
      const result = map(items[at]!).then((value) => [at, value] as const);
      // A failure is reported when its turn comes.
      result.catch(() => undefined);
      running.set(at, result);
    }
  };
  try {
    for (start(); running.size > 0; start()) {
      const [at, result] = await Promise.race(running.values());
      running.delete(at);
      yield result;
    }
  } finally {
    if (running.size > 0) stop();
    const left = await Promise.allSettled(running.values());
    for (const one of left) if (one.status === 'fulfilled') await discard(one.value[1]);
  }
}
