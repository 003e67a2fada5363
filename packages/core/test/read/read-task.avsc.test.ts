import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Schema } from '../../src/spec/schema.ts';
import type { IcebergType, NestedField } from '../../src/spec/types.ts';
import type { AvroCodec } from '../../src/formats/avro/codecs.ts';
import { AvroContainerWriter } from '../../src/formats/avro/container.ts';
import { avscType } from '../formats/avro/avsc.ts';
import { int, long, text } from '../spec/arbitraries.ts';
import { expectError } from '../table/support.ts';
import { read } from '../write/support.ts';
import type { Row } from '../write/support.ts';
import { taskOfBytes } from './avro-support.ts';

/** Records as avsc encodes them, in a container of ours: avsc's own leaves ids and logical types out of the schema. */
function avscFile(schema: unknown, records: readonly unknown[], codec: AvroCodec = 'null'): Uint8Array {
  const type = avscType(schema);
  const container = new AvroContainerWriter({ schema, metadata: {}, codec, name: 'avsc' });
  for (const record of records) container.append((block) => block.writeFixed(type.toBuffer(record)));
  return container.finish();
}

/**
 * Files as other tools write them, by avsc, which has nothing of ours: what Iceberg's own writers never choose, but its
 * readers understand.
 */
interface Case {
  readonly type: IcebergType;
  readonly avro: unknown;
  /** What avsc is given, and what is read. */
  readonly value: fc.Arbitrary<readonly [unknown, unknown]>;
}

const same = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<readonly [T, T]> => values.map((value) => [value, value]);
const timestamp = (
  kind: 'timestamp' | 'timestamptz' | 'timestamp_ns',
  logicalType: string,
  factor: bigint,
  extra = {},
): Case => ({
  type: { kind },
  avro: { type: 'long', logicalType, ...extra },
  value: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((count) => [count, count * factor]),
});
const bytes = fc.uint8Array({ maxLength: 20 });
const decimal: IcebergType = { kind: 'decimal', precision: 38, scale: 3 };
const decimalValue = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });

/** The fewest bytes of two's complement. */
function bigEndian(value: bigint, atLeast = 1): Buffer {
  let size = atLeast;
  while (BigInt.asIntN(8 * size, value) !== value) size++;
  return Buffer.from(
    BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0'),
    'hex',
  );
}

const listOf = (element: IcebergType): IcebergType => ({
  kind: 'list',
  elementId: 100,
  elementRequired: false,
  element,
});
const mapOf = (key: IcebergType, value: IcebergType): IcebergType => ({
  kind: 'map',
  keyId: 101,
  key,
  valueId: 102,
  valueRequired: false,
  value,
});

