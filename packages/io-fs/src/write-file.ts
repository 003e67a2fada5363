import { randomUUID } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { link, mkdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LakehouseError, throwIfAborted, type FileData } from '@lh/core';
import { closeClean, closeWritten, openFile, statsOf, syncFile, writeFully, type Descriptor } from './descriptors.ts';
import { fromSystemError, systemErrorCode } from './system-errors.ts';

const TEMPORARY = /^\.lh-tmp-[0-9a-f]{32}$/;

/** Names of files that are being written, or that a crash left behind half-written: they are no data. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

export interface WriteTarget {
  /** As the caller named it, for messages. */
  readonly location: string;
  readonly path: string;
  readonly ifNoneMatch: boolean;
  /** False: a power failure may undo it. */
  readonly durable: boolean;
  readonly lasting: LastingDirectories;
  readonly signal: AbortSignal | undefined;
}

/**
 * Directories whose names, up to the root, have been synced since they were found: a power failure can't take them away.
 * One that is there may be of another process that hasn't come to sync it.
 */
export type LastingDirectories = Set<string>;

/**
 * Writes a file that is either there in full, and survives a power failure, or not there: the bytes go to a temporary
 * file in the same directory, which is synced and then gets its name by rename(2), or by link(2) when the name must
 * be free. (O_EXCL on the name itself would show readers an unfinished file.)
 */
export async function writeFileAtomically(
  target: WriteTarget,
  data: FileData,
): Promise<{ size: number; mtimeMs: number }> {
  const { location, ifNoneMatch, durable, lasting } = target;
  const directory = dirname(target.path);
  const temporary = join(directory, `.lh-tmp-${randomUUID().replaceAll('-', '')}`);
  const file = await openTemporary(temporary, directory, target);
  let stats: Stats;
  try {
    stats = await fill(file, data, target);
    if (durable) await syncParents(directory, lasting);
    await place(temporary, target);
  } catch (error) {
    await removeTemporary(temporary);
    if (durable && ifNoneMatch && systemErrorCode(error) === 'EEXIST') await syncExisting(directory, location);
    throw fromSystemError(error, 'write', location);
  }
  const [synced] = await Promise.allSettled([
    durable && syncDirectory(directory),
    // After a rename it is gone; after a link it is the second name of the file.
    ifNoneMatch && removeTemporary(temporary),
  ]);
  if (synced.status === 'rejected') throw unsynced(location, synced.reason);
  return stats;
}

/** Whoever made the file first may not have come to sync its name. Who hears that it is there relies on it. */
async function syncExisting(directory: string, location: string): Promise<void> {
  try {
    await syncDirectory(directory);
  } catch (error) {
    throw unsynced(location, error);
  }
}

async function removeTemporary(temporary: string): Promise<void> {
  await unlink(temporary).catch(() => undefined);
}

/** Gives a whole file another name, and makes both last. From another disk it is copied. */
export async function moveFile(
  path: string,
  target: string,
  location: string,
  lasting: LastingDirectories,
): Promise<{ size: number; mtimeMs: number }> {
  try {
    const stats = await syncedStats(path);
    await renameInto(path, target, lasting);
    await syncParents(dirname(target), lasting);
    await syncDirectory(dirname(target));
    return stats;
  } catch (error) {
    if (systemErrorCode(error) !== 'EXDEV') throw fromSystemError(error, 'write', location);
    const copied = await writeFileAtomically(
      { location, path: target, ifNoneMatch: false, durable: true, lasting, signal: undefined },
      createReadStream(path),
    );
    await unlink(path);
    return copied;
  }
}

async function syncedStats(path: string): Promise<Stats> {
  const file = await openFile(path, 'r+');
  try {
    await syncFile(file);
    return statsOf(file);
  } finally {
    closeClean(file);
  }
}

async function renameInto(path: string, target: string, lasting: LastingDirectories): Promise<void> {
  try {
    await rename(path, target);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    lasting.clear();
    await makeDirectory(dirname(target));
    await rename(path, target);
  }
}

