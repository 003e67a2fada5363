import { crc32, gunzipSync, gzipSync } from 'node:zlib';

import type { SeededRuntime } from '@lh/core/testing';

import { avroContent, mutateAvro } from './avro-file.ts';
import { mutateBytes } from './mutate-bytes.ts';
import type { Mutation } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';
import type { Kind } from './targets.ts';

interface FileFormat {
  readonly mutate: (bytes: Uint8Array, random: SeededRuntime) => Mutation;
  /** What a file says, as text, told by other means than the library's; throws if it is no such file. */
  readonly content: (bytes: Uint8Array) => string;
}

const avro: FileFormat = { mutate: mutateAvro, content: avroContent };
/** Pages and streams have no checksum, and damage to one of integers gives other integers. */
const columnar: FileFormat = { mutate: mutateBytes, content: (bytes) => Buffer.from(bytes).toString('latin1') };

/** How the files of each kind are damaged, and how to tell whether a damaged one is a good one with other content. */
export const FILE_FORMATS: Readonly<Record<Kind, FileFormat>> = {
  metadata: { mutate: mutateMetadata, content: metadataContent },
  'manifest list': avro,
  manifest: avro,
  'Avro file': avro,
  'Puffin file': { mutate: mutatePuffin, content: puffinContent },
  'Parquet file': columnar,
  'ORC file': columnar,
};

function mutateMetadata(bytes: Uint8Array, random: SeededRuntime): Mutation {
  if (random.randomInteger(4) === 0) return mutateBytes(bytes, random);
  const isZipped = bytes[0] === 0x1f;
  const plain = isZipped ? new Uint8Array(gunzipSync(bytes)) : bytes;
  const zip = (one: Mutation): Mutation => (isZipped ? { ...one, bytes: new Uint8Array(gzipSync(one.bytes)) } : one);
  if (random.randomInteger(3) === 0) return zip(mutateBytes(plain, random));
  const { text, what } = mutateJson(new TextDecoder().decode(plain), random);
  return zip({ bytes: new TextEncoder().encode(text), what });
}

function metadataContent(bytes: Uint8Array): string {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(plain);
  JSON.parse(text);
  return text;
}

/** In half of the cases the checksum of the vector is mended, so that it is read. */
function mutatePuffin(bytes: Uint8Array, random: SeededRuntime): Mutation {
  const vector = firstVector(bytes);
  if (vector === null || random.randomInteger(2) === 0) return mutateBytes(bytes, random);
  const copy = bytes.slice();
  const { start, end } = vector;
  const { bytes: damaged, what } = mutateBytes(copy.subarray(start, end), random);
  copy.set(damaged.subarray(0, end - start), start);
  new DataView(copy.buffer).setUint32(end, crc32(copy.subarray(start, end)));
  return { bytes: copy, what: `${what} in a vector` };
}

/** The part of a deletion vector that its checksum covers (Puffin specification: "deletion-vector-v1 blob type"). */
function firstVector(bytes: Uint8Array): { readonly start: number; readonly end: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = Buffer.from(bytes).indexOf(Buffer.from([0xd1, 0xd3, 0x39, 0x64]));
  if (magic < 4) return null;
  const end = magic + view.getUint32(magic - 4);
  return end + 4 <= bytes.length ? { start: magic, end } : null;
}

/** All vectors whose checksum is right. */
function puffinContent(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole: string[] = [];
  for (let magic = 4; magic + 4 <= bytes.length; magic++) {
    if (view.getUint32(magic) !== 0xd1d33964) continue;
    const end = magic + view.getUint32(magic - 4);
    if (end + 4 > bytes.length || crc32(bytes.subarray(magic, end)) !== view.getUint32(end)) continue;
    whole.push(Buffer.from(bytes.subarray(magic, end)).toString('hex'));
  }
  return whole.join(' ');
}
