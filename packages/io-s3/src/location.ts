import { LakehouseError } from '@lh/core';

export interface S3Location {
  /** As the caller named it. */
  readonly location: string;
  readonly bucket: string;
  /** Nothing is decoded: a percent sign is part of the name. */
  readonly key: string;
  /** What stands before the key, in the caller's spelling: `s3a://bucket/`. */
  readonly root: string;
}

/** Hadoop's names for S3 mean the same place. */
const URI = /^(s3[an]?:\/\/([^/]+))(?:\/([^]*))?$/i;

/** The bucket and key of a location; the key may be empty. Null for what is no location on S3. */
export function parseLocation(location: string): S3Location | null {
  const match = URI.exec(location);
  if (match === null) return null;
  return { location, bucket: match[2]!, key: match[3] ?? '', root: `${match[1]!}/` };
}

/** The same, for a place with files below it; INVALID_ARGUMENT saying what is wrong. */
export function requirePrefix(location: string): S3Location {
  const parsed = parseLocation(location);
  if (parsed !== null) return parsed;
  const message = `'${location}' is not a location on S3: give s3://bucket/key, or map its prefix with MappedFileIO.`;
  throw new LakehouseError('INVALID_ARGUMENT', message, { context: { location } });
}

/** The same, for a file. */
export function requireObject(location: string): S3Location {
  const parsed = requirePrefix(location);
  if (parsed.key !== '') return parsed;
  const message = `'${location}' names a bucket, not a file in it.`;
  throw new LakehouseError('INVALID_ARGUMENT', message, { context: { location } });
}
