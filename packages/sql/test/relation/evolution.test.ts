import { partitionBy, schema, t } from '@lh/core';
import type { Table } from '@lh/core';
import { expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

const { lake, catalog } = await openWarehouse();

async function rows(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

/** SQL and core's own reader give the same rows, whatever the table went through. */
async function expectSameRows(table: Table, name: string): Promise<void> {
  const key = (row: object): string =>
    JSON.stringify(row, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value instanceof Map ? [...value] : value,
    );
  const fromSql = (await rows(`SELECT * FROM ${name}`)).map(key).toSorted();
  const fromCore = (await table.scan().toRows()).map(key).toSorted();
  expect(fromSql).toEqual(fromCore);
  expect(fromSql.length).toBeGreaterThan(0);
}

test('renames, drops, new columns of old names, reorders', async () => {
  const table = await catalog.createTable('ns.columns', {
    schema: schema({ id: t.long().required(), a: t.string(), b: t.int() }),
  });
  await table.append([{ id: 1n, a: 'old a', b: 1 }]);
  await table.updateSchema((s) => s.renameColumn('a', 'c').deleteColumn('b'));
  await table.append([{ id: 2n, c: 'renamed' }]);
  // A column called `a` again, with an id of its own: the old file has none of it.
  await table.updateSchema((s) => s.addColumn('a', t.string()).addColumn('b', t.string()).moveFirst('b'));
  await table.append([{ id: 3n, c: 'c', a: 'new a', b: 'text now' }]);
  expect(await rows('SELECT * FROM ns.columns ORDER BY id')).toEqual([
    { b: null, id: 1n, c: 'old a', a: null },
    { b: null, id: 2n, c: 'renamed', a: null },
    { b: 'text now', id: 3n, c: 'c', a: 'new a' },
  ]);
  expect(await rows("SELECT id FROM ns.columns WHERE c = 'old a' AND a IS NULL")).toEqual([{ id: 1n }]);
  await expectSameRows(table, 'ns.columns');
});

test('promoted types', async () => {
  const table = await catalog.createTable('ns.promoted', {
    schema: schema({ i: t.int(), f: t.float(), d: t.decimal(5, 2) }),
  });
  await table.append([{ i: -5, f: 0.1, d: '1.25' }]);
  await table.updateSchema((s) =>
    s.updateColumn('i', t.long()).updateColumn('f', t.double()).updateColumn('d', t.decimal(12, 2)),
  );
  await table.append([{ i: 2n ** 40n, f: 0.1, d: '1234567890.12' }]);
  expect(await rows('SELECT *, typeof(i) AS ti, typeof(f) AS tf, typeof(d) AS td FROM ns.promoted ORDER BY i')).toEqual(
    [
      { i: -5n, f: Math.fround(0.1), d: '1.25', ti: 'BIGINT', tf: 'DOUBLE', td: 'DECIMAL(12,2)' },
      { i: 2n ** 40n, f: 0.1, d: '1234567890.12', ti: 'BIGINT', tf: 'DOUBLE', td: 'DECIMAL(12,2)' },
    ],
  );
  expect(await rows('SELECT i FROM ns.promoted WHERE i > 5 AND d > 2')).toEqual([{ i: 2n ** 40n }]);
  await expectSameRows(table, 'ns.promoted');
});

test('nested fields renamed, added, dropped, inside structs, lists and maps', async () => {
  const point = { x: t.int(), y: t.int() };
  const table = await catalog.createTable('ns.nested', {
    schema: schema({
      id: t.long().required(),
      s: t.struct({ p: t.struct(point), q: t.string() }),
      l: t.list(t.struct(point)),
      m: t.map(t.string(), t.struct(point)),
    }),
  });
  await table.append([
    { id: 1n, s: { p: { x: 1, y: 2 }, q: 'q' }, l: [{ x: 1, y: 2 }, null], m: new Map([['k', { x: 1, y: 2 }]]) },
    { id: 2n, s: null, l: null, m: null },
    { id: 3n, s: { p: null, q: null }, l: [], m: new Map() },
  ]);
  await table.updateSchema((s) =>
    s
      .renameColumn('s.p.x', 'long')
      .updateColumn('s.p.long', t.long())
      .addColumn('s.p.z', t.string())
      .deleteColumn('s.q')
      .renameColumn('l.element.x', 'X')
      .addColumn('l.element.w', t.int())
      .deleteColumn('m.value.y'),
  );
  await table.append([
    { id: 4n, s: { p: { long: 2n ** 40n, y: 0, z: 'z' } }, l: [{ X: 9, y: 8, w: 7 }], m: new Map([['n', { x: 5 }]]) },
  ]);
  expect(await rows('SELECT * FROM ns.nested ORDER BY id')).toEqual([
    {
      id: 1n,
      s: { p: { long: 1n, y: 2, z: null } },
      l: [{ X: 1, y: 2, w: null }, null],
      m: new Map([['k', { x: 1 }]]),
    },
    { id: 2n, s: null, l: null, m: null },
    { id: 3n, s: { p: null }, l: [], m: new Map() },
    { id: 4n, s: { p: { long: 2n ** 40n, y: 0, z: 'z' } }, l: [{ X: 9, y: 8, w: 7 }], m: new Map([['n', { x: 5 }]]) },
  ]);
  const filtered = await lake.sql('SELECT id FROM ns.nested WHERE s.p.long > 100');
  expect(await filtered.rows()).toEqual([{ id: 4n }]);
  expect(filtered.scans[0]!.predicate).toBe('s.p.long > 100');
  expect(filtered.scans[0]!.filesScanned).toBe(1);
  await expectSameRows(table, 'ns.nested');
});

test('defaults of columns that files lack', async () => {
  const table = await catalog.createTable('ns.defaults', {
    schema: schema({ id: t.long().required() }),
    formatVersion: 3,
  });
  await table.append([{ id: 1n }]);
  await table.updateSchema((s) =>
    s
      .addColumn('n', t.int(), { default: 7 })
      .addColumn('s', t.string(), { default: "it's" })
      .addColumn('d', t.decimal(9, 2), { default: '-1.50' })
      .addColumn('ts', t.timestamptz(), { default: '2024-01-01T00:00:00.000001Z' })
      .addColumn('day', t.date(), { default: '1969-12-31' })
      .addColumn('u', t.uuid(), { default: '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b' })
      .addColumn('x', t.double(), { default: -0.5 })
      .addColumn('b', t.binary(), { default: Uint8Array.of(0, 255) })
      .addColumn('tm', t.time(), { default: '12:34:56.000001' })
      .addColumn('flag', t.boolean(), { default: true }),
  );
  await table.append([
    { id: 2n, n: null, s: null, d: null, ts: null, day: null, u: null, x: null, b: null, tm: null, flag: null },
  ]);
  expect(await rows('SELECT * FROM ns.defaults WHERE id = 1')).toEqual([
    {
      id: 1n,
      n: 7,
      s: "it's",
      d: '-1.50',
      ts: '2024-01-01T00:00:00.000001Z',
      day: '1969-12-31',
      u: '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
      x: -0.5,
      b: Uint8Array.of(0, 255),
      tm: '12:34:56.000001',
      flag: true,
    },
  ]);
  expect(await rows('SELECT id FROM ns.defaults WHERE n = 7')).toEqual([{ id: 1n }]);
  await expectSameRows(table, 'ns.defaults');
});

test('specs of any age are pruned by', async () => {
  const table = await catalog.createTable('ns.specs', {
    schema: schema({ id: t.long().required(), ts: t.timestamp(), city: t.string() }),
    partitionBy: [partitionBy.month('ts')],
  });
  const day = (n: number): string => `2024-01-${String(n).padStart(2, '0')}T00:00:00`;
  for (let n = 1; n <= 3; n++) await table.append([{ id: BigInt(n), ts: day(n), city: 'Seoul' }]);
  await table.updateSpec((spec) =>
    spec.remove('ts_month').add(partitionBy.day('ts')).add(partitionBy.identity('city')),
  );
  for (let n = 4; n <= 9; n++) await table.append([{ id: BigInt(n), ts: day(n), city: n % 2 ? 'Seoul' : 'Busan' }]);
  const result = await lake.sql("SELECT id FROM ns.specs WHERE ts::date = '2024-01-06' AND city = 'Busan'");
  expect(await result.rows()).toEqual([{ id: 6n }]);
  expect(result.scans[0]).toMatchObject({ filesTotal: 9, filesScanned: 1, filesSkipped: 8 });
  await expectSameRows(table, 'ns.specs');
});

test('partition values with characters that patterns use', async () => {
  const cities = [
    'a*b',
    'a?b',
    '[ab]',
    'a/b',
    'a%2Fb',
    'a=b',
    "q'q",
    '"q"',
    'é😀',
    'back\\slash',
    '[*\\',
    '',
    ' ',
    '{a,b}',
  ];
  const table = await catalog.createTable('ns.odd', {
    schema: schema({ city: t.string() }),
    partitionBy: [partitionBy.identity('city')],
  });
  await table.append(cities.map((city) => ({ city })));
  await table.append([{ city: null }]);
  expect((await rows('SELECT city FROM ns.odd WHERE city IS NOT NULL')).map((row) => row['city']).toSorted()).toEqual(
    cities.toSorted(),
  );
  for (const city of cities) {
    const result = await lake.sql('SELECT city FROM ns.odd WHERE city = ?', [city]);
    expect(await result.rows()).toEqual([{ city }]);
    expect(result.scans[0]!.filesScanned).toBe(1);
  }
  await expectSameRows(table, 'ns.odd');
});

test('tables without rows, files or columns in common', async () => {
  const table = await catalog.createTable('ns.empty', {
    schema: schema({ id: t.long().required(), l: t.list(t.struct({ a: t.decimal(4, 1) })) }),
  });
  const result = await lake.sql('SELECT * FROM ns.empty');
  expect(await result.rows()).toEqual([]);
  expect(result.columns.map((column) => column.type)).toEqual(['BIGINT', 'STRUCT("a" DECIMAL(4,1))[]']);
  expect(result.scans[0]).toMatchObject({ snapshotId: null, filesTotal: 0 });
  await table.append([{ id: 1n, l: null }]);
  expect(await rows('SELECT count(*) AS n FROM ns.empty')).toEqual([{ n: 1n }]);
});

test('every Iceberg type through a file', async () => {
  const table = await catalog.createTable('ns.all_types', {
    formatVersion: 3,
    schema: schema({
      b: t.boolean(),
      i: t.int(),
      l: t.long(),
      f: t.float(),
      d: t.double(),
      dec5: t.decimal(5, 2),
      dec18: t.decimal(18, 4),
      dec38: t.decimal(38, 10),
      date: t.date(),
      time: t.time(),
      ts: t.timestamp(),
      tz: t.timestamptz(),
      tns: t.timestamp_ns(),
      tzns: t.timestamptz_ns(),
      s: t.string(),
      u: t.uuid(),
      fx: t.fixed(3),
      bin: t.binary(),
      st: t.struct({ a: t.int() }),
      li: t.list(t.string()),
      mp: t.map(t.string(), t.long()),
    }),
  });
  const row = {
    b: true,
    i: -2_147_483_648,
    l: -9_223_372_036_854_775_808n,
    f: 1.5,
    d: -0,
    dec5: '-999.99',
    dec18: '12345678901234.5678',
    dec38: '-1234567890123456789012345678.0123456789',
    date: '0001-01-01',
    time: '23:59:59.999999',
    ts: '9999-12-31T23:59:59.999999',
    tz: '1582-10-04T00:00:00.000001Z',
    tns: '2024-01-01T00:00:00.123456789',
    tzns: '2024-01-01T00:00:00.123456789Z',
    s: 'é😀',
    u: '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    fx: Uint8Array.of(1, 0, 255),
    bin: new Uint8Array(),
    st: { a: null },
    li: ['a', null],
    mp: new Map([['k', 1n]]),
  };
  const nothing = Object.fromEntries(Object.keys(row).map((name) => [name, null]));
  await table.append([row, nothing]);
  // SQL has no zoned type of nanoseconds: the column holds the UTC time.
  expect(await rows('SELECT * FROM ns.all_types')).toEqual([
    { ...row, tzns: '2024-01-01T00:00:00.123456789' },
    nothing,
  ]);
  for (const [column, literal] of Object.entries({
    l: '-9223372036854775808',
    dec38: '-1234567890123456789012345678.0123456789',
    u: "'0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'",
    bin: "''::BLOB",
    time: "'23:59:59.999999'",
    tns: "'2024-01-01 00:00:00.123456789'",
    tzns: "'2024-01-01 00:00:00.123456789'",
    fx: "'\\x01\\x00\\xFF'::BLOB",
    tz: "'1582-10-04 00:00:00.000001+00'",
  })) {
    const result = await lake.sql(`SELECT count(*) AS n FROM ns.all_types WHERE ${column} = ${literal}`);
    expect(await result.rows(), column).toEqual([{ n: 1n }]);
    expect(result.scans[0]!.notPushed, column).toEqual([]);
    expect(result.scans[0]!.predicate, column).not.toBeNull();
  }
});
