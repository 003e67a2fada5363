import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileSystemCatalog, type Table, partitionBy, schema, t } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { Lakehouse } from '@lh/sql';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runs } from '../support/runs.ts';
import { canonicalRows } from '../conformance/canonical.ts';

// One filter text is both an Iceberg filter and a SQL predicate: core's reader and DuckDB must keep the same rows,
// nulls and NaN included, over files of two schemas and three partition specs, wherever the host's clock is.

const ZONES: Readonly<Record<string, number>> = {
  UTC: 0,
  'America/St_Johns': 210,
  'Asia/Kathmandu': -330,
  'Pacific/Apia': 660,
};

const instants = [
  '1969-12-31T23:59:59.999999',
  '1970-01-01T00:00:00.000000',
  '2024-01-01T00:00:00.000001',
  '2024-01-01T23:30:00.000000',
  '2024-02-29T12:00:00.000000',
];
const values = {
  id: ['0', '7', '9007199254740993', '-1'],
  n: ['0', '3', '-3', '2147483647', '2.5'],
  f: ['0', '1.5', '-1.5', '-0.0', '1e300', '100'],
  s: ["''", "'a'", "'ab'", "'b'", "'é'", "'😀'", "'o''clock'"],
  day: ["'1969-12-31'", "'1970-01-01'", "'2024-01-01'", "'2024-02-29'"],
  ts: instants.map((text) => `'${text}'`),
  tz: [...instants.map((text) => `'${text}Z'`), "'2024-01-01T05:00:00+05:30'", "'2023-12-31T20:00:00.000001-04:00'"],
  price: ['0', '1.25', '-1.25', '99.99', '1.005'],
  flag: ['true', 'false'],
};

let warehouse: string;
let lake: Lakehouse;
let table: Table;

beforeAll(async () => {
  warehouse = await mkdtemp(join(tmpdir(), 'lakehouse-equal-'));
  const catalog = await FileSystemCatalog.open({ io: new LocalFileIO(), warehouse });
  await catalog.createNamespace('p');
  table = await catalog.createTable('p.rows', {
    schema: schema({
      id: t.int().required(),
      n: t.int(),
      f: t.float(),
      name: t.string(),
      day: t.date(),
      ts: t.timestamp(),
      tz: t.timestamptz(),
      price: t.decimal(6, 2),
      flag: t.boolean(),
    }),
    partitionBy: [partitionBy.day('ts')],
  });
  await table.append(rows(0, 60, 'name'));
  await table.updateSpec((p) => p.remove('ts_day').add(partitionBy.hour('tz')).add(partitionBy.truncate(1, 'name')));
  await table.updateSchema((s) =>
    s
      .renameColumn('name', 's')
      .updateColumn('id', t.long())
      .updateColumn('f', t.double())
      .updateColumn('price', t.decimal(12, 2)),
  );
  await table.append(rows(60, 60, 's'));
  await table.updateSpec((p) => p.remove('tz_hour').remove('name_trunc').add(partitionBy.bucket(3, 'id')));
  await table.append(rows(120, 60, 's'));
  lake = await Lakehouse.open({ catalog });
});

afterAll(async () => {
  await lake.close();
  await rm(warehouse, { recursive: true, force: true });
});

function rows(start: number, count: number, nameColumn: string): Record<string, unknown>[] {
  const pick = (list: readonly unknown[], i: number): unknown => list[i % list.length] ?? null;
  return Array.from({ length: count }, (_, offset) => {
    const i = start + offset;
    const instant = pick([...instants, null], i) as string | null;
    return {
      id: i,
      n: pick([0, 3, -3, null, 2147483647], i),
      f: pick([0, -0, 1.5, Number.NaN, null, 100, Infinity], i),
      [nameColumn]: pick(['', 'a', 'ab', null, 'b', 'é', '😀', "o'clock"], i),
      day: instant?.slice(0, 10) ?? null,
      ts: instant,
      tz: instant === null ? null : `${instant}Z`,
      price: pick(['0.00', '1.25', null, '-1.25', '99.99'], i),
      flag: pick([true, false, null], i),
    };
  });
}

const predicate: fc.Arbitrary<string> = fc
  .constantFrom(...(Object.keys(values) as (keyof typeof values)[]))
  .chain((column) => {
    const literal = fc.constantFrom(...values[column]);
    const comparisons = column === 'flag' ? ['=', '!='] : ['=', '!=', '<', '<=', '>', '>='];
    const forms = [
      fc.tuple(fc.constantFrom(...comparisons), literal).map(([op, value]) => `${column} ${op} ${value}`),
      fc
        .tuple(fc.constantFrom('IN', 'NOT IN'), fc.uniqueArray(literal, { minLength: 1, maxLength: 3 }))
        .map(([op, list]) => `${column} ${op} (${list.join(', ')})`),
      fc.constantFrom(`${column} IS NULL`, `${column} IS NOT NULL`),
    ];
    if (column === 's')
      forms.push(
        fc.constantFrom(...["'a%'", "'%'", "'é%'"].flatMap((text) => [`s LIKE ${text}`, `s NOT LIKE ${text}`])),
      );
    if (column !== 'flag') forms.push(fc.tuple(literal, literal).map(([a, b]) => `${column} BETWEEN ${a} AND ${b}`));
    return fc.oneof(...forms);
  });

const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    predicate,
    fc.tuple(tie('filter'), fc.constantFrom('AND', 'OR'), tie('filter')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('filter').map((one) => `NOT (${one})`),
  ),
}));

test.each(Object.entries(ZONES))('core and SQL keep the same rows on a host in %s', async (zone, offset) => {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  try {
    expect(new Date(Date.UTC(1970, 0, 1)).getTimezoneOffset()).toBe(offset);
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const scan = table.scan({ filter: text });
        const result = await lake.sql(`SELECT * FROM p.rows WHERE ${text}`);
        expect(canonicalRows(scan.schema, await result.rows())).toEqual(
          canonicalRows(scan.schema, await scan.toRows()),
        );
      }),
      { numRuns: runs(40) },
    );
  } finally {
    process.env['TZ'] = before;
  }
});