async function openTemporary(
  temporary: string,
  directory: string,
  { location, lasting }: WriteTarget,
): Promise<Descriptor> {
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        return await openFile(temporary, 'wx');
      } catch (error) {
        // Someone may remove the directory again before the file is in it.
        if (systemErrorCode(error) !== 'ENOENT' || attempt === 3) throw error;
        lasting.clear();
        await makeDirectory(directory);
      }
    }
  } catch (error) {
    if (['ENOTDIR', 'EEXIST'].includes(systemErrorCode(error) ?? '')) {
      const message = `Can't write '${location}': a part of its path is a file, not a directory.`;
      throw new LakehouseError('INVALID_ARGUMENT', message, { context: { location }, cause: error });
    }
    if (systemErrorCode(error) === 'ENOENT') {
      const message = `Can't write '${location}': its directory can't be made here. Check the path of the warehouse.`;
      throw new LakehouseError('INVALID_ARGUMENT', message, { context: { location }, cause: error });
    }
    throw fromSystemError(error, 'write', location);
  }
}

/**
 * Makes a directory and its parents. Not with mkdir's own `recursive`: Node
 * goes on for ever where a parent is there and the answer is ENOENT nevertheless, as below /proc.
 */
async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  try {
    await mkdirIfMissing(directory);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || parent === directory) throw error;
    if (!(await isDirectory(parent))) await makeDirectory(parent);
    // By now the parent is there, made by us or by someone else meanwhile: a second ENOENT is final.
    await mkdirIfMissing(directory);
  }
}

/** If there is a file of the name, opening one in it says so. */
async function mkdirIfMissing(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function fill(file: Descriptor, data: FileData, { durable, signal }: WriteTarget): Promise<Stats> {
  let isClean = false;
  try {
    if (data instanceof Uint8Array) {
      await writeFully(file, data);
    } else {
      for await (const chunk of data) {
        throwIfAborted(signal);
        await writeFully(file, chunk);
      }
    }
    throwIfAborted(signal);
    if (durable) {
      await syncFile(file);
      isClean = true;
    }
    return statsOf(file);
  } finally {
    if (isClean) closeClean(file);
    else await closeWritten(file);
  }
}

async function place(temporary: string, { path, ifNoneMatch, location }: WriteTarget): Promise<void> {
  if (!ifNoneMatch) {
    try {
      return await rename(temporary, path);
    } catch (error) {
      if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
      const message = `Can't write '${location}': a directory has this name.`;
      throw new LakehouseError('INVALID_ARGUMENT', message, { context: { location }, cause: error });
    }
  }
  try {
    await link(temporary, path);
  } catch (error) {
    // NFS may repeat a request whose answer was lost, and then say EEXIST of the link that it made itself.
    if ((await stat(temporary)).nlink > 1) return;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemErrorCode(error) ?? '')) throw error;
    const message = `Can't create '${location}' atomically: its file system has no hard links.`;
    throw new LakehouseError('UNSUPPORTED', message, { context: { location }, cause: error });
  }
}

/** Makes the directory's own name last, and those above it. */
async function syncParents(directory: string, lasting: LastingDirectories): Promise<void> {
  if (lasting.has(directory)) return;
  const parent = dirname(directory);
  if (parent === directory) return;
  try {
    await syncDirectory(parent);
  } catch (error) {
    // One that may not be read can't be synced: whoever set it up has to see to it.
    if (!['EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error;
  }
  await syncParents(parent, lasting);
  lasting.add(directory);
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows can't open a directory, and writes its entries through.
  if (process.platform === 'win32') return;
  const opened = await openFile(directory, 'r');
  try {
    await syncFile(opened);
  } catch (error) {
    // Some network file systems don't know how, and need it as little.
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemErrorCode(error) ?? '')) throw error;
  } finally {
    closeClean(opened);
  }
}

/** The file has its name, but a power failure could still undo that: the caller can't rely on either. */
function unsynced(location: string, cause: unknown): LakehouseError {
  const message = `'${location}' was written, but its directory could not be synced to disk: read it back.`;
  return new LakehouseError('UNAVAILABLE', message, { retryable: true, context: { location }, cause });
}
