import { invalidArgument } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';
import { fileKeyOf } from '../io/locations.ts';

const URI = /^[a-z][a-z0-9+.-]*:\//i;

/**
 * A location as metadata should hold it: without slashes at its end, and absolute where the store knows how to make it
 * so, because a relative path would mean something else in the next process.
 */
export function normalLocation(io: FileIO, location: string): string {
  const trimmed = location.replace(/\/+$/, '');
  if (trimmed === '') throw invalidArgument(`'${location}' can't be a location of tables: name a directory.`);
  if (trimmed.startsWith('/') || URI.test(trimmed)) return trimmed;
  return io.capabilities.localPath?.(trimmed) ?? trimmed;
}

/** Whether two spellings name one place: the same text, or the same path on the local disk. */
export function sameLocation(io: FileIO, a: string, b: string): boolean {
  const [left, right] = [a, b].map((location) => fileKeyOf(io, location.replace(/\/+$/, '')));
  return left === right;
}

/** Where the metadata files of a table are that a catalog without a file system of its own keeps. */
export function metadataDirectory(location: string, properties: Readonly<Record<string, string>>): string {
  return (properties['write.metadata.path'] ?? `${location.replace(/\/+$/, '')}/metadata`).replace(/\/+$/, '');
}
