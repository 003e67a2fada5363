import { describe, expect, it } from 'vitest';
import type { PartitionFieldInput, SortFieldInput } from '../../src/spec/inputs.ts';
import { newTableMetadata } from '../../src/spec/new-table-metadata.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t, type Columns } from '../../src/spec/schema-builder.ts';
import { findFieldByName, indexById } from '../../src/spec/schema-fields.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { FormatVersion, TableMetadata } from '../../src/spec/table-metadata.ts';
import { typeToText } from '../../src/spec/type-text.ts';
import { SchemaUpdate } from '../../src/transaction/update-schema.ts';

interface TableOptions {
  readonly identifier?: string[];
  readonly partitionBy?: PartitionFieldInput[];
  readonly sortBy?: SortFieldInput[];
  readonly formatVersion?: FormatVersion;
}

function table(columns: Columns, { identifier = [], ...options }: TableOptions = {}): TableMetadata {
  return newTableMetadata({ schema: schema(columns, { identifier }), location: '/t', uuid: 'u', nowMs: 0, ...options });
}

/** Columns at every depth as text, in order: `1 id: int required`. */
function shapeOf(result: Schema): string[] {
  return [...indexById(result).values()].map(
    ({ field, path }) =>
      `${field.id} ${path.join('.')}: ${typeToText(field.type).split(/[<(]/)[0]}${field.required ? ' required' : ''}`,
  );
}

function update(metadata: TableMetadata, change: (update: SchemaUpdate) => unknown): Schema {
  const schemaUpdate = new SchemaUpdate(metadata);
  change(schemaUpdate);
  return schemaUpdate.apply().schema;
}

const simple = (): TableMetadata =>
  table({ id: t.long().required(), city: t.string(), point: t.struct({ lat: t.double(), lon: t.double() }) });

describe('addColumn', () => {
  it('gives new ids, the outer fields first', () => {
    const result = update(simple(), (s) =>
      s
        .addColumn('a', t.struct({ b: t.list(t.struct({ c: t.int() })), d: t.map(t.string(), t.int()) }))
        .addColumn('e', t.int()),
    );
    expect(shapeOf(result).slice(5)).toEqual([
      '6 a: struct',
      '7 a.b: list',
      '9 a.b.element: struct',
      '10 a.b.element.c: int',
      '8 a.d: map',
      '11 a.d.key: string required',
      '12 a.d.value: int',
      '13 e: int',
    ]);
  });

  it('adds to structs, to those in lists and to those that are map values, at any depth', () => {
    const nested = table({
      list: t.list(t.struct({ a: t.int() })),
      map: t.map(t.string(), t.struct({ a: t.int() })),
      point: t.struct({ lat: t.double() }),
    });
    const result = update(nested, (s) =>
      s
        .addColumn('list.element.b', t.int())
        .addColumn('list.c', t.int())
        .addColumn('map.value.b', t.int())
        .addColumn('map.c', t.int())
        .addColumn('point.lon', t.double()),
    );
    for (const name of ['list.element.b', 'list.element.c', 'map.value.b', 'map.value.c', 'point.lon'])
      expect(findFieldByName(result, name)).toBeDefined();
  });

  it('sees what earlier steps added', () => {
    const result = update(simple(), (s) =>
      s
        .addColumn('geo', t.struct({ lat: t.double() }))
        .addColumn('geo.lon', t.double())
        .renameColumn('geo.lon', 'longitude')
        .moveFirst('geo.longitude'),
    );
    expect(shapeOf(result).slice(5)).toEqual(['6 geo: struct', '8 geo.longitude: double', '7 geo.lat: double']);
  });

  it('takes names with dots as parts', () => {
    const result = update(simple(), (s) => s.addColumn(['a.b'], t.int()).addColumn(['point', 'c'], t.int()));
    expect(result.fields.at(-1)!.name).toBe('a.b');
    expect(findFieldByName(result, 'point.c')).toBeDefined();
  });

  it('never uses an id again', () => {
    const base = simple();
    const schemaUpdate = new SchemaUpdate(base);
    schemaUpdate.addColumn('a', t.int()).deleteColumn('a').addColumn('a', t.string());
    const { schema: result, lastColumnId } = schemaUpdate.apply();
    expect(result.fields.at(-1)!.id).toBe(7);
    expect(lastColumnId).toBe(7);
  });

  it('keeps defaults and docs (v3)', () => {
    const result = update(table({ id: t.int() }, { formatVersion: 3 }), (s) =>
      s
        .addColumn('n', t.int().required().doc('how many').default(5))
        .addColumn('c', t.string(), { default: 'KR', doc: 'country', required: true }),
    );
    expect(result.fields.slice(1)).toEqual([
      { id: 2, name: 'n', required: true, type: { kind: 'int' }, doc: 'how many', initialDefault: 5, writeDefault: 5 },
      {
        id: 3,
        name: 'c',
        required: true,
        type: { kind: 'string' },
        doc: 'country',
        initialDefault: 'KR',
        writeDefault: 'KR',
      },
    ]);
  });

  it.each<[string, (s: SchemaUpdate) => unknown, RegExp]>([
    ['a name that is there', (s) => s.addColumn('city', t.int()), /'city' is taken/],
    ['a name that differs in case only', (s) => s.addColumn('City', t.int()), /differs only in case/],
    ['an empty name', (s) => s.addColumn('', t.int()), /not empty/],
    ['a required column', (s) => s.addColumn('n', t.int().required()), /as required without a default/],
    ['a parent that is not there', (s) => s.addColumn('nope.n', t.int()), /no column 'nope'/],
    ['a parent that is no struct', (s) => s.addColumn('city.n', t.int()), /'city': it is of type string, no struct/],
    ['a default in v2', (s) => s.addColumn('n', t.int().default(5)), /format version 3/],
    ['a v3 type in v2', (s) => s.addColumn('n', t.timestamp_ns()), /format version 3/],
  ])('refuses %s', (_, change, message) => {
    expect(() => update(simple(), change)).toThrow(message);
  });

  it('refuses a struct default that leaves a required field without a value', () => {
    const v3 = table({ id: t.int() }, { formatVersion: 3 });
    expect(() =>
      update(v3, (s) => s.addColumn('p', t.struct({ x: t.int().required() }).required().default({}))),
    ).toThrow(/required field 'x'/);
    expect(() =>
      update(v3, (s) =>
        s.addColumn(
          'p',
          t
            .struct({ x: t.int().required().default(0) })
            .required()
            .default({}),
        ),
      ),
    ).not.toThrow();
  });

  it('adds required columns without a default only when the caller vouches for the rows', () => {
    expect(
      update(simple(), (s) => s.allowIncompatibleChanges().addColumn('n', t.int().required())).fields.at(-1)!.required,
    ).toBe(true);
  });
});

