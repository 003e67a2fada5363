/**
 * Hands bytes from one writer to one reader: `push` waits until the reader wants more, so that no more than one piece
 * waits in between.
 */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  #waiting: {
    readonly bytes: Uint8Array;
    readonly taken: () => void;
    readonly refused: (error: unknown) => void;
  } | null = null;
  #wake: (() => void) | null = null;
  #ended = false;
  #failure: { readonly error: unknown } | null = null;

  /** Resolves when the reader has taken the bytes. Rejects if the queue was failed. */
  push(bytes: Uint8Array): Promise<void> {
    return new Promise((taken, refused) => {
      if (this.#failure) return refused(this.#failure.error);
      this.#waiting = { bytes, taken, refused };
      this.#notify();
    });
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** Ends both sides with an error; the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiting?.refused(error);
    this.#waiting = null;
    this.#notify();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure) throw this.#failure.error as Error;
      const waiting = this.#waiting;
      if (waiting !== null) {
        // They wait until the reader comes back: if it never does, `fail` still finds who is waiting.
        yield waiting.bytes;
        this.#waiting = null;
        waiting.taken();
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
