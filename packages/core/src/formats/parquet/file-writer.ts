import type { ColumnBatch } from '../../columns/column.ts';
import { indexById } from '../../spec/schema-fields.ts';
import type { IcebergType, StructType, TypeKind } from '../../spec/types.ts';
import { encodeRowGroup } from './encode.ts';
import type { ParquetEncoding } from './encode.ts';
import { writeTrailer } from './excerpt.ts';
import { CHUNK, COLUMN, FILE, GROUP, MAGIC, STATISTICS, TRAILER_SIZE, parseParquetFooter } from './footer.ts';
import type { ParquetFooter, ParquetRowGroup } from './footer.ts';
import { EDGE_ALGORITHMS, ELEMENT, LOGICAL } from './parquet-schema.ts';
import type { ParquetNode } from './parquet-schema.ts';
import {
  THRIFT,
  fieldOf,
  i32,
  i64,
  readThrift,
  structField,
  structList,
  text,
  textList,
  withFields,
  writeThrift,
} from './thrift.ts';
import type { ThriftField, ThriftList, ThriftStruct } from './thrift.ts';

/**
 * Makes one Parquet file, row group by row group: each is encoded on its own and moved to its place in the file, so
 * that no more than one is ever in WebAssembly memory, and the file is closed whenever it is large enough. The caller
 * writes the returned bytes one after the other.
 */
export class ParquetFileWriter {
  readonly #schema: StructType;
  readonly #encoding: ParquetEncoding;
  readonly #keyValues: ReadonlyMap<string, string>;
  readonly #groups: WrittenGroup[] = [];
  #template: ParquetFooter | null = null;
  #position = 0;

  /** `keyValues` are put into the footer as the file's metadata. */
  constructor(schema: StructType, encoding: ParquetEncoding, keyValues: ReadonlyMap<string, string>) {
    this.#schema = schema;
    this.#encoding = encoding;
    this.#keyValues = keyValues;
  }

  /** Bytes so far, without the footer. */
  get size(): number {
    return this.#position;
  }

  /** The row groups so far, with their statistics, and offsets that hold in this file. */
  get rowGroups(): readonly ParquetRowGroup[] {
    return this.#groups.map((one) => one.group);
  }

  get footer(): ParquetFooter | null {
    return this.#template;
  }

