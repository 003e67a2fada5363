import * as arrow from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import type { ColumnBatch } from '../../src/columns/column.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { inputBatches, toBatches } from '../../src/write/input.ts';
import type { AppendData } from '../../src/write/input.ts';
import { expectError } from '../table/support.ts';
import { rowsOf } from './support.ts';
import type { Row } from './support.ts';

async function convert(data: AppendData, shape: Schema): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of toBatches(data, shape)) rows.push(...rowsOf(shape, batch));
  return rows;
}

const shape = schema({ id: t.long().required(), name: t.string(), amount: t.decimal(10, 2) });

describe('rows', () => {
  const expected = [
    [1n, 'a', 1250n],
    [2n, null, null],
  ];
  const given = [{ id: 1, name: 'a', amount: '12.50' }, { id: 2n }];

  test.each<[string, () => AppendData]>([
    ['an array', () => given],
    ['an iterable', () => new Set(given)],
    [
      'a generator',
      () =>
        (function* () {
          yield* given;
        })(),
    ],
    [
      'an async generator',
      () =>
        (async function* () {
          yield* given;
        })(),
    ],
    [
      'a stream',
      () =>
        new ReadableStream<object>({
          start: (controller) => {
            given.forEach((row) => controller.enqueue(row));
            controller.close();
          },
        }) as unknown as AsyncIterable<object>,
    ],
  ])('%s', async (_, make) => {
    expect(await convert(make(), shape)).toEqual(expected);
  });

  test('of an interface type, and of a class', async () => {
    interface Event {
      id: bigint;
      name?: string;
    }
    class Row implements Event {
      id = 1n;
      get name(): string {
        return 'given';
      }
    }
    const events: Event[] = [{ id: 2n }];
    expect(await convert([...events, new Row()], shape)).toEqual([
      [2n, null, null],
      [1n, 'given', null],
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ['a wrong type', { id: 1n, name: 5 }, /rows\[1\]\.name/],
    ['a number that does not fit', { id: 2 ** 60 }, /rows\[1\]\.id/],
    ['too many digits', { id: 1n, amount: '1.234' }, /rows\[1\]\.amount/],
    ['a missing required value', { name: 'x' }, /rows\[1\]\.id is required/],
    ['a null for a required value', { id: null }, /rows\[1\]\.id is required/],
    ['an unknown column', { id: 1n, nam: 'x' }, /no column 'nam' \(it has 'id', 'name', 'amount'\).*mergeSchema/],
    ['what is no row', 5, /rows\[1\] must be an object/],
    ['an array for a row', [1n], /rows\[1\] must be an object/],
  ])('%s is refused with its place', async (_, row, message) => {
    await expectError(convert([{ id: 1n }, row] as AppendData, shape), 'INVALID_ARGUMENT', message);
  });

  test('nested values are refused with their place', async () => {
    const nested = schema({ geo: t.struct({ lat: t.double().required(), tags: t.list(t.string()) }) });
    await expectError(
      convert([{ geo: { lat: 1, tags: ['a', 2] } }], nested),
      'INVALID_ARGUMENT',
      /rows\[0\]\.geo\.tags\[1\]/,
    );
    await expectError(convert([{ geo: {} }], nested), 'INVALID_ARGUMENT', /rows\[0\]\.geo\.lat is required/);
    await expectError(convert([{ geo: { lat: 1, lon: 2 } }], nested), 'INVALID_ARGUMENT', /lon/);
  });

  test('left out, a value is the write default; null stays null', async () => {
    const withDefault: Schema = {
      ...shape,
      fields: shape.fields.map((field) => (field.name === 'name' ? { ...field, writeDefault: 'new' } : field)),
    };
    expect(await convert([{ id: 1n }, { id: 2n, name: null }, { id: 3n, name: undefined }], withDefault)).toEqual([
      [1n, 'new', null],
      [2n, null, null],
      [3n, 'new', null],
    ]);
  });

  test.each<[string, unknown]>([
    ['text', 'abc'],
    ['a single row', { id: 1n }],
    ['null', null],
    ['a number', 5],
  ])('%s is no data', async (_, data) => {
    await expectError(convert(data as AppendData, shape), 'INVALID_ARGUMENT', /rows/);
  });
});

test('columns may be called as the properties that every object has', async () => {
  const names = schema({ constructor: t.string(), toString: t.string(), hasOwnProperty: t.long(), id: t.long() });
  const rows: object[] = [{ id: 1n }, { id: 2n, toString: 'text', constructor: null }];
  expect(await convert(rows, names)).toEqual([
    [null, null, null, 1n],
    [null, 'text', null, 2n],
  ]);
});

describe('Arrow data', () => {
  const table = (columns: Record<string, arrow.Vector>): arrow.Table => new arrow.Table(columns);
  const vector = (values: unknown[], type: arrow.DataType): arrow.Vector => arrow.vectorFromArray(values, type);

  test('a table, its batches, and streams of either', async () => {
    const one = table({ id: vector([1n, 2n], new arrow.Int64()), name: vector(['a', null], new arrow.Utf8()) });
    const expected = [
      [1n, 'a', null],
      [2n, null, null],
    ];
    expect(await convert(one, shape)).toEqual(expected);
    expect(await convert(one.batches[0]!, shape)).toEqual(expected);
    expect(await convert([one, { id: 3n }, one.batches[0]!], shape)).toEqual([
      ...expected,
      [3n, null, null],
      ...expected,
    ]);
    const read = arrow.RecordBatchReader.from(arrow.tableToIPC(one));
    expect(await convert(read as Iterable<object>, shape)).toEqual(expected);
  });

  test('slices begin where they say', async () => {
    const all = schema({
      b: t.boolean(),
      s: t.string(),
      l: t.list(t.int()),
      f: t.fixed(2),
      st: t.struct({ x: t.int() }),
      d: t.decimal(5, 1),
    });
    const rows = Array.from({ length: 20 }, (_, i) => ({
      b: i % 3 === 0,
      s: `s${i}`,
      l: [i, i + 1],
      f: Uint8Array.of(i, 0),
      st: { x: i },
      d: `${i}.5`,
    }));
    const values = (await convert(rows, all)).slice(11, 17);
    const { arrowSchema } = await import('../../src/columns/arrow-schema.ts');
    const { toRecordBatch } = await import('../../src/columns/to-arrow.ts');
    for await (const batch of toBatches(rows, all)) {
      expect(await convert(toRecordBatch(arrowSchema(all), batch).slice(11, 17), all)).toEqual(values);
    }
  });

  test.each<[string, unknown[], arrow.DataType, Schema, unknown[]]>([
    ['int8 as long', [-1, null], new arrow.Int8(), schema({ c: t.long() }), [-1n, null]],
    [
      'int64 as int, if it fits',
      [5n, null, -(2n ** 31n)],
      new arrow.Int64(),
      schema({ c: t.int() }),
      [5, null, -(2 ** 31)],
    ],
    ['uint32 as long', [2 ** 32 - 1], new arrow.Uint32(), schema({ c: t.long() }), [2n ** 32n - 1n]],
    ['whole doubles as int', [1, -2], new arrow.Float64(), schema({ c: t.int() }), [1, -2]],
    ['float as double', [1.5, Number.NaN], new arrow.Float32(), schema({ c: t.double() }), [1.5, Number.NaN]],
    ['half as float', [1.5, -0], new arrow.Float16(), schema({ c: t.float() }), [1.5, -0]],
    ['int as decimal', [12], new arrow.Int32(), schema({ c: t.decimal(6, 2) }), [1200n]],
    ['large text', ['ä', null, ''], new arrow.LargeUtf8(), schema({ c: t.string() }), ['ä', null, '']],
    [
      'dictionary text',
      ['x', null, 'y', 'x'],
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
      schema({ c: t.string() }),
      ['x', null, 'y', 'x'],
    ],
    [
      'text as uuid',
      ['F79C3E09-677c-4bbd-a479-3f349cb785e7'],
      new arrow.Utf8(),
      schema({ c: t.uuid() }),
      ['f79c3e09-677c-4bbd-a479-3f349cb785e7'],
    ],
    ['milliseconds', [new Date(1500)], new arrow.TimestampMillisecond(), schema({ c: t.timestamptz() }), [1_500_000n]],
    ['date in milliseconds', [new Date('2024-02-29')], new arrow.DateMillisecond(), schema({ c: t.date() }), [19_782]],
    [
      'date as timestamp',
      [new Date('1970-01-02')],
      new arrow.DateDay(),
      schema({ c: t.timestamp() }),
      [86_400_000_000n],
    ],
    ['all null', [null, null], new arrow.Null(), schema({ c: t.list(t.string()) }), [null, null]],
  ])('%s', async (_, values, type, target, expected) => {
    expect(await convert(table({ c: vector(values, type) }), target)).toEqual(expected.map((value) => [value]));
  });

  test.each<[string, unknown[], arrow.DataType, Schema, RegExp]>([
    [
      'a long that is no int',
      [1n, 2n ** 31n],
      new arrow.Int64(),
      schema({ c: t.int() }),
      /rows\[1\]\.c holds 2147483648/,
    ],
    ['a fraction as int', [1, 1.5], new arrow.Float64(), schema({ c: t.int() }), /rows\[1\]\.c holds 1\.5/],
    ['a double that is no float', [0.1], new arrow.Float64(), schema({ c: t.float() }), /rows\[0\]\.c holds 0\.1/],
    ['text as int', ['1'], new arrow.Utf8(), schema({ c: t.int() }), /column 'c' is of type utf8/],
    [
      'a decimal of more digits',
      [new Uint32Array([12345, 0, 0, 0])],
      new arrow.Decimal(3, 10),
      schema({ c: t.decimal(5, 2) }),
      /rows\[0\]\.c/,
    ],
    [
      'a null for a required column',
      [1, null],
      new arrow.Int32(),
      schema({ c: t.int().required() }),
      /rows\[1\]\.c is required/,
    ],
    ['a duration', [1n], new arrow.DurationSecond(), schema({ c: t.long() }), /'c' is of a type that no Iceberg type/],
  ])('%s is refused', async (_, values, type, target, message) => {
    await expectError(convert(table({ c: vector(values, type) }), target), 'INVALID_ARGUMENT', message);
  });

  test('unknown, missing required and doubled columns are refused', async () => {
    const id = vector([1n], new arrow.Int64());
    await expectError(convert(table({ id, more: id }), shape), 'INVALID_ARGUMENT', /no column 'more'/);
    await expectError(
      convert(table({ name: vector(['a'], new arrow.Utf8()) }), shape),
      'INVALID_ARGUMENT',
      /'id' is required, but missing/,
    );
    const batch = new arrow.Table({ a: id, b: id }).batches[0]!;
    const fields = batch.schema.fields.map((field) => new arrow.Field('id', field.type, true));
    const doubled = new arrow.RecordBatch(new arrow.Schema(fields), batch.data);
    await expectError(convert(doubled, shape), 'INVALID_ARGUMENT', /two columns called 'id'/);
  });

  test('a null in a required field of a list names the row', async () => {
    const strict = schema({ l: t.list(t.struct({ x: t.int().required() })) });
    const type = new arrow.List(
      new arrow.Field('element', new arrow.Struct([new arrow.Field('x', new arrow.Int32(), true)]), true),
    );
    const data = table({ l: vector([[{ x: 1 }], [{ x: 2 }, { x: null }]], type) });
    await expectError(convert(data, strict), 'INVALID_ARGUMENT', /rows\[1\]\.l\.element\.x is required/);
  });
});

describe('inputBatches', () => {
  const columns = schema({ id: t.int() });

  test('what is there already need not be waited for', async () => {
    const rows = [{ id: 1 }, { id: 2 }];
    const batches = inputBatches(rows, columns);
    expect(Symbol.iterator in batches).toBe(true);
    expect([...(batches as Iterable<ColumnBatch>)].map(({ length }) => length)).toEqual([2]);
  });

  test.each([
    ['promises', [Promise.resolve({ id: 1 })]],
    ['a generator', new Set([{ id: 1 }]).values()],
  ])('%s may have to be', async (_, data) => {
    const batches = inputBatches(data, columns);
    expect(Symbol.iterator in batches).toBe(false);
    const lengths: number[] = [];
    for await (const batch of batches) lengths.push(batch.length);
    expect(lengths).toEqual([1]);
  });
});
