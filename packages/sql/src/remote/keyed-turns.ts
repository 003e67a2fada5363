import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '@lh/core';

/** Work on one key is done one at a time, in the order of asking. */
export class KeyedTurns {
  readonly #last = new Map<string, Promise<void>>();

  async take<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    let done = (): void => undefined;
    const own = new Promise<void>((resolve) => (done = resolve));
    const turn = before.then(() => own);
    this.#last.set(key, turn);
    try {
      await untilAborted(before, signal);
      throwIfAborted(signal);
      return await work();
    } finally {
      done();
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  let stop = (): void => undefined;
  const aborted = new Promise<void>((resolve) => (stop = resolve));
  // A turn for each file: no leak, as Node would warn of.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