describe('deleteColumn', () => {
  it('deletes columns and fields of structs', () => {
    expect(shapeOf(update(simple(), (s) => s.deleteColumn('city').deleteColumn('point.lat')))).toEqual([
      '1 id: long required',
      '3 point: struct',
      '5 point.lon: double',
    ]);
  });

  const used = table(
    {
      id: t.long().required(),
      ts: t.timestamptz(),
      s: t.struct({ a: t.int().required(), b: t.int() }).required(),
      city: t.string(),
      m: t.map(t.struct({ k: t.int(), j: t.int() }), t.int()),
      l: t.list(t.int()),
    },
    { identifier: ['id', 's.a'], partitionBy: [partitionBy.day('ts'), partitionBy.bucket(4, 's.b')], sortBy: ['city'] },
  );
  it.each<[string, (s: SchemaUpdate) => unknown, RegExp]>([
    ['a partition source', (s) => s.deleteColumn('ts'), /partitioned by 'ts_day'/],
    ['a struct around a partition source', (s) => s.deleteColumn('s'), /partitioned by/],
    ['a sort column', (s) => s.deleteColumn('city'), /sort order/],
    ['an identifier field', (s) => s.deleteColumn('id'), /setIdentifierFields/],
    ['an identifier field in a struct', (s) => s.deleteColumn('s.a'), /setIdentifierFields/],
    ['a list element', (s) => s.deleteColumn('l.element'), /part of the list 'l'/],
    ['a map value', (s) => s.deleteColumn('m.value'), /part of the map 'm'/],
    ['a field of a map key', (s) => s.deleteColumn('m.key.k'), /key of a map/],
    ['what is not there', (s) => s.deleteColumn('x'), /no column 'x'/],
  ])('refuses %s', (_, change, message) => {
    expect(() => update(used, change)).toThrow(message);
  });

  it('allows it once the identifier fields are others', () => {
    expect(() => update(used, (s) => s.setIdentifierFields(['s.a']).deleteColumn('id'))).not.toThrow();
  });

  it('allows it where only void is left of the partition field', () => {
    const v1 = table({ a: t.int(), b: t.int() }, { formatVersion: 1, partitionBy: [partitionBy.void('a')] });
    expect(() => update(v1, (s) => s.deleteColumn('a'))).not.toThrow();
  });

  it('refuses to leave a struct or a table empty', () => {
    expect(() => update(simple(), (s) => s.deleteColumn('point.lat').deleteColumn('point.lon'))).toThrow(
      /without fields/,
    );
    expect(() => update(table({ a: t.int() }), (s) => s.deleteColumn('a'))).toThrow(/at least one column/);
    expect(shapeOf(update(table({ a: t.int() }), (s) => s.deleteColumn('a').addColumn('a', t.string())))).toEqual([
      '2 a: string',
    ]);
  });
});

