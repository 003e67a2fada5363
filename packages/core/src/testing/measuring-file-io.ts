import { systemRuntime, type Runtime } from '../runtime.ts';
import type {
  DeleteResult,
  FileData,
  FileIO,
  FileIOCapabilities,
  FileStat,
  IOOptions,
  ReadOptions,
  WriteOptions,
} from '../io/file-io.ts';
import type { FileIOOperation } from './fault-injecting-file-io.ts';

/** One request to the store; a listing makes one for each page. Times are those of the runtime. */
export interface MeasuredRequest {
  readonly operation: FileIOOperation;
  /** The location or prefix; of a delete, the first one. */
  readonly location: string;
  /** Bytes that were read or written. */
  readonly bytes: number;
  readonly startedMs: number;
}

/** What one answer to a listing holds. */
const PAGE_FILES = 1000;

/**
 * Passes calls to another FileIO as if it were far away: each request takes `latencyMs` of the runtime's clock. With a
 * `SeededRuntime`, whose clock stands still while anything else goes on, the time that something takes is the number of
 * requests that it makes one after the other: how deep it is in round trips, without the noise of a clock.
 */
export class MeasuringFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  /** Every request so far, in the order in which they were made. */
  readonly requests: MeasuredRequest[] = [];
  readonly #io: FileIO;
  readonly #runtime: Runtime;
  readonly #latencyMs: number;

  /** `capabilities` replaces some of those of the store. */
  constructor(
    io: FileIO,
    options: {
      readonly runtime?: Runtime;
      readonly latencyMs?: number;
      readonly capabilities?: Partial<FileIOCapabilities>;
    } = {},
  ) {
    this.#io = io;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#latencyMs = options.latencyMs ?? 0;
    this.capabilities = { ...io.capabilities, ...options.capabilities };
  }

  /** Bytes of all requests of an operation so far. */
  bytes(operation: FileIOOperation): number {
    return this.requests.reduce((sum, request) => sum + (request.operation === operation ? request.bytes : 0), 0);
  }

  read(location: string, options?: ReadOptions): Promise<Uint8Array> {
    return this.#request('read', location, () => this.#io.read(location, options), bytesIn);
  }

  stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    return this.#request('stat', location, () => this.#io.stat(location, options));
  }

  write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    return this.#request('write', location, () => this.#io.write(location, data, options), sizeOf);
  }

  async *list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    let count = 0;
    for await (const file of this.#io.list(prefix, options)) {
      if (count++ % PAGE_FILES === 0) await this.#request('list', prefix, () => Promise.resolve());
      yield file;
    }
    if (count === 0) await this.#request('list', prefix, () => Promise.resolve());
  }

  delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult> {
    return this.#request('delete', locations[0] ?? '', () => this.#io.delete(locations, options));
  }

  async #request<T>(
    operation: FileIOOperation,
    location: string,
    perform: () => Promise<T>,
    bytesOf: (result: T) => number = () => 0,
  ): Promise<T> {
    const index = this.requests.length;
    const request: MeasuredRequest = { operation, location, bytes: 0, startedMs: this.#runtime.now() };
    this.requests.push(request);
    if (this.#latencyMs > 0) await this.#runtime.sleep(this.#latencyMs);
    const result = await perform();
    this.requests[index] = { ...request, bytes: bytesOf(result) };
    return result;
  }
}

function bytesIn(bytes: Uint8Array): number {
  return bytes.length;
}

function sizeOf({ size }: FileStat): number {
  return size;
}
