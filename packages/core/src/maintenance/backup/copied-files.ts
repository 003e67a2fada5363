import { LakehouseError } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { Runtime } from '../../runtime.ts';
import type { RelocatedFiles } from '../rewrite-table-path/relocate-table.ts';
import { checksumOf, copyFile, sha256 } from './checksums.ts';
import type { Sha256 } from './checksums.ts';

export interface CopyProgress {
  readonly filesDone: number;
  readonly bytesDone: number;
}

interface CopyOptions {
  readonly runtime: Runtime;
  readonly onProgress: ((progress: CopyProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Counts and checks only; nothing is written. */
  readonly dryRun: boolean;
  /** Throws if a file that was read isn't what it should be. */
  readonly check?: (source: string, checksum: Sha256) => void;
}

export async function refuseUsedDirectory(
  io: FileIO,
  location: string,
  aborted: { readonly signal?: AbortSignal },
): Promise<void> {
  for await (const file of io.list(`${location}/`, aborted)) {
    const message = `A table can't be copied to ${location}: there is something already, ${file.location}. Choose an empty directory.`;
    throw new LakehouseError('ALREADY_EXISTS', message, { context: { location } });
  }
}

/** Copies a table's files to an empty directory, a few at a time, and keeps their checksums. */
export class CopiedFiles implements RelocatedFiles {
  progress: CopyProgress = { filesDone: 0, bytesDone: 0 };
  readonly #from: FileIO;
  readonly #to: FileIO;
  readonly #directory: string;
  readonly #options: CopyOptions;
  readonly #active = new Set<Promise<void>>();
  readonly #lines: string[] = [];
  readonly #failures: unknown[] = [];

  constructor(from: FileIO, to: FileIO, directory: string, options: CopyOptions) {
    this.#from = from;
    this.#to = to;
    this.#directory = directory;
    this.#options = options;
  }

  write({ target, bytes }: { target: string; bytes: Uint8Array }): Promise<void> {
    return this.#start(async () => {
      if (!this.#options.dryRun) await this.#to.write(target, bytes, this.#aborted());
      this.#done(target, sha256(bytes), bytes.length);
    });
  }

  copy({ source, target }: { source: string; target: string }): Promise<void> {
    return this.#start(async () => {
      const stat = await this.#from.stat(source, this.#aborted());
      if (stat === null) {
        const message = `The table can't be copied: its file ${source} is not there.`;
        throw new LakehouseError('NOT_FOUND', message, { context: { location: source } });
      }
      const { dryRun, check, signal } = this.#options;
      const from = { io: this.#from, location: source, size: stat.size };
      const checksum = dryRun
        ? check && (await checksumOf(from, signal))
        : await copyFile(from, { io: this.#to, location: target }, signal);
      if (checksum !== undefined) check?.(source, checksum);
      this.#done(target, checksum, stat.size);
    });
  }

  /** Resolves when everything is there. */
  async finish(): Promise<void> {
    await Promise.all(this.#active);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** As `sha256sum` writes and checks them. */
  checksums(): string {
    return this.#lines.toSorted().join('');
  }

  /** The directory was empty before. */
  async abandon(): Promise<void> {
    await Promise.all(this.#active);
    if (this.#options.dryRun) return;
    try {
      const locations: string[] = [];
      for await (const file of this.#to.list(`${this.#directory}/`)) locations.push(file.location);
      await this.#to.delete(locations);
    } catch {
      // It is not complete without its description, whatever is left of it.
    }
  }

  #done(target: string, checksum: Sha256 | undefined, size: number): void {
    if (checksum !== undefined) this.#lines.push(`${checksum}  ${target.slice(this.#directory.length + 1)}\n`);
    const { filesDone, bytesDone } = this.progress;
    this.progress = { filesDone: filesDone + 1, bytesDone: bytesDone + size };
    this.#options.onProgress?.(this.progress);
  }

  /** Waits for room, not for the end. */
  async #start(task: () => Promise<void>): Promise<void> {
    while (this.#active.size >= this.#options.runtime.concurrency) await Promise.race(this.#active);
    if (this.#failures.length > 0) throw this.#failures[0];
    const running: Promise<void> = task()
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => this.#active.delete(running));
    this.#active.add(running);
  }

  #aborted(): { readonly signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal ? { signal } : {};
  }
}