describe('renameColumn', () => {
  it('keeps the id, and identifier fields follow', () => {
    const result = update(
      table({ id: t.long().required(), p: t.struct({ a: t.int() }) }, { identifier: ['id'] }),
      (s) => s.renameColumn('id', 'key').renameColumn('p.a', 'b'),
    );
    expect(shapeOf(result)).toEqual(['1 key: long required', '2 p: struct', '3 p.b: int']);
    expect(result.identifierFieldIds).toEqual([1]);
  });

  it("swaps names in steps, and changes a name's case", () => {
    const result = update(simple(), (s) =>
      s.renameColumn('id', 'tmp').renameColumn('city', 'id').renameColumn('tmp', 'city').renameColumn('city', 'City'),
    );
    expect(result.fields.map(({ id, name }) => [id, name])).toEqual([
      [1, 'City'],
      [2, 'id'],
      [3, 'point'],
    ]);
  });

  it('refuses names that are taken, full names and what has no name of its own', () => {
    expect(() => update(simple(), (s) => s.renameColumn('city', 'ID'))).toThrow(/taken by the column 'id'/);
    expect(() => update(simple(), (s) => s.renameColumn('point.lat', 'point.latitude'))).toThrow(
      /last part of its name/,
    );
    expect(() => update(table({ l: t.list(t.int()) }), (s) => s.renameColumn('l.element', 'e'))).toThrow(
      /part of the list/,
    );
  });
});

