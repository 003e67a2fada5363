import type { FileIO, S3Object } from '@lh/core';

/** Patterns, and what is taken for one. */
const PATTERN = /[*?[\\]/;

/** The URL under which DuckDB's httpfs reads a location; null if it isn't in S3, or would not be read exactly. */
export function objectUrl(io: FileIO, location: string): string | null {
  const object = io.capabilities.s3Object?.(location) ?? null;
  if (object === null || PATTERN.test(object.key)) return null;
  const parts = object.key.split('/');
  // Its HTTP client resolves such parts, as those of web pages.
  return parts.includes('.') || parts.includes('..') || parts[0] === '' ? null : urlOf(object);
}

/** Everything below a location, as the beginning of URLs. */
export interface Scope {
  readonly url: string;
  readonly object: S3Object;
}

export function scopeOf(io: FileIO, location: string): Scope | null {
  const object = io.capabilities.s3Object?.(`${location.replace(/\/+$/, '')}/`) ?? null;
  return object && { url: urlOf(object), object };
}

/** `s3a:` and its like are the same to tables, but not to secrets. */
function urlOf({ bucket, key }: S3Object): string {
  return `s3://${bucket}/${key}`;
}
