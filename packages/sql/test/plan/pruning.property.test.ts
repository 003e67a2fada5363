import fc from 'fast-check';
import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';
import type { Warehouse } from '../support.ts';

// Pruning must never change an answer: every query is run over a partitioned table and over all of its rows in one
// temporary table, for random filters in the forms that DuckDB's optimizer turns into ranges, and in those it doesn't.

let warehouse: Warehouse;
const ROWS = 240;

const DOUBLES = [
  '-1e300',
  '-1.5',
  '-0.0',
  '0.0',
  '1.5',
  '2.5',
  '1e300',
  "'nan'::DOUBLE",
  "'inf'::DOUBLE",
  "'-inf'::DOUBLE",
];
const STRINGS = ['', 'a', 'ab', 'abc', 'abd', 'b', 'B', 'zz', 'é', '😀', 'a%b', "q'q"];

/** A small generator with a fixed seed: the data is the same in every run, the filters are not. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

beforeAll(async () => {
  warehouse = await openWarehouse();
  const { catalog, lake } = warehouse;
  const shape = schema({
    id: t.long().required(),
    i: t.int(),
    l: t.long(),
    x: t.double(),
    f: t.float(),
    s: t.string(),
    d: t.date(),
    ts: t.timestamp(),
    tz: t.timestamptz(),
    dec: t.decimal(9, 2),
    b: t.boolean(),
    st: t.struct({ a: t.int(), c: t.struct({ s: t.string() }) }),
  });
  const tables = await Promise.all([
    catalog.createTable('ns.plain', { schema: shape }),
    catalog.createTable('ns.parted', {
      schema: shape,
      partitionBy: [partitionBy.month('ts'), partitionBy.bucket(2, 'l'), partitionBy.truncate(1, 's')],
    }),
    catalog.createTable('ns.daily', { schema: shape, partitionBy: [partitionBy.day('tz'), partitionBy.identity('b')] }),
  ]);
  const next = random(42);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!;
  const maybe = <T>(value: () => T): T | null => (next() < 0.15 ? null : value());
  const numberOf = (text: string): number =>
    Number(
      text.replace(/'(-?)(nan|inf)'::DOUBLE/, (_, sign: string, word: string) =>
        word === 'nan' ? 'NaN' : `${sign}Infinity`,
      ),
    );
  const time = (): string => new Date(Date.UTC(2023, 10, 1) + Math.floor(next() * 120 * 86_400_000)).toISOString();
  const rows = Array.from({ length: ROWS }, (_, id) => ({
    id: BigInt(id),
    i: maybe(() => Math.floor(next() * 20) - 10),
    l: maybe(() =>
      pick([-5n, 0n, 7n, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n, BigInt(Math.floor(next() * 50))]),
    ),
    x: maybe(() => numberOf(pick(DOUBLES))),
    f: maybe(() => Math.fround(pick([-1.5, -0, 0, 0.1, 2.5, Number.NaN]))),
    s: maybe(() => pick(STRINGS)),
    d: maybe(() => time().slice(0, 10)),
    ts: maybe(() => time().replace('Z', '')),
    tz: maybe(time),
    dec: maybe(() => pick(['-1.25', '0.00', '1.25', '10.00', '1234567.89'])),
    b: maybe(() => next() < 0.5),
    st: maybe(() => ({ a: maybe(() => Math.floor(next() * 5)), c: maybe(() => ({ s: maybe(() => pick(STRINGS)) })) })),
  }));
  for (const table of tables)
    for (let start = 0; start < ROWS; start += 60) await table.append(rows.slice(start, start + 60));
  await lake.sql('CREATE TEMP TABLE everything AS SELECT * FROM ns.plain');
});

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const date = fc.date({
  min: new Date(Date.UTC(2023, 9, 25)),
  max: new Date(Date.UTC(2024, 2, 10)),
  noInvalidDate: true,
});
const day = date.map((value) => value.toISOString().slice(0, 10));
const second = date.map((value) => value.toISOString().slice(0, 19).replace('T', ' '));
const comparison = fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');
const compare = (left: string, right: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(comparison, right).map(([op, value]) => `${left} ${op} ${value}`);
const string = fc.constantFrom(...STRINGS).map(quoted);
const integer = fc.integer({ min: -12, max: 60 }).map(String);

const literalDay = day.map((value) => `DATE '${value}'`);
const literalSecond = second.map((value) => `TIMESTAMP '${value}'`);
const literalInstant = second.map((value) => `TIMESTAMPTZ '${value}+01'`);
const double = fc.constantFrom(...DOUBLES, '0.5', '-3.25', '4');
const unit = fc.constantFrom('year', 'quarter', 'month', 'week', 'day', 'hour');

/** Functions of one column, which files are pruned through. */
const computed: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'i + 1',
        'i - 3',
        '5 - i',
        '-i',
        'i * 2',
        'i * -3',
        'i // 3',
        'i // -2',
        'abs(i)',
        'abs(i - 2)',
        'coalesce(i, 4)',
        'coalesce(i + 1, 4)',
        'greatest(i, 2)',
        'least(i, 2)',
        'greatest(i, l)',
        'CASE WHEN i > 3 THEN 1 WHEN b THEN i ELSE 7 END',
        'if(b, i, 3)',
        'nullif(i, 3)',
        'TRY_CAST(l::DOUBLE AS BIGINT)',
        'dec::INTEGER',
        'year(d) - 2000',
        "datediff('day', d, DATE '2024-01-01')",
        "d - DATE '2024-01-01'",
        'st.a + 1',
        'TRY_CAST(x AS INTEGER)',
      ),
      integer,
    )
    .chain(([left, value]) => compare(left, fc.constant(value))),
  compare('i / 2', fc.oneof(double, integer)),
  fc
    .constantFrom(
      'x + 1',
      'x * 2',
      '-x',
      'abs(x)',
      'floor(x)',
      'ceil(x)',
      'round(x, 1)',
      'f + 0.5',
      'f * 3',
      'trunc(x)',
      'x / 3',
      '1 - x',
    )
    .chain((left) => compare(left, double)),
  fc
    .constantFrom('dec + 1', 'dec * 2', '-dec', 'floor(dec)', 'round(dec)', 'dec::DECIMAL(9, 1)', 'dec::DOUBLE + 1')
    .chain((left) => compare(left, fc.constantFrom('1', '2.5', '-0.25', '11'))),
  fc
    .constantFrom(
      'd + 3',
      'd - 20',
      'ts::date + 1',
      'last_day(d)',
      "date_trunc('month', d) + INTERVAL 3 DAY",
      'coalesce(d, ts::date)',
    )
    .chain((left) => compare(left, literalDay)),
  fc
    .constantFrom(
      'ts + INTERVAL 1 DAY',
      'ts - INTERVAL 36 HOUR',
      'ts + INTERVAL 1 MONTH',
      'ts - INTERVAL 3 MONTH',
      'd + INTERVAL 2 MONTH',
      'd - INTERVAL 5 DAY',
      "time_bucket(INTERVAL '1 week', ts)",
      "time_bucket(INTERVAL '2 month', ts)",
      'tz::TIMESTAMP',
      "tz AT TIME ZONE 'America/New_York'",
    )
    .chain((left) => compare(left, literalSecond)),
  fc
    .constantFrom('tz + INTERVAL 1 DAY', 'tz - INTERVAL 1 MONTH', 'ts::TIMESTAMPTZ')
    .chain((left) => compare(left, literalInstant)),
  unit.chain((name) => compare(`date_trunc('${name}', ts) + INTERVAL 1 HOUR`, literalSecond)),
  unit.chain((name) => compare(`date_trunc('${name}', tz) + INTERVAL 1 HOUR`, literalInstant)),
  compare(
    'epoch_ms(tz)',
    second.map((value) => String(Date.parse(`${value}Z`))),
  ),
  compare(
    'epoch(ts)',
    second.map((value) => String(Date.parse(`${value}Z`) / 1000)),
  ),
  compare(
    'd::VARCHAR',
    day.map((value) => quoted(value)),
  ),
  fc
    .tuple(fc.constantFrom('%Y', '%Y-%m', '%Y%m%d', '%Y/%m/%d %H'), fc.constantFrom('d', 'ts', 'tz'), day, fc.nat(10))
    .chain(([format, column, value, length]) =>
      compare(
        `strftime(${column}, '${format}')`,
        fc.constant(quoted(value.replaceAll('-', /[-/]/.exec(format)?.[0] ?? '').slice(0, length))),
      ),
    ),
  fc
    .tuple(fc.constantFrom('d', 'ts', 'tz'), day, fc.nat(10))
    .map(([column, value, length]) => `${column}::VARCHAR LIKE '${value.slice(0, length)}%'`),
  fc
    .constantFrom('left(s, 2)', 'left(s, 1)', 's[1:2]', 'substring(s, 1, 3)', 'left(s, -1)', 'substr(st.c.s, 1, 1)')
    .chain((left) => compare(left, string)),
  fc
    .tuple(fc.constantFrom('=', '<', '>', '<=', '>='), integer, integer)
    .map(([op, a, b]) => `(i, l) ${op} (${a}, ${b})`),
  fc.tuple(integer, integer).map(([a, b]) => `(i, st.a) IN ((${a}, 1), (${b}, 2))`),
  fc.constantFrom(
    "s GLOB 'a*'",
    "s SIMILAR TO 'ab?c.*'",
    "s SIMILAR TO 'ab+'",
    "regexp_matches(s, '^ab')",
    "CASE WHEN i > 2 THEN 'a' ELSE s END = 'a'",
    "coalesce(s, 'b') = 'b'",
    '(i > 3) IS NOT TRUE',
    '(i = 3) IS NOT FALSE',
    '(i > 3) IS FALSE',
    '(b AND i > 2) IS NOT TRUE',
  ),
  compare('i::VARCHAR', fc.constantFrom("'3'", "'-4'", "'03'", "'x'")),
);

