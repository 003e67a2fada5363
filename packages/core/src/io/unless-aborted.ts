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
    const leave = onAbort(signal, stop);
    stop();
    void promise.then(resolve, reject).finally(leave);
  });
}

interface Waiting {
  readonly stops: Set<() => void>;
  readonly tell: () => void;
}

/** Many wait for one signal with one listener: Node takes more than a few for a leak, and says so. */
const WAITING = new WeakMap<AbortSignal, Waiting>();

/** Gives the way to stop waiting. */
function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const { stops, tell } = WAITING.get(signal) ?? beginToWait(signal);
  stops.add(stop);
  return () => {
    stops.delete(stop);
    if (stops.size > 0) return;
    signal.removeEventListener('abort', tell);
    WAITING.delete(signal);
  };
}

function beginToWait(signal: AbortSignal): Waiting {
  const stops = new Set<() => void>();
  const tell = (): void => {
    for (const stop of stops) stop();
  };
  const waiting = { stops, tell };
  WAITING.set(signal, waiting);
  signal.addEventListener('abort', tell, { once: true });
  return waiting;
}
