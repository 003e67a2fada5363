import { invalidArgument } from '../errors.ts';
import type { ReadOptions } from './file-io.ts';

export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/** Checks what of a range can be checked before the file's size is known. INVALID_ARGUMENT for numbers that are none. */
export function checkByteRange(location: string, options: ReadOptions): void {
  const { offset = 0, length = 0 } = options;
  if (!Number.isSafeInteger(offset)) {
    throw invalidArgument(`The offset of a read must be an integer, not ${offset}.`, { location });
  }
  if (!Number.isSafeInteger(length) || length < 0) {
    throw invalidArgument(`The length of a read must be a non-negative integer, not ${length}.`, { location });
  }
}

/** The bytes of a file of `size` bytes that a read asks for. INVALID_ARGUMENT if the file doesn't have all of them. */
export function resolveByteRange(location: string, size: number, options: ReadOptions = {}): ByteRange {
  checkByteRange(location, options);
  const { offset = 0 } = options;
  const start = offset < 0 ? Math.max(0, size + offset) : offset;
  const length = options.length ?? size - start;
  if (length < 0 || start + length > size) {
    const asked = options.length === undefined ? `byte ${start} on` : `bytes ${start} to ${start + length}`;
    throw invalidArgument(`A read asked for ${asked} of '${location}', which has ${size} bytes.`, { location, size });
  }
  return { start, length };
}
