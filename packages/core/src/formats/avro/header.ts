import { invalidData } from '../../errors.ts';
import { AvroReader } from './avro-reader.ts';
import { parseAvroSchema, type AvroType } from './avro-schema.ts';
import { parseAvroCodec, type AvroCodec } from './codecs.ts';

/** The start of an Avro object container file. */
export interface AvroHeader {
  /** The schema that the file was written with. */
  readonly schema: AvroType;
  /** Key-value metadata, but for Avro's own keys. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly codec: AvroCodec;
  /** The marker at the end of each block. */
  readonly sync: Uint8Array;
  /** Bytes. */
  readonly length: number;
}

export const MAGIC: Uint8Array = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
export const SYNC_BYTES = 16;
export const SCHEMA_KEY = 'avro.schema';
export const CODEC_KEY = 'avro.codec';

/** INVALID_DATA if the bytes don't begin such a file, or end within its header. */
export function readAvroHeader(bytes: Uint8Array, location: string): AvroHeader {
  const reader = new AvroReader(bytes, location);
  if (bytes.length < MAGIC.length || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw invalidData(`${location} is not an Avro file: it does not start with 'Obj' and 1.`, { location });
  }
  reader.skip(MAGIC.length);
  const metadata = readMetadata(reader);
  const sync = reader.readFixed(SYNC_BYTES);
  const schemaText = metadata.get(SCHEMA_KEY);
  if (schemaText === undefined)
    throw invalidData(`${location} is damaged: its Avro header has no schema.`, { location });
  const codec = parseAvroCodec(metadata.get(CODEC_KEY) ?? 'null', location);
  metadata.delete(SCHEMA_KEY);
  metadata.delete(CODEC_KEY);
  return { schema: knownSchema(schemaText, location), metadata, codec, sync, length: reader.position };
}

/** Manifests are many, small, and of the same few schemas: parsing those took longer than reading the entries. */
const known = new Map<string, AvroType>();
const MAX_KNOWN = 32;
const MAX_KNOWN_LENGTH = 64 * 1024;

function knownSchema(text: string, location: string): AvroType {
  const found = known.get(text);
  if (found) return found;
  const schema = parseAvroSchema(text, location);
  if (text.length > MAX_KNOWN_LENGTH) return schema;
  if (known.size === MAX_KNOWN) known.delete(known.keys().next().value!);
  known.set(text, schema);
  return schema;
}

function readMetadata(reader: AvroReader): Map<string, string> {
  const metadata = new Map<string, string>();
  for (let count = reader.readBlockCount(); count > 0; count = reader.readBlockCount()) {
    for (let i = 0; i < count; i++) metadata.set(reader.readString(), reader.readString());
  }
  return metadata;
}
