/** Runs tasks a few at a time and keeps their results in the order in which they were added. */
export class TaskPool<T> {
  readonly #concurrency: number;
  readonly #active = new Set<Promise<void>>();
  readonly #results: Promise<T>[] = [];
  #done = 0;
  #failed = false;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Tasks that have succeeded. */
  get done(): number {
    return this.#done;
  }

  /** Starts a task, as soon as there is room for it. Its failure is reported by the next call of this or `drain`. */
  async add(task: () => Promise<T>): Promise<void> {
    while (this.#active.size >= this.#concurrency) await Promise.race(this.#active);
    if (this.#failed) await Promise.all(this.#results);
    const result = task();
    this.#results.push(result);
    const settled = this.#watch(result);
    this.#active.add(settled);
    void settled.finally(() => this.#active.delete(settled));
  }

  async #watch(result: Promise<T>): Promise<void> {
    try {
      await result;
      this.#done++;
    } catch {
      this.#failed = true;
    }
  }

  /** The results of all tasks; rejects with the first failure. */
  async drain(): Promise<readonly T[]> {
    return Promise.all(this.#results);
  }

  /** Waits until nothing runs any more, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#results);
  }
}
