import { LakehouseError, invalidData, isLakehouseError } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Reading this much more costs less than another request to an object store. */
const MAX_GAP = 256 * 1024;
/** A single request is not made longer than this by joining ranges. */
const MAX_JOINED = 16 * 1024 * 1024;

/**
 * Reads many ranges of one file with few requests, `concurrency` at a time. The returned function gives the bytes of
 * one of the ranges.
 */
export async function readRanges(
  io: FileIO,
  location: string,
  ranges: readonly ByteRange[],
  options: { readonly concurrency?: number; readonly signal?: AbortSignal } = {},
): Promise<(range: ByteRange) => Uint8Array> {
  const requests = joinRanges(ranges);
  const bytes = Array.from<Uint8Array>({ length: requests.length });
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < requests.length) {
      const i = next++;
      bytes[i] = await readRange(io, location, requests[i]!, options.signal);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency ?? 4, requests.length) }, work));
  return ({ offset, length }) => {
    const i = requests.findLastIndex((request) => request.offset <= offset);
    const from = offset - requests[i]!.offset;
    return bytes[i]!.subarray(from, from + length);
  };
}

/** Reads exactly one range. INVALID_DATA if the file ends before; UNAVAILABLE if the store gives less than it has. */
export async function readRange(
  io: Pick<FileIO, 'read'>,
  location: string,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (range.length === 0) return new Uint8Array();
  try {
    const bytes = await io.read(location, { ...range, ...(signal && { signal }) });
    if (bytes.length === range.length) return bytes;
    throw new LakehouseError('UNAVAILABLE', `The store gave ${bytes.length} of ${range.length} bytes of ${location}.`, {
      retryable: true,
      context: { path: location },
    });
  } catch (error) {
    if (!isLakehouseError(error, 'INVALID_ARGUMENT')) throw error;
    const { offset, length } = range;
    const problem = `${location} has no ${length} bytes at ${offset}, where its metadata says they are.`;
    throw invalidData(problem, { path: location }, error);
  }
}

/** Sorted, with close ones joined. */
function joinRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const joined: { offset: number; length: number }[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    const end = range.offset + range.length;
    if (
      last !== undefined &&
      range.offset <= last.offset + last.length + MAX_GAP &&
      end - last.offset <= Math.max(MAX_JOINED, last.length)
    ) {
      last.length = Math.max(last.length, end - last.offset);
    } else {
      joined.push({ ...range });
    }
  }
  return joined;
}
