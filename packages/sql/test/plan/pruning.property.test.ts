import fc from 'fast-check';
import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { openWarehouse } from '../support.ts';
import type { Warehouse } from '../support.ts';
import { DOUBLES, STRINGS, filter } from './arbitrary-filters.ts';

// Pruning must never change an answer: every query is run over a partitioned table and over all of its rows in one
// temporary table, for random filters in the forms that DuckDB's optimizer turns into ranges, and in those it doesn't.

let warehouse: Warehouse;
const ROWS = 240;

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
