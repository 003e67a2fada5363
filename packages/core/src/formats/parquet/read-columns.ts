import { invalidData, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { columnBytes } from '../../columns/column.ts';
import { buildExcerpt, excerptParts } from './excerpt.ts';
import type { ParquetFooter, ParquetRowGroup } from './footer.ts';
import { importBatch } from './import-arrow.ts';
import type { ImportedBatch } from './import-arrow.ts';
import { readRanges } from './read-ranges.ts';
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

/** A batch is made no larger than about this, decoded, whatever its number of rows. */
const BATCH_BYTES = 32 * 1024 * 1024;
/** The first batch of a file, before the width of its rows is known. */
const FIRST_BATCH_ROWS = 16 * 1024;

/**
 * Decodes columns of a file, batch by batch. One row group's compressed bytes are held at a time, and the next one's
 * while they are fetched; nothing of it stays in WebAssembly memory between batches.
 */
export async function* readColumns(
  io: FileIO,
  location: string,
  footer: ParquetFooter,
  options: ReadColumnsOptions,
): AsyncGenerator<DecodedBatch> {
  const groups = options.rowGroups.map((i) => footer.rowGroups[i]!).filter((group) => group.rowCount > 0);
  let rows = Math.min(FIRST_BATCH_ROWS, options.batchSize);
  let fetched = groups[0] && fetchExcerpt(io, location, footer, groups[0], options);
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    const excerpt = await fetched!;
    fetched = groups[i + 1] && fetchExcerpt(io, location, footer, groups[i + 1]!, options);
    // The fetch ahead may fail before anyone awaits it; it is then reported when its turn comes.
    fetched?.catch(() => undefined);
    const wasm = await loadParquetWasm();
    for (let start = 0; start < group.rowCount; ) {
      throwIfAborted(options.signal);
      const length = Math.min(rows, group.rowCount - start);
      const batch = decode(wasm, excerpt, location, start, length);
      yield { ...batch, firstRow: group.firstRow + start };
      start += length;
      rows = nextBatchRows(batch, options.batchSize);
    }
  }
}

function nextBatchRows(batch: ImportedBatch, batchSize: number): number {
  const bytes = batch.columns.reduce((sum, column) => sum + columnBytes(column), 0);
  const fitting = Math.floor(BATCH_BYTES / Math.max(1, bytes / batch.length));
  return Math.max(1, Math.min(batchSize, fitting));
}

async function fetchExcerpt(
  io: FileIO,
  location: string,
  footer: ParquetFooter,
  group: ParquetRowGroup,
  options: ReadColumnsOptions,
): Promise<Uint8Array> {
  const parts = excerptParts(group, options.leaves);
  const bytesOf = await readRanges(io, location, parts, options.signal ? { signal: options.signal } : {});
  return buildExcerpt(footer, group, parts, bytesOf);
}

/** Decodes some rows of an excerpt. The decoder is synchronous, so that whatever it trips over can be caught here. */
function decode(wasm: ParquetWasm, excerpt: Uint8Array, location: string, offset: number, limit: number): ImportedBatch {
  try {
    const table = wasm.readParquet(excerpt, { batchSize: limit, offset, limit });
    try {
      const arrays = table.toFFI();
      try {
        if (arrays.numArrays() !== 1) throw invalidData(`it decoded to ${arrays.numArrays()} batches of rows`);
        const batch = importBatch(wasm.wasmMemory().buffer, arrays.schemaAddr(), arrays.arrayAddr(0));
        if (batch.length !== limit) throw invalidData(`it has ${batch.length} rows where its footer says ${limit}`);
        return batch;
      } finally {
        arrays.free();
      }
    } finally {
      table.free();
    }
  } catch (error) {
    throw decodeError(error, location);
  }
}

function decodeError(error: unknown, location: string): Error {
  const { name, message } = error as Error;
  // The decoder gives up on some broken pages with a trap of the WebAssembly machine, which says nothing.
  const why = name === 'RuntimeError' ? 'its pages are broken' : message.replace(/\.$/, '');
  return invalidData(`The data file ${location} can't be decoded: ${why}.`, { path: location }, error);
}
