import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { Variant } from '@lh/core';
import { openWarehouse, rejection } from '../support.ts';

const { lake } = await openWarehouse();

async function value(expression: string): Promise<unknown> {
  const rows = await (await lake.sql(`SELECT ${expression} AS v`)).rows();
  return rows[0]!['v'];
}

test.each<[string, unknown]>([
  ['true', true],
  ['NULL', null],
  ['(-5)::TINYINT', -5],
  ['(-300)::SMALLINT', -300],
  ['(-70000)::INTEGER', -70_000],
  ['9223372036854775807::BIGINT', 9_223_372_036_854_775_807n],
  ["'-9223372036854775808'::BIGINT", -9_223_372_036_854_775_808n],
  ['200::UTINYINT', 200],
  ['60000::USMALLINT', 60_000],
  ['4000000000::UINTEGER', 4_000_000_000],
  ['18446744073709551615::UBIGINT', 18_446_744_073_709_551_615n],
  ["'170141183460469231731687303715884105727'::HUGEINT", 170_141_183_460_469_231_731_687_303_715_884_105_727n],
  ["'-170141183460469231731687303715884105728'::HUGEINT", -170_141_183_460_469_231_731_687_303_715_884_105_728n],
  ["'340282366920938463463374607431768211455'::UHUGEINT", 340_282_366_920_938_463_463_374_607_431_768_211_455n],
  ["'-123456789012345678901234567890123456789012'::BIGNUM", -123_456_789_012_345_678_901_234_567_890_123_456_789_012n],
  ['1.5::FLOAT', 1.5],
  ["'nan'::DOUBLE", Number.NaN],
  ["'-0.0'::DOUBLE", -0],
  ["'inf'::DOUBLE", Number.POSITIVE_INFINITY],
  ['1.50::DECIMAL(4,2)', '1.50'],
  ['(-0.05)::DECIMAL(9,2)', '-0.05'],
  ['123456789012.345::DECIMAL(18,3)', '123456789012.345'],
  ["'-12345678901234567890123456789012345.678'::DECIMAL(38,3)", '-12345678901234567890123456789012345.678'],
  ['(-7)::DECIMAL(38,0)', '-7'],
  ["DATE '1969-12-31'", '1969-12-31'],
  ["DATE '0044-03-15 (BC)'", '-0043-03-15'],
  ["'infinity'::DATE", 'infinity'],
  ["TIME '23:59:59.999999'", '23:59:59.999999'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", '1969-12-31T23:59:59.999999'],
  ["TIMESTAMPTZ '2024-02-29 12:00:00+02'", '2024-02-29T10:00:00.000000Z'],
  ["'2024-01-01 00:00:00.123456789'::TIMESTAMP_NS", '2024-01-01T00:00:00.123456789'],
  ["'2024-01-01 00:00:00.123'::TIMESTAMP_MS", '2024-01-01T00:00:00.123000'],
  ["'2024-01-01 00:00:01'::TIMESTAMP_S", '2024-01-01T00:00:01.000000'],
  ["'-infinity'::TIMESTAMP", '-infinity'],
  ["'12:00:00+02'::TIMETZ", '12:00:00+02'],
  ["INTERVAL '1 month 2 days 3 seconds'", '1 month 2 days 00:00:03'],
  ["'é😀 long enough not to be inlined'", 'é😀 long enough not to be inlined'],
  ["''", ''],
  ["'\\x00\\xFF'::BLOB", Uint8Array.of(0, 255)],
  ["'\\xFF'::BLOB || repeat('a', 20)::BLOB", Uint8Array.from([255, ...Array.from({ length: 20 }, () => 97)])],
  ["'0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'::UUID", '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'],
  ["'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID", 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ["'101'::BIT", '101'],
  ["'b'::ENUM('a', 'b')", 'b'],
  ['[1, NULL, 3]', [1, null, 3]],
  ['[]::INTEGER[]', []],
  ["[['a'], [], NULL]", [['a'], [], null]],
  ['[1.5, 2.5]::DOUBLE[2]', [1.5, 2.5]],
  ["{'a': 1, 'b': {'c': 'x'}}", { a: 1, b: { c: 'x' } }],
  ["{'__proto__': 1}", JSON.parse('{"__proto__": 1}')],
  [
    "MAP {'k': 1::BIGINT, 'l': NULL}",
    new Map([
      ['k', 1n],
      ['l', null],
    ]),
  ],
  ['union_value(num := 2)', 2],
  [
    "ST_GeomFromWKB(from_hex('0101000000000000000000f03f0000000000000040'))",
    new Uint8Array(Buffer.from('0101000000000000000000f03f0000000000000040', 'hex')),
  ],
])('%s', async (expression, expected) => {
  const got = await value(expression);
  expect(got).toEqual(expected);
  if (Object.is(expected, -0)) expect(Object.is(got, -0)).toBe(true);
});

test('dates as Date objects', async () => {
  const result = await lake.sql(
    "SELECT DATE '2024-02-29' AS d, TIMESTAMP '1969-12-31 23:59:59.9999' AS ts, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS tz",
  );
  expect(await result.rows({ dates: 'Date' })).toEqual([
    { d: new Date('2024-02-29T00:00:00Z'), ts: new Date(-1), tz: new Date('2024-01-01T00:00:00Z') },
  ]);
});

test('variants come whole', async () => {
  const rows = await (
    await lake.sql("SELECT v FROM (VALUES (1, {'a': [1, NULL], 'b': 'x'}::VARIANT), (2, NULL)) t(i, v) ORDER BY i")
  ).rows();
  expect(rows[0]!['v']).toBeInstanceOf(Variant);
  expect((rows[0]!['v'] as Variant).toJSON()).toEqual({ a: [1, null], b: 'x' });
  expect(rows[1]!['v']).toBeNull();
});

/** Many rows, so that batches, chunks of odd sizes and nulls at every position take part. */
const WIDE = `
  SELECT i::BIGINT AS id,
    CASE WHEN i % 7 = 0 THEN NULL ELSE i % 2 = 0 END AS b,
    CASE WHEN i % 5 = 0 THEN NULL ELSE i / 10::DOUBLE END AS x,
    CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('s' || i, (i % 11)::INTEGER) END AS s,
    CASE WHEN i % 4 = 0 THEN NULL ELSE (i * 1.25)::DECIMAL(12,2) END AS dec,
    CASE WHEN i % 6 = 0 THEN NULL ELSE range(i % 5) END AS l,
    CASE WHEN i % 9 = 0 THEN NULL ELSE {'a': i, 's': CASE WHEN i % 2 = 0 THEN NULL ELSE 'v' || i END} END AS st,
    CASE WHEN i % 8 = 0 THEN NULL ELSE MAP {'k' || (i % 3): i} END AS m
  FROM range(150000) t(i) WHERE i % 13 <> 0`;

function expectedRow(id: number): Record<string, unknown> {
  const cents = id * 125;
  return {
    id: BigInt(id),
    b: id % 7 === 0 ? null : id % 2 === 0,
    x: id % 5 === 0 ? null : id / 10,
    s: id % 3 === 0 ? null : `s${id}`.repeat(id % 11),
    dec: id % 4 === 0 ? null : `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
    l: id % 6 === 0 ? null : Array.from({ length: id % 5 }, (_, i) => BigInt(i)),
    st: id % 9 === 0 ? null : { a: BigInt(id), s: id % 2 === 0 ? null : `v${id}` },
    m: id % 8 === 0 ? null : new Map([[`k${id % 3}`, BigInt(id)]]),
  };
}

const EXPECTED_IDS = Array.from({ length: 150_000 }, (_, i) => i).filter((i) => i % 13 !== 0);

test('rows, Arrow and streamed batches agree', async () => {
  const rows = await (await lake.sql(WIDE)).rows();
  rows.sort((a, b) => Number((a['id'] as bigint) - (b['id'] as bigint)));
  expect(rows).toEqual(EXPECTED_IDS.map(expectedRow));

  const arrow = await (await lake.sql(WIDE)).arrow();
  // Through IPC: whatever is wrong with a buffer shows there.
  const copy = tableFromIPC(tableToIPC(arrow));
  expect(copy.numRows).toBe(EXPECTED_IDS.length);
  for (let i = 0; i < copy.numRows; i += 997) {
    const row = copy.get(i)!.toJSON();
    const expected = expectedRow(Number(row['id']));
    expect([row['b'], row['x'], row['s']]).toEqual([expected['b'], expected['x'], expected['s']]);
    expect(row['l'] === null ? null : [...row['l']]).toEqual(expected['l']);
    expect(row['st']?.toJSON() ?? null).toEqual(expected['st']);
  }

  const result = await lake.sql(WIDE);
  let count = 0;
  for await (const batch of result.batches()) count += batch.numRows;
  expect(count).toBe(EXPECTED_IDS.length);
  expect(result.rowCount).toBe(count);
});

test('strings of dictionaries, which share their bytes', async () => {
  const sql = "SELECT 'city number ' || (i % 10) || ' with a long name' AS s FROM range(20000) t(i)";
  await lake.sql(`CREATE TEMP TABLE dictionary AS ${sql}`);
  const expected = Array.from({ length: 20_000 }, (_, i) => `city number ${i % 10} with a long name`);
  for (const query of [sql, 'FROM dictionary', 'SELECT s FROM dictionary ORDER BY rowid']) {
    const rows = await (await lake.sql(query)).rows();
    expect(rows.map((row) => row['s'])).toEqual(expected);
  }
});

test('an empty result has its columns', async () => {
  const result = await lake.sql('SELECT 1 AS a, [1] AS l WHERE false');
  expect(await result.rows()).toEqual([]);
  expect((await result.arrow()).schema.fields.map((field) => field.name)).toEqual(['a', 'l']);
  expect(result.rowCount).toBe(0);
  expect(result.columns).toEqual([
    { name: 'a', type: 'INTEGER' },
    { name: 'l', type: 'INTEGER[]' },
  ]);
});

test('columns of one name are told apart', async () => {
  expect(await (await lake.sql('SELECT 1 AS a, 2 AS a')).rows()).toEqual([{ a: 1, 'a:1': 2 }]);
});

test('a stream is read once', async () => {
  const result = await lake.sql('SELECT * FROM range(200000)');
  for await (const batch of result.batches()) {
    expect(batch.numRows).toBeGreaterThan(0);
    break;
  }
  expect((await rejection(result.rows())).code).toBe('INVALID_ARGUMENT');
});