const CASES: Readonly<Record<string, Case>> = {
  int: { type: { kind: 'int' }, avro: 'int', value: same(int) },
  long: { type: { kind: 'long' }, avro: 'long', value: same(long) },
  promoted: { type: { kind: 'long' }, avro: 'int', value: int.map((value) => [value, BigInt(value)]) },
  float: { type: { kind: 'float' }, avro: 'float', value: same(fc.float()) },
  double: { type: { kind: 'double' }, avro: 'float', value: same(fc.float()) },
  boolean: { type: { kind: 'boolean' }, avro: 'boolean', value: same(fc.boolean()) },
  text: { type: { kind: 'string' }, avro: 'string', value: same(text) },
  bytesAsText: { type: { kind: 'string' }, avro: 'bytes', value: text.map((value) => [Buffer.from(value), value]) },
  binary: { type: { kind: 'binary' }, avro: 'bytes', value: bytes.map((value) => [Buffer.from(value), value]) },
  fixed: {
    type: { kind: 'fixed', length: 3 },
    avro: { type: 'fixed', name: 'three', size: 3 },
    value: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((value) => [Buffer.from(value), value]),
  },
  nullLast: { type: { kind: 'string' }, avro: ['string', 'null'], value: same(fc.option(text)) },
  onlyNull: { type: { kind: 'int' }, avro: 'null', value: fc.constant([null, null]) },
  enum: {
    type: { kind: 'string' },
    avro: { type: 'enum', name: 'suit', symbols: ['HEARTS', 'SPADES'] },
    value: same(fc.constantFrom('HEARTS', 'SPADES')),
  },
  date: { type: { kind: 'date' }, avro: { type: 'int', logicalType: 'date' }, value: same(int) },
  timeMillis: {
    type: { kind: 'time' },
    avro: { type: 'int', logicalType: 'time-millis' },
    value: fc.nat(86_399_999).map((value) => [value, BigInt(value) * 1000n]),
  },
  timeMicros: {
    type: { kind: 'time' },
    avro: { type: 'long', logicalType: 'time-micros' },
    value: same(fc.bigInt({ min: 0n, max: 86_399_999_999n })),
  },
  millis: timestamp('timestamptz', 'timestamp-millis', 1000n),
  micros: timestamp('timestamptz', 'timestamp-micros', 1n, { 'adjust-to-utc': true }),
  nanos: timestamp('timestamp_ns', 'timestamp-nanos', 1n, { 'adjust-to-utc': false }),
  localMillis: timestamp('timestamp', 'local-timestamp-millis', 1000n),
  localMicros: timestamp('timestamp', 'local-timestamp-micros', 1n),
  decimalBytes: {
    type: decimal,
    avro: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 3 },
    value: decimalValue.map((value) => [bigEndian(value), value]),
  },
  decimalFixed: {
    type: decimal,
    avro: { type: 'fixed', name: 'wide', size: 20, logicalType: 'decimal', precision: 38, scale: 3 },
    value: decimalValue.map((value) => [bigEndian(value, 20), value]),
  },
  uuidFixed: {
    type: { kind: 'uuid' },
    avro: { type: 'fixed', name: 'uuid', size: 16, logicalType: 'uuid' },
    value: fc.uuid().map((value) => [Buffer.from(value.replaceAll('-', ''), 'hex'), value]),
  },
  uuidText: { type: { kind: 'uuid' }, avro: { type: 'string', logicalType: 'uuid' }, value: same(fc.uuid()) },
  array: {
    type: listOf({ kind: 'int' }),
    avro: { type: 'array', items: ['int', 'null'], 'element-id': 100 },
    value: same(fc.array(fc.option(int), { maxLength: 4 })),
  },
  arrayOfNulls: {
    type: { ...listOf({ kind: 'unknown' }), elementId: 103 } as IcebergType,
    avro: { type: 'array', items: 'null', 'element-id': 103 },
    value: same(fc.array(fc.constant(null), { maxLength: 40 })),
  },
  map: {
    type: mapOf({ kind: 'string' }, { kind: 'long' }),
    avro: { type: 'map', values: ['null', 'long'], 'key-id': 101, 'value-id': 102 },
    value: fc
      .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), fc.option(long)), {
        selector: ([key]) => key,
        maxLength: 4,
      })
      .map((entries) => [Object.fromEntries(entries), entries]),
  },
  pairs: {
    type: { ...mapOf({ kind: 'int' }, { kind: 'string' }), keyId: 104, valueId: 105 } as IcebergType,
    avro: {
      type: 'array',
      logicalType: 'map',
      items: {
        type: 'record',
        name: 'k104_v105',
        fields: [
          { name: 'key', type: 'int', 'field-id': 104 },
          { name: 'value', type: ['null', 'string'], 'field-id': 105 },
        ],
      },
    },
    value: fc
      .array(fc.tuple(int, fc.option(text)), { maxLength: 4 })
      .map((entries) => [entries.map(([key, value]) => ({ key, value })), entries]),
  },
};

const entries = Object.entries(CASES);
const shape: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: entries.map(([name, { type }], i): NestedField => ({ id: i + 1, name, required: false, type })),
};
const avroSchema = {
  type: 'record',
  name: 'row',
  fields: entries.map(([name, { avro }], i) => ({ name, type: avro, 'field-id': i + 1 })),
};

