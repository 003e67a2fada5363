import { throwIfAborted } from '../errors.ts';
import type { FileIO, IOOptions } from '../io/file-io.ts';

/**
 * Keeps the bytes of files that never change, manifests and manifest lists, up to a total size; the least recently
 * used go first. Compressed bytes: decoding is quick, fetching is what takes time, and they are a fraction of what is
 * decoded from them. A file that is being fetched is fetched once, however many ask for it.
 */
export class ManifestCache {
  readonly #maxBytes: number;
  /** In order of use, oldest first. */
  readonly #files = new Map<string, Uint8Array>();
  readonly #pending = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  /** `maxBytes`: of all files together; a larger file is never kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes in use. */
  get size(): number {
    return this.#bytes;
  }

  /** A fetch is not aborted by the signal of one who waits for it: others may be waiting, too. */
  async read(io: FileIO, location: string, { signal }: IOOptions = {}): Promise<Uint8Array> {
    const cached = this.#files.get(location);
    if (cached) {
      this.#files.delete(location);
      this.#files.set(location, cached);
      return cached;
    }
    const bytes = await (this.#pending.get(location) ?? this.#fetch(io, location));
    throwIfAborted(signal);
    return bytes;
  }

  #fetch(io: FileIO, location: string): Promise<Uint8Array> {
    const fetching = io
      .read(location)
      .then((bytes) => {
        this.#keep(location, bytes);
        return bytes;
      })
      .finally(() => this.#pending.delete(location));
    this.#pending.set(location, fetching);
    return fetching;
  }

  #keep(location: string, bytes: Uint8Array): void {
    if (bytes.length > this.#maxBytes) return;
    this.#files.set(location, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, old] of this.#files) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#files.delete(oldest);
      this.#bytes -= old.length;
    }
  }
}
