import { invalidData, isLakehouseError, unsupported } from '../../errors.ts';
import type { FileIO } from '../../io/file-io.ts';
import { readRange } from '../read-ranges.ts';
import { parquetTree } from './parquet-schema.ts';
import type { ParquetNode } from './parquet-schema.ts';
import { THRIFT, fieldOf, readThrift } from './thrift.ts';
import type { ThriftList, ThriftStruct, ThriftType, ThriftValue } from './thrift.ts';

/** What a Parquet file says of itself, as it says it: nothing is interpreted but the structure. */
export interface ParquetFooter {
  /** The message; its children are the columns. */
  readonly root: ParquetNode;
  readonly leaves: readonly ParquetNode[];
  readonly rowGroups: readonly ParquetRowGroup[];
  /** The thrift tree, for rewriting. */
  readonly raw: ThriftStruct;
  /** The schema's elements, by `ParquetNode.index`. */
  readonly elements: readonly ThriftStruct[];
}

export interface ParquetRowGroup {
  readonly rowCount: number;
  /** Position in the file of the group's first row. */
  readonly firstRow: number;
  /** One per leaf, in order. */
  readonly columns: readonly ParquetColumnChunk[];
  readonly raw: ThriftStruct;
}

export interface ParquetColumnChunk {
  readonly valueCount: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  /** Where its first page begins, a dictionary or a data page. */
  readonly offset: number;
  readonly statistics: ParquetStatistics | null;
  readonly raw: ThriftStruct;
  readonly metadata: ThriftStruct;
}

export interface ParquetStatistics {
  readonly nullCount: number | null;
  /** Plain-encoded values without length, as in the file. */
  readonly min: Uint8Array | null;
  readonly max: Uint8Array | null;
  /** Whether min and max are the fields of old writers, which compared bytes as signed. */
  readonly legacyOrder: boolean;
}

/** Field ids of the footer's thrift structs. */
export const FILE = {
  version: 1,
  schema: 2,
  rowCount: 3,
  rowGroups: 4,
  keyValues: 5,
  createdBy: 6,
  columnOrders: 7,
  encryption: 8,
} as const;
export const GROUP = {
  columns: 1,
  totalByteSize: 2,
  rowCount: 3,
  sortingColumns: 4,
  fileOffset: 5,
  compressedSize: 6,
  ordinal: 7,
} as const;
export const CHUNK = {
  filePath: 1,
  fileOffset: 2,
  metadata: 3,
  offsetIndexOffset: 4,
  offsetIndexLength: 5,
  columnIndexOffset: 6,
  columnIndexLength: 7,
  crypto: 8,
  encryptedMetadata: 9,
} as const;
export const COLUMN = {
  type: 1,
  encodings: 2,
  path: 3,
  codec: 4,
  valueCount: 5,
  uncompressedSize: 6,
  compressedSize: 7,
  keyValues: 8,
  dataPageOffset: 9,
  indexPageOffset: 10,
  dictionaryPageOffset: 11,
  statistics: 12,
  encodingStats: 13,
  bloomOffset: 14,
  bloomLength: 15,
  sizeStatistics: 16,
  geoStatistics: 17,
} as const;
/** Of thrift's struct Statistics; the first two are the bounds of old writers. */
export const STATISTICS = { max: 1, min: 2, nullCount: 3, maxValue: 5, minValue: 6 } as const;

/** `length of the footer` and magic at the end of every file. */
export const TRAILER_SIZE = 8;
export const MAGIC: Uint8Array = new TextEncoder().encode('PAR1');
const MAGIC_TEXT = 'PAR1';
const ENCRYPTED_MAGIC_TEXT = 'PARE';

/** Most footers fit in this much of a file's end, so that one read gets them. */
const TAIL_SIZE = 64 * 1024;