test('what other writers make of every type is read', async () => {
  const row = fc.tuple(...entries.map(([, { value }]) => value));
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 12 }),
      fc.constantFrom<AvroCodec>('null', 'deflate'),
      async (pairs, codec) => {
        const records = pairs.map((values) => Object.fromEntries(entries.map(([name], i) => [name, values[i]![0]])));
        const { io, task } = await taskOfBytes(avscFile(avroSchema, records, codec), 'avro', shape);
        expect(await read(io, task)).toEqual(
          pairs.map((values): Row => values.map(([, value]) => value as Row[number])),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('unions of several types are refused where they are wanted, and passed over elsewhere', async () => {
  const either = {
    type: 'record',
    name: 'row',
    fields: [
      { name: 'either', type: ['int', 'string'], 'field-id': 1 },
      { name: 'n', type: 'int', 'field-id': 2 },
    ],
  };
  const file = avscFile(either, [
    { either: 1, n: 5 },
    { either: 'x', n: 6 },
  ]);
  const field = (id: number, name: string): NestedField => ({ id, name, required: false, type: { kind: 'int' } });
  const { io, task } = await taskOfBytes(file, 'avro', { ...shape, fields: [field(1, 'either'), field(2, 'n')] });
  expect(await read(io, task, { projection: { kind: 'struct', fields: [field(2, 'n')] } })).toEqual([[5], [6]]);
  await expectError(read(io, task), 'UNSUPPORTED', /'either'.*union/);
});

test('text that is not UTF-8 is found, whole or put together of parts', async () => {
  const column: NestedField = { id: 1, name: 'text', required: false, type: { kind: 'string' } };
  const avro = { type: 'record', name: 'row', fields: [{ name: 'text', type: 'string', 'field-id': 1 }] };
  for (const parts of [[[0xff]], [[0xc3], [0xa9]], [[0xe2, 0x82], [0xac]]]) {
    const container = new AvroContainerWriter({ schema: avro, metadata: {}, codec: 'null', name: 'text' });
    for (const part of parts) container.append((block) => block.writeBytes(Uint8Array.from(part)));
    const { io, task } = await taskOfBytes(container.finish(), 'avro', { ...shape, fields: [column] });
    await expectError(read(io, task), 'INVALID_DATA', /not UTF-8/);
  }
});

test('what is no row is refused', async () => {
  const { io, task } = await taskOfBytes(avscFile('int', [1]), 'avro', shape);
  await expectError(read(io, task), 'UNSUPPORTED', /values of type int/);
});

test('lists without a byte per item are passed over', async () => {
  const nulls = { type: 'array', items: 'null', 'element-id': 2 };
  const schema = {
    type: 'record',
    name: 'r',
    fields: [
      { name: 'nulls', type: nulls, 'field-id': 1 },
      { name: 'n', type: 'int', 'field-id': 3 },
    ],
  };
  const file = avscFile(schema, [
    { nulls: [null, null, null, null, null], n: 1 },
    { nulls: [], n: 2 },
  ]);
  const given: Schema = {
    kind: 'struct',
    schemaId: 0,
    identifierFieldIds: [],
    fields: [
      { id: 1, name: 'nulls', required: false, type: { ...listOf({ kind: 'unknown' }), elementId: 2 } as IcebergType },
      { id: 3, name: 'n', required: false, type: { kind: 'int' } },
    ],
  };
  const { io, task } = await taskOfBytes(file, 'avro', given);
  expect(await read(io, task)).toEqual([
    [[null, null, null, null, null], 1],
    [[], 2],
  ]);
  expect(await read(io, task, { projection: { ...given, fields: given.fields.slice(1) } })).toEqual([[1], [2]]);
});

test('lengths that nothing can hold are INVALID_DATA', async () => {
  const shapeOf = (type: IcebergType): Schema => ({
    kind: 'struct',
    schemaId: 0,
    identifierFieldIds: [],
    fields: [{ id: 1, name: 'x', required: false, type }],
  });
  const fixed = { type: 'fixed', name: 'f', size: 2 ** 50 };
  const schema = (type: unknown): unknown => ({
    type: 'record',
    name: 'r',
    fields: [{ name: 'x', type, 'field-id': 1 }],
  });
  const records = new AvroContainerWriter({
    schema: schema(['null', fixed]),
    metadata: {},
    codec: 'null',
    name: 'large',
  });
  records.append((block) => block.writeInteger(0));
  const large = await taskOfBytes(records.finish(), 'avro', shapeOf({ kind: 'fixed', length: 4 }));
  await expectError(read(large.io, large.task), 'INVALID_DATA', /a length in it is wrong/);

  const items = new AvroContainerWriter({
    schema: schema({ type: 'array', items: 'null', 'element-id': 9 }),
    metadata: {},
    codec: 'null',
    name: 'long',
  });
  items.append((block) => {
    for (let i = 0; i < 2000; i++) block.writeInteger(65_536);
    block.writeInteger(0);
  });
  const endless = await taskOfBytes(items.finish(), 'avro', shapeOf({ ...listOf({ kind: 'unknown' }) } as IcebergType));
  await expectError(read(endless.io, endless.task), 'INVALID_DATA', /items/);
});

test('a block counts no more records than can be in it', async () => {
  const schema = { type: 'record', name: 'r', fields: [{ name: 'x', type: 'int', 'field-id': 1 }] };
  const good = avscFile(schema, [{ x: 1 }]);
  // The block: a count of 1, a length of 1, the value 1, the marker.
  const at = good.length - 16 - 3;
  const count = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x04);
  const file = Uint8Array.from([...good.subarray(0, at), ...count, ...good.subarray(at + 1)]);
  const given: Schema = { kind: 'struct', schemaId: 0, identifierFieldIds: [], fields: [] };
  const { io, task } = await taskOfBytes(file, 'avro', given);
  await expectError(read(io, task), 'INVALID_DATA', /counts 8796093022208 records/);
});
