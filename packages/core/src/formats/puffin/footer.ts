import {
  asInt,
  asList,
  asLong,
  asObject,
  asSafeInteger,
  asString,
  asStringRecord,
  optional,
  required,
} from '../../spec/json-fields.ts';
import type { JsonReader } from '../../spec/json-fields.ts';
import { parseJson, stringifyJson } from '../../spec/json.ts';
import type { JsonValue } from '../../spec/json.ts';
import { rootPlace } from '../../spec/place.ts';

/** What a Puffin file says of its blobs (Puffin spec: "FileMetadata"). */
export interface PuffinFooter {
  readonly blobs: readonly BlobMetadata[];
  readonly properties: Readonly<Record<string, string>>;
}

export interface BlobMetadata {
  /** 'deletion-vector-v1', 'apache-datasketches-theta-v1' or another. */
  readonly type: string;
  /** The field ids that it was computed for. */
  readonly fields: readonly number[];
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  /** Where its bytes are in the file; compressed ones, if they are. */
  readonly offset: number;
  readonly length: number;
  /** 'lz4' or 'zstd'; null if it isn't compressed. */
  readonly compressionCodec: string | null;
  readonly properties: Readonly<Record<string, string>>;
}

/** INVALID_DATA, with the place, for text that isn't a footer's payload. */
export function footerFromJson(text: string, location: string): PuffinFooter {
  const place = rootPlace(location);
  const root = asObject(parseJson(text), place);
  return {
    blobs: required(root, 'blobs', asList(blobFromJson), place),
    properties: optional(root, 'properties', asStringRecord, place, {}),
  };
}

const blobFromJson: JsonReader<BlobMetadata> = (value: JsonValue, place) => {
  const blob = asObject(value, place);
  return {
    type: required(blob, 'type', asString, place),
    fields: required(blob, 'fields', asList(asInt), place),
    snapshotId: required(blob, 'snapshot-id', asLong, place),
    sequenceNumber: required(blob, 'sequence-number', asLong, place),
    offset: required(blob, 'offset', asSafeInteger, place),
    length: required(blob, 'length', asSafeInteger, place),
    compressionCodec: optional(blob, 'compression-codec', asString, place, null),
    properties: optional(blob, 'properties', asStringRecord, place, {}),
  };
};

export function footerToJson({ blobs, properties }: PuffinFooter): string {
  return stringifyJson({ blobs: blobs.map(blobToJson), properties });
}

function blobToJson(blob: BlobMetadata): unknown {
  return {
    type: blob.type,
    fields: blob.fields,
    'snapshot-id': blob.snapshotId,
    'sequence-number': blob.sequenceNumber,
    offset: blob.offset,
    length: blob.length,
    ...(blob.compressionCodec !== null && { 'compression-codec': blob.compressionCodec }),
    properties: blob.properties,
  };
}
