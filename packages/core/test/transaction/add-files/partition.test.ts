import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import type { PartitionFieldInput } from '../../../src/spec/inputs.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { Columns } from '../../../src/spec/schema-builder.ts';
import type { Table } from '../../../src/table.ts';
import { expectError, newTable } from '../../table/support.ts';
import { filesOf, writeFile } from './support.ts';
import type { Rows } from './support.ts';

const columns = { id: t.long(), country: t.string(), day: t.date(), ts: t.timestamp() };
const { country: _country, day: _day, ...stored } = columns;

const byId = (a: Rows[number], b: Rows[number]) => Number((a['id'] as bigint) - (b['id'] as bigint));

async function partitioned(...fields: readonly PartitionFieldInput[]): Promise<{ io: MemoryFileIO; table: Table }> {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: schema(columns), partitionBy: fields }, { io });
  return { io, table: table as Table };
}

test('directories tell the values of identity fields, and files need not have the columns', async () => {
  const { io, table } = await partitioned(partitionBy.identity('country'), partitionBy.identity('day'));
  const places = [
    'country=KR/day=2024-01-02',
    'country=a%2Fb+c/day=__HIVE_DEFAULT_PARTITION__',
    'country=/day=1969-12-31',
  ];
  for (const [i, place] of places.entries()) {
    await writeFile(io, `memory:/in/${place}/f.parquet`, stored, [{ id: BigInt(i), ts: null }]);
  }
  await table.addFiles('memory:/in');
  expect((await table.scan({ select: ['id', 'country', 'day'] }).toRows()).toSorted(byId)).toEqual([
    { id: 0n, country: 'KR', day: '2024-01-02' },
    { id: 1n, country: 'a/b+c', day: null },
    { id: 2n, country: '', day: '1969-12-31' },
  ]);
  expect((await filesOf(table)).map(({ partition }) => partition)).toEqual([
    ['', -1],
    ['KR', 19_724],
    ['a/b+c', null],
  ]);
  const { metrics } = await table.scan({ filter: "country = 'KR'" }).plan();
  expect(metrics.filesTotal - metrics.filesSkipped).toBe(1);
  expect(await table.scan({ filter: 'day IS NULL' }).count()).toBe(1);
});

test('only the files of some partitions are added, if these are named', async () => {
  const { io, table } = await partitioned(partitionBy.identity('country'), partitionBy.identity('day'));
  const places = ['country=KR/day=2024-01-02', 'country=KR/day=2024-01-03', 'country=New+York/day=2024-01-02'];
  for (const [i, place] of places.entries()) {
    await writeFile(io, `memory:/in/${place}/f.parquet`, stored, [{ id: BigInt(i), ts: null }]);
  }
  const add = async (partition: Record<string, string>): Promise<readonly unknown[]> => {
    await table.delete('true');
    await table.addFiles({ directory: 'memory:/in', partition });
    return (await table.scan({ select: ['id'] }).toRows()).toSorted(byId).map(({ id }) => id);
  };
  expect(await add({ country: 'KR' })).toEqual([0n, 1n]);
  expect(await add({ day: '2024-01-02' })).toEqual([0n, 2n]);
  expect(await add({ day: '2024-01-02', country: 'New York' })).toEqual([2n]);
  expect(await add({})).toEqual([0n, 1n, 2n]);
  await expectError(add({ country: 'DE' }), 'NOT_FOUND', /no files of country=DE in/);
  await expectError(add({ city: 'KR' }), 'NOT_FOUND', /no files of city=KR in/);
});

test('only what is below a listed directory counts', async () => {
  const { io, table } = await partitioned(partitionBy.identity('country'));
  const file = await writeFile(io, 'memory:/country=XX/in/country=KR/f.parquet', stored, [{ id: 1n }]);
  await table.addFiles('memory:/country=XX/in');
  expect((await filesOf(table)).map(({ partition }) => partition)).toEqual([['KR']]);
  await table.delete('true');
  await table.addFiles([file]);
  expect((await filesOf(table)).map(({ partition }) => partition)).toEqual([['KR']]);
});

