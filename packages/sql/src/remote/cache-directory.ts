import { link, mkdir, open, readdir, stat, unlink, utimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { LakehouseError } from '@lh/core';
import { CacheFileWriter, isIntact, readDescription } from './cache-file.ts';
import type { CacheFileDescription } from './cache-file.ts';
import { SessionFolder } from './session-folder.ts';
import { hasCode } from './system-errors.ts';

/** A file of the cache by its name. */
export interface CacheEntry {
  readonly name: string;
  readonly bytes: number;
  readonly description: CacheFileDescription;
}

/** A file that stays where it is until it is released. */
export interface Pin {
  readonly path: string;
  release(): void;
}

interface Usage {
  bytes: number;
  /** Files that can be evicted, the one that was used longest ago last. */
  readonly evictable: { readonly name: string; readonly bytes: number }[];
  readonly countedAtMs: number;
}

/** What other processes add and evict shows after so long. */
const RECOUNT_MS = 10_000;
const RESCAN_MS = 1000;
/** Evicting makes room for more than is asked for, so that not every file has to. */
const SLACK = 0.1;

/**
 * Files by name, in a directory that any number of processes share. Each is there as a whole or not at all, and is never
 * changed. One that is in use has a second name in the folder of the process that uses it, and so a link count of two,
 * which keeps it from being evicted; if it is all the same, by a race, its bytes stay for that process.
 */
export class CacheDirectory {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #session: SessionFolder;
  readonly #pins = new Map<string, { readonly pin: Promise<string | null>; uses: number }>();
  /** Entries by key, then by name. */
  readonly #known = new Map<string, Map<string, CacheEntry>>();
  readonly #scans = new Map<string, { readonly startedAtMs: number; readonly done: Promise<void> }>();
  /** What has been found intact: by inode, size and time of change. */
  readonly #intact = new Set<string>();
  #usage: Usage | null = null;
  #reserved = 0;
  #reserving: Promise<unknown> = Promise.resolve();

  private constructor(path: string, maxBytes: number, session: SessionFolder) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#session = session;
  }

  static async open(path: string, maxBytes: number): Promise<CacheDirectory> {
    await mkdir(join(path, ENTRIES), { recursive: true, mode: 0o700 });
    return new CacheDirectory(path, maxBytes, await SessionFolder.open(join(path, SESSIONS)));
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** The entries whose names begin with a key, a dash after it. */
  async find(key: string, options: { readonly rescan: boolean }): Promise<readonly CacheEntry[]> {
    const shard = shardOf(key);
    let scan = this.#scans.get(shard);
    if (scan === undefined || (options.rescan && Date.now() - scan.startedAtMs > RESCAN_MS)) {
      scan = { startedAtMs: Date.now(), done: this.#scan(shard) };
      this.#scans.set(shard, scan);
      scan.done.catch(() => this.#scans.delete(shard));
    }
    await scan.done;
    return [...(this.#known.get(key)?.values() ?? [])];
  }

  async #scan(shard: string): Promise<void> {
    for (const name of await namesIn(join(this.path, ENTRIES, shard))) {
      if (!this.#known.get(keyOf(name))?.has(name)) await this.#learn(name);
    }
  }

  async #learn(name: string): Promise<void> {
    const path = this.#pathOf(name);
    try {
      const { description, size } = await withFile(path, async (file) => ({
        description: await readDescription(file),
        size: (await file.stat()).size,
      }));
      if (description === null) await unlink(path);
      else this.#remember({ name, bytes: size, description });
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  #remember(entry: CacheEntry): void {
    const key = keyOf(entry.name);
    const entries = this.#known.get(key) ?? new Map<string, CacheEntry>();
    this.#known.set(key, entries.set(entry.name, entry));
  }

  /** Keeps a file where it is; null if it is no longer there, or not as it was written. */
  async pin(name: string): Promise<Pin | null> {
    const known = this.#pins.get(name) ?? { pin: this.#link(name), uses: 0 };
    this.#pins.set(name, known);
    known.uses++;
    const release = this.#releaser(name, known);
    try {
      const path = await known.pin;
      if (path !== null) return { path, release };
    } catch (error) {
      release();
      throw error;
    }
    release();
    return null;
  }

  #releaser(name: string, known: { readonly pin: Promise<string | null>; uses: number }): () => void {
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      if (--known.uses > 0) return;
      if (this.#pins.get(name) === known) this.#pins.delete(name);
      // The folder goes with the session if this can't be done now.
      known.pin.then((path) => (path === null ? undefined : unlink(path))).catch(() => undefined);
    };
  }

  async #link(name: string): Promise<string | null> {
    const path = this.#session.newPath();
    if (!(await this.#linkFrom(this.#pathOf(name), path))) {
      this.#forget(name);
      return null;
    }
    const stats = await stat(path);
    if (await this.#checkIntact(path, stats)) {
      // The time of access tells what was used longest ago; that of change, that nobody touched the file.
      await utimes(path, new Date(), stats.mtime);
      return path;
    }
    await Promise.all([unlink(path), this.remove(name)]);
    return null;
  }

  /** False if there is no such entry. */
  async #linkFrom(entry: string, path: string): Promise<boolean> {
    for (let isSecond = false; ; isSecond = true) {
      try {
        await link(entry, path);
        return true;
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
        if (isSecond) return false;
        await this.#session.make();
      }
    }
  }

  async #checkIntact(path: string, stats: Stats): Promise<boolean> {
    const identity = identityOf(stats);
    if (this.#intact.has(identity)) return true;
    if (!(await withFile(path, isIntact))) return false;
    this.#intact.add(identity);
    return true;
  }

  #forget(name: string): void {
    this.#known.get(keyOf(name))?.delete(name);
  }

  /** Takes an entry's name away; queries that read it go on. */
  async remove(name: string): Promise<void> {
    this.#forget(name);
    try {
      const { size } = await stat(this.#pathOf(name));
      await unlink(this.#pathOf(name));
      if (this.#usage) this.#usage.bytes -= size;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** Writes a file, and gives it its name when it is whole. The pin is of that very file. */
  async publish(
    name: string,
    description: CacheFileDescription,
    write: (writer: CacheFileWriter) => Promise<void>,
  ): Promise<Pin> {
    const path = this.#session.newPath();
    try {
      await this.#write(path, async (writer) => {
        await writer.begin(description);
        await write(writer);
        await writer.finish();
      });
      return await this.#name(path, name, description);
    } catch (error) {
      await unlink(path).catch(() => undefined);
      throw error;
    }
  }

  async #write(path: string, write: (writer: CacheFileWriter) => Promise<void>): Promise<void> {
    const work = (file: FileHandle): Promise<void> => write(new CacheFileWriter(file));
    const file = await open(path, 'wx').catch(async (error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
      await this.#session.make();
      return open(path, 'wx');
    });
    await closing(file, work);
  }

  async #name(path: string, name: string, description: CacheFileDescription): Promise<Pin> {
    const target = this.#pathOf(name);
    await mkdir(join(target, '..'), { recursive: true });
    const isFirst = await link(path, target).then(
      () => true,
      (error: unknown) => {
        // Another process was first; that its file is not this one makes no difference.
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      },
    );
    const stats = await stat(path);
    this.#intact.add(identityOf(stats));
    if (isFirst) {
      this.#remember({ name, bytes: stats.size, description });
      if (this.#usage) this.#usage.bytes += stats.size;
    }
    return { path, release: () => void unlink(path).catch(() => undefined) };
  }

  /**
   * Makes room for so many bytes, by evicting what was used longest ago. The returned function says that they are
   * written, or won't be. RESOURCE_EXHAUSTED if queries that run use all there is.
   */
  async reserve(bytes: number): Promise<() => void> {
    const turn = this.#reserve(this.#reserving, bytes);
    this.#reserving = turn.catch(() => undefined);
    await turn;
    let isReserved = true;
    return () => {
      if (isReserved) this.#reserved -= bytes;
      isReserved = false;
    };
  }

  async #reserve(before: Promise<unknown>, bytes: number): Promise<void> {
    await before;
    await this.#makeRoom(bytes);
    this.#reserved += bytes;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const missing = (usage: Usage): number => usage.bytes + this.#reserved + bytes - this.#maxBytes;
    let usage = this.#usage;
    if (usage === null || Date.now() - usage.countedAtMs > RECOUNT_MS || missing(usage) > 0)
      usage = await this.#count();
    if (missing(usage) <= 0) return;
    const slack = this.#maxBytes * SLACK;
    while (missing(usage) + slack > 0 && usage.evictable.length > 0) {
      await this.#evict(usage.evictable.pop()!.name, usage);
    }
    if (missing(usage) > 0) throw tooLittle(this.#maxBytes, bytes);
  }

  /** A name that was given a second one since is in use. */
  async #evict(name: string, usage: Usage): Promise<void> {
    try {
      const { nlink, size } = await stat(this.#pathOf(name));
      if (nlink > 1) return;
      await unlink(this.#pathOf(name));
      this.#forget(name);
      usage.bytes -= size;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }

  /** Counts everything, with what other processes are writing, and what they read of files that were evicted. */
  async #count(): Promise<Usage> {
    const usage: Usage = { bytes: 0, evictable: [], countedAtMs: Date.now() };
    const used: { name: string; bytes: number; usedAtMs: number }[] = [];
    for (const shard of await namesIn(join(this.path, ENTRIES))) {
      const folder = join(this.path, ENTRIES, shard);
      for (const [name, { size, atimeMs, nlink }] of await statsIn(folder)) {
        usage.bytes += size;
        if (nlink === 1) used.push({ name, bytes: size, usedAtMs: atimeMs });
      }
    }
    for (const session of await namesIn(join(this.path, SESSIONS))) {
      const folder = join(this.path, SESSIONS, session);
      if (folder === this.#session.path) continue;
      for (const [, { size, nlink }] of await statsIn(folder)) if (nlink === 1) usage.bytes += size;
    }
    usage.evictable.push(...used.toSorted((a, b) => b.usedAtMs - a.usedAtMs));
    this.#usage = usage;
    return usage;
  }

  #pathOf(name: string): string {
    return join(this.path, ENTRIES, shardOf(name), name);
  }
}

const ENTRIES = 'entries';
const SESSIONS = 'sessions';
const STATS_AT_ONCE = 64;

const shardOf = (name: string): string => name.slice(0, 2);
const keyOf = (name: string): string => name.slice(0, name.lastIndexOf('-'));
/** Milliseconds: in those the time of change is set again. */
const identityOf = ({ ino, size, mtime }: Stats): string => `${ino}:${size}:${mtime.getTime()}`;

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  return closing(await open(path), work);
}

async function closing<T>(file: FileHandle, work: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

async function statsIn(folder: string): Promise<readonly (readonly [string, Stats])[]> {
  const names = await namesIn(folder);
  const found: (readonly [string, Stats])[] = [];
  for (let start = 0; start < names.length; start += STATS_AT_ONCE) {
    const some = names.slice(start, start + STATS_AT_ONCE).map(async (name) => {
      const stats = await stat(join(folder, name)).catch(() => null);
      return stats?.isFile() ? [[name, stats] as const] : [];
    });
    found.push(...(await Promise.all(some)).flat());
  }
  return found;
}

function tooLittle(maxBytes: number, bytes: number): Error {
  return new LakehouseError(
    'RESOURCE_EXHAUSTED',
    `The queries that run need ${bytes} bytes more of the cache than the ${maxBytes} that it may have. ` +
      "Give it more with cache.maxBytes, or let DuckDB read from the store itself with its extension 'httpfs'.",
    { context: { maxBytes } },
  );
}
