import { LakehouseError, invalidData, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { columnBytes } from '../../columns/column.ts';
import { buildExcerpt, excerptParts } from './excerpt.ts';
import type { ParquetFooter, ParquetRowGroup } from './footer.ts';
import { importBatch } from './import-arrow.ts';
import type { ImportedBatch } from './import-arrow.ts';
import { readInt96 } from './int96.ts';
import { readRanges } from '../read-ranges.ts';
import { loadParquetWasm } from './wasm.ts';
import type { ParquetWasm } from './wasm.ts';

export interface DecodedBatch extends ImportedBatch {
  /** Position in the file of the batch's first row. The ids of `fields` are `ParquetNode.index`. */
  readonly firstRow: number;
}

export interface ReadColumnsOptions {
  /** Indexes of the row groups to read, in order. */
  readonly rowGroups: readonly number[];
  /** Indexes of the leaves to read, ascending, one at least. */
  readonly leaves: readonly number[];
  /** The most rows of one batch. */
  readonly batchSize: number;
  readonly signal?: AbortSignal;
}

/** No more than about this is decoded at once, however many rows that is. */
const WINDOW_BYTES = 32 * 1024 * 1024;
/** What is decoded first of a file, before the width of its rows is known: so many rows, fewer if they may be wide. */
const FIRST_WINDOW = { most: 16 * 1024, least: 1024, bytes: 512 * 1024 * 1024 } as const;
/** After a window that the decoder gave up on, one of this part of its rows is tried. */
const SMALLER_WINDOW = 1 / 16;
/** WebAssembly memory has 32-bit addresses, and has to hold what is decoded, too. */
const MAX_EXCERPT_BYTES = 3 * 2 ** 29;

/**
 * Decodes columns of a file. One row group's compressed bytes are held at a time, and the next one's while they are
 * fetched, or those of several that are small; the first are fetched at once. Rows are decoded in windows, as each call
 * of the decoder takes all of those bytes and skips to its rows; nothing stays in WebAssembly memory between the calls.
 */
export function readColumns(
  io: Pick<FileIO, 'read'>,
  location: string,
  footer: ParquetFooter,
  options: ReadColumnsOptions,
): AsyncGenerator<DecodedBatch> {
  const groups = options.rowGroups.map((i) => footer.rowGroups[i]!).filter((group) => group.rowCount > 0);
  const fetched = fetchAhead(groups, {
    size: (group) => compressedBytes(group, options.leaves),
    fetch: (group) => fetchExcerpt(io, location, footer, group, options),
  });
  return decodeGroups(groups, fetched, location, footer, options);
}

/** Of row groups that wait to be decoded, so many bytes are fetched, and one of them at least. */
const MAX_AHEAD_BYTES = 8 * 1024 * 1024;

/** Fetches in order, ahead of who takes the results one by one: the further, the more were taken. */
function fetchAhead<T, R>(
  items: readonly T[],
  { size, fetch }: { readonly size: (item: T) => number; readonly fetch: (item: T) => Promise<R> },
): () => Promise<R> {
  const ahead: { readonly result: Promise<R>; readonly bytes: number }[] = [];
  let [next, bytes, most] = [0, 0, 1];
  const fill = (): void => {
    for (const item of items.slice(next, next + most - ahead.length)) {
      const itemBytes = size(item);
      if (ahead.length > 0 && bytes + itemBytes > MAX_AHEAD_BYTES) return;
      const result = fetch(item);
      // It may fail before anyone awaits it; that is reported when its turn comes.
      result.catch(() => undefined);
      ahead.push({ result, bytes: itemBytes });
      bytes += itemBytes;
      next++;
    }
  };
  fill();
  return async () => {
    const first = ahead[0]!;
    const result = await first.result;
    ahead.shift();
    bytes -= first.bytes;
    fill();
    most *= 2;
    return result;
  };
}

async function* decodeGroups(
  groups: readonly ParquetRowGroup[],
  fetched: () => Promise<Uint8Array>,
  location: string,
  footer: ParquetFooter,
  options: ReadColumnsOptions,
): AsyncGenerator<DecodedBatch> {
  let windowRows = groups[0] ? firstWindowRows(footer, groups[0], options.leaves) : 0;
  for (const group of groups) {
    const excerpt = await fetched();
    const wasm = await loadParquetWasm();
    const fitting = fittingRows(group, options.leaves);
    for (let start = 0; start < group.rowCount;) {
      throwIfAborted(options.signal);
      const limit = Math.min(windowRows, fitting, group.rowCount - start);
      const batchSize = Math.min(options.batchSize, limit);
      const batches = decode(wasm, excerpt, location, { batchSize, offset: start, limit });
      if (batches === null) {
        windowRows = Math.ceil(limit * SMALLER_WINDOW);
        continue;
      }
      windowRows = nextWindowRows(batches, limit);
      for (const batch of batches) {
        yield { length: batch.length, ...readInt96(footer, batch), firstRow: group.firstRow + start };
        start += batch.length;
      }
    }
  }
}

/** A dictionary may stand for the same wide value in every row; it is no wider than its column is in the file. */
function firstWindowRows({ leaves: nodes }: ParquetFooter, group: ParquetRowGroup, leaves: readonly number[]): number {
  const variable = leaves.filter((leaf) => nodes[leaf]!.physical === 'BYTE_ARRAY');
  const widest = uncompressedBytes(group, variable);
  return Math.min(FIRST_WINDOW.most, Math.max(FIRST_WINDOW.least, Math.floor(FIRST_WINDOW.bytes / widest)));
}

/** Rows of a window, as far as the footer tells: values of a dictionary may be wider. */
function fittingRows(group: ParquetRowGroup, leaves: readonly number[]): number {
  return Math.max(1, Math.floor(WINDOW_BYTES / (uncompressedBytes(group, leaves) / group.rowCount)));
}

function compressedBytes(group: ParquetRowGroup, leaves: readonly number[]): number {
  return leaves.reduce((sum, leaf) => sum + group.columns[leaf]!.compressedSize, 0);
}

/** At least 1. */
function uncompressedBytes(group: ParquetRowGroup, leaves: readonly number[]): number {
  return leaves.reduce((sum, leaf) => sum + group.columns[leaf]!.uncompressedSize, 1);
}

function nextWindowRows(batches: readonly ImportedBatch[], rows: number): number {
  const columns = batches.flatMap((batch) => batch.columns);
  const bytes = columns.reduce((sum, column) => sum + columnBytes(column), 0);
  return Math.max(1, Math.floor(WINDOW_BYTES / Math.max(1, bytes / rows)));
}

async function fetchExcerpt(
  io: Pick<FileIO, 'read'>,
  location: string,
  footer: ParquetFooter,
  group: ParquetRowGroup,
  options: ReadColumnsOptions,
): Promise<Uint8Array> {
  const parts = excerptParts(group, options.leaves);
  const size = compressedBytes(group, options.leaves);
  if (size > MAX_EXCERPT_BYTES) throw tooLarge(location, size);
  const bytesOf = await readRanges(io, location, parts, options.signal ? { signal: options.signal } : {});
  return buildExcerpt(footer, group, parts, bytesOf);
}

function tooLarge(location: string, size: number): Error {
  const message =
    `The columns that are read of the data file ${location} have ${size} bytes in one row group, more than can be ` +
    'decoded at once. Read fewer columns, or compact the table into smaller row groups.';
  return new LakehouseError('RESOURCE_EXHAUSTED', message, { context: { path: location } });
}

/**
 * Decodes some rows of an excerpt; null if fewer at once may succeed. The decoder is synchronous, so that whatever it
 * trips over can be caught here.
 */
function decode(
  wasm: ParquetWasm,
  excerpt: Uint8Array,
  location: string,
  window: { readonly batchSize: number; readonly offset: number; readonly limit: number },
): readonly ImportedBatch[] | null {
  try {
    const table = wasm.readParquet(excerpt, window);
    try {
      const arrays = table.toFFI();
      try {
        const schemaAddress = arrays.schemaAddr();
        const addresses = arrays.arrayAddrs();
        // Only now: any call may move the memory to a new buffer.
        const { buffer } = wasm.wasmMemory();
        const batches = Array.from(addresses, (address) => importBatch(buffer, schemaAddress, address));
        const rows = batches.reduce((sum, batch) => sum + batch.length, 0);
        if (rows !== window.limit) throw invalidData(`it has ${rows} rows where its footer says ${window.limit}`);
        return batches;
      } finally {
        arrays.free();
      }
    } finally {
      table.free();
    }
  } catch (error) {
    if (window.limit > 1 && isGivenUp(error)) return null;
    throw decodeError(error, location);
  }
}

/** Where the decoder runs out of memory, and at some broken pages, it ends in a trap of the WebAssembly machine. */
function isGivenUp(error: unknown): boolean {
  return (error as Error).name === 'RuntimeError';
}

function decodeError(error: unknown, location: string): Error {
  const { message } = error as Error;
  const silent = isGivenUp(error) || message.includes('Error strings stripped');
  const why = silent
    ? 'its pages are broken'
    : message.replace(/^(Parquet argument error: |Parquet error: )+|\.$/g, '');
  return invalidData(`The data file ${location} can't be decoded: ${why}.`, { path: location }, error);
}
