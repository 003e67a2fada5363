import { LakehouseError } from '@lh/core';

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** An error of the disk below the cache, as one that tells what to do. */
export function cacheError(error: unknown, directory: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof LakehouseError) return error;
  const options = { context: { path: directory }, cause: error };
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
    const text = `The disk of the cache ${directory} is full. Give it less with cache.maxBytes, or another place with cache.directory.`;
    return new LakehouseError('RESOURCE_EXHAUSTED', text, options);
  }
  if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOTSUP', 'EXDEV')) {
    const text = `The directory ${directory} can't be used as a cache (${error.message}). Give another one with cache.directory.`;
    return new LakehouseError('INVALID_ARGUMENT', text, options);
  }
  return error;
}
