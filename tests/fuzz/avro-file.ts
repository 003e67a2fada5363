import { deflateRawSync } from 'node:zlib';

import type { SeededRuntime } from '@lh/core/testing';
import avsc from 'avsc';

import { decompressBlock, parseAvroCodec } from '../../packages/core/src/formats/avro/codecs.ts';
import { joined, mutateBytes, pick } from './mutate-bytes.ts';
import type { Mutation } from './mutate-bytes.ts';
import { mutateJson } from './mutate-json.ts';

/** An Avro container file, taken apart, with its blocks decompressed. */
interface AvroFile {
  readonly metadata: ReadonlyMap<string, string>;
  readonly sync: Uint8Array;
  readonly blocks: readonly AvroBlock[];
}

interface AvroBlock {
  readonly count: bigint;
  readonly payload: Uint8Array;
}

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);

function parse(bytes: Uint8Array): AvroFile {
  let at = MAGIC.length;
  const long = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('The file is cut short.');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
  };
  const take = (length: number): Uint8Array => {
    if (length < 0 || at + length > bytes.length) throw new Error('The file is cut short.');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const text = (): string => Buffer.from(take(Number(long()))).toString('latin1');
  const metadata = new Map<string, string>();
  for (let count = long(); count !== 0n; count = long()) {
    if (count < 0n) long();
    for (let left = count < 0n ? -count : count; left > 0n; left--) metadata.set(text(), text());
  }
  const sync = take(16);
  const codec = parseAvroCodec(metadata.get('avro.codec') ?? 'null', 'the file');
  const blocks: AvroBlock[] = [];
  while (at < bytes.length) {
    const count = long();
    blocks.push({ count, payload: decompressBlock(codec, take(Number(long())), 'the file') });
    if (Buffer.compare(take(16), sync) !== 0) throw new Error('A block ends without the sync marker.');
  }
  return { metadata, sync, blocks };
}

/** The file in Avro's form; blocks are compressed with deflate. */
function format({ metadata, sync, blocks }: AvroFile): Uint8Array {
  const entries = [...new Map([...metadata, ['avro.codec', 'deflate']])];
  const header = entries.flatMap(([key, value]) => [string(key), string(value)]);
  const body = blocks.flatMap(({ count, payload }) => {
    const compressed = new Uint8Array(deflateRawSync(payload));
    return [varint(count), varint(BigInt(compressed.length)), compressed, sync];
  });
  return joined(MAGIC, varint(BigInt(entries.length)), ...header, varint(0n), sync, ...body);
}

function string(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'latin1');
  return joined(varint(BigInt(bytes.length)), bytes);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(left)]);
}

/** Damages a file where it hurts: behind the compression, which finds out about most damage done to the file itself. */
export function mutateAvro(bytes: Uint8Array, random: SeededRuntime): Mutation {
  const file = parse(bytes);
  switch (random.randomInteger(8)) {
    case 0:
    case 1:
      return mutateBytes(bytes, random);
    case 2:
      return mutateHeader(file, random);
    case 3: {
      const counts = [0n, -1n, 1n, 1n << 31n, 1n << 53n, (1n << 63n) - 1n];
      return withBlock(
        file,
        random,
        (block) => ({ ...block, count: pick(counts, random) }),
        'another count of records',
      );
    }
    case 4:
    case 5: {
      const mutate = (block: AvroBlock): AvroBlock => ({ ...block, payload: mutateBytes(block.payload, random).bytes });
      return withBlock(file, random, mutate, 'a damaged block');
    }
    default:
      return withBlock(file, random, (block) => mutateRecord(schemaOf(file), block, random), 'another value');
  }
}

function withBlock(
  file: AvroFile,
  random: SeededRuntime,
  change: (block: AvroBlock) => AvroBlock,
  what: string,
): Mutation {
  if (file.blocks.length === 0) return { bytes: format(file), what: 'no blocks' };
  const index = random.randomInteger(file.blocks.length);
  const blocks = file.blocks.map((block, i) => (i === index ? change(block) : block));
  return { bytes: format({ ...file, blocks }), what };
}

