import { schema, t } from '@lh/core';

import { type InteropTable, type Row, bytes, plain } from '../interop-table.ts';

export const everyColumn = {
  id: t.long().required(),
  b: t.boolean(),
  i: t.int(),
  l: t.long(),
  f: t.float(),
  d: t.double(),
  small: t.decimal(9, 2),
  medium: t.decimal(18, 4),
  wide: t.decimal(38, 10),
  day: t.date(),
  clock: t.time(),
  ts: t.timestamp(),
  tstz: t.timestamptz(),
  s: t.string(),
  u: t.uuid(),
  fix: t.fixed(4),
  bin: t.binary(),
};

export const everyType = schema(everyColumn);

/** The values that tend to go wrong: extremes, zeros, NaN, empty, before 1970, nulls. */
export const everyTypeRows: readonly Row[] = [
  {
    id: 1n,
    b: true,
    i: 2147483647,
    l: 9223372036854775807n,
    f: 1.5,
    d: 1e300,
    small: '9999999.99',
    medium: '99999999999999.9999',
    wide: '9999999999999999999999999999.9999999999',
    day: '9999-12-31',
    clock: '23:59:59.999999',
    ts: '2262-04-11T23:47:16.854775',
    tstz: '2024-02-29T12:30:45.123456Z',
    s: 'naïve 😀 "quoted"\n',
    u: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
    fix: bytes(255, 254, 0, 1),
    bin: bytes(0, 127, 128, 255),
  },
  {
    id: 2n,
    b: false,
    i: -2147483648,
    l: -9223372036854775808n,
    f: -0,
    d: -0,
    small: '-9999999.99',
    medium: '-0.0001',
    wide: '-0.0000000001',
    day: '0001-01-01',
    clock: '00:00:00.000000',
    ts: '0001-01-01T00:00:00.000000',
    tstz: '1969-12-31T23:59:59.999999Z',
    s: '',
    u: '00000000-0000-4000-8000-000000000000',
    fix: bytes(0, 0, 0, 0),
    bin: bytes(),
  },
  {
    id: 3n,
    b: null,
    i: 0,
    l: 0n,
    f: Number.NaN,
    d: Number.NaN,
    small: '0.00',
    medium: '1.0000',
    wide: '12345678901234567890.1234567890',
    day: '1969-12-31',
    clock: '12:00:00.000001',
    ts: '1969-12-31T23:59:59.999999',
    tstz: '1900-01-01T00:00:00.000000Z',
    s: 'a long value whose bound is truncated somewhere in the middle',
    u: '12345678-1234-4234-8234-123456789abc',
    fix: bytes(1, 2, 3, 4),
    bin: bytes(1),
  },
  {
    id: 4n,
    b: null,
    i: null,
    l: null,
    f: Infinity,
    d: -Infinity,
    small: null,
    medium: null,
    wide: null,
    day: null,
    clock: null,
    ts: null,
    tstz: null,
    s: null,
    u: null,
    fix: null,
    bin: null,
  },
];

/** A row without one of its columns. */
export function without(row: Row, column: string): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== column));
}

/** Spark has no type for a time of day, and so can't open a table with one. */
export const noTime = { Spark: 'it has no type for a time' };

const { clock: _clock, ...timelessColumn } = everyColumn;
export const timeless = schema(timelessColumn);
export const timelessRows: readonly Row[] = everyTypeRows.map((row) => without(row, 'clock'));

export const nested = schema({
  id: t.long().required(),
  point: t.struct({ x: t.double(), y: t.double(), label: t.struct({ text: t.string(), tags: t.list(t.string()) }) }),
  numbers: t.list(t.long()),
  points: t.list(t.struct({ at: t.timestamptz(), value: t.decimal(12, 3) })),
  counts: t.map(t.string(), t.long()),
  byDay: t.map(t.date(), t.list(t.struct({ n: t.int() }))),
});