const predicate: fc.Arbitrary<string> = fc.oneof(
  compare('i', fc.oneof(integer, fc.constantFrom('3.5', '-2.5', '1e0', '3000000000', 'NULL'))),
  compare('l', fc.oneof(integer, fc.constantFrom('9007199254740993', '9223372036854775807', '1.5', '12.0'))),
  compare('x', fc.oneof(fc.constantFrom(...DOUBLES), integer)),
  compare('f', fc.constantFrom('0.1', '0.1::FLOAT', '0', '-0.0::FLOAT', '2.5', "'nan'::FLOAT")),
  compare('s', string),
  compare(
    'd',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    'd',
    second.map((value) => `TIMESTAMP '${value}'`),
  ),
  compare(
    'ts',
    fc.oneof(
      day.map((value) => `DATE '${value}'`),
      second.map((value) => `TIMESTAMP '${value}'`),
      second.map((value) => `TIMESTAMPTZ '${value}+02'`),
    ),
  ),
  compare(
    'tz',
    fc.oneof(
      second.map(quoted),
      second.map((value) => `TIMESTAMPTZ '${value}+05:30'`),
      day.map((value) => `DATE '${value}'`),
    ),
  ),
  compare('dec', fc.constantFrom('1.25', '1.255', '10', '0', '-1.25', '1.25::DOUBLE', '1234567.89::DOUBLE', '1e20')),
  compare(
    'ts::date',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    'tz::date',
    day.map((value) => `DATE '${value}'`),
  ),
  compare(
    "date_trunc('month', ts)",
    day.map((value) => `DATE '${value}'`),
  ),
  compare('year(ts)', fc.constantFrom('2023', '2024', '1900')),
  compare('year(tz)', fc.constantFrom('2023', '2024')),
  compare('year(d)', fc.constantFrom('2023', '2024')),
  compare('st.a', integer),
  compare('st.c.s', string),
  compare('i::BIGINT', integer),
  compare('i::DOUBLE', fc.constantFrom('0.5', '3', '-2.0', "'nan'::DOUBLE")),
  computed,
  fc.constantFrom(
    'b',
    'NOT b',
    'b IS NULL',
    'b IS NOT TRUE',
    'isnan(x)',
    'NOT isnan(f)',
    'st IS NULL',
    'st.c IS NOT NULL',
    'st.a IS NULL',
    'x = x',
    'i = l',
    'i < l',
    'true',
    'NULL',
    "s = 'a' IS NULL",
  ),
  fc
    .tuple(
      fc.constantFrom('i', 'l', 'st.a'),
      fc.constantFrom('IN', 'NOT IN'),
      fc.array(fc.oneof(integer, fc.constant('NULL')), { minLength: 1, maxLength: 6 }),
    )
    .map(([column, op, values]) => `${column} ${op} (${values.join(', ')})`),
  fc
    .tuple(
      fc.constantFrom('s', 'st.c.s'),
      fc.constantFrom('IN', 'NOT IN'),
      fc.array(string, { minLength: 1, maxLength: 5 }),
    )
    .map(([column, op, values]) => `${column} ${op} (${values.join(', ')})`),
  fc
    .tuple(fc.constantFrom('x', 'f'), fc.array(fc.constantFrom(...DOUBLES), { minLength: 1, maxLength: 4 }))
    .map(([column, values]) => `${column} IN (${values.join(', ')})`),
  fc
    .tuple(
      fc.constantFrom('s LIKE', 's NOT LIKE', 's ILIKE'),
      fc.constantFrom("'a%'", "'%b'", "'a_c'", "'ab%d'", "'abc'", "'a\\%b'", "'%'", "''"),
    )
    .map(([op, pattern]) => `${op} ${pattern}`),
  fc
    .tuple(fc.constantFrom('starts_with(s, ', 'prefix(s, ', 'contains(s, '), string)
    .map(([call, value]) => `${call}${value})`),
  fc.tuple(day, day).map(([from, to]) => `d BETWEEN '${from}' AND '${to}'`),
  fc.tuple(second, second).map(([from, to]) => `tz BETWEEN '${from}' AND '${to}'`),
  fc.constantFrom(
    "s COLLATE NOCASE = 'b'",
    "lower(s) = 'b'",
    'coalesce(i, 0) > 0',
    'CASE WHEN i > 0 THEN true ELSE b END',
    'TRY_CAST(s AS INTEGER) = 1',
    '(i, l) = (1, 7)',
    'i IN (SELECT 3)',
  ),
);