function mutateHeader(file: AvroFile, random: SeededRuntime): Mutation {
  const key = pick([...file.metadata.keys()], random);
  const value = file.metadata.get(key)!;
  const metadata = new Map(file.metadata);
  if (value.startsWith('{') || value.startsWith('[')) {
    const { text, what } = mutateJson(value, random);
    metadata.set(key, text);
    return { bytes: format({ ...file, metadata }), what: `${key} ${what}` };
  }
  if (random.randomInteger(2) === 0) metadata.delete(key);
  else metadata.set(key, pick(['', '0', '-1', '4', '99999999999999999999', 'null', 'deletes', 'x\u0000'], random));
  return { bytes: format({ ...file, metadata }), what: `${key} ${metadata.get(key) ?? 'removed'}` };
}

/** Sets one value of one record to something else of its type. */
function mutateRecord(type: avsc.Type, block: AvroBlock, random: SeededRuntime): AvroBlock {
  const records = recordsOf(type, block);
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const visit = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      places.push({ holder, key });
      if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) visit(value as never);
    }
  };
  visit(records as never);
  const { holder, key } = pick(places, random);
  holder[key] = pick(substitutes(holder[key]), random);
  try {
    return { count: BigInt(records.length), payload: joined(...records.map((record) => type.toBuffer(record))) };
  } catch {
    // The type doesn't have that value.
    return { ...block, payload: mutateBytes(block.payload, random).bytes };
  }
}

function substitutes(value: unknown): readonly unknown[] {
  if (typeof value === 'bigint')
    return [0n, -1n, 1n, 1n << 31n, 1n << 53n, (1n << 63n) - 1n, -(1n << 63n), value + 1n, null];
  if (typeof value === 'number') return [0, -1, 1, 3, 0x7fff_ffff, -0x8000_0000, Number.NaN, value + 1, null];
  if (typeof value === 'string')
    return ['', '\u0000', '../../etc/passwd', `${value}x`, 'PARQUET', 'x'.repeat(5000), null];
  if (typeof value === 'boolean') return [!value, null];
  if (Buffer.isBuffer(value))
    return [Buffer.alloc(0), Buffer.from([0xff]), Buffer.alloc(40, 0xff), Buffer.concat([value, value]), null];
  if (Array.isArray(value)) return [[], [...(value as unknown[]), ...(value as unknown[])], null];
  return [null];
}

/**
 * What a file holds, as text, by another implementation of Avro: files that hold different things may be read as
 * different rows, and only those. Throws if it isn't an Avro file.
 */
export function avroContent(bytes: Uint8Array): string {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw new Error('This is no Avro file.');
  const file = parse(bytes);
  const records = file.blocks.map((block) => recordsOf(schemaOf(file), block));
  const replacer = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  return JSON.stringify([[...file.metadata], records], replacer);
}

function recordsOf(type: avsc.Type, { count, payload }: AvroBlock): unknown[] {
  const buffer = Buffer.from(payload);
  const records: unknown[] = [];
  let offset = 0;
  for (let i = 0n; i < count; i++) {
    const decoded = type.decode(buffer, offset);
    if (decoded.offset < 0) throw new Error('A block is cut short.');
    records.push(decoded.value);
    offset = decoded.offset;
  }
  if (offset !== buffer.length) throw new Error('A block is longer than its records.');
  return records;
}

/** Other writers name fields with letters of any language, which avsc refuses. */
function plainName(key: string, value: unknown): unknown {
  if (key !== 'name' || typeof value !== 'string') return value;
  return value.replaceAll(/[^\w.]/gu, (letter) => `_u${letter.codePointAt(0)!.toString(16)}`);
}

function schemaOf({ metadata }: AvroFile): avsc.Type {
  const schema: unknown = JSON.parse(Buffer.from(metadata.get('avro.schema') ?? '', 'latin1').toString(), plainName);
  // Longs with a logical type or an attribute of Iceberg's, too.
  const isLong = (one: unknown): boolean => one === 'long' || (one as { type?: unknown } | null)?.type === 'long';
  return avsc.Type.forSchema(schema as avsc.Schema, { typeHook: (one) => (isLong(one) ? LONG : undefined) });
}

const LONG = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  compare: (a: bigint, b: bigint) => Number(a > b) - Number(a < b),
});

/** What an Avro file of a table is, told by the name of its records. */
export function avroKind(bytes: Uint8Array): 'manifest list' | 'manifest' | 'Avro file' {
  const schema = JSON.parse(parse(bytes).metadata.get('avro.schema')!) as { name?: string };
  if (schema.name === 'manifest_file') return 'manifest list';
  return schema.name === 'manifest_entry' ? 'manifest' : 'Avro file';
}
