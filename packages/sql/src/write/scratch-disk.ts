import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LakehouseError, isLakehouseError, throwIfAborted } from '@lh/core';
import { Budget } from '../remote/budget.ts';
import { cacheSize } from '../remote/cache-options.ts';
import { FileCache } from '../remote/file-cache.ts';

/** Room on the local disk for files of stores while they are rewritten, which is shared by all rewrites of a writer. */
export class ScratchDisk {
  readonly #directory: string;
  #room: Promise<Budget> | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Works with files of so many bytes, as soon as others leave room for them. What is too much for all has all to itself. */
  async use<T>(bytes: number, signal: AbortSignal | undefined, work: (cache: FileCache) => Promise<T>): Promise<T> {
    const done = await (await this.#measured()).take(bytes);
    try {
      throwIfAborted(signal);
      return await this.#work(bytes, work);
    } finally {
      done();
    }
  }

  async #work<T>(bytes: number, work: (cache: FileCache) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(this.#directory, 'rewrite-'));
    const cache = new FileCache({ directory, maxBytes: Number.MAX_SAFE_INTEGER });
    try {
      return await work(cache);
    } catch (error) {
      const isOfDisk = isLakehouseError(error) && error.context['path'] === directory;
      throw isOfDisk ? diskError(error, this.#directory, bytes) : error;
    } finally {
      await cache.close();
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #measured(): Promise<Budget> {
    this.#room ??= this.#measure();
    try {
      return await this.#room;
    } catch (error) {
      this.#room = null;
      throw error;
    }
  }

  async #measure(): Promise<Budget> {
    await mkdir(this.#directory, { recursive: true });
    // As much as a cache would take: the other half is for what is written.
    return new Budget(await cacheSize({}, this.#directory));
  }
}

/** What a cache says of its directory would be about another one. */
function diskError({ code, cause }: LakehouseError, directory: string, bytes: number): LakehouseError {
  const text = `Files of ${bytes} bytes can't be brought to ${directory} to be rewritten together (${(cause as Error).message}). Give another place with tempDirectory, or rewrite less at a time with a smaller maxFileGroupSizeBytes.`;
  return new LakehouseError(code, text, { cause, context: { path: directory } });
}
