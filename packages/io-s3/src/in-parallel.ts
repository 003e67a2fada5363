import { setMaxListeners } from 'node:events';
import { aborted } from './s3-errors.ts';

/**
 * Works on items side by side, so many at a time, and asks for an item when there is a hand for it. After a failure no
 * other is begun; those under way are told to stop, and all have ended when the first failure is thrown.
 */
export async function inParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  // As many listen as there are hands, and requests of theirs: no leak, as Node would warn of.
  setMaxListeners(0, either);
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    try {
      while (failures.length === 0) {
        const next = await unlessAborted(Promise.resolve(iterator.next()), either);
        if (next.done) return;
        await work(next.value, either);
      }
    } catch (error) {
      failures.push(error);
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length === 0) return;
  // Not waited for: it may hang, which is why one gave up.
  void Promise.resolve(iterator.return?.()).catch(() => undefined);
  throw failures[0];
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(aborted(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
