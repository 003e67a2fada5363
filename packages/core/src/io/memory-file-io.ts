import { LakehouseError, invalidArgument, throwIfAborted } from '../errors.ts';
import { systemRuntime, type Runtime } from '../runtime.ts';
import { resolveByteRange } from './byte-range.ts';
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

interface StoredFile {
  readonly bytes: Uint8Array;
  readonly lastModifiedMs: number;
  readonly etag: string;
}

/** Files in memory, for tests and for tables that need not outlive the process. Any non-empty string is a location. */
export class MemoryFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities = {
    conditionalCreate: true,
    conditionalReplace: true,
    maxDeleteBatch: 1000,
    inMemory: true,
  };
  readonly #files = new Map<string, StoredFile>();
  #writes = 0;
  readonly #runtime: Runtime;

  constructor(options: { readonly runtime?: Runtime } = {}) {
    this.#runtime = options.runtime ?? systemRuntime;
  }

  async read(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    const file = this.#files.get(location);
    if (!file) throw new LakehouseError('NOT_FOUND', `There is no file '${location}'.`, { context: { location } });
    const { start, length } = resolveByteRange(location, file.bytes.length, options);
    options.onStat?.(statOf(location, file));
    return file.bytes.slice(start, start + length);
  }

  async stat(location: string, options: IOOptions = {}): Promise<FileStat | null> {
    throwIfAborted(options.signal);
    const file = this.#files.get(location);
    return file ? statOf(location, file) : null;
  }

  async write(location: string, data: FileData, options: WriteOptions = {}): Promise<FileStat> {
    throwIfAborted(options.signal);
    if (location === '') throw invalidArgument('The location of a file must not be empty.');
    const bytes = data instanceof Uint8Array ? data.slice() : await collect(data, options.signal);
    // From here on nothing is awaited: of racing conditional writers exactly one finds the name free.
    if (options.ifNoneMatch && this.#files.has(location)) {
      throw new LakehouseError('ALREADY_EXISTS', `The file '${location}' exists already.`, { context: { location } });
    }
    if (options.ifMatch !== undefined && this.#files.get(location)?.etag !== options.ifMatch) {
      const message = `The file '${location}' is not the one to be replaced any more.`;
      throw new LakehouseError('COMMIT_CONFLICT', message, { context: { location } });
    }
    const file = { bytes, lastModifiedMs: this.#runtime.now(), etag: String(++this.#writes) };
    this.#files.set(location, file);
    return statOf(location, file);
  }

  async *list(prefix: string, options: IOOptions = {}): AsyncIterable<FileStat> {
    throwIfAborted(options.signal);
    const matching = [...this.#files].filter(([location]) => location.startsWith(prefix));
    for (const [location, file] of matching) {
      throwIfAborted(options.signal);
      yield statOf(location, file);
    }
  }

  async delete(locations: readonly string[], options: IOOptions = {}): Promise<DeleteResult> {
    throwIfAborted(options.signal);
    for (const location of locations) this.#files.delete(location);
    return { deleted: [...locations], failed: [] };
  }
}

function statOf(location: string, file: StoredFile): FileStat {
  return { location, size: file.bytes.length, lastModifiedMs: file.lastModifiedMs, etag: file.etag };
}

async function collect(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    parts.push(chunk.slice());
    size += chunk.length;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
