import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AvroReader } from '../../../src/formats/avro/avro-reader.ts';
import { parseAvroSchema } from '../../../src/formats/avro/avro-schema.ts';
import { AvroWriter } from '../../../src/formats/avro/avro-writer.ts';
import { AvroContainerWriter } from '../../../src/formats/avro/container.ts';
import { valueDecoder } from '../../../src/formats/avro/decode-values.ts';
import { valueEncoder } from '../../../src/formats/avro/encode-values.ts';
import { toAvroSchema } from '../../../src/formats/avro/iceberg-schema.ts';
import { skipper } from '../../../src/formats/avro/skip-values.ts';
import type { IcebergType, NestedField, StructType } from '../../../src/spec/types.ts';
import type { Value } from '../../../src/spec/values.ts';
import { Variant } from '../../../src/spec/variant.ts';
import { ORDERED_TYPES, valueOf } from '../../expr/arbitraries.ts';
import { readWithAvsc } from './avsc.ts';

interface Typed {
  readonly type: IcebergType;
  readonly value: Arbitrary<Value>;
}

const ordered: Arbitrary<Typed> = fc.constantFrom<Typed>(
  ...ORDERED_TYPES.map((type) => ({ type, value: valueOf(type) })),
);
const primitive: Arbitrary<Typed> = fc.oneof(
  { weight: 9, arbitrary: ordered },
  fc.constantFrom<Typed>(
    { type: { kind: 'geometry', crs: null }, value: fc.uint8Array({ maxLength: 9 }) },
    { type: { kind: 'variant' }, value: fc.uint8Array({ maxLength: 5 }).map((bytes) => new Variant(bytes, bytes)) },
  ),
);
const unknown: Arbitrary<Typed> = fc.constant({ type: { kind: 'unknown' }, value: fc.constant(null) });

/** Ids are unique within a type: each part counts on from the one before. */
function struct(parts: readonly (Typed & { required: boolean })[], firstId: number): Typed {
  const fields = parts.map(({ type, required }, i): NestedField => {
    return { id: firstId + i, name: `f${i}`, required: required && type.kind !== 'unknown', type };
  });
  const values = parts.map(({ value }, i) => (fields[i]!.required ? value : fc.option(value)));
  return { type: { kind: 'struct', fields }, value: fc.tuple(...values) };
}

const many = (value: Arbitrary<Value>): Arbitrary<Value[]> => fc.array(value, { maxLength: 3 });

const nested: Arbitrary<Typed> = fc
  .tuple(primitive, primitive, ordered, fc.boolean())
  .chain(([a, b, key, required]) => {
    const item = required ? a.value : fc.option(a.value);
    return fc.constantFrom<Typed>(
      a,
      { type: { kind: 'list', elementId: 50, elementRequired: required, element: a.type }, value: many(item) },
      {
        type: { kind: 'map', keyId: 60, key: key.type, valueId: 61, valueRequired: required, value: a.type },
        value: many(fc.tuple(key.value, item)),
      },
      struct(
        [
          { ...a, required },
          { ...b, required: !required },
        ],
        70,
      ),
    );
  });

