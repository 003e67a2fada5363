import { throwIfAborted } from '../errors.ts';

/** A promise's outcome, or ABORTED as soon as the signal says so: what others wait for, too, goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error as Error);
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    stop();
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
