import { Readable } from 'node:stream';
import avro from 'avsc';

/** Avro's longs as exact bigints, which avsc leaves to its users. */
const bigintLongs = avro.types.LongType['__with']({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: (value: number | bigint) => BigInt(value),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** For longs with a logical type, too. */
function typeHook(schema: avro.Schema): avro.Type | undefined {
  const name = typeof schema === 'object' && 'type' in schema ? schema.type : schema;
  return name === 'long' ? bigintLongs : undefined;
}

/** A type of avsc's from a schema's JSON. */
export function avscType(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { typeHook });
}

/** The records of a container file as avsc, an implementation that has nothing of ours, reads them. */
export async function readWithAvsc(file: Uint8Array): Promise<unknown[]> {
  const decoder = new avro.streams.BlockDecoder({
    parseHook: (schema: avro.Schema) => avro.Type.forSchema(schema, { typeHook }),
  });
  const records: unknown[] = [];
  for await (const record of Readable.from([Buffer.from(file)]).pipe(decoder)) records.push(plain(record));
  return records;
}

export async function writeWithAvsc(
  type: avro.Type,
  records: readonly unknown[],
  codec: 'null' | 'deflate',
): Promise<Uint8Array> {
  const encoder = new avro.streams.BlockEncoder(type, { codec });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise((resolve, reject) => encoder.on('end', resolve).on('error', reject));
  for (const record of records) encoder.write(record);
  encoder.end();
  await done;
  return new Uint8Array(Buffer.concat(chunks));
}

/** Without the prototypes that avsc gives its records. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
