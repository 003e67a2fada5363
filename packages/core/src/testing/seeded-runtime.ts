import { LakehouseError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * A runtime with a seed for randomness and a clock that only `run` moves: when every task waits, the next sleeper
 * wakes and the clock jumps there. The same seed gives the same interleaving of tasks, however long they sleep.
 */
export class SeededRuntime implements Runtime {
  readonly concurrency: number;
  #nowMs: number;
  #state: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(seed: number, options: { readonly startMs?: number; readonly concurrency?: number } = {}) {
    this.#state = seed >>> 0;
    this.#nowMs = options.startMs ?? 1_700_000_000_000;
    this.concurrency = options.concurrency ?? 4;
  }

  now(): number {
    return Math.floor(this.#nowMs);
  }

  /** A number in [0, 1) (the "mulberry32" generator). */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [0, bound). */
  randomInteger(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.randomInteger(256));
  }

  /** Moves the clock without waking anyone. */
  advance(milliseconds: number): void {
    this.#nowMs += milliseconds;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const timer: Timer = { at: this.#nowMs + Math.max(0, milliseconds), order: this.#order++, fire: resolve };
      this.#timers.push(timer);
      signal?.addEventListener('abort', () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal.reason as Error);
      });
    });
  }

  /** Runs tasks side by side until all are done, waking sleepers in the order of the clock. */
  async run<T>(tasks: readonly (() => Promise<T>)[]): Promise<PromiseSettledResult<T>[]> {
    const run = { done: false };
    const all = Promise.allSettled(tasks.map((task) => task())).finally(() => {
      run.done = true;
    });
    while (!run.done) {
      await settled();
      if (!run.done) this.#wakeNext();
    }
    return all;
  }

  #wakeNext(): void {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    if (!next) throw new LakehouseError('ABORTED', 'The tasks wait for something other than the clock of the runtime.');
    const woken = next;
    this.#timers = this.#timers.filter((timer) => timer !== woken);
    this.#nowMs = Math.max(this.#nowMs, woken.at);
    woken.fire();
  }
}

/** Resolves when everything that can go on without a timer has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
