import { CHUNK, COLUMN, FILE, GROUP, MAGIC, TRAILER_SIZE } from './footer.ts';
import type { ParquetFooter, ParquetRowGroup } from './footer.ts';
import { withoutHadoopLz4 } from './hadoop-lz4.ts';
import type { ChunkBytes } from './hadoop-lz4.ts';
import { INT96_WIDTH } from './int96.ts';
import { ELEMENT, LOGICAL } from './parquet-schema.ts';
import type { ParquetNode } from './parquet-schema.ts';
import { THRIFT, fieldOf, i32, i64, structField, structList, withFields, writeThrift } from './thrift.ts';
import type { ThriftField, ThriftStruct } from './thrift.ts';

/**
 * An excerpt is a Parquet file in memory that holds some columns of one row group of another file, byte for byte, under
 * a footer of our own. The decoder gets excerpts and never the file itself, because then
 * - it reads from memory only: inside the decoder, a failed or late read of the store would end the process;
 * - columns are chosen by position, at any depth, where the decoder knows them by dotted names only;
 * - every element carries its `ParquetNode.index` as field id, so that the decoded data points back to the schema;
 * - what the writer said about Arrow types is gone, and the data comes in plain layouts;
 * - INT96 can be passed off as the 12 bytes that it is (see `readInt96`);
 * - what the decoder can't decompress is decompressed before (see `withoutHadoopLz4`).
 */
export interface ExcerptPart {
  readonly leaf: number;
  /** Where the column chunk lies in the file. */
  readonly offset: number;
  readonly length: number;
}

/** Which bytes of the file an excerpt of these columns needs. */
export function excerptParts(group: ParquetRowGroup, leaves: readonly number[]): readonly ExcerptPart[] {
  return leaves.map((leaf) => {
    const chunk = group.columns[leaf]!;
    return { leaf, offset: chunk.offset, length: chunk.compressedSize };
  });
}

/** Puts an excerpt together; `bytesOf` gives the bytes of a part. */
export function buildExcerpt(
  footer: ParquetFooter,
  group: ParquetRowGroup,
  parts: readonly ExcerptPart[],
  bytesOf: (part: ExcerptPart) => Uint8Array,
): Uint8Array {
  const chunks: PlacedChunk[] = [];
  let end = MAGIC.length;
  for (const part of parts) {
    const chunk = withoutHadoopLz4({ chunk: group.columns[part.leaf]!, bytes: bytesOf(part) });
    chunks.push({ ...chunk, leaf: part.leaf, start: end });
    end += chunk.bytes.length;
  }
  const footerBytes = writeThrift(excerptFooter(footer, group, chunks));
  const file = new Uint8Array(end + footerBytes.length + TRAILER_SIZE);
  file.set(MAGIC);
  for (const { bytes, start } of chunks) file.set(bytes, start);
  writeTrailer(file, end, footerBytes);
  return file;
}

interface PlacedChunk extends ChunkBytes {
  readonly leaf: number;
  /** Where it begins in the excerpt. */
  readonly start: number;
}

/** The footer, its length and the magic, from `at` to the end of the file. */
export function writeTrailer(file: Uint8Array, at: number, footer: Uint8Array): void {
  file.set(footer, at);
  new DataView(file.buffer, file.byteOffset).setUint32(at + footer.length, footer.length, true);
  file.set(MAGIC, at + footer.length + 4);
}

function excerptFooter(footer: ParquetFooter, group: ParquetRowGroup, placed: readonly PlacedChunk[]): ThriftStruct {
  const chunks = placed.map(({ chunk, start }) => excerptChunk(chunk, start));
  const size = placed.reduce((sum, { chunk }) => sum + chunk.uncompressedSize, 0);
  const rowGroup: ThriftStruct = [
    structList(GROUP.columns, chunks),
    i64(GROUP.totalByteSize, size),
    i64(GROUP.rowCount, group.rowCount),
  ];
  return [
    i32(FILE.version, 2),
    structList(FILE.schema, excerptSchema(footer, new Set(placed.map(({ leaf }) => leaf)))),
    i64(FILE.rowCount, group.rowCount),
    structList(FILE.rowGroups, [rowGroup]),
  ];
}

function excerptChunk(chunk: ParquetRowGroup['columns'][number], start: number): ThriftStruct {
  const moved = (id: number): ThriftField[] => {
    const offset = fieldOf(chunk.metadata, id, THRIFT.i64);
    return typeof offset === 'number' && offset >= chunk.offset ? [i64(id, offset - chunk.offset + start)] : [];
  };
  const kept = new Set<number>([
    COLUMN.type,
    COLUMN.encodings,
    COLUMN.path,
    COLUMN.codec,
    COLUMN.valueCount,
    COLUMN.uncompressedSize,
    COLUMN.compressedSize,
  ]);
  const metadata = [
    ...chunk.metadata.filter((field) => kept.has(field.id)).map(withoutInt96),
    ...moved(COLUMN.dataPageOffset),
    ...moved(COLUMN.dictionaryPageOffset),
  ];
  return [i64(CHUNK.fileOffset, start), structField(CHUNK.metadata, metadata)];
}

/** Codes of parquet.thrift's enum Type. */
const INT96 = 3;
const FIXED_LEN_BYTE_ARRAY = 7;

function withoutInt96(field: ThriftField): ThriftField {
  return field.id === COLUMN.type && field.value === INT96 ? i32(COLUMN.type, FIXED_LEN_BYTE_ARRAY) : field;
}

/** The elements above the chosen leaves, in order, with their own numbers of children. */
function excerptSchema(footer: ParquetFooter, leaves: ReadonlySet<number>): readonly ThriftStruct[] {
  const elements: ThriftStruct[] = [];
  const isKept = (node: ParquetNode): boolean => {
    for (let leaf = node.leaves[0]; leaf < node.leaves[1]; leaf++) if (leaves.has(leaf)) return true;
    return false;
  };
  const add = (node: ParquetNode): void => {
    const children = node.children.filter(isKept);
    const raw = footer.elements[node.index]!;
    elements.push(
      withFields(raw, [
        ...(node.physical === null ? [i32(ELEMENT.numChildren, children.length)] : []),
        i32(ELEMENT.fieldId, node.index),
        ...(node.physical === 'INT96'
          ? [i32(ELEMENT.type, FIXED_LEN_BYTE_ARRAY), i32(ELEMENT.typeLength, INT96_WIDTH)]
          : []),
        ...(isNewAnnotation(raw) ? [{ id: ELEMENT.logicalType, value: null }] : []),
      ]),
    );
    for (const child of children) add(child);
  };
  add(footer.root);
  return elements;
}

/** Annotations that say nothing about the layout; a decoder older than they are would refuse them. */
function isNewAnnotation(element: ThriftStruct): boolean {
  const union = fieldOf(element, ELEMENT.logicalType, THRIFT.struct) as ThriftStruct | undefined;
  return union?.[0] !== undefined && union[0].id >= LOGICAL.variant;
}
