import { LakehouseError } from '../errors.ts';
import { randomFraction, systemRuntime, type Runtime } from '../runtime.ts';
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

export type FileIOOperation = 'read' | 'stat' | 'write' | 'list' | 'delete';

/** One call, as the predicates of rules see it. */
export interface FileIOCall {
  readonly operation: FileIOOperation;
  /** The location or prefix; of a delete, the first one. */
  readonly location: string;
  readonly ifNoneMatch: boolean;
  /** How many calls of this operation came before. */
  readonly index: number;
}

/**
 * - `fail-before`: nothing happens, and the call fails.
 * - `fail-after`: it happens (or fails), but the answer is lost: the call fails with another error.
 * - `fail-late`: the call fails, and what it asked for happens some time later (a request that was under way).
 * - `delay`: it happens after a while.
 * - `partial`: a read gives half of the bytes without a word, a list ends with an error half way, a delete does half
 *   of the work and reports the rest as failed; a write takes half of its data and fails with nothing written.
 */
export type Fault = 'fail-before' | 'fail-after' | 'fail-late' | 'delay' | 'partial';

export interface FaultRule {
  readonly fault: Fault;
  readonly operations?: readonly FileIOOperation[];
  readonly when?: (call: FileIOCall) => boolean;
  /** 1 if left out. */
  readonly probability?: number;
  /** How often at most; without end if left out. */
  readonly times?: number;
  /** Milliseconds for `delay` and `fail-late`, drawn from [0, delayMs); 100 if left out. */
  readonly delayMs?: number;
  /** What the call fails with; a retryable UNAVAILABLE if left out. */
  readonly error?: (call: FileIOCall) => unknown;
}

/** Passes calls to another FileIO and breaks those that a rule picks; the first rule that does counts. */
export class FaultInjectingFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities;
  /** Every call so far, in order. */
  readonly calls: FileIOCall[] = [];
  readonly #io: FileIO;
  readonly #runtime: Runtime;
  readonly #rules: { readonly rule: FaultRule; left: number }[];
  /** Latency of every call: drawn from [0, latencyMs). It is what interleaves concurrent tasks. */
  readonly #latencyMs: number;
  readonly #counts = new Map<FileIOOperation, number>();

  constructor(
    io: FileIO,
    options: { readonly rules?: readonly FaultRule[]; readonly runtime?: Runtime; readonly latencyMs?: number } = {},
  ) {
    this.#io = io;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#rules = (options.rules ?? []).map((rule) => ({ rule, left: rule.times ?? Infinity }));
    this.#latencyMs = options.latencyMs ?? 0;
    this.capabilities = io.capabilities;
  }

  read(location: string, options?: ReadOptions): Promise<Uint8Array> {
    const read = (): Promise<Uint8Array> => this.#io.read(location, options);
    return this.#call('read', location, false, read, async () => {
      const bytes = await read();
      return bytes.slice(0, bytes.length >> 1);
    });
  }

  stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    return this.#call('stat', location, false, () => this.#io.stat(location, options));
  }

  write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    const write = (): Promise<FileStat> => this.#io.write(location, data, options);
    return this.#call('write', location, options?.ifNoneMatch ?? false, write, async (fail) => {
      if (!(data instanceof Uint8Array)) await data[Symbol.asyncIterator]().next();
      return fail();
    });
  }

  async *list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    const collect = async (): Promise<readonly FileStat[]> => {
      const files: FileStat[] = [];
      for await (const file of this.#io.list(prefix, options)) files.push(file);
      return files;
    };
    let failure: (() => never) | undefined;
    yield* await this.#call('list', prefix, false, collect, async (fail) => {
      failure = fail;
      const files = await collect();
      return files.slice(0, files.length >> 1);
    });
    failure?.();
  }

  delete(locations: readonly string[], options?: IOOptions): Promise<DeleteResult> {
    const call = (part: readonly string[]): Promise<DeleteResult> => this.#io.delete(part, options);
    return this.#call(
      'delete',
      locations[0] ?? '',
      false,
      () => call(locations),
      async () => {
        const half = (locations.length + 1) >> 1;
        const failed = locations
          .slice(half)
          .map((location) => ({ location, error: lostConnection('delete', location) }));
        return { deleted: (await call(locations.slice(0, half))).deleted, failed };
      },
    );
  }

  async #call<T>(
    operation: FileIOOperation,
    location: string,
    ifNoneMatch: boolean,
    perform: () => Promise<T>,
    performPartly?: (fail: () => never) => Promise<T>,
  ): Promise<T> {
    const index = this.#counts.get(operation) ?? 0;
    this.#counts.set(operation, index + 1);
    const call: FileIOCall = { operation, location, ifNoneMatch, index };
    this.calls.push(call);
    const rule = this.#pick(call);
    const fail = (): never => {
      throw rule?.error ? rule.error(call) : lostConnection(operation, location);
    };
    await this.#wait(this.#latencyMs);
    switch (rule?.fault) {
      case undefined:
        break;
      case 'delay':
        await this.#wait(rule.delayMs ?? 100);
        break;
      case 'fail-before':
        return fail();
      case 'fail-late':
        void this.#wait(rule.delayMs ?? 100)
          .then(perform)
          .catch(() => undefined);
        return fail();
      case 'fail-after':
        await perform().catch(() => undefined);
        await this.#wait(this.#latencyMs);
        return fail();
      case 'partial':
        return performPartly ? performPartly(fail) : fail();
    }
    const result = await perform();
    await this.#wait(this.#latencyMs);
    return result;
  }

  #pick(call: FileIOCall): FaultRule | null {
    for (const candidate of this.#rules) {
      const { rule } = candidate;
      if (candidate.left <= 0 || !(rule.operations?.includes(call.operation) ?? true) || rule.when?.(call) === false) {
        continue;
      }
      if (rule.probability !== undefined && randomFraction(this.#runtime) >= rule.probability) continue;
      candidate.left--;
      return rule;
    }
    return null;
  }

  async #wait(boundMs: number): Promise<void> {
    if (boundMs > 0) await this.#runtime.sleep(randomFraction(this.#runtime) * boundMs);
  }
}

function lostConnection(operation: FileIOOperation, location: string): LakehouseError {
  return new LakehouseError(
    'UNAVAILABLE',
    `The ${operation} of '${location}' got no answer. (This fault was injected.)`,
    {
      retryable: true,
      context: { operation, location },
    },
  );
}
