import type { Table } from '@lh/core';
import type { FileCache } from './file-cache.ts';
import type { Httpfs } from './httpfs.ts';
import { ScanFiles } from './scan-files.ts';

/** How files are read that are not on the local disk. */
export class RemoteAccess {
  readonly #cache: FileCache;
  readonly #httpfs: Httpfs;

  constructor(cache: FileCache, httpfs: Httpfs) {
    this.#cache = cache;
    this.#httpfs = httpfs;
  }

  /** To be called before each query of a table: credentials may have changed. */
  async prepare({ io, location, metadata }: Table, signal: AbortSignal | undefined): Promise<void> {
    const dataPath = metadata.properties['write.data.path'];
    for (const place of dataPath === undefined ? [location] : [location, dataPath]) {
      await this.#httpfs.prepare(io, place, signal);
    }
  }

  /** For the files of one scan of a table. */
  scanFiles({ io, metadata }: Table, signal: AbortSignal | undefined): ScanFiles {
    return new ScanFiles({
      io,
      table: metadata.tableUuid,
      cache: this.#cache,
      url: (location) => this.#httpfs.url(io, location),
      signal,
    });
  }

  async close(): Promise<void> {
    await this.#cache.close();
  }
}