const filter: fc.Arbitrary<string> = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    predicate,
    fc.tuple(tie('filter'), tie('filter')).map(([left, right]) => `(${left} AND ${right})`),
    fc.tuple(tie('filter'), tie('filter')).map(([left, right]) => `(${left} OR ${right})`),
    tie('filter').map((inner) => `NOT (${inner})`),
  ),
})).filter;

const tables = fc.constantFrom('ns.plain', 'ns.parted', 'ns.daily');
const zones = fc.constantFrom('UTC', 'UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia');

async function ids(table: string, where: string): Promise<readonly bigint[]> {
  const result = await warehouse.lake.sql(`SELECT id FROM ${table} WHERE ${where} ORDER BY id`);
  return (await result.rows()).map((row) => row['id'] as bigint);
}

test('pruned and unpruned queries give the same rows', async () => {
  await fc.assert(
    fc.asyncProperty(filter, tables, zones, async (where, table, zone) => {
      await warehouse.lake.sql(`SET TimeZone = '${zone}'`);
      const expected = await ids('everything', where);
      expect(await ids(table, where), where).toEqual(expected);
    }),
    { numRuns: runs(60) },
  );
}, 600_000);

test('filters do prune', async () => {
  const { lake } = warehouse;
  await lake.sql("SET TimeZone = 'UTC'");
  const one = await lake.sql("SELECT * FROM ns.parted WHERE ts::date = '2024-01-05' AND l = 7 AND s = 'abc'");
  expect(one.scans[0]!.filesScanned).toBeLessThan(one.scans[0]!.filesTotal / 8);
  expect(one.scans[0]!.notPushed).toEqual([]);
  const daily = await lake.sql("SELECT * FROM ns.daily WHERE tz::date = '2024-01-05' AND b");
  expect(daily.scans[0]!.filesScanned).toBeLessThan(daily.scans[0]!.filesTotal / 20);
});