describe('updateColumn', () => {
  it('widens types as the spec allows', () => {
    const narrow = table({
      i: t.int(),
      f: t.float(),
      d: t.decimal(9, 2),
      l: t.list(t.int()),
      m: t.map(t.int(), t.float()),
      s: t.struct({ i: t.int() }),
    });
    const result = update(narrow, (s) =>
      s
        .updateColumn('i', t.long())
        .updateColumn('f', t.double())
        .updateColumn('d', t.decimal(18, 2))
        .updateColumn('l.element', t.long())
        .updateColumn('m.value', t.double())
        .updateColumn('s.i', t.long()),
    );
    expect(shapeOf(result)).toEqual([
      '1 i: long',
      '2 f: double',
      '3 d: decimal',
      '4 l: list',
      '7 l.element: long',
      '5 m: map',
      '8 m.key: int required',
      '9 m.value: double',
      '6 s: struct',
      '10 s.i: long',
    ]);
  });

  const columns = {
    i: t.int(),
    l: t.long(),
    d: t.decimal(9, 2),
    f: t.double(),
    day: t.date(),
    s: t.struct({ a: t.int() }),
    m: t.map(t.int(), t.int()),
    str: t.string(),
  };
  it.each<[string, (s: SchemaUpdate) => unknown]>([
    ['long to int', (s) => s.updateColumn('l', t.int())],
    ['double to float', (s) => s.updateColumn('f', t.float())],
    ['a decimal to fewer digits', (s) => s.updateColumn('d', t.decimal(8, 2))],
    ['a decimal to another scale', (s) => s.updateColumn('d', t.decimal(18, 3))],
    ['int to string', (s) => s.updateColumn('i', t.string())],
    ['date to timestamp in v2', (s) => s.updateColumn('day', t.timestamp())],
    ['a struct to a primitive', (s) => s.updateColumn('s', t.int())],
    ['a primitive to a struct', (s) => s.updateColumn('i', t.struct({ a: t.int() }))],
    ['a map key', (s) => s.updateColumn('m.key', t.long())],
  ])('refuses %s', (_, change) => {
    expect(() => update(table(columns), change)).toThrow(/can't change from|key of a map/);
  });

  it('makes timestamps of dates in v3, with their defaults, but not of those with a zone', () => {
    const v3 = table({ id: t.int() }, { formatVersion: 3 });
    const result = update(v3, (s) => s.addColumn('d', t.date().default('1970-01-02')).updateColumn('d', t.timestamp()));
    expect(result.fields[1]).toMatchObject({
      type: { kind: 'timestamp' },
      initialDefault: 86_400_000_000n,
      writeDefault: 86_400_000_000n,
    });
    expect(() => update(v3, (s) => s.addColumn('d', t.date()).updateColumn('d', t.timestamptz()))).toThrow(
      /can't change/,
    );
    expect(update(v3, (s) => s.addColumn('i', t.int().default(1)).updateColumn('i', t.long())).fields[1]).toMatchObject(
      { initialDefault: 1n },
    );
  });

  it('makes any type of unknown in v3', () => {
    const result = update(table({ id: t.int(), u: t.unknown() }, { formatVersion: 3 }), (s) =>
      s.updateColumn('u', t.struct({ a: t.int() })),
    );
    expect(shapeOf(result)).toEqual(['1 id: int', '2 u: struct', '3 u.a: int']);
  });

  it('refuses a promotion that would change partition values', () => {
    const by = (field: PartitionFieldInput): TableMetadata =>
      table({ d: t.date(), x: t.int() }, { formatVersion: 3, partitionBy: [field] });
    for (const field of [partitionBy.identity('d'), partitionBy.bucket(4, 'd')]) {
      expect(() => update(by(field), (s) => s.updateColumn('d', t.timestamp()))).toThrow(/values would change/);
    }
    expect(() => update(by(partitionBy.month('d')), (s) => s.updateColumn('d', t.timestamp()))).not.toThrow();
    expect(() => update(by(partitionBy.bucket(4, 'x')), (s) => s.updateColumn('x', t.long()))).not.toThrow();
  });

  it('sets docs and write defaults', () => {
    const v3 = table({ id: t.int() }, { formatVersion: 3 });
    const result = update(v3, (s) =>
      s
        .addColumn('n', t.int().default(5))
        .updateColumnDefault('n', 6)
        .updateColumnDoc('n', 'x')
        .updateColumn('id', t.long().doc('the id')),
    );
    expect(result.fields[0]).toMatchObject({ type: { kind: 'long' }, doc: 'the id' });
    expect(result.fields[1]).toMatchObject({ initialDefault: 5, writeDefault: 6, doc: 'x' });
    expect(update(v3, (s) => s.updateColumnDoc('id', 'x').updateColumnDoc('id', null)).fields[0]).not.toHaveProperty(
      'doc',
    );
    expect(() =>
      update(v3, (s) => s.addColumn('n', t.int().required().default(5)).updateColumnDefault('n', null)),
    ).toThrow(/column is required/);
    expect(() => update(v3, (s) => s.updateColumnDefault('id', 'five'))).toThrow(/default/);
  });
});

describe('nullability', () => {
  it('relaxes, also inside of lists and maps', () => {
    const strict = table({
      a: t.int().required(),
      l: t.list(t.int().required()),
      m: t.map(t.string(), t.int().required()),
    });
    expect(
      shapeOf(update(strict, (s) => s.makeOptional('a').makeOptional('l.element').makeOptional('m.value'))),
    ).toEqual(['1 a: int', '2 l: list', '4 l.element: int', '3 m: map', '5 m.key: string required', '6 m.value: int']);
  });

  it('requires only what can hold no null', () => {
    expect(() => update(simple(), (s) => s.requireColumn('city'))).toThrow(/may have nulls/);
    expect(update(simple(), (s) => s.allowIncompatibleChanges().requireColumn('city')).fields[1]!.required).toBe(true);
    expect(() => update(simple(), (s) => s.requireColumn('id'))).not.toThrow();
    const v3 = table({ id: t.int() }, { formatVersion: 3 });
    expect(update(v3, (s) => s.addColumn('n', t.int().default(1)).requireColumn('n')).fields[1]!.required).toBe(true);
    expect(() => update(v3, (s) => s.addColumn('n', t.int()).requireColumn('n'))).toThrow(/may have nulls/);
  });

  it('keeps identifier fields and map keys required', () => {
    expect(() =>
      update(table({ id: t.long().required() }, { identifier: ['id'] }), (s) => s.makeOptional('id')),
    ).toThrow(/identifier field/);
    expect(() => update(table({ m: t.map(t.string(), t.int()) }), (s) => s.makeOptional('m.key'))).toThrow(
      /key of a map/,
    );
  });
});

describe('moves', () => {
  it('reorder within a struct', () => {
    const names = (change: (s: SchemaUpdate) => unknown): string[] =>
      update(table({ a: t.int(), b: t.int(), c: t.int() }), change).fields.map(({ name }) => name);
    expect(names((s) => s.moveFirst('c'))).toEqual(['c', 'a', 'b']);
    expect(names((s) => s.moveBefore('c', 'b'))).toEqual(['a', 'c', 'b']);
    expect(names((s) => s.moveAfter('a', 'b'))).toEqual(['b', 'a', 'c']);
    expect(names((s) => s.moveAfter('a', 'c').moveBefore('c', 'b'))).toEqual(['c', 'b', 'a']);
    expect(update(simple(), (s) => s.moveFirst('point.lon')).fields[2]!.type).toMatchObject({
      fields: [{ name: 'lon' }, { name: 'lat' }],
    });
  });

  it('refuses to leave the struct, and to move next to nothing or itself', () => {
    expect(() => update(simple(), (s) => s.moveAfter('point.lat', 'id'))).toThrow(/leave its struct/);
    expect(() => update(simple(), (s) => s.moveAfter('id', 'id'))).toThrow(/next to itself/);
    expect(() => update(simple(), (s) => s.moveAfter('id', 'x'))).toThrow(/no column 'x'/);
  });
});

describe('setIdentifierFields', () => {
  it.each<[string, string, RegExp]>([
    ['optional', 'o', /not required/],
    ['float', 'f', /floats/],
    ['list', 'l.element', /list or map/],
    ['in an optional struct', 's.a', /optional/],
    ['missing', 'x', /no column 'x'/],
  ])('refuses a field that is %s', (_, name, message) => {
    const metadata = table({
      o: t.int(),
      f: t.float().required(),
      l: t.list(t.int().required()).required(),
      s: t.struct({ a: t.int().required() }),
    });
    expect(() => update(metadata, (s) => s.setIdentifierFields([name]))).toThrow(message);
  });

  it('takes required fields, once each', () => {
    expect(update(simple(), (s) => s.setIdentifierFields(['id', 'id'])).identifierFieldIds).toEqual([1]);
    expect(
      update(table({ id: t.int().required() }, { identifier: ['id'] }), (s) => s.setIdentifierFields([]))
        .identifierFieldIds,
    ).toEqual([]);
  });
});

describe('unionByName', () => {
  it('adds, widens and relaxes at every depth', () => {
    const mine = table({
      a: t.int().required(),
      s: t.struct({ x: t.float() }),
      l: t.list(t.struct({ y: t.int() })),
      m: t.map(t.string(), t.int()),
      big: t.long(),
    });
    const other = schema({
      b: t.string().required(),
      a: t.long(),
      s: t.struct({ z: t.int(), x: t.double() }),
      l: t.list(t.struct({ y: t.long(), w: t.int() })),
      m: t.map(t.string(), t.long()),
      big: t.int().doc('large'),
    });
    const result = update(mine, (s) => s.unionByName(other));
    expect(shapeOf(result)).toEqual([
      '1 a: long',
      '2 s: struct',
      '6 s.x: double',
      '12 s.z: int',
      '3 l: list',
      '7 l.element: struct',
      '8 l.element.y: long',
      '13 l.element.w: int',
      '4 m: map',
      '9 m.key: string required',
      '10 m.value: long',
      '5 big: long',
      '11 b: string',
    ]);
    expect(result.fields[4]!.doc).toBe('large');
  });

  it('is nothing for the schema itself', () => {
    const metadata = simple();
    expect(shapeOf(update(metadata, (s) => s.unionByName(metadata.schemas[0]!)))).toEqual(
      shapeOf(metadata.schemas[0]!),
    );
  });

  it('refuses types that do not go together', () => {
    expect(() => update(simple(), (s) => s.unionByName(schema({ city: t.int() })))).toThrow(
      /'city' can't change from string to int/,
    );
    expect(() => update(simple(), (s) => s.unionByName(schema({ point: t.int() })))).toThrow(/can't change/);
    expect(() => update(simple(), (s) => s.unionByName(schema({ CITY: t.string() })))).toThrow(/differs only in case/);
    expect(() =>
      update(table({ m: t.map(t.int(), t.int()) }), (s) => s.unionByName(schema({ m: t.map(t.long(), t.int()) }))),
    ).toThrow(/keys of the map/);
  });
});
