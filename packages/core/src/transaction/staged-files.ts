import { withCache } from '../io/caching-file-io.ts';
import type { FileIO } from '../io/file-io.ts';

const WRITES_AT_ONCE = 8;

/**
 * The files that a transaction has written. None of them is part of the table before its commit went through, so a
 * commit that definitely failed can delete them all, and one that went through those that no attempt but a lost one used.
 */
export class StagedFiles {
  readonly #io: FileIO;
  readonly #written = new Set<string>();
  readonly #used = new Set<string>();
  readonly #writing = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #kept = false;
  #manifests = 0;

  constructor(io: FileIO) {
    this.#io = withCache(io);
  }

  /** To be called before the file is written: a write that fails may leave something behind. */
  add(location: string): void {
    this.#written.add(location);
  }

  /**
   * Writes a file beside others: resolves when there is room for more, `written` when it is there. On a disk several
   * files are synced in the time of one.
   */
  async write(location: string, bytes: Uint8Array): Promise<void> {
    while (this.#writing.size >= WRITES_AT_ONCE) await Promise.race(this.#writing);
    this.add(location);
    const writing: Promise<void> = this.#io
      .write(location, bytes)
      .then(
        () => undefined,
        (error: unknown) => {
          this.#failures.push(error);
        },
      )
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** Resolves when everything is there that was to be written; fails if a part of it could not be. */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** Counts the transaction's manifests, for their names. */
  nextManifestNumber(): number {
    return this.#manifests++;
  }

  /** Forgets which files the last attempt used. */
  startAttempt(): void {
    this.#used.clear();
  }

  /** The metadata of this attempt names the file. */
  use(location: string): void {
    this.#used.add(location);
  }

  /** The commit may have happened, or it is not known which attempt did: from here on nothing is deleted. */
  keepAll(): void {
    this.#kept = true;
  }

  /** Deletes everything, after a definite failure. */
  async deleteAll(): Promise<void> {
    await this.#delete([...this.#written]);
  }

  /** Deletes what the attempt that went through did not use: manifest lists of lost attempts and the like. */
  async deleteUnused(): Promise<void> {
    await this.#delete([...this.#written].filter((location) => !this.#used.has(location)));
  }

  /** Best effort: a file left behind is an orphan, which maintenance removes; it must not hide what happened. */
  async #delete(locations: readonly string[]): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#kept || locations.length === 0) return;
    try {
      await this.#io.delete(locations);
    } catch {
      // See above.
    }
  }
}
