/** Something whose size may be known later only, or change. */
export interface Measured {
  /** In memory. */
  readonly bytes: number;
}

/** Keeps what was used last, up to a total of bytes; whatever was used last of all is kept in any case. */
export class RecentlyUsed<T extends Measured> {
  readonly #maxBytes: number;
  /** In order of use, oldest first. */
  readonly #entries = new Map<string, { readonly value: T; readonly bytes: number }>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, or, if it is kept, measures it again; others go until all fit. */
  keep(key: string, value: T): void {
    this.forget(key);
    const { bytes } = value;
    this.#entries.set(key, { value, bytes });
    this.#total += bytes;
    for (const [oldest, { bytes: freed }] of this.#entries) {
      if (this.#total <= this.#maxBytes || oldest === key) return;
      this.#entries.delete(oldest);
      this.#total -= freed;
    }
  }

  forget(key: string): void {
    this.#total -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