export const nestedRows: readonly Row[] = [
  {
    id: 1n,
    point: { x: 1.25, y: -2, label: { text: 'first', tags: ['a', null, 'b'] } },
    numbers: [1n, null, -3n],
    points: [{ at: '2024-01-01T00:00:00.000001Z', value: '1.500' }, null, { at: null, value: null }],
    counts: new Map([
      ['a', 1n],
      ['b', null],
    ]),
    byDay: new Map([['2024-01-01', [{ n: 1 }, { n: null }]]]),
  },
  { id: 2n, point: null, numbers: null, points: [], counts: null, byDay: null },
  {
    id: 3n,
    point: { x: null, y: null, label: null },
    numbers: [],
    points: [],
    counts: new Map(),
    byDay: new Map([['1969-12-31', []]]),
  },
  {
    id: 4n,
    point: { x: Number.NaN, y: Infinity, label: { text: null, tags: [] } },
    numbers: [9007199254740993n],
    points: [{ at: '1969-12-31T23:59:59.999999Z', value: '-999999999.999' }],
    counts: new Map([['é', -1n]]),
    byDay: new Map(),
  },
];

const required = schema({
  id: t.long().required(),
  name: t.string().required(),
  at: t.struct({ x: t.int().required(), y: t.int() }).required(),
});

const oddNames = schema({
  'with space': t.long(),
  'dotted.name': t.string(),
  'quoted"name': t.int(),
  '1st': t.int(),
  ünïcode: t.string(),
  'semi;colon': t.int(),
  SELECT: t.int(),
});

const numbers = schema({ id: t.long().required(), n: t.int(), s: t.string() });

function manyRows(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: BigInt(i),
    n: i % 7 === 0 ? null : i % 1000,
    s: i % 11 === 0 ? null : `value ${i % 97}`,
  }));
}

function withProperties(name: string, properties: Readonly<Record<string, string>>, rows = 300): InteropTable {
  return plain(name, numbers, manyRows(rows), { properties });
}

export const typeTables: readonly InteropTable[] = [
  plain('every_type', everyType, everyTypeRows, { cannotRead: noTime }),
  plain('every_type_but_time', timeless, timelessRows),
  plain('every_type_but_time_v1', timeless, timelessRows, { formatVersion: 1 }),
  plain('every_type_v1', everyType, everyTypeRows, {
    cannotRead: noTime,
    formatVersion: 1,
  }),
  plain('nested', nested, nestedRows),
  plain(
    'null_list_of_structs',
    schema({ id: t.long(), list: t.list(t.struct({ a: t.int() })), map: t.map(t.string(), t.struct({ a: t.int() })) }),
    [
      { id: 1n, list: null, map: null },
      { id: 2n, list: [], map: new Map() },
    ],
    { cannotRead: { PyIceberg: 'it gives an empty list in place of a null one whose elements are structs' } },
  ),
  plain('required_columns', required, [
    { id: 1n, name: 'a', at: { x: 1, y: null } },
    { id: 2n, name: '', at: { x: -1, y: 2 } },
  ]),
  plain('odd_names', oddNames, [
    { 'with space': 1n, 'dotted.name': 'x', 'quoted"name': 2, '1st': 3, ünïcode: 'y', 'semi;colon': 4, SELECT: 5 },
    {
      'with space': null,
      'dotted.name': null,
      'quoted"name': null,
      '1st': null,
      ünïcode: null,
      'semi;colon': null,
      SELECT: null,
    },
  ]),
  plain(
    'only_nulls_and_nans',
    schema({ id: t.long(), none: t.string(), f: t.float(), d: t.double() }),
    Array.from({ length: 5 }, (_, i) => ({ id: BigInt(i), none: null, f: Number.NaN, d: i === 0 ? 1 : Number.NaN })),
  ),
  ...['zstd', 'snappy', 'gzip', 'uncompressed'].map((codec) =>
    withProperties(`parquet_${codec}`, { 'write.parquet.compression-codec': codec }),
  ),
  ...['zstd', 'snappy', 'gzip', 'uncompressed'].map((codec) =>
    withProperties(`avro_${codec}`, { 'write.avro.compression-codec': codec }),
  ),
  ...['none', 'counts', 'truncate(2)', 'full'].map((mode) =>
    withProperties(`metrics_${mode.replaceAll(/\W/g, '')}`, { 'write.metadata.metrics.default': mode }),
  ),
  withProperties('many_row_groups', { 'write.parquet.row-group-size-bytes': '65536' }, 40_000),
  withProperties('many_files', { 'write.target-file-size-bytes': '65536' }, 40_000),
];