  /** Encodes batches as the next row group and returns the bytes to append to the file. */
  async addRowGroup(batches: readonly ColumnBatch[]): Promise<readonly Uint8Array[]> {
    const file = await encodeRowGroup(this.#schema, batches, this.#encoding);
    const footerLength = new DataView(file.buffer, file.byteOffset + file.length - TRAILER_SIZE, 4).getUint32(0, true);
    const footer = parseParquetFooter(
      file.subarray(file.length - TRAILER_SIZE - footerLength, file.length - TRAILER_SIZE),
      'being written',
    );
    this.#template ??= footer;
    const [group] = footer.rowGroups;
    const start = Math.min(...group!.columns.map((chunk) => chunk.offset));
    const end = Math.max(...group!.columns.map((chunk) => chunk.offset + chunk.compressedSize));
    const begin = this.#position === 0 ? [MAGIC] : [];
    const at = this.#position + begin.length * MAGIC.length;
    this.#groups.push(movedGroup(file, group!, at - start, this.#groups.length, describeColumns(footer, this.#schema)));
    this.#position = at + end - start;
    return [...begin, file.subarray(start, end)];
  }

  /** The page indexes and the footer: the file's last bytes. There must be a row group, if an empty one. */
  finish(): Uint8Array {
    let at = this.#position;
    const indexes: Uint8Array[] = [];
    const place = (bytes: Uint8Array): number => {
      indexes.push(bytes);
      at += bytes.length;
      return at - bytes.length;
    };
    const groups = this.#groups.map((one) => withPageIndexes(one, place));
    const footer = writeThrift(this.#footer(groups));
    const indexSize = at - this.#position;
    const tail = new Uint8Array(indexSize + footer.length + TRAILER_SIZE);
    let offset = 0;
    for (const bytes of indexes) {
      tail.set(bytes, offset);
      offset += bytes.length;
    }
    writeTrailer(tail, indexSize, footer);
    this.#position += tail.length;
    return tail;
  }

  #footer(groups: readonly ThriftStruct[]): ThriftStruct {
    const template = this.#template!;
    const rows = this.#groups.reduce((sum, one) => sum + one.group.rowCount, 0);
    const keyValues = [...this.#keyValues].map(([key, value]): ThriftStruct => [text(1, key), text(2, value)]);
    return withFields(template.raw, [
      structList(FILE.schema, annotated(template, this.#schema)),
      i64(FILE.rowCount, rows),
      structList(FILE.rowGroups, groups),
      // What the encoder says about Arrow types is of no use to readers that go by Iceberg's schema.
      keyValues.length > 0 ? structList(FILE.keyValues, keyValues) : { id: FILE.keyValues, value: null },
    ]);
  }
}

interface WrittenGroup {
  readonly group: ParquetRowGroup;
  /** Per column: its column index, as it is, and its offset index with moved offsets. */
  readonly indexes: readonly { readonly column: Uint8Array | null; readonly offset: Uint8Array | null }[];
}

interface ColumnDescription {
  readonly path: readonly string[];
  /** Bytes without an order that means anything: bounds of them would only mislead (parquet.thrift, ColumnOrder). */
  readonly unordered: boolean;
}

function describeColumns(footer: ParquetFooter, schema: StructType): readonly ColumnDescription[] {
  const fields = indexById(schema);
  const columns: ColumnDescription[] = [];
  const visit = (node: ParquetNode, path: readonly string[], unordered: boolean): void => {
    const type = node.fieldId === null ? undefined : fields.get(node.fieldId)?.field.type;
    const isUnordered = unordered || (type !== undefined && UNORDERED.has(type.kind));
    if (node.physical !== null) columns.push({ path, unordered: isUnordered });
    for (const child of node.children) visit(child, [...path, nameIn(node, child)], isUnordered);
  };
  visit(footer.root, [], false);
  return columns;
}

/** A map's entries are to be called so (parquet-format, LogicalTypes.md); the encoder has its own name for them. */
function nameIn(parent: ParquetNode, child: ParquetNode): string {
  return parent.logical?.kind === 'map' ? 'key_value' : child.name;
}

const UNORDERED: ReadonlySet<TypeKind> = new Set<TypeKind>(['geometry', 'geography', 'variant']);

function movedGroup(
  file: Uint8Array,
  group: ParquetRowGroup,
  shift: number,
  ordinal: number,
  descriptions: readonly ColumnDescription[],
): WrittenGroup {
  const moved = (struct: ThriftStruct, ...ids: number[]): ThriftStruct =>
    withFields(
      struct,
      ids.flatMap((id): ThriftField[] => {
        const offset = fieldOf(struct, id, THRIFT.i64);
        return typeof offset === 'number' ? [i64(id, offset + shift)] : [];
      }),
    );
  const columns = group.columns.map((chunk, leaf) => {
    const placed = moved(chunk.metadata, COLUMN.dataPageOffset, COLUMN.dictionaryPageOffset, COLUMN.indexPageOffset);
    const { path, unordered } = descriptions[leaf]!;
    const metadata = withFields(unordered ? withoutBounds(placed) : placed, [textList(COLUMN.path, path)]);
    const raw = withFields(moved(chunk.raw, CHUNK.fileOffset), [structField(CHUNK.metadata, metadata)]);
    return { ...chunk, offset: chunk.offset + shift, metadata, raw };
  });
  const raw = withFields(moved(group.raw, GROUP.fileOffset), [
    structList(
      GROUP.columns,
      columns.map((chunk) => chunk.raw),
    ),
    { id: GROUP.ordinal, type: THRIFT.i16, value: ordinal },
  ]);
  const indexes = group.columns.map((chunk, leaf) => ({
    column: descriptions[leaf]!.unordered
      ? null
      : slice(file, chunk.raw, CHUNK.columnIndexOffset, CHUNK.columnIndexLength),
    offset: movedOffsetIndex(slice(file, chunk.raw, CHUNK.offsetIndexOffset, CHUNK.offsetIndexLength), shift),
  }));
  return { group: { ...group, columns, raw }, indexes };
}

function withoutBounds(metadata: ThriftStruct): ThriftStruct {
  const statistics = fieldOf(metadata, COLUMN.statistics, THRIFT.struct) as ThriftStruct | undefined;
  const counts = statistics?.filter((field) => field.id === STATISTICS.nullCount) ?? [];
  return withFields(metadata, [structField(COLUMN.statistics, counts)]);
}

const INDEX_FIELDS: readonly number[] = [
  CHUNK.columnIndexOffset,
  CHUNK.columnIndexLength,
  CHUNK.offsetIndexOffset,
  CHUNK.offsetIndexLength,
];

function slice(file: Uint8Array, chunk: ThriftStruct, offsetId: number, lengthId: number): Uint8Array | null {
  const offset = fieldOf(chunk, offsetId, THRIFT.i64) as number | undefined;
  const length = fieldOf(chunk, lengthId, THRIFT.i32) as number | undefined;
  return offset === undefined || length === undefined ? null : file.slice(offset, offset + length);
}

/** An OffsetIndex lists its pages' places in the file: field 1, structs whose field 1 is the offset. */
function movedOffsetIndex(bytes: Uint8Array | null, shift: number): Uint8Array | null {
  if (bytes === null) return null;
  const { struct } = readThrift(bytes);
  const pages = (fieldOf(struct, 1, THRIFT.list) as ThriftList).items as readonly ThriftStruct[];
  const moved = pages.map((page) => withFields(page, [i64(1, (fieldOf(page, 1, THRIFT.i64) as number) + shift)]));
  return writeThrift(withFields(struct, [structList(1, moved)]));
}

function withPageIndexes({ group, indexes }: WrittenGroup, place: (bytes: Uint8Array) => number): ThriftStruct {
  const chunks = group.columns.map((chunk, i) => {
    const { column, offset } = indexes[i]!;
    const raw = withFields(
      chunk.raw,
      INDEX_FIELDS.map((id) => ({ id, value: null })),
    );
    return withFields(raw, [
      ...(column ? [i64(CHUNK.columnIndexOffset, place(column)), i32(CHUNK.columnIndexLength, column.length)] : []),
      ...(offset ? [i64(CHUNK.offsetIndexOffset, place(offset)), i32(CHUNK.offsetIndexLength, offset.length)] : []),
    ]);
  });
  return withFields(group.raw, [structList(GROUP.columns, chunks)]);
}

/** The schema's elements with the annotations that Iceberg asks for and the encoder doesn't know. */
function annotated(footer: ParquetFooter, schema: StructType): readonly ThriftStruct[] {
  const fields = indexById(schema);
  const entries = mapEntries(footer.root);
  return footer.elements.map((element, i) => {
    if (i === 0) return withFields(element, [text(ELEMENT.name, 'table')]);
    if (entries.has(i)) return withFields(element, [text(ELEMENT.name, 'key_value')]);
    const fieldId = fieldOf(element, ELEMENT.fieldId, THRIFT.i32) as number | undefined;
    const type = fieldId === undefined ? undefined : fields.get(fieldId)?.field.type;
    const annotation = type && annotationOf(type);
    return annotation ? withFields(element, [structField(ELEMENT.logicalType, [annotation])]) : element;
  });
}

function mapEntries(node: ParquetNode): ReadonlySet<number> {
  const indexes = new Set(node.logical?.kind === 'map' ? node.children.map((child) => child.index) : []);
  for (const child of node.children) for (const index of mapEntries(child)) indexes.add(index);
  return indexes;
}

const VARIANT_SPECIFICATION_VERSION = 1;

function annotationOf(type: IcebergType): ThriftField | null {
  switch (type.kind) {
    case 'uuid':
      return structField(LOGICAL.uuid, []);
    case 'variant':
      return structField(LOGICAL.variant, [{ id: 1, type: THRIFT.i8, value: VARIANT_SPECIFICATION_VERSION }]);
    case 'geometry':
      return structField(LOGICAL.geometry, type.crs === null ? [] : [text(1, type.crs)]);
    case 'geography':
      return structField(LOGICAL.geography, [
        ...(type.crs === null ? [] : [text(1, type.crs)]),
        ...(type.algorithm === null ? [] : [i32(2, Math.max(0, EDGE_ALGORITHMS.indexOf(type.algorithm)))]),
      ]);
    default:
      return null;
  }
}
