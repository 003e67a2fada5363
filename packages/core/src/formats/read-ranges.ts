import { LakehouseError, invalidData, isLakehouseError } from '../errors.ts';
import type { FileIO } from '../io/file-io.ts';

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Between two ranges so much may lie anyway; more, only as far as what lies between those of a request is this part of
 * what is wanted of it.
 */
const MAX_GAP = 8 * 1024;
const MAX_WASTE = 1 / 10;
/** A single request is not made longer than this by joining ranges. */
const MAX_JOINED = 16 * 1024 * 1024;

/** A store that is near answers many requests no sooner than a few. */
const REQUESTS_AT_ONCE = 4;

/**
 * Reads many ranges of one file with few requests, as many at a time as the store asks for. The returned function gives
 * the bytes of one of the ranges.
 */
export async function readRanges(
  io: Pick<FileIO, 'read'> & Partial<Pick<FileIO, 'capabilities'>>,
  location: string,
  ranges: readonly ByteRange[],
  options: { readonly signal?: AbortSignal } = {},
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
  const atOnce = io.capabilities?.concurrency ?? REQUESTS_AT_ONCE;
  await Promise.all(Array.from({ length: Math.min(atOnce, requests.length) }, work));
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
  const joined: { offset: number; length: number; wasted: number }[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    if (last === undefined) {
      joined.push({ ...range, wasted: 0 });
      continue;
    }
    const gap = Math.max(0, range.offset - last.offset - last.length);
    const length = Math.max(last.length, range.offset + range.length - last.offset);
    const wasted = last.wasted + gap;
    const isClose = gap <= MAX_GAP || wasted <= (length - wasted) * MAX_WASTE;
    if (isClose && length <= Math.max(MAX_JOINED, last.length)) Object.assign(last, { length, wasted });
    else joined.push({ ...range, wasted: 0 });
  }
  return joined;
}
