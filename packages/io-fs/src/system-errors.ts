import { isLakehouseError, LakehouseError, type ErrorCode } from '@lh/core';

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
  readonly retryable?: boolean;
}

const DENIED: Meaning = { code: 'UNAUTHORIZED', says: 'this process has no permission; check owner and mode' };
const DISK_FULL: Meaning = { code: 'RESOURCE_EXHAUSTED', says: 'the disk or the quota is full; free some space' };
const TOO_MANY_OPEN: Meaning = {
  code: 'RESOURCE_EXHAUSTED',
  says: 'too many files are open; raise the limit (ulimit -n)',
  retryable: true,
};
const NO_FILE: Meaning = { code: 'NOT_FOUND', says: 'there is no such file' };
const BAD_NAME: Meaning = { code: 'INVALID_ARGUMENT', says: 'the file system does not allow this name' };
const NOT_OFFERED: Meaning = { code: 'UNSUPPORTED', says: 'the file system does not offer this operation' };
const TROUBLE: Meaning = { code: 'UNAVAILABLE', says: 'the file system has trouble; try again', retryable: true };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: NO_FILE,
  EISDIR: { code: 'NOT_FOUND', says: 'there is a directory, not a file' },
  ENOTDIR: { code: 'NOT_FOUND', says: 'a part of the path is a file, not a directory' },
  EEXIST: { code: 'ALREADY_EXISTS', says: 'the file exists already' },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { code: 'UNAUTHORIZED', says: 'the file system is mounted read-only' },
  ENOSPC: DISK_FULL,
  EDQUOT: DISK_FULL,
  EFBIG: { code: 'RESOURCE_EXHAUSTED', says: 'the file would be larger than the file system allows' },
  EMFILE: TOO_MANY_OPEN,
  ENFILE: TOO_MANY_OPEN,
  ENOMEM: { code: 'RESOURCE_EXHAUSTED', says: 'the system is out of memory', retryable: true },
  ENAMETOOLONG: { code: 'INVALID_ARGUMENT', says: 'a name in the path is too long' },
  EINVAL: BAD_NAME,
  EILSEQ: BAD_NAME,
  ELOOP: { code: 'INVALID_ARGUMENT', says: 'the symbolic links of the path go in a circle' },
  ENOTSUP: NOT_OFFERED,
  EOPNOTSUPP: NOT_OFFERED,
  ENOSYS: NOT_OFFERED,
  EXDEV: NOT_OFFERED,
};

/** The library's error for one of the system's, which becomes its cause. What is unknown counts as trouble. */
export function fromSystemError(error: unknown, action: string, location: string): LakehouseError {
  if (isLakehouseError(error)) return error;
  const systemCode = systemErrorCode(error);
  const { code, says, retryable = false } = (systemCode && MEANINGS[systemCode]) || TROUBLE;
  const suffix = systemCode ? ` (${systemCode})` : '';
  return new LakehouseError(code, `Can't ${action} '${location}': ${says}${suffix}.`, {
    retryable,
    context: { location, ...(systemCode && { systemCode }) },
    cause: error,
  });
}

export function systemErrorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** No file of this name: it is missing, or the name or a part of it is taken by something else. */
export function isNoFile(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemErrorCode(error) ?? '');
}
