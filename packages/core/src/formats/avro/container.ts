import { AvroReader } from './avro-reader.ts';
import type { AvroType } from './avro-schema.ts';
import { AvroWriter } from './avro-writer.ts';
import { compressBlock, decompressBlock, decompressBlockBeside, type AvroCodec } from './codecs.ts';
import { CODEC_KEY, MAGIC, SCHEMA_KEY, SYNC_BYTES, readAvroHeader } from './header.ts';

/** An Avro object container file (Avro specification: "Object Container Files"), whole in memory. */
export interface AvroContainer {
  /** The schema that the file was written with. */
  readonly schema: AvroType;
  /** Key-value metadata of the header, but for Avro's own keys. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The file's blocks, decompressed one by one as they are asked for. */
  blocks(): Iterable<AvroBlock>;
  /** The same, the next few of them decompressed on other threads while one is read. */
  blocksAhead(): AsyncIterable<AvroBlock>;
}

export interface AvroBlock {
  readonly count: number;
  readonly reader: AvroReader;
}

/** Raw bytes at which a block is closed: large enough to compress well, small enough to decode in one go. */
const BLOCK_BYTES = 1 << 17;

/**
 * Reads the header; blocks follow lazily. INVALID_DATA if the bytes are no such file, are cut short or damaged. Reading
 * a block, too, checks its sync marker and that the records it counts can be there.
 */
export function readAvroContainer(bytes: Uint8Array, location: string): AvroContainer {
  const { schema, metadata, codec, sync, length } = readAvroHeader(bytes, location);
  const raw = (): Iterable<RawBlock> => rawBlocks(bytes, length, sync, location);
  return {
    schema,
    metadata,
    blocks: () => blocks(raw(), codec, location),
    blocksAhead: () => blocksAhead(raw(), codec, location),
  };
}

/** A block as it is in the file. */
interface RawBlock {
  readonly count: number;
  readonly payload: Uint8Array;
}

function* rawBlocks(bytes: Uint8Array, start: number, sync: Uint8Array, location: string): Generator<RawBlock> {
  const file = new AvroReader(bytes, location);
  file.position = start;
  while (file.position < bytes.length) {
    const count = file.readNumber();
    if (count < 0) throw file.invalid(`a block counts ${count} records`);
    const payload = file.readBytes();
    const marker = file.readFixed(SYNC_BYTES);
    if (marker.some((byte, i) => byte !== sync[i]))
      throw file.invalid("a block does not end with the file's sync marker");
    yield { count, payload };
  }
}

function* blocks(raw: Iterable<RawBlock>, codec: AvroCodec, location: string): Generator<AvroBlock> {
  for (const { count, payload } of raw) {
    const block = checkedBlock(count, decompressBlock(codec, payload, location), location);
    yield block;
    checkRead(block);
  }
}

/** So many blocks are under way: each thread of Node's pool has one, and one more to go on with. */
const BLOCKS_AHEAD = 8;

async function* blocksAhead(raw: Iterable<RawBlock>, codec: AvroCodec, location: string): AsyncGenerator<AvroBlock> {
  const ahead: Promise<AvroBlock>[] = [];
  const next = async function* (most: number): AsyncGenerator<AvroBlock> {
    while (ahead.length > most) {
      const block = await ahead.shift()!;
      yield block;
      checkRead(block);
    }
  };
  for (const { count, payload } of raw) {
    const block = decompressBlockBeside(codec, payload, location).then((bytes) => checkedBlock(count, bytes, location));
    // A failure is reported when its turn comes; if that never comes, it is nobody's concern.
    block.catch(() => undefined);
    ahead.push(block);
    yield* next(BLOCKS_AHEAD);
  }
  yield* next(0);
}

function checkedBlock(count: number, records: Uint8Array, location: string): AvroBlock {
  const reader = new AvroReader(records, location);
  // A record of Iceberg's files takes a byte at least, so this bounds the work that a damaged count can cause.
  if (count > records.length) throw reader.invalid(`a block of ${records.length} bytes counts ${count} records`);
  return { count, reader };
}

function checkRead({ reader }: AvroBlock): void {
  if (reader.position !== reader.bytes.length) throw reader.invalid('a block does not end with its last record');
}

export interface AvroContainerOptions {
  /** The schema as JSON, which must not change. */
  readonly schema: unknown;
  readonly metadata: Readonly<Record<string, string>>;
  readonly codec: AvroCodec;
  /** What no other file has, as its location: the sync marker comes from it, so that equal input gives equal bytes. */
  readonly name: string;
}

/** Collects records into an Avro container file in memory. */
export class AvroContainerWriter {
  readonly #codec: AvroCodec;
  readonly #sync: Uint8Array;
  readonly #file = new AvroWriter();
  readonly #block = new AvroWriter();
  #count = 0;

  constructor(options: AvroContainerOptions) {
    this.#codec = options.codec;
    this.#sync = syncMarker(options.name);
    const entries = Object.entries({ ...options.metadata, [CODEC_KEY]: options.codec });
    this.#file.writeFixed(MAGIC);
    this.#file.writeInteger(entries.length + 1);
    for (const [key, value] of entries) {
      this.#file.writeString(key);
      this.#file.writeString(value);
    }
    this.#file.writeString(SCHEMA_KEY);
    this.#file.writeBytes(schemaText(options.schema));
    this.#file.writeInteger(0);
    this.#file.writeFixed(this.#sync);
  }

  /** Appends a record: `write` puts exactly one into the writer that it gets. */
  append(write: (block: AvroWriter) => void): void {
    write(this.#block);
    this.#count++;
    if (this.#block.length >= BLOCK_BYTES) this.#closeBlock();
  }

  /** The finished file. */
  finish(): Uint8Array {
    this.#closeBlock();
    return this.#file.bytes;
  }

  #closeBlock(): void {
    if (this.#count === 0) return;
    this.#file.writeInteger(this.#count);
    this.#file.writeBytes(compressBlock(this.#codec, this.#block.bytes));
    this.#file.writeFixed(this.#sync);
    this.#block.clear();
    this.#count = 0;
  }
}

const schemaTexts = new WeakMap<object, Uint8Array>();

/** Of small files, the schema is the most of what there is to write: it is written out once for all that share it. */
function schemaText(schema: unknown): Uint8Array {
  const known = typeof schema === 'object' && schema !== null ? schemaTexts.get(schema) : undefined;
  if (known) return known;
  const text = new TextEncoder().encode(JSON.stringify(schema));
  if (typeof schema === 'object' && schema !== null) schemaTexts.set(schema, text);
  return text;
}

/** 16 bytes that depend on every character of the name (FNV-1a, four times with different offsets). */
function syncMarker(name: string): Uint8Array {
  const marker = new DataView(new ArrayBuffer(SYNC_BYTES));
  for (let word = 0; word < 4; word++) {
    let hash = (0x811c9dc5 ^ (word * 0x9e3779b9)) >>> 0;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    marker.setUint32(4 * word, hash);
  }
  return new Uint8Array(marker.buffer);
}
