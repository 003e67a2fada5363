import { close, closeSync, fstatSync, fsync, open, read, write, type Stats } from 'node:fs';

/**
 * File descriptors as numbers. The handles of `node:fs/promises` cost a trip to the thread pool for what never waits for
 * a disk, like the size of an open file: as much as the rest of a small write takes.
 */
export type Descriptor = number;

export function openFile(path: string, flags: 'r' | 'r+' | 'wx'): Promise<Descriptor> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
}

/** Reads some of the bytes that are asked for, and says how many; 0 at the end of the file. */
export function readSome(
  file: Descriptor,
  target: Uint8Array,
  at: number,
  length: number,
  from: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, target, at, length, from, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Appends all bytes. */
export async function writeFully(file: Descriptor, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await writeSome(file, bytes, at);
}

function writeSome(file: Descriptor, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, bytes, at, bytes.length - at, null, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

export function syncFile(file: Descriptor): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(file, (error) => (error ? reject(error) : resolve()));
  });
}

/** What the system knows of an open file without looking at the disk. */
export function statsOf(file: Descriptor): Stats {
  return fstatSync(file);
}

/** Closes a file that was only read, or synced: nothing is left to be written, so nothing to wait for. */
export function closeClean(file: Descriptor): void {
  closeSync(file);
}

/** Closes a file that some file systems write only now. */
export function closeWritten(file: Descriptor): Promise<void> {
  return new Promise((resolve, reject) => {
    close(file, (error) => (error ? reject(error) : resolve()));
  });
}