export interface ReadFooterOptions {
  /** Read at once of the file's end: a guess of what the footer has, which another read corrects. */
  readonly tailSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads the footer of the file of `size` bytes. INVALID_DATA if that is not a whole Parquet file; UNSUPPORTED if it is
 * encrypted.
 */
export async function readParquetFooter(
  io: Pick<FileIO, 'read'>,
  location: string,
  size: number,
  options: ReadFooterOptions = {},
): Promise<ParquetFooter> {
  return checkedFooter(await readFooterBytes(io, location, size, options), location, size);
}

/** The footer as it is stored, without length and magic. */
export async function readFooterBytes(
  io: Pick<FileIO, 'read'>,
  location: string,
  size: number,
  { tailSize = TAIL_SIZE, signal }: ReadFooterOptions = {},
): Promise<Uint8Array> {
  const minimum = MAGIC.length + TRAILER_SIZE;
  if (size < minimum) throw notParquet(location, `it has ${size} bytes, and a Parquet file has ${minimum} at least`);
  const tailLength = Math.min(size, Math.max(tailSize, minimum));
  const tail = await readRange(io, location, { offset: size - tailLength, length: tailLength }, signal);
  const footerLength = footerLengthOf(tail, size, location);
  const missing = footerLength + TRAILER_SIZE - tailLength;
  if (missing <= 0) return tail.subarray(-missing, tailLength - TRAILER_SIZE);
  const bytes = new Uint8Array(footerLength);
  bytes.set(await readRange(io, location, { offset: size - tailLength - missing, length: missing }, signal));
  bytes.set(tail.subarray(0, tailLength - TRAILER_SIZE), missing);
  return bytes;
}

/** The footer of the file of `size` bytes. INVALID_DATA if it can't be that. */
export function checkedFooter(bytes: Uint8Array, location: string, size: number): ParquetFooter {
  const footer = parseParquetFooter(bytes, location);
  const dataEnd = size - TRAILER_SIZE - bytes.length;
  // Groups without rows are passed over; Arrow writes such for empty tables, with columns that lie nowhere.
  for (const group of footer.rowGroups) if (group.rowCount > 0) checkPlaces(group, dataEnd, location);
  return footer;
}

function checkPlaces({ columns }: ParquetRowGroup, dataEnd: number, location: string): void {
  let total = 0;
  for (const { offset, compressedSize } of columns) {
    if (offset < MAGIC.length || offset + compressedSize > dataEnd) {
      throw notParquet(location, `a column would lie at ${offset}, ${compressedSize} bytes long, outside of its data`);
    }
    total += compressedSize;
  }
  // What is read is put together, so that many columns in the same place would take memory that the file has not.
  if (total > dataEnd) throw notParquet(location, `its columns would have ${total} bytes, more than it has`);
}

function footerLengthOf(tail: Uint8Array, size: number, location: string): number {
  const magic = String.fromCharCode(...tail.subarray(tail.length - MAGIC.length));
  if (magic === ENCRYPTED_MAGIC_TEXT) {
    throw unsupported(`The data file ${location} is encrypted, and encrypted files can't be read.`, { path: location });
  }
  if (magic !== MAGIC_TEXT) throw notParquet(location, `its last bytes are not ${MAGIC_TEXT}`);
  const length = new DataView(tail.buffer, tail.byteOffset + tail.length - TRAILER_SIZE, 4).getUint32(0, true);
  if (length + TRAILER_SIZE + MAGIC.length > size) throw notParquet(location, `its footer would have ${length} bytes`);
  return length;
}

function notParquet(location: string, why: string): Error {
  return invalidData(`${location} is not a whole Parquet file: ${why}.`, { path: location });
}

/** Reads the footer's bytes, without length and magic. */
export function parseParquetFooter(bytes: Uint8Array, location: string): ParquetFooter {
  try {
    return footerFrom(readThrift(bytes).struct, location);
  } catch (error) {
    if (!isLakehouseError(error, 'INVALID_DATA')) throw error;
    throw invalidData(`The data file ${location} can't be read. ${error.message}`, { path: location }, error);
  }
}

function footerFrom(raw: ThriftStruct, location: string): ParquetFooter {
  if (fieldOf(raw, FILE.encryption, THRIFT.struct) !== undefined) throw encryptedColumns(location);
  const elements = structs(required(raw, FILE.schema, THRIFT.list, 'schema'));
  const { root, leaves } = parquetTree(elements);
  const rowGroups: ParquetRowGroup[] = [];
  let firstRow = 0;
  for (const group of structs(required(raw, FILE.rowGroups, THRIFT.list, 'row_groups'))) {
    const rowCount = count(group, GROUP.rowCount, 'num_rows');
    const columns = structs(required(group, GROUP.columns, THRIFT.list, 'columns')).map((chunk) =>
      columnChunk(chunk, location),
    );
    if (columns.length !== leaves.length) {
      throw invalidData(`A row group has ${columns.length} columns, but the schema has ${leaves.length}.`);
    }
    rowGroups.push({ rowCount, firstRow, columns, raw: group });
    firstRow += rowCount;
  }
  // The groups are what is read, whatever the file's own total says.
  return { root, leaves, rowGroups, raw, elements };
}

function columnChunk(raw: ThriftStruct, location: string): ParquetColumnChunk {
  const metadata = fieldOf(raw, CHUNK.metadata, THRIFT.struct) as ThriftStruct | undefined;
  if (fieldOf(raw, CHUNK.crypto, THRIFT.struct) !== undefined) throw encryptedColumns(location);
  if (metadata === undefined) throw invalidData('A column chunk has no metadata.');
  const dataOffset = count(metadata, COLUMN.dataPageOffset, 'data_page_offset');
  const dictionaryOffset = fieldOf(metadata, COLUMN.dictionaryPageOffset, THRIFT.i64);
  const hasDictionary =
    typeof dictionaryOffset === 'number' && dictionaryOffset >= MAGIC.length && dictionaryOffset < dataOffset;
  return {
    valueCount: count(metadata, COLUMN.valueCount, 'num_values'),
    compressedSize: count(metadata, COLUMN.compressedSize, 'total_compressed_size'),
    uncompressedSize: count(metadata, COLUMN.uncompressedSize, 'total_uncompressed_size'),
    offset: hasDictionary ? dictionaryOffset : dataOffset,
    statistics: statistics(fieldOf(metadata, COLUMN.statistics, THRIFT.struct) as ThriftStruct | undefined),
    raw,
    metadata,
  };
}

function encryptedColumns(location: string): Error {
  return unsupported(`The data file ${location} holds encrypted columns, which can't be read.`, { path: location });
}

function statistics(raw: ThriftStruct | undefined): ParquetStatistics | null {
  if (raw === undefined) return null;
  const nullCount = fieldOf(raw, STATISTICS.nullCount, THRIFT.i64);
  const bytes = (id: number): Uint8Array | null => (fieldOf(raw, id, THRIFT.binary) as Uint8Array | undefined) ?? null;
  const [min, max] = [bytes(STATISTICS.minValue), bytes(STATISTICS.maxValue)];
  const legacyOrder = min === null && max === null;
  return {
    nullCount: typeof nullCount === 'number' && nullCount >= 0 ? nullCount : null,
    min: legacyOrder ? bytes(STATISTICS.min) : min,
    max: legacyOrder ? bytes(STATISTICS.max) : max,
    legacyOrder,
  };
}

function required(struct: ThriftStruct, id: number, type: ThriftType, name: string): ThriftValue {
  const value = fieldOf(struct, id, type);
  if (value === undefined) throw invalidData(`Its field ${name} is missing.`);
  return value;
}

function count(struct: ThriftStruct, id: number, name: string): number {
  const value = required(struct, id, THRIFT.i64, name);
  if (typeof value !== 'number' || value < 0)
    throw invalidData(`Its field ${name} is ${String(value)}, which can't be.`);
  return value;
}

export function structs(value: ThriftValue): readonly ThriftStruct[] {
  const list = value as ThriftList;
  if (list.items.length > 0 && list.elementType !== THRIFT.struct)
    throw invalidData('A list of structs holds something else.');
  return list.items as readonly ThriftStruct[];
}
