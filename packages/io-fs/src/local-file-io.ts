import type { Stats } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import {
  LakehouseError,
  checkByteRange,
  resolveByteRange,
  throwIfAborted,
  type DeleteResult,
  type FileData,
  type FileIO,
  type FileIOCapabilities,
  type FileStat,
  type IOOptions,
  type ReadOptions,
  type WriteOptions,
} from '@lh/core';
import { closeClean, openFile, readSome, statsOf, type Descriptor } from './descriptors.ts';
import { listDirectoryNames, listFiles, type ListOptions } from './list-files.ts';
import { localPath, requireFilePath, requireLocalPath } from './local-path.ts';
import { fromSystemError, isNoFile } from './system-errors.ts';
import { isTemporaryName, moveFile, writeFileAtomically, type LastingDirectories } from './write-file.ts';

/** One read(2) takes less than 2 GiB. */
const READ_AT_MOST = 1 << 30;

const DELETES_AT_ONCE = 32;

/**
 * Files on the local disk. Locations are paths or `file:` URIs (`file:/x`, `file:///x`); no percent sign is ever
 * decoded. A file that was written is whole and on the disk, also after a power failure.
 */
export class LocalFileIO implements FileIO {
  readonly capabilities: FileIOCapabilities = { conditionalCreate: true, maxDeleteBatch: 1000, localPath };
  readonly #lasting: LastingDirectories = new Set();

  async read(location: string, options: ReadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    const path = requireLocalPath(location);
    checkByteRange(location, options);
    return reporting('read', location, async () => {
      const file = await openFile(path, 'r');
      try {
        const { size, mtimeMs } = fileStats(file);
        const { start, length } = resolveByteRange(location, size, options);
        options.onStat?.({ location, size, lastModifiedMs: mtimeMs });
        return await readFully(file, location, start, length);
      } finally {
        closeClean(file);
      }
    });
  }

  async stat(location: string, options: IOOptions = {}): Promise<FileStat | null> {
    throwIfAborted(options.signal);
    const path = requireLocalPath(location);
    try {
      const stats = await stat(path);
      return stats.isFile() ? { location, size: stats.size, lastModifiedMs: stats.mtimeMs } : null;
    } catch (error) {
      if (isNoFile(error)) return null;
      throw fromSystemError(error, 'look at', location);
    }
  }

  async write(location: string, data: FileData, options: WriteOptions = {}): Promise<FileStat> {
    throwIfAborted(options.signal);
    const path = requireFilePath(location);
    if (options.ifMatch !== undefined) {
      const message = `Can't write '${location}': the local disk can't replace a file on condition (ifMatch).`;
      throw new LakehouseError('UNSUPPORTED', message, { context: { location } });
    }
    const { ifNoneMatch = false, durable = true, signal } = options;
    const { size, mtimeMs } = await writeFileAtomically(
      { location, path, ifNoneMatch, durable, lasting: this.#lasting, signal },
      data,
    );
    return { location, size, lastModifiedMs: mtimeMs };
  }

  async moveIn(path: string, location: string, options: IOOptions = {}): Promise<FileStat> {
    throwIfAborted(options.signal);
    const target = requireFilePath(location);
    const { size, mtimeMs } = await moveFile(path, target, location, this.#lasting);
    return { location, size, lastModifiedMs: mtimeMs };
  }

  list(prefix: string, options: IOOptions = {}): AsyncIterable<FileStat> {
    return this.#list(prefix, options);
  }

  async delete(locations: readonly string[], options: IOOptions = {}): Promise<DeleteResult> {
    throwIfAborted(options.signal);
    const deleted: string[] = [];
    const failed: { location: string; error: unknown }[] = [];
    for (let start = 0; start < locations.length; start += DELETES_AT_ONCE) {
      throwIfAborted(options.signal);
      await Promise.all(
        locations.slice(start, start + DELETES_AT_ONCE).map(async (location) => {
          try {
            await deleteFile(requireLocalPath(location), location);
            deleted.push(location);
          } catch (error) {
            failed.push({ location, error });
          }
        }),
      );
    }
    return { deleted, failed };
  }

  async *listDirectories(location: string, options: IOOptions = {}): AsyncIterable<string> {
    throwIfAborted(options.signal);
    const path = requireLocalPath(location);
    yield* await reporting('list', location, () => listDirectoryNames(path));
  }

  async deleteUnfinishedWrites(
    prefix: string,
    options: { readonly olderThan: number } & IOOptions,
  ): Promise<DeleteResult> {
    const leftovers: string[] = [];
    for await (const file of this.#list(prefix, { ...options, includes: isTemporaryName })) {
      if (file.lastModifiedMs !== undefined && file.lastModifiedMs < options.olderThan) leftovers.push(file.location);
    }
    return this.delete(leftovers, options);
  }

  async *#list(prefix: string, options: ListOptions): AsyncIterable<FileStat> {
    throwIfAborted(options.signal);
    const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const path = requireLocalPath(directory === '' ? '.' : directory);
    try {
      yield* listFiles(path, directory, prefix.slice(directory.length), options);
    } catch (error) {
      throw fromSystemError(error, 'list', prefix);
    }
  }
}

async function reporting<T>(action: string, location: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw fromSystemError(error, action, location);
  }
}

/** Some systems open a directory for reading without complaint. */
function fileStats(file: Descriptor): Stats {
  const stats = statsOf(file);
  if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  return stats;
}

async function readFully(file: Descriptor, location: string, start: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length;) {
    const count = await readSome(file, bytes, at, Math.min(length - at, READ_AT_MOST), start + at);
    if (count === 0) {
      const message = `'${location}' became shorter while it was read; files of a table must never change.`;
      throw new LakehouseError('INVALID_DATA', message, { context: { location } });
    }
    at += count;
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length);
}

async function deleteFile(path: string, location: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    // unlink(2) of a directory fails with EISDIR or EPERM: there is no file of that name.
    if (isNoFile(error) || (await isDirectory(path))) return;
    throw fromSystemError(error, 'delete', location);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
