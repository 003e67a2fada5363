import type { ParquetFooter } from '@lh/core/engine';

export interface KnownFooter {
  readonly footer: ParquetFooter;
  /** Of the file that it was read of, where the store tells. */
  readonly etag: string | null;
}

/** Of footers as they are stored; parsed they take several times as much. */
const MAX_BYTES = 8 * 2 ** 20;

/** Footers by key; those that weren't used for long are forgotten. */
export class FooterMemory {
  readonly #footers = new Map<string, { readonly known: KnownFooter; readonly bytes: number }>();
  #bytes = 0;

  get(key: string): KnownFooter | null {
    const found = this.#footers.get(key);
    if (!found) return null;
    // To the end: a map keeps its order.
    this.#footers.delete(key);
    this.#footers.set(key, found);
    return found.known;
  }

  delete(key: string): void {
    this.#bytes -= this.#footers.get(key)?.bytes ?? 0;
    this.#footers.delete(key);
  }

  set(key: string, known: KnownFooter, bytes: number): void {
    this.delete(key);
    this.#bytes += bytes;
    this.#footers.set(key, { known, bytes });
    for (const oldest of this.#footers.keys()) {
      if (this.#bytes <= MAX_BYTES || oldest === key) return;
      this.delete(oldest);
    }
  }
}
