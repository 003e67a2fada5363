import { invalidData, throwIfAborted } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import type { DataFileReader, DecodedBatch, ReadFileOptions } from '../data-file.ts';
import { isEmpty } from './avro-schema.ts';
import { MAX_BLOCK_BYTES } from './codecs.ts';
import { openAvroStream, type AvroStream } from './block-stream.ts';
import { RecordDecoder } from './column-decoders.ts';
import { avroFileFields, type AvroFileField } from './file-fields.ts';
import { avroSourceField } from './source-types.ts';

/** A batch is made no larger than about this, whatever its number of rows. */
const BATCH_BYTES = 32 * 1024 * 1024;
/** After how many rows, or about as many of their bytes, that is looked at. */
const ROWS_PER_CHECK = 256;
const BYTES_PER_CHECK = 1024 * 1024;

/** Opens an Avro data file of `size` bytes. INVALID_DATA if it is none. */
export async function openAvroFile(
  io: FileIO,
  location: string,
  size: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<DataFileReader> {
  const stream = await openAvroStream(io, location, size, options.signal);
  const fields = avroFileFields(stream.schema, location);
  return { fields, read: (readOptions) => readBatches(stream, fields, location, readOptions) };
}

async function* readBatches(
  stream: AvroStream,
  fields: readonly AvroFileField[],
  location: string,
  options: ReadFileOptions,
): AsyncGenerator<DecodedBatch> {
  const { fields: wanted, batchSize, signal } = options;
  const decoder = new RecordDecoder(fields, { wanted, location });
  if (decoder.columns.length === 0) {
    yield* countRows(stream, location, batchSize, signal);
    return;
  }
  const sources = fields.filter(({ index }) => wanted.has(index)).map((field) => avroSourceField(field, wanted));
  let [firstRow, length] = [0, 0];
  const batch = (): DecodedBatch => {
    const decoded = { length, firstRow, fields: sources, columns: decoder.finish() };
    firstRow += length;
    length = 0;
    return decoded;
  };
  for await (const { count, records } of stream.blocks()) {
    const reader = records();
    checkCount(stream, location, count, reader.bytes.length);
    const rowBytes = reader.bytes.length / count;
    const atOnce = Math.ceil(Math.min(ROWS_PER_CHECK, BYTES_PER_CHECK / Math.max(1, rowBytes)));
    for (let left = count; left > 0;) {
      throwIfAborted(signal);
      const rows = Math.min(left, batchSize - length, atOnce);
      for (let i = 0; i < rows; i++) {
        decoder.decode(reader);
        reader.checkEnd();
      }
      left -= rows;
      length += rows;
      if (length === batchSize || decoder.bytes > BATCH_BYTES) yield batch();
    }
    if (reader.position !== reader.bytes.length) throw reader.invalid('a block does not end with its last record');
  }
  if (length > 0) yield batch();
}

/** Rows of which nothing is wanted are known by their number: their blocks need not be decompressed. */
async function* countRows(
  stream: AvroStream,
  location: string,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<DecodedBatch> {
  let firstRow = 0;
  for await (const { count } of stream.blocks()) {
    checkCount(stream, location, count, MAX_BLOCK_BYTES);
    for (const end = firstRow + count; firstRow < end;) {
      throwIfAborted(signal);
      const length = Math.min(batchSize, end - firstRow);
      yield { length, firstRow, fields: [], columns: [] };
      firstRow += length;
    }
  }
}

/** No writer puts more records without bytes, which is to say without values, into a block. */
const MAX_EMPTY_RECORDS = 2 ** 31;

function checkCount(stream: AvroStream, location: string, count: number, bytes: number): void {
  if (count <= (isEmpty(stream.schema) ? MAX_EMPTY_RECORDS : bytes)) return;
  throw invalidData(`${location} is damaged: a block counts ${count} records, more than it can hold.`, { location });
}
