import { Worker } from 'node:worker_threads';

/**
 * Watches code that damaged input might send into an endless loop, or into all memory. A thread of its own does, because
 * a loop that never yields stops every timer of this one: it measures the process's memory while work runs, and if work
 * takes too long it says which, and ends the process.
 */
export class Guard {
  readonly #thread: Worker;
  readonly #shared = new SharedArrayBuffer(32);
  /** When the work must be done, in milliseconds since the epoch, or 0; highest and lowest memory seen, in bytes. */
  readonly #numbers = new Float64Array(this.#shared);

  constructor() {
    this.#thread = new Worker(WATCH, { eval: true, workerData: this.#shared });
    this.#thread.unref();
  }

  /** Runs work that has to be done in time; gives its result and by how much the process grew at most, in bytes. */
  async run<T>(label: string, limitMs: number, work: () => Promise<T>): Promise<{ result: T; peakBytes: number }> {
    const before = process.memoryUsage.rss();
    this.#numbers[PEAK] = before;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
    this.#thread.postMessage(label);
    this.#numbers[DEADLINE] = Date.now() + limitMs;
    try {
      const result = await work();
      const peak = Math.max(this.#numbers[PEAK] ?? 0, process.memoryUsage.rss());
      return { result, peakBytes: peak - before };
    } finally {
      this.#numbers[DEADLINE] = 0;
    }
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}

const DEADLINE = 0;
const PEAK = 1;

const WATCH = `
  const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');
  const numbers = new Float64Array(workerData);
  let label = '';
  parentPort.on('message', (text) => { label = text; });
  setInterval(() => {
    const deadline = numbers[${DEADLINE}];
    if (deadline === 0) return;
    numbers[${PEAK}] = Math.max(numbers[${PEAK}], process.memoryUsage.rss());
    if (Date.now() <= deadline) return;
    require('node:fs').writeSync(2, label + ' does not come to an end; the process is stopped.\\n');
    process.kill(process.pid, 'SIGKILL');
  }, 5);
`;
