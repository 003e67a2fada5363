import { resolve } from 'node:path';
import { LakehouseError } from '@lh/core';

/** `s3://…`, `hdfs:/…`; one letter before the colon is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:\//i;

/** `file:/x`, `file:///x` and `file://localhost/x` all name the path `/x`. */
const FILE_URI = /^file:(?:\/\/(?:localhost)?(?=\/)|(?=\/(?!\/)))/i;

/**
 * The absolute path of a location: a plain path, or a `file:` URI in any spelling. Nothing is decoded: a percent sign
 * is part of the name, as Iceberg has it. Null if the location belongs to another store.
 */
export function localPath(location: string): string | null {
  const uri = FILE_URI.exec(location);
  if (uri === null && (SCHEME.test(location) || /^file:/i.test(location))) return null;
  const path = uri === null ? location : location.slice(uri[0].length);
  return path === '' || path.includes('\0') ? null : resolve(path);
}

/** The same, or INVALID_ARGUMENT saying what is wrong with the location. */
export function requireLocalPath(location: string): string {
  const path = localPath(location);
  if (path === null) {
    throw new LakehouseError(
      'INVALID_ARGUMENT',
      `'${location}' is not a location on the local disk: give a path or a file: URI, or map its prefix with MappedFileIO.`,
      { context: { location } },
    );
  }
  return path;
}

/** The path to write a file to; a slash at the end would name a directory. */
export function requireFilePath(location: string): string {
  if (location.endsWith('/')) {
    throw new LakehouseError('INVALID_ARGUMENT', `'${location}' ends in a slash, so it can't name a file.`, {
      context: { location },
    });
  }
  return requireLocalPath(location);
}
