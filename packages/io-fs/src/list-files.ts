import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { throwIfAborted, type FileStat } from '@lh/core';
import { isNoFile } from './system-errors.ts';
import { isTemporaryName } from './write-file.ts';

/** How many files are asked for their size at the same time. */
const STATS_AT_ONCE = 32;

interface Directory {
  readonly path: string;
  /** What the locations of its files start with, in the caller's spelling, a slash at the end. */
  readonly location: string;
  /** Real paths of the directories whose symbolic links led here. */
  readonly linkedFrom: readonly string[];
}

export interface ListOptions {
  readonly signal?: AbortSignal;
  /** Which file names count; all but temporary ones if left out. */
  readonly includes?: (name: string) => boolean;
}

/** The files below a directory, at any depth, whose path below it starts with the given text. */
export async function* listFiles(
  path: string,
  location: string,
  namePrefix: string,
  options: ListOptions = {},
): AsyncIterable<FileStat> {
  const includes = options.includes ?? ((name: string) => !isTemporaryName(name));
  const pending: Directory[] = [{ path, location, linkedFrom: [] }];
  for (let directory = pending.pop(); directory; directory = pending.pop()) {
    const prefix = directory.location === location ? namePrefix : '';
    const entries = (await entriesOf(directory.path)).filter((entry) => entry.name.startsWith(prefix));
    for (let start = 0; start < entries.length; start += STATS_AT_ONCE) {
      throwIfAborted(options.signal);
      const batch = entries.slice(start, start + STATS_AT_ONCE);
      for (const found of await Promise.all(batch.map((entry) => look(directory, entry, includes)))) {
        if (found === null) continue;
        if ('path' in found) pending.push(found);
        else yield found;
      }
    }
  }
}

/** The names of the directories in a directory; none if it isn't there. */
export async function listDirectoryNames(path: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(path)) {
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await target(join(path, entry.name)))?.isDirectory())) {
      names.push(entry.name);
    }
  }
  return names;
}

async function look(
  parent: Directory,
  entry: Dirent,
  includes: (name: string) => boolean,
): Promise<Directory | FileStat | null> {
  const path = join(parent.path, entry.name);
  const location = parent.location + entry.name;
  if (entry.isDirectory()) return { path, location: `${location}/`, linkedFrom: parent.linkedFrom };
  if (!entry.isFile() && !entry.isSymbolicLink()) return null;
  const stats = await target(path);
  if (stats?.isDirectory()) return followLink(parent, path, `${location}/`);
  if (!stats?.isFile() || !includes(entry.name)) return null;
  return { location, size: stats.size, lastModifiedMs: stats.mtimeMs };
}

/** What a link to a directory leads to; null where it leads back up, to what is being listed anyway. */
async function followLink(parent: Directory, path: string, location: string): Promise<Directory | null> {
  const [from, to] = await Promise.all([realpath(parent.path), realpath(path)]);
  const linkedFrom = [...parent.linkedFrom, from];
  const leadsBack = linkedFrom.some((ancestor) => ancestor === to || ancestor.startsWith(to + sep));
  return leadsBack ? null : { path, location, linkedFrom };
}

/** Null for what is gone since its directory was read, and for a link that leads nowhere. */
async function target(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isNoFile(error)) return null;
    throw error;
  }
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isNoFile(error)) return [];
    throw error;
  }
}
