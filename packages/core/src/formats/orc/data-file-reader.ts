import { columnBytes } from '../../columns/column.ts';
import type { Column } from '../../columns/column.ts';
import { invalidData, isLakehouseError, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { DataFileReader, DecodedBatch, FileField, ReadFileOptions } from '../data-file.ts';
import { columnReader, type ColumnReader } from './column-readers.ts';
import { orcFileFields, orcSourceField } from './file-fields.ts';
import { readOrcFooter, type OrcFooter, type OrcStripe } from './footer.ts';
import { readStripe, type StripeStreams } from './stripe.ts';

/** A batch is made no larger than about this, as far as the rows before it tell. */
const BATCH_BYTES = 32 * 1024 * 1024;
/** The most rows of a file's first batch: how wide they are once decoded is not known yet. */
const FIRST_BATCH_ROWS = 1024;

/** Opens an ORC data file of `size` bytes. INVALID_DATA if it is none; UNSUPPORTED if it is encrypted. */
export async function openOrcFile(
  io: FileIO,
  location: string,
  size: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<DataFileReader> {
  const footer = await readOrcFooter(io, location, size, options.signal);
  const fields = orcFileFields(footer.types);
  return { fields, read: (readOptions) => readBatches(io, location, footer, fields, readOptions) };
}

async function* readBatches(
  io: FileIO,
  location: string,
  footer: OrcFooter,
  fields: readonly FileField[],
  { fields: wanted, batchSize, signal }: ReadFileOptions,
): AsyncGenerator<DecodedBatch> {
  const columns = fields.filter(({ index }) => wanted.has(index));
  const sources = columns.map((field) => orcSourceField(field, footer.types, wanted));
  const stripes = footer.stripes.filter(({ rowCount }) => rowCount > 0);
  const fetch = (stripe: OrcStripe | undefined): Promise<StripeStreams> | undefined => {
    const fetched = stripe && columns.length > 0 ? readStripe(io, location, footer, stripe, wanted, signal) : undefined;
    // The fetch ahead may fail before anyone awaits it; it is then reported when its turn comes.
    fetched?.catch(() => undefined);
    return fetched;
  };
  let batchRows = columns.length === 0 ? batchSize : Math.min(firstBatchRows(stripes[0]), batchSize);
  let fetched = fetch(stripes[0]);
  for (let i = 0; i < stripes.length; i++) {
    const { rowCount, firstRow } = stripes[i]!;
    const streams = await decoding(location, () => fetched);
    fetched = fetch(stripes[i + 1]);
    const context = streams && { types: footer.types, streams, wanted, location };
    const readers = await decoding(location, () =>
      context ? columns.map((field) => columnReader(field, context)) : [],
    );
    for (let start = 0; start < rowCount;) {
      throwIfAborted(signal);
      const length = Math.min(batchRows, rowCount - start);
      const decoded = await decoding(location, () => decode(readers, length));
      yield { length, firstRow: firstRow + start, fields: sources, columns: decoded };
      start += length;
      if (columns.length > 0) batchRows = nextBatchRows(decoded, length, batchSize);
    }
  }
}

function firstBatchRows(stripe: OrcStripe | undefined): number {
  if (stripe === undefined) return FIRST_BATCH_ROWS;
  const fitting = Math.floor(BATCH_BYTES / Math.max(1, stripe.dataLength / stripe.rowCount));
  return Math.max(1, Math.min(FIRST_BATCH_ROWS, fitting));
}

function decode(readers: readonly ColumnReader[], rows: number): readonly Column[] {
  return readers.map((read) => read(rows));
}

function nextBatchRows(columns: readonly Column[], rows: number, batchSize: number): number {
  const bytes = columns.reduce((sum, column) => sum + columnBytes(column), 0);
  return Math.max(1, Math.min(batchSize, Math.floor(BATCH_BYTES / Math.max(1, bytes / rows))));
}

/** Names the file in what goes wrong. */
async function decoding<T>(location: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isLakehouseError(error, 'INVALID_DATA') || 'path' in error.context) throw error;
    const why = error.message.replace(/\.$/, '');
    throw invalidData(`The data file ${location} can't be decoded: ${why}.`, { path: location }, error);
  }
}
