import { lstat, mkdir, statfs } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { LakehouseError } from '@lh/core';
import { invalidArgument } from '@lh/core/engine';

export interface CacheOptions {
  /**
   * Where parts of data files that are not on the local disk are kept; any number of processes may share it. Left out: a
   * directory of the user's own under the system's for temporary files.
   */
  readonly directory?: string;
  /** Bytes that it may have; 10 GB if left out, or half of what is free on the disk if that is less. */
  readonly maxBytes?: number;
}

const DEFAULT_BYTES = 10 * 2 ** 30;

export function checkCacheOptions({ directory, maxBytes }: CacheOptions): void {
  if (directory === '') throw invalidArgument('cache.directory must not be empty.');
  if (maxBytes !== undefined && !(Number.isFinite(maxBytes) && maxBytes > 0)) {
    throw invalidArgument(`cache.maxBytes must be a positive number of bytes, not ${String(maxBytes)}.`);
  }
}

/** The path of the cache, whether it is there or not. */
export function cachePath({ directory }: CacheOptions): string {
  return directory ?? join(tmpdir(), `lakehouse-cache-${userInfo().uid}`);
}

/** Makes the directory. INVALID_ARGUMENT for the default one if someone else can write to it: data would be theirs. */
export async function cacheDirectory(options: CacheOptions): Promise<string> {
  const path = cachePath(options);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (options.directory !== undefined) return path;
  const { uid, mode } = await lstat(path);
  if (uid !== userInfo().uid || (mode & 0o022) !== 0) {
    const text = `The directory ${path} belongs to someone else, or others may write to it. Remove it, or give another one with cache.directory.`;
    throw new LakehouseError('INVALID_ARGUMENT', text, { context: { path } });
  }
  return path;
}

export async function cacheSize({ maxBytes }: CacheOptions, path: string): Promise<number> {
  if (maxBytes !== undefined) return maxBytes;
  const { bavail, bsize } = await statfs(path);
  return Math.min(DEFAULT_BYTES, (bavail * bsize) / 2);
}
