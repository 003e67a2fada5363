export interface ReadAheadLimits<T> {
  /** How many items may be open besides the one that the consumer has. */
  readonly items: number;
  /** No further item is opened while those that are open have so many bytes. */
  readonly bytes: number;
  readonly bytesOf: (item: T) => number;
}

/**
 * Opens items in their order while the consumer is busy with those before: a few at first, and the more it takes, the
 * more of them, up to the limits. A failure is reported when its turn comes.
 */
export async function* readAhead<T, R>(
  items: AsyncIterable<T>,
  open: (item: T) => Promise<R>,
  limits: ReadAheadLimits<T>,
): AsyncGenerator<R, void, undefined> {
  const ahead = new Ahead(items[Symbol.asyncIterator](), open, limits);
  const filling = ahead.fill();
  try {
    for (let next = await ahead.take(); next !== null; next = await ahead.take()) yield next.opened;
  } finally {
    ahead.stop();
    await filling;
  }
}

/** One side opens items, the other takes them. */
class Ahead<T, R> {
  readonly #items: AsyncIterator<T>;
  readonly #open: (item: T) => Promise<R>;
  readonly #limits: ReadAheadLimits<T>;
  readonly #queue: { readonly opened: Promise<R>; readonly bytes: number }[] = [];
  #bytes = 0;
  /** How many may be open by now. */
  #window: number;
  #state: 'filling' | 'stopped' | 'ended' = 'filling';
  /** Wakes the side that waits for the other; both never do. */
  #wake: (() => void) | null = null;

  constructor(items: AsyncIterator<T>, open: (item: T) => Promise<R>, limits: ReadAheadLimits<T>) {
    this.#items = items;
    this.#open = open;
    this.#limits = limits;
    this.#window = Math.min(2, limits.items);
  }

  /** Opens items until there are no more, or it is stopped. It never fails: failures are for who takes. */
  async fill(): Promise<void> {
    try {
      while (await this.#room()) {
        const next = await this.#items.next();
        if (next.done) break;
        this.#push(this.#open(next.value), this.#limits.bytesOf(next.value));
      }
      await this.#items.return?.();
    } catch (error) {
      this.#push(Promise.reject(error as Error), 0);
    }
    this.#state = 'ended';
    this.#tell();
  }

  /** The next item; null at the end. */
  async take(): Promise<{ readonly opened: R } | null> {
    while (this.#queue.length === 0 && this.#state !== 'ended') await this.#change();
    const first = this.#queue[0];
    if (first === undefined) return null;
    const opened = await first.opened;
    this.#queue.shift();
    this.#bytes -= first.bytes;
    this.#window = Math.min(2 * this.#window, this.#limits.items);
    this.#tell();
    return { opened };
  }

  stop(): void {
    if (this.#state === 'filling') this.#state = 'stopped';
    this.#tell();
  }

  /** Waits for room for another item; false if none is wanted any more. */
  async #room(): Promise<boolean> {
    const isFull = (): boolean => {
      const { length } = this.#queue;
      return length >= this.#window || (length > 0 && this.#bytes >= this.#limits.bytes);
    };
    while (this.#state === 'filling' && isFull()) await this.#change();
    return this.#state === 'filling';
  }

  #push(opened: Promise<R>, bytes: number): void {
    // Its turn may never come.
    opened.catch(() => undefined);
    this.#queue.push({ opened, bytes });
    this.#bytes += bytes;
    this.#tell();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #tell(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
