import { LakehouseError } from '@lh/core';
import type {
  DeleteResult,
  FileData,
  FileIO,
  FileStat,
  IOOptions,
  MemoryFileIO,
  ReadOptions,
  WriteOptions,
} from '@lh/core';

import type { Machine } from './machine.ts';

/** An object store behind a network: what it has taken is safe, but requests and answers get lost, late and doubled. */
export class SimulatedStore implements FileIO {
  readonly capabilities: FileIO['capabilities'];
  readonly #machine: Machine;
  readonly #store: MemoryFileIO;

  constructor(machine: Machine, store: MemoryFileIO) {
    this.#machine = machine;
    this.#store = store;
    this.capabilities = store.capabilities;
  }

  read(location: string, options?: ReadOptions): Promise<Uint8Array> {
    return this.#request(() => this.#store.read(location, options));
  }

  stat(location: string, options?: IOOptions): Promise<FileStat | null> {
    return this.#request(() => this.#store.stat(location, options));
  }

  async write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    // The request has its body, whatever becomes of the writer.
    const body = data instanceof Uint8Array ? data.slice() : await collect(data);
    const { signal: _, ...rest } = options ?? {};
    return this.#request(() => this.#store.write(location, body, rest));
  }

  async *list(prefix: string, options?: IOOptions): AsyncIterable<FileStat> {
    yield* await this.#request(async () => {
      const files: FileStat[] = [];
      for await (const file of this.#store.list(prefix, options)) files.push(file);
      return files;
    });
  }

  delete(locations: readonly string[]): Promise<DeleteResult> {
    return this.#request(() => this.#store.delete(locations), true);
  }

  #request<T>(perform: () => Promise<T>, isDelete = false): Promise<T> {
    const machine = this.#machine;
    const later = (): void => {
      const delay = machine.runtime.random() * 5000;
      void machine.runtime
        .sleep(delay)
        .then(perform, () => undefined)
        .catch(() => undefined);
    };
    return machine.call(async () => {
      if (machine.isOut(isDelete)) throw unavailable('met an outage');
      if (machine.outageBegins()) {
        await perform().catch(() => undefined);
        throw unavailable('got no answer');
      }
      if (machine.strikes('request throttled')) throw unavailable('was throttled');
      if (machine.strikes('request arrives late')) {
        later();
        throw unavailable('timed out');
      }
      if (machine.strikes('answer lost')) {
        await perform().catch(() => undefined);
        throw unavailable('got no answer');
      }
      const answer = await perform();
      if (machine.strikes('request arrives twice')) later();
      return answer;
    });
  }
}

function unavailable(what: string): LakehouseError {
  return new LakehouseError('UNAVAILABLE', `A request ${what}. (It was simulated.)`, { retryable: true });
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
