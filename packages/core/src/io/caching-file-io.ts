import { throwIfAborted } from '../errors.ts';
import type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  WriteOptions,
} from './file-io.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface CachingFileIOOptions {
  /** Bytes of all files together; a larger file is never kept. 64 MiB if left out. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Files that never change: writers of Iceberg tables put a UUID into the names of manifests and manifest lists, and all
 * but file-system catalogs into those of metadata. A name without one (`v7.metadata.json`, a version hint) may be given
 * to another file one day.
 */
const NEVER_CHANGES = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}[^/]*\.(?:avro|metadata\.json(?:\.gz)?)$/i;

/** A file that is being fetched, for all who want it. */
interface Fetch {
  readonly bytes: Promise<Uint8Array>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Keeps manifests, manifest lists and metadata that were read or written, up to a total size; what was not used for
 * longest goes first. As they are stored: decoding is quick, fetching is what takes time. A file that is being fetched is
 * fetched once, however many ask for it; who gives up leaves the fetch to the others. Failures are not kept.
 *
 * Core reads manifests of every store through one of these (`withCache`). To choose its size, wrap the outermost
 * FileIO: `new CachingFileIO(io, { maxBytes })`.
 */
export class CachingFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  readonly moveIn?: NonNullable<FileIO['moveIn']>;
  readonly listDirectories?: NonNullable<FileIO['listDirectories']>;
  readonly deleteUnfinishedWrites?: NonNullable<FileIO['deleteUnfinishedWrites']>;
  readonly #io: FileIO;
  readonly #maxBytes: number;
  /** In order of use, oldest first. */
  readonly #files = new Map<string, Uint8Array>();
  readonly #fetches = new Map<string, Fetch>();
  #bytes = 0;

  constructor(io: FileIO, options: CachingFileIOOptions = {}) {
    this.#io = io;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.capabilities = io.capabilities;
    if (io.listDirectories) this.listDirectories = io.listDirectories.bind(io);
    if (io.deleteUnfinishedWrites) this.deleteUnfinishedWrites = io.deleteUnfinishedWrites.bind(io);
    if (io.moveIn) {
      this.moveIn = (path, location, moveOptions) => {
        this.#forget(location);
        return io.moveIn!(path, location, moveOptions);
      };
    }
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#bytes;
  }

  async read(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
    const { signal, offset, length } = options;
    throwIfAborted(signal);
    if (offset !== undefined || length !== undefined || !NEVER_CHANGES.test(location)) {
      return this.#io.read(location, options);
    }
    const kept = this.#files.get(location);
    if (kept) this.#use(location, kept);
    return (kept ?? (await this.#fetched(location, signal))).slice();
  }

  stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    return this.#io.stat(location, options);
  }

  /** A manifest that was written is mostly read soon. */
  async write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    this.#forget(location);
    const kept = data instanceof Uint8Array && NEVER_CHANGES.test(location) ? data.slice() : null;
    const stat = await this.#io.write(location, data, options);
    if (kept) this.#keep(location, kept);
    return stat;
  }

  list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    return this.#io.list(prefix, options);
  }

  delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult> {
    for (const location of locations) this.#forget(location);
    return this.#io.delete(locations, options);
  }

  async #fetched(location: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const fetch = this.#fetches.get(location) ?? this.#fetch(location);
    fetch.waiting++;
    try {
      return await unlessAborted(fetch.bytes, signal);
    } finally {
      fetch.waiting--;
      if (fetch.waiting === 0 && this.#fetches.get(location) === fetch) {
        // Everyone gave up; the next one asks anew.
        this.#fetches.delete(location);
        fetch.abort.abort(signal?.reason);
      }
    }
  }

  #fetch(location: string): Fetch {
    const abort = new AbortController();
    const fetch: Fetch = { bytes: this.#io.read(location, { signal: abort.signal }), abort, waiting: 0 };
    this.#fetches.set(location, fetch);
    const ended = (bytes: Uint8Array | null): void => {
      // If another fetch has taken its place, the file was written or deleted meanwhile.
      if (this.#fetches.get(location) !== fetch) return;
      this.#fetches.delete(location);
      if (bytes) this.#keep(location, bytes);
    };
    fetch.bytes.then(ended, () => ended(null));
    return fetch;
  }

  #keep(location: string, bytes: Uint8Array): void {
    if (bytes.length > this.#maxBytes) return;
    this.#use(location, bytes);
    for (const [oldest, old] of this.#files) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#files.delete(oldest);
      this.#bytes -= old.length;
    }
  }

  /** Makes it the one that was used last. */
  #use(location: string, bytes: Uint8Array): void {
    this.#bytes += bytes.length - (this.#files.get(location)?.length ?? 0);
    this.#files.delete(location);
    this.#files.set(location, bytes);
  }

  #forget(location: string): void {
    this.#bytes -= this.#files.get(location)?.length ?? 0;
    this.#files.delete(location);
    this.#fetches.delete(location);
  }
}

const caches = new WeakMap<FileIO, CachingFileIO>();

/** The cache that all tables on a FileIO share; the FileIO itself if it is one. */
export function withCache(io: FileIO): FileIO {
  if (io instanceof CachingFileIO) return io;
  const known = caches.get(io);
  if (known) return known;
  const cache = new CachingFileIO(io);
  caches.set(io, cache);
  return cache;
}
