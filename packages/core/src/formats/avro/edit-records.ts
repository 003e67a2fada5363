import type { AvroReader } from './avro-reader.ts';
import type { AvroType } from './avro-schema.ts';
import { AvroWriter } from './avro-writer.ts';
import { compressBlock } from './codecs.ts';
import { readAvroContainer } from './container.ts';
import { readAvroHeader } from './header.ts';
import { skipper } from './skip-values.ts';

/** Null, a text, an integer, or pairs of key and bytes, as Iceberg writes maps with integers for keys. */
export type EditedValue = null | string | number | ReadonlyMap<number, Uint8Array>;

/** New values by field id. */
export type RecordEdits = ReadonlyMap<number, EditedValue>;

/**
 * An Avro file in which fields of records have other values, at the top or in records inside; all else is copied byte by
 * byte, as its writer had it. `editsOf` gives those of the record of a number, of fields that are among `fieldIds`.
 */
export function editAvroRecords(
  bytes: Uint8Array,
  location: string,
  fieldIds: ReadonlySet<number>,
  editsOf: (index: number) => RecordEdits,
): Uint8Array {
  const { schema, codec, sync, length } = readAvroHeader(bytes, location);
  const copy = copier(schema, fieldIds);
  const file = new AvroWriter(bytes.length);
  file.writeFixed(bytes.subarray(0, length));
  let index = 0;
  for (const { count, reader } of readAvroContainer(bytes, location).blocks()) {
    const block = new AvroWriter(reader.bytes.length);
    for (let i = 0; i < count; i++) copy(reader, block, editsOf(index++));
    file.writeInteger(count);
    file.writeBytes(compressBlock(codec, block.bytes));
    file.writeFixed(sync);
  }
  return file.bytes;
}

type Copier = (reader: AvroReader, writer: AvroWriter, edits: RecordEdits) => void;

function copier(type: AvroType, fieldIds: ReadonlySet<number>): Copier {
  if (type.kind !== 'record') return asItIs(type);
  const fields = type.fields.map(({ type: fieldType, fieldId }) => {
    const copy = copier(fieldType, fieldIds);
    return fieldId !== null && fieldIds.has(fieldId) ? editing(fieldType, fieldId, copy) : copy;
  });
  return (reader, writer, edits) => {
    for (const copy of fields) copy(reader, writer, edits);
  };
}

function asItIs(type: AvroType): Copier {
  const skip = skipper(type);
  return (reader, writer) => {
    const start = reader.position;
    skip(reader);
    reader.checkEnd();
    writer.writeFixed(reader.bytes.subarray(start, reader.position));
  };
}

function editing(type: AvroType, fieldId: number, copy: Copier): Copier {
  const skip = skipper(type);
  return (reader, writer, edits) => {
    const value = edits.get(fieldId);
    if (value === undefined) return copy(reader, writer, edits);
    skip(reader);
    reader.checkEnd();
    writeEdited(writer, type, value);
  };
}

function writeEdited(writer: AvroWriter, type: AvroType, value: EditedValue): void {
  if (type.kind === 'union') {
    const branch = type.branches.findIndex(({ kind }) => (kind === 'null') === (value === null));
    writer.writeInteger(branch);
    return writeEdited(writer, type.branches[branch]!, value);
  }
  if (typeof value === 'string') writer.writeString(value);
  else if (typeof value === 'number') writer.writeInteger(value);
  else if (value !== null) writePairs(writer, value);
}

function writePairs(writer: AvroWriter, pairs: ReadonlyMap<number, Uint8Array>): void {
  if (pairs.size > 0) writer.writeInteger(pairs.size);
  for (const [key, bytes] of pairs) {
    writer.writeInteger(key);
    writer.writeBytes(bytes);
  }
  writer.writeInteger(0);
}