test('what a file holds goes before its directories', async () => {
  const { io, table } = await partitioned(partitionBy.identity('country'));
  const file = (place: string, rows: Rows) => writeFile(io, `memory:/${place}/f.parquet`, columns, rows);
  // Iceberg's own directories have a plus for a space, and 'null' for null.
  await table.addFiles([
    await file('country=a+b', [{ id: 1n, country: 'a b' }]),
    await file('country=c+d', [{ id: 2n, country: 'c+d' }]),
    await file('country=null', [{ id: 3n, country: null }]),
    await file('elsewhere', [
      { id: 4n, country: 'KR' },
      { id: 5n, country: 'KR' },
    ]),
  ]);
  expect(new Set((await filesOf(table)).map(({ partition }) => partition[0]))).toEqual(
    new Set(['a b', 'c+d', null, 'KR']),
  );
  const wrong = await file('country=KR', [{ id: 1n, country: 'US' }]);
  await expectError(
    table.addFiles([wrong]),
    'INVALID_ARGUMENT',
    /'country' would be 'KR', but the file holds 'US' only/,
  );
  const mixed = await file('country=JP', [
    { id: 1n, country: 'JP' },
    { id: 2n, country: null },
  ]);
  await expectError(table.addFiles([mixed]), 'INVALID_ARGUMENT', /would be 'JP', but the file holds other values/);
});

test.each([
  [partitionBy.day('ts'), '2024-01-02T01:00:00', '2024-01-02T23:59:59.999999', 19_724],
  [partitionBy.hour('ts'), '1969-12-31T23:00:00', '1969-12-31T23:30:00', -1],
  [partitionBy.month('ts'), '2024-01-31T00:00:00', '2024-01-01T00:00:00', 648],
  [partitionBy.year('ts'), '2024-12-31T00:00:00', '2024-01-01T00:00:00', 54],
  [partitionBy.truncate(10, 'id'), 11n, 19n, 10n],
  [partitionBy.bucket(16, 'id'), 34n, 34n, 3],
  [partitionBy.truncate(2, 'country'), 'Korea', 'Kosovo', 'Ko'],
  [partitionBy.void('id'), 1n, 2n, null],
] as const)('bounds tell other fields, and refuse what spans several partitions: %#', async (field, a, b, value) => {
  const { io, table } = await partitioned(field);
  const row = (one: unknown) => ({ [field.column]: one });
  const file = await writeFile(io, 'memory:/f.parquet', columns, [row(a), row(b)]);
  await table.addFiles([file]);
  expect((await filesOf(table)).map(({ partition }) => partition)).toEqual([[value]]);
  if (field.transform.kind === 'void') return;

  const others: Record<string, readonly [unknown, RegExp]> = {
    ts: ['2031-05-06T07:08:09', /is not the same in all of its rows/],
    country: ['Spain', /is not the same in all of its rows/],
    id: [77n, field.transform.kind === 'bucket' ? /can't be told from its footer/ : /is not the same/],
  };
  const [other, message] = others[field.column]!;
  const spread = await writeFile(io, 'memory:/g.parquet', columns, [row(a), row(other)]);
  await expectError(table.addFiles([spread]), 'INVALID_ARGUMENT', message);
  const withNull = await writeFile(io, 'memory:/h.parquet', columns, [row(a), row(null)]);
  await expectError(table.addFiles([withNull]), 'INVALID_ARGUMENT', /is not the same in all of its rows/);
  const nulls = await writeFile(io, 'memory:/i.parquet', columns, [row(null), row(null)]);
  await table.addFiles([nulls]);
  expect((await filesOf(table)).at(-1)!.partition).toEqual([null]);
});

test('a partition can be given, and what contradicts it is refused', async () => {
  const { io, table } = await partitioned(partitionBy.identity('country'), partitionBy.bucket(4, 'id'));
  const file = await writeFile(io, 'memory:/f.parquet', { id: t.long() }, [{ id: 1n }, { id: 2n }]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /'country' can't be told.*give it as `partition`/);
  await expectError(
    table.addFiles([file], { partition: { land: 'KR' } }),
    'INVALID_ARGUMENT',
    /'land'.*'country', 'id_bucket'/,
  );
  await expectError(table.addFiles([file], { partition: { country: 5 } }), 'INVALID_ARGUMENT', /partition\.country/);
  await table.addFiles([file], { partition: (path) => ({ country: path.length > 3 ? 'KR' : null, id_bucket: 2 }) });
  expect(await table.scan({ select: ['id', 'country'] }).toRows()).toEqual([
    { id: 1n, country: 'KR' },
    { id: 2n, country: 'KR' },
  ]);
  const other = await writeFile(io, 'memory:/g.parquet', columns, [{ id: 1n, country: 'US' }]);
  await expectError(table.addFiles([other], { partition: { country: 'KR' } }), 'INVALID_ARGUMENT', /holds 'US' only/);
});

test('of columns that files lack, directories go before defaults', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: schema({ id: t.int() }), formatVersion: 3 }, { io });
  await table.transaction((tx) => {
    tx.updateSchema((s) => s.addColumn('p', t.string().default('x')).addColumn('q', t.int()));
    tx.updateSpec((p) =>
      p.add(partitionBy.identity('p')).add(partitionBy.bucket(4, 'q')).add(partitionBy.truncate(1, 'p')),
    );
  });
  const named = await writeFile(io, 'memory:/p=y/f.parquet', { id: t.int() }, [{ id: 1 }]);
  const plain = await writeFile(io, 'memory:/g.parquet', { id: t.int() }, [{ id: 2 }]);
  const none = await writeFile(io, 'memory:/p=__HIVE_DEFAULT_PARTITION__/h.parquet', { id: t.int() }, [{ id: 3 }]);
  await table.addFiles([named, plain, none]);
  expect((await filesOf(table as Table)).map(({ partition }) => partition)).toEqual([
    ['x', null, 'x'],
    [null, null, null],
    ['y', null, 'y'],
  ]);
  expect(await table.scan({ select: ['id', 'p'], filter: "p = 'y'" }).toRows()).toEqual([{ id: 1, p: 'y' }]);
  expect(await table.scan({ select: ['id', 'p'], filter: "p = 'x'" }).toRows()).toEqual([{ id: 2, p: 'x' }]);
  expect(await table.scan({ filter: 'p IS NULL' }).count()).toBe(1);
  await expectError(
    table.addFiles([named], { partition: { q_bucket: 1 } }),
    'INVALID_ARGUMENT',
    /'q_bucket' would be '1'/,
  );
});

