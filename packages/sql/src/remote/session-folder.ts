import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './system-errors.ts';

const ALIVE = 'alive';
const BEAT_MS = 60_000;
/** Whoever hasn't given a sign of life for so long was killed. */
const DEAD_MS = 10 * BEAT_MS;

/**
 * The files that one process is about to write, and those that its queries read: further names of files of the cache,
 * which stay there whoever evicts them. What a killed process leaves is found by its heart not beating any more.
 */
export class SessionFolder {
  readonly path: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #count = 0;

  private constructor(path: string) {
    this.path = path;
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /** Makes one in `sessions`, from which those of dead processes are removed. */
  static async open(sessions: string): Promise<SessionFolder> {
    await mkdir(sessions, { recursive: true });
    for (const name of await readdir(sessions)) {
      if (!(await isAlive(join(sessions, name)))) await rm(join(sessions, name), { recursive: true, force: true });
    }
    const folder = new SessionFolder(join(sessions, randomUUID()));
    await folder.make();
    return folder;
  }

  /** Again, if someone took this process for a dead one: it may have slept. */
  async make(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    await writeFile(join(this.path, ALIVE), '');
  }

  /** A path that nothing has had yet: DuckDB may know of files by their paths. */
  newPath(): string {
    return join(this.path, `${this.#count++}.parquet`);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await rm(this.path, { recursive: true, force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    await utimes(join(this.path, ALIVE), now, now).catch(() => undefined);
  }
}

async function isAlive(path: string): Promise<boolean> {
  for (const sign of [join(path, ALIVE), path]) {
    try {
      return (await stat(sign)).mtimeMs > Date.now() - DEAD_MS;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  return true;
}
