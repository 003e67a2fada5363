import { describe, expect, expectTypeOf, it } from 'vitest';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { schemaFromJson, schemaToJson } from '../../src/spec/schema-json.ts';
import type { InferRow, Schema } from '../../src/spec/schema.ts';
import type { Variant } from '../../src/spec/variant.ts';

const shape = schema(
  {
    id: t.long().required(),
    ts: t.timestamptz(),
    city: t.string().doc('where'),
    amount: t.decimal(10, 2),
    tags: t.list(t.string()),
    scores: t.list(t.double().required()).required(),
    props: t.map(t.string(), t.int().required()),
    geo: t.struct({ lat: t.double().required(), lon: t.float(), names: t.map(t.int(), t.string()) }),
    data: t.variant().required(),
    raw: t.fixed(4),
    flag: t.boolean(),
    nothing: t.unknown(),
  },
  { identifier: ['id'] },
);

describe('InferRow', () => {
  type Row = InferRow<typeof shape>;

  it('gives T for required columns and T | null for others', () => {
    expectTypeOf<Row['id']>().toEqualTypeOf<bigint>();
    expectTypeOf<Row['ts']>().toEqualTypeOf<string | null>();
    expectTypeOf<Row['city']>().toEqualTypeOf<string | null>();
    expectTypeOf<Row['amount']>().toEqualTypeOf<string | null>();
    expectTypeOf<Row['raw']>().toEqualTypeOf<Uint8Array | null>();
    expectTypeOf<Row['flag']>().toEqualTypeOf<boolean | null>();
    expectTypeOf<Row['data']>().toEqualTypeOf<Variant>();
    expectTypeOf<Row['nothing']>().toEqualTypeOf<null>();
  });

  it('looks into nested types', () => {
    expectTypeOf<Row['tags']>().toEqualTypeOf<(string | null)[] | null>();
    expectTypeOf<Row['scores']>().toEqualTypeOf<number[]>();
    expectTypeOf<Row['props']>().toEqualTypeOf<Map<string, number> | null>();
    expectTypeOf<Row['geo']>().toEqualTypeOf<{
      lat: number;
      lon: number | null;
      names: Map<number, string | null> | null;
    } | null>();
  });

  it('is an object with unknown values for a schema that was not built here', () => {
    expectTypeOf<InferRow<Schema>>().toEqualTypeOf<Record<string, unknown>>();
    expectTypeOf(shape).toExtend<Schema>();
  });
});

describe('schema', () => {
  it('numbers the columns first, then what is inside of them', () => {
    expect(shape.fields.map((field) => field.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(shape.fields[4]?.type).toMatchObject({ elementId: 13 });
    expect(shape.fields[5]?.type).toMatchObject({ elementId: 14 });
    expect(shape.fields[6]?.type).toMatchObject({ keyId: 15, valueId: 16 });
    expect(shape.fields[7]?.type).toMatchObject({
      fields: [{ id: 17 }, { id: 18 }, { id: 19, type: { keyId: 20, valueId: 21 } }],
    });
    expect(shape.identifierFieldIds).toEqual([1]);
  });

  it('survives JSON', () => {
    expect(schemaFromJson(schemaToJson(shape))).toEqual(shape);
  });

  it('keeps docs and defaults', () => {
    const built = schema({ n: t.long().default(5).doc('count'), p: t.struct({ x: t.int().default(1) }).default({}) });
    expect(built.fields[0]).toMatchObject({ doc: 'count', initialDefault: 5n, writeDefault: 5n });
    expect(schemaFromJson(schemaToJson(built))).toEqual(built);
  });

  it.each([
    ['an unknown identifier', () => schema({ a: t.int() }, { identifier: ['b'] }), "no column 'b'"],
    ['an optional identifier', () => schema({ a: t.int() }, { identifier: ['a'] }), 'not required'],
    ['a float identifier', () => schema({ a: t.double().required() }, { identifier: ['a'] }), 'floats'],
    [
      'an identifier in an optional struct',
      () => schema({ s: t.struct({ a: t.int().required() }) }, { identifier: ['s.a'] }),
      'optional',
    ],
    ['a decimal too wide', () => schema({ a: t.decimal(39, 0) }), 'precision'],
    ['a scale beyond the precision', () => schema({ a: t.decimal(3, 4) }), 'scale'],
    ['a default of the wrong type', () => schema({ a: t.int().default('x') }), 'int takes'],
    ['a default of a variant', () => schema({ a: t.variant().default(1) }), "can't have a default"],
    ['an empty name', () => schema({ '': t.int() }), 'name'],
    ['a required unknown', () => schema({ a: t.unknown().required() }), 'always null'],
  ])('refuses %s', (_, build, message) => {
    expect(build).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) }),
    );
  });
});
