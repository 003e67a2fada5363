import { writeTrailer } from './excerpt.ts';
import { CHUNK, COLUMN, FILE, GROUP, TRAILER_SIZE } from './footer.ts';
import type { ParquetColumnChunk, ParquetFooter, ParquetRowGroup } from './footer.ts';
import { THRIFT, fieldOf, i64, structField, structList, withFields, writeThrift } from './thrift.ts';
import type { ThriftField, ThriftStruct } from './thrift.ts';

/** A column chunk of a file, and where it goes in a partial one. */
export interface PlacedChunk {
  readonly rowGroup: number;
  readonly leaf: number;
  /** Where it lies in the whole file. */
  readonly offset: number;
  readonly length: number;
  /** Where it lies in the partial file. */
  readonly at: number;
}

/**
 * A Parquet file on its own that holds some row groups of another one, and of these some columns, byte for byte. Its
 * schema is that of the whole file, so that whatever was worked out for that holds; the columns that it lacks must not
 * be read.
 */
export interface PartialFile {
  /** In the order of their places. What lies between them is zeros. */
  readonly chunks: readonly PlacedChunk[];
  /** The file's end, after the chunks: its footer with length and magic. */
  readonly end: Uint8Array;
  /** Where the end begins. */
  readonly endAt: number;
}

/** Pages of zeros are none, so that whoever reads a column that isn't there fails. */
const ABSENT_BYTES = 16;

/** `start` is where the first chunk may lie, after the magic and whatever else is put there. */
export function partialFile(
  footer: ParquetFooter,
  rowGroups: readonly number[],
  leaves: readonly number[],
  start: number,
): PartialFile {
  const chunks: PlacedChunk[] = [];
  const groups: ThriftStruct[] = [];
  let at = start;
  for (const index of rowGroups) {
    const group = footer.rowGroups[index]!;
    const absentAt = at;
    at += ABSENT_BYTES;
    const placed = placeInOrder(group, leaves, at).map((chunk) => ({ ...chunk, rowGroup: index }));
    for (const { length } of placed) at += length;
    chunks.push(...placed);
    const places = new Map(placed.map((chunk) => [chunk.leaf, chunk.at]));
    const columns = group.columns.map((chunk, leaf) =>
      places.has(leaf) ? movedChunk(chunk, places.get(leaf)!) : absentChunk(chunk, absentAt),
    );
    groups.push(partialGroup(group, columns, absentAt, at - absentAt));
  }
  const rows = rowGroups.reduce((sum, index) => sum + footer.rowGroups[index]!.rowCount, 0);
  const raw = withFields(footer.raw, [i64(FILE.rowCount, rows), structList(FILE.rowGroups, groups)]);
  return { chunks, end: parquetEnd(writeThrift(raw)), endAt: at };
}

/** In the order of the whole file, so that what lies together there can be fetched together. */
function placeInOrder(
  { columns }: ParquetRowGroup,
  leaves: readonly number[],
  start: number,
): readonly Omit<PlacedChunk, 'rowGroup'>[] {
  let at = start;
  return leaves
    .map((leaf) => ({ leaf, offset: columns[leaf]!.offset, length: columns[leaf]!.compressedSize }))
    .toSorted((a, b) => a.offset - b.offset)
    .map((chunk) => {
      at += chunk.length;
      return { ...chunk, at: at - chunk.length };
    });
}

function partialGroup(
  { raw }: ParquetRowGroup,
  columns: readonly ThriftStruct[],
  offset: number,
  size: number,
): ThriftStruct {
  return withFields(raw, [
    structList(GROUP.columns, columns),
    i64(GROUP.fileOffset, offset),
    i64(GROUP.compressedSize, size),
    // Where the group was among the others.
    { id: GROUP.ordinal, value: null },
  ]);
}

/** What is told of a column besides its pages lies elsewhere in the whole file. */
const LEFT_OUT = [COLUMN.indexPageOffset, COLUMN.bloomOffset, COLUMN.bloomLength].map((id) => ({ id, value: null }));

function movedChunk({ metadata, offset }: ParquetColumnChunk, at: number): ThriftStruct {
  const dataOffset = fieldOf(metadata, COLUMN.dataPageOffset, THRIFT.i64) as number;
  const dictionary: ThriftField | { id: number; value: null } =
    offset < dataOffset ? i64(COLUMN.dictionaryPageOffset, at) : { id: COLUMN.dictionaryPageOffset, value: null };
  return chunkAt(
    at,
    withFields(metadata, [...LEFT_OUT, dictionary, i64(COLUMN.dataPageOffset, dataOffset - offset + at)]),
  );
}

function absentChunk({ metadata }: ParquetColumnChunk, at: number): ThriftStruct {
  const nowhere = [
    { id: COLUMN.dictionaryPageOffset, value: null },
    { id: COLUMN.statistics, value: null },
    i64(COLUMN.dataPageOffset, at),
    i64(COLUMN.compressedSize, 0),
  ];
  return chunkAt(at, withFields(metadata, [...LEFT_OUT, ...nowhere]));
}

function chunkAt(at: number, metadata: ThriftStruct): ThriftStruct {
  return [i64(CHUNK.fileOffset, at), structField(CHUNK.metadata, metadata)];
}

/** The end of a file whose footer has these bytes. */
export function parquetEnd(footer: Uint8Array): Uint8Array {
  const end = new Uint8Array(footer.length + TRAILER_SIZE);
  writeTrailer(end, 0, footer);
  return end;
}