const row: Arbitrary<{ type: StructType; value: Value }> = fc
  .array(fc.record({ part: fc.oneof({ weight: 9, arbitrary: nested }, unknown), required: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => {
    const distinct = parts.map(({ part, required }, i) => ({
      type: withIdsFrom(part.type, 100 * (i + 1)),
      value: part.value,
      required,
    }));
    return struct(distinct, 1);
  })
  .chain(({ type, value }) => value.map((item) => ({ type: type as StructType, value: item })));

function withIdsFrom(type: IcebergType, base: number): IcebergType {
  if (type.kind === 'list') return { ...type, elementId: base + type.elementId };
  if (type.kind === 'map') return { ...type, keyId: base + type.keyId, valueId: base + type.valueId };
  if (type.kind === 'struct')
    return { kind: 'struct', fields: type.fields.map((field) => ({ ...field, id: base + field.id })) };
  return type;
}

function encode(type: IcebergType, value: Value): Uint8Array {
  const out = new AvroWriter();
  valueEncoder(type)(out, value);
  return out.bytes.slice();
}

const schemaOf = (type: StructType) => parseAvroSchema(JSON.stringify(toAvroSchema(type, 'row')), 'm.avro');

describe('values of every type', () => {
  it('come back as they were written, and skipping ends where reading does', () => {
    fc.assert(
      fc.property(row, ({ type, value }) => {
        const bytes = encode(type, value);
        const avro = schemaOf(type);
        const reader = new AvroReader(bytes, 'm.avro');
        expect(valueDecoder(avro, type, 'm.avro')(reader)).toEqual(value);
        expect(reader.position).toBe(bytes.length);
        const skipping = new AvroReader(bytes, 'm.avro');
        skipper(avro)(skipping);
        expect(skipping.position).toBe(bytes.length);
      }),
    );
  });

  it('may be read in part, in another order, with columns that the file lacks', () => {
    fc.assert(
      fc.property(row, fc.infiniteStream(fc.boolean()), ({ type, value }, picks) => {
        const added: NestedField = {
          id: 9000,
          name: 'added',
          required: false,
          type: { kind: 'int' },
          initialDefault: 7,
        };
        const picked = type.fields.filter(() => picks.next().value === true).toReversed();
        const read: StructType = { kind: 'struct', fields: [added, ...picked] };
        const expected = picked.map((field) => (value as readonly Value[])[type.fields.indexOf(field)]!);
        const reader = new AvroReader(encode(type, value), 'm.avro');
        expect(valueDecoder(schemaOf(type), read, 'm.avro')(reader)).toEqual([7, ...expected]);
      }),
    );
  });

  it('are what avsc reads', async () => {
    const samples = fc.sample(fc.tuple(...ORDERED_TYPES.map((type) => fc.option(valueOf(type)))), {
      numRuns: 30,
      seed: 1,
    });
    const type: StructType = {
      kind: 'struct',
      fields: ORDERED_TYPES.map((kind, i) => ({ id: i, name: `f${i}`, required: false, type: kind })),
    };
    const container = new AvroContainerWriter({
      schema: toAvroSchema(type, 'row'),
      metadata: {},
      codec: 'deflate',
      name: 'x',
    });
    const encoder = valueEncoder(type);
    for (const sample of samples) container.append((block) => encoder(block, sample));
    const records = (await readWithAvsc(container.finish())) as Record<string, unknown>[];
    expect(records.map((record) => Object.values(record))).toEqual(
      samples.map((sample) => sample.map((value, i) => (value === null ? null : asAvro(ORDERED_TYPES[i]!, value)))),
    );
  });
});

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** How a value looks to a reader that knows Avro only. */
function asAvro(type: IcebergType, value: Value): unknown {
  if (type.kind === 'uuid') return fromHex((value as string).replaceAll('-', ''));
  if (type.kind !== 'decimal') return value;
  const size = type.precision === 5 ? 3 : 16;
  const unsigned = BigInt.asUintN(8 * size, value as bigint);
  return fromHex(unsigned.toString(16).padStart(2 * size, '0'));
}

const one = (type: IcebergType): StructType => ({
  kind: 'struct',
  fields: [{ id: 1, name: 'x', required: true, type }],
});

/** A value, written as one type and read as another. */
function reread(written: IcebergType, value: Value, as: IcebergType): Value {
  const reader = new AvroReader(encode(one(written), [value]), 'm.avro');
  const [result] = valueDecoder(schemaOf(one(written)), one(as), 'm.avro')(reader) as readonly Value[];
  return result!;
}

describe('promotion', () => {
  it('gives values of the type that the column has now', () => {
    expect(reread({ kind: 'int' }, 5, { kind: 'long' })).toBe(5n);
    expect(reread({ kind: 'float' }, 0.5, { kind: 'double' })).toBe(0.5);
    expect(reread({ kind: 'decimal', precision: 5, scale: 2 }, -7n, { kind: 'decimal', precision: 20, scale: 2 })).toBe(
      -7n,
    );
    expect(reread({ kind: 'int' }, -3, { kind: 'date' })).toBe(-3);
    expect(reread({ kind: 'long' }, 5n, { kind: 'int' })).toBe(5);
    expect(() => reread({ kind: 'long' }, 2n ** 40n, { kind: 'int' })).toThrow(/no 32-bit integer/);
  });

  it('refuses what is no value of the type', () => {
    expect(() => reread({ kind: 'string' }, 'a', { kind: 'int' })).toThrow(/Avro's string where int is expected/);
    expect(() => reread({ kind: 'fixed', length: 3 }, new Uint8Array(3), { kind: 'fixed', length: 4 })).toThrow(
      /fixed\[4\]/,
    );
    expect(reread({ kind: 'string' }, 'F79C3E09-677C-4BBD-A479-3F349CB785E7', { kind: 'uuid' })).toBe(
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    );
    expect(() => reread({ kind: 'string' }, 'x', { kind: 'uuid' })).toThrow(/no UUID/);
  });
});

describe('encoding', () => {
  it('refuses values that do not fit', () => {
    expect(() => encode({ kind: 'fixed', length: 3 }, new Uint8Array(2))).toThrow(
      /2 bytes can't be written as fixed\[3\]/,
    );
    expect(() => encode({ kind: 'decimal', precision: 2, scale: 0 }, 200n)).toThrow(
      /200 can't be written as decimal\(2, 0\)/,
    );
    const field: NestedField = { id: 1, name: 'must', required: true, type: { kind: 'int' } };
    expect(() => encode({ kind: 'struct', fields: [field] }, [null])).toThrow(/'must'/);
  });
});