test('a column that only the path has needs an identity field', async () => {
  const { io, table } = await partitioned(partitionBy.month('day'));
  const file = await writeFile(io, 'memory:/day=2024-01-02/f.parquet', stored, [{ id: 1n }]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /the column 'day' is in its path only/);
  await table.updateSpec((p) => p.add(partitionBy.identity('day')));
  await table.addFiles([file]);
  expect((await filesOf(table)).map(({ partition }) => partition)).toEqual([[648, 19_724]]);
  expect(await table.scan({ filter: "day = '2024-01-02'" }).count()).toBe(1);
});

test('directories whose values are none of the type are refused', async () => {
  const { io, table } = await partitioned(partitionBy.identity('day'));
  const file = await writeFile(io, 'memory:/day=yesterday/f.parquet', stored, [{ id: 1n }]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /name is none of its type/);
});

const VALUES: readonly (readonly [keyof typeof TYPES, string, unknown])[] = [
  ['boolean', 'TRUE', true],
  ['int', '-012', -12],
  ['long', '9007199254740993', 9_007_199_254_740_993n],
  ['float', '0.1', Math.fround(0.1)],
  ['double', 'NaN', NaN],
  ['double', '-Infinity', -Infinity],
  ['decimal', '1.50', '1.50'],
  ['date', '2024-02-29', '2024-02-29'],
  ['timestamp', '2024-01-01 00%3A00%3A01.5', '2024-01-01T00:00:01.500000'],
  ['timestamptz', '2024-01-01T00%3A00%3A00%2B01%3A00', '2023-12-31T23:00:00.000000Z'],
  ['string', '100%', '100%'],
  ['uuid', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
];
const TYPES = {
  boolean: t.boolean(),
  int: t.int(),
  long: t.long(),
  float: t.float(),
  double: t.double(),
  decimal: t.decimal(9, 2),
  date: t.date(),
  timestamp: t.timestamp(),
  timestamptz: t.timestamptz(),
  string: t.string(),
  uuid: t.uuid(),
} satisfies Columns;

test.each(VALUES)('a directory can hold a %s: %s', async (kind, directory, value) => {
  const io = new MemoryFileIO();
  const shape = schema({ id: t.int(), p: TYPES[kind] });
  const table = await newTable({ schema: shape, partitionBy: [partitionBy.identity('p')] }, { io });
  await writeFile(io, `memory:/in/p=${directory}/f.parquet`, { id: t.int() }, [{ id: 1 }]);
  await table.addFiles('memory:/in');
  expect(await table.scan().toRows()).toEqual([{ id: 1, p: value }]);
});
