import { isLakehouseError } from '../../errors.ts';
import { MAX_LZ4_RATIO, decompressLz4Block } from '../lz4-block.ts';
import { COLUMN } from './footer.ts';
import type { ParquetColumnChunk } from './footer.ts';
import { THRIFT, bool, fieldOf, i32, i64, readThrift, structField, withFields, writeThrift } from './thrift.ts';
import type { ThriftStruct } from './thrift.ts';

/** A column chunk with its bytes. */
export interface ChunkBytes {
  readonly chunk: ParquetColumnChunk;
  readonly bytes: Uint8Array;
}

/** Codes of parquet.thrift's enum CompressionCodec. */
const UNCOMPRESSED = 0;
const HADOOP_LZ4 = 5;

/** Field ids of the thrift structs PageHeader and DataPageHeaderV2, codes of the enum PageType. */
const PAGE = { type: 1, uncompressedSize: 2, compressedSize: 3, crc: 4, dataV2: 8 } as const;
const DATA_V2 = { definitionBytes: 5, repetitionBytes: 6, isCompressed: 7 } as const;
const DICTIONARY_PAGE = 2;

/**
 * The codec LZ4, as Hadoop and so Spark write it, frames its blocks in a way that no specification tells and that the
 * decoder knows for pages of one block only. Such a chunk is decompressed here; others are returned as they are, and
 * those with LZ4 in another dialect, too, which the decoder guesses well.
 */
export function withoutHadoopLz4(source: ChunkBytes): ChunkBytes {
  if (fieldOf(source.chunk.metadata, COLUMN.codec, THRIFT.i32) !== HADOOP_LZ4) return source;
  try {
    return uncompressed(source);
  } catch (error) {
    if (error instanceof RangeError || isLakehouseError(error, 'INVALID_DATA')) return source;
    throw error;
  }
}

function uncompressed({ chunk, bytes }: ChunkBytes): ChunkBytes {
  const pages: Uint8Array[] = [];
  let [at, length, dataPage, dictionaryPage] = [0, 0, -1, -1];
  while (at < bytes.length) {
    const { struct, end } = readThrift(bytes, at);
    const size = sizeOf(struct, PAGE.compressedSize);
    const page = uncompressedPage(struct, bytes.subarray(end, end + size));
    if (fieldOf(struct, PAGE.type, THRIFT.i32) === DICTIONARY_PAGE) dictionaryPage = length;
    else if (dataPage < 0) dataPage = length;
    pages.push(...page);
    length += page.reduce((sum, part) => sum + part.length, 0);
    at = end + size;
  }
  if (at > bytes.length || dataPage < 0) throw new RangeError('The last page is cut short.');
  const metadata = withFields(chunk.metadata, [
    i32(COLUMN.codec, UNCOMPRESSED),
    i64(COLUMN.compressedSize, length),
    i64(COLUMN.uncompressedSize, length),
    i64(COLUMN.dataPageOffset, chunk.offset + dataPage),
    dictionaryPage < 0
      ? { id: COLUMN.dictionaryPageOffset, value: null }
      : i64(COLUMN.dictionaryPageOffset, chunk.offset + dictionaryPage),
  ]);
  return {
    chunk: { ...chunk, metadata, compressedSize: length, uncompressedSize: length },
    bytes: Buffer.concat(pages),
  };
}

/** A page's header, and what follows it. */
function uncompressedPage(header: ThriftStruct, body: Uint8Array): readonly Uint8Array[] {
  const size = sizeOf(header, PAGE.uncompressedSize);
  const dataV2 = fieldOf(header, PAGE.dataV2, THRIFT.struct) as ThriftStruct | undefined;
  // In the second version of data pages the levels come first, and are never compressed.
  const levels = dataV2 ? sizeOf(dataV2, DATA_V2.definitionBytes) + sizeOf(dataV2, DATA_V2.repetitionBytes) : 0;
  const isCompressed = dataV2 === undefined || fieldOf(dataV2, DATA_V2.isCompressed, THRIFT.bool) !== false;
  const values = body.subarray(levels);
  const plain = isCompressed ? decompressHadoopLz4(values, size - levels) : values;
  const changed = withFields(header, [
    i32(PAGE.compressedSize, levels + plain.length),
    { id: PAGE.crc, value: null },
    ...(dataV2 ? [structField(PAGE.dataV2, withFields(dataV2, [bool(DATA_V2.isCompressed, false)]))] : []),
  ]);
  return [writeThrift(changed), body.subarray(0, levels), plain];
}

function sizeOf(struct: ThriftStruct, id: number): number {
  const size = fieldOf(struct, id, THRIFT.i32);
  if (typeof size !== 'number' || size < 0) throw new RangeError('A size is missing.');
  return size;
}

/**
 * Hadoop's BlockCompressorStream: again and again an uncompressed length, then blocks, each after its compressed
 * length, until that much has come; lengths are big-endian. Throws a RangeError for bytes that aren't of this form.
 */
export function decompressHadoopLz4(bytes: Uint8Array, length: number): Uint8Array {
  if (length < 0 || length > bytes.length * MAX_LZ4_RATIO) throw new RangeError('The length is wrong.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Uint8Array(length);
  // Of nothing, some writers write a frame, others none.
  if (length === 0) return out;
  let [at, end] = [0, 0];
  while (end < length) {
    const frameEnd = end + view.getUint32(at);
    at += 4;
    if (frameEnd > length) throw new RangeError('A frame is too long.');
    while (end < frameEnd) {
      const size = view.getUint32(at);
      at += 4;
      if (size === 0 || size > bytes.length - at) throw new RangeError('A block is cut short.');
      end = decompressLz4Block(bytes.subarray(at, at + size), out.subarray(0, frameEnd), end);
      at += size;
    }
  }
  if (at !== bytes.length) throw new RangeError('Bytes are left.');
  return out;
}
