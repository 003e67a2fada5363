import { partitionBy, schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

// What depends on when and by whom a query is run must mean the same to the planner and to the run.

const { lake, catalog } = await openWarehouse();
const HOUR = 3_600_000;

async function ids(sql: string): Promise<unknown[]> {
  return (await (await lake.sql(sql)).rows()).map((row) => row['id']);
}

beforeAll(async () => {
  const table = await catalog.createTable('ns.log', {
    schema: schema({ id: t.long().required(), tz: t.timestamptz(), local: t.timestamp(), user: t.string() }),
    partitionBy: [partitionBy.hour('tz')],
  });
  for (let hours = -50; hours <= 50; hours += 10) {
    const tz = new Date(Date.now() + hours * HOUR);
    await table.append([{ id: BigInt(hours), tz, local: tz, user: hours < 0 ? 'past' : 'future' }]);
  }
});

test.each([
  ['tz < now()', 1],
  ['tz >= current_timestamp - INTERVAL 1 DAY AND tz < now()', 2],
  ['local < now()::TIMESTAMP', 3],
  ['tz::date = current_date', 4],
  ["tz > get_current_timestamp() + INTERVAL '25 hours'", 5],
])('%s', async (where) => {
  const unpruned = await ids(
    `WITH everything AS MATERIALIZED (SELECT * FROM ns.log WHERE random() >= 0) SELECT id FROM everything WHERE ${where} ORDER BY id`,
  );
  const result = await lake.sql(`SELECT id FROM ns.log WHERE ${where} ORDER BY id`);
  expect((await result.rows()).map((row) => row['id'])).toEqual(unpruned);
  expect(result.scans[0]!.filesScanned).toBe(unpruned.length);
});

test('the name of the column is what was written', async () => {
  const result = await lake.sql('SELECT now(), count(*) FROM ns.log WHERE tz < now()');
  expect(result.columns.map((column) => column.name)).toEqual(['now()', 'count_star()']);
});

test('variables and settings of the session', async () => {
  await lake.sql("SET VARIABLE wanted = -20; SET VARIABLE names = ['x']");
  const result = await lake.sql("SELECT id FROM ns.log WHERE id = getvariable('wanted')");
  expect(await result.rows()).toEqual([{ id: -20n }]);
  expect(result.scans[0]!.filesScanned).toBe(1);
  expect(await ids("SELECT id FROM ns.log WHERE list_contains(getvariable('names'), 'x') AND id = 0")).toEqual([0n]);
  expect(await ids("SELECT id FROM ns.log WHERE current_setting('TimeZone') = 'UTC' AND id = 0")).toEqual([0n]);
  await lake.sql('CREATE MACRO recent(x) AS x > now() - INTERVAL 15 HOUR AND x < now()');
  expect(await ids('SELECT id FROM ns.log WHERE recent(tz) ORDER BY id')).toEqual([-10n, 0n]);
});

test('a column with the name of such a function is the column', async () => {
  expect((await ids("SELECT id FROM ns.log WHERE user = 'future'")).length).toBe(6);
  expect((await ids('SELECT id FROM ns.log WHERE "user" = \'past\'')).length).toBe(5);
});

test('types of the session', async () => {
  await lake.sql("CREATE TYPE tense AS ENUM ('past', 'future')");
  expect(await ids('SELECT id FROM ns.log WHERE "user"::tense = \'past\'::tense AND id > -45 ORDER BY id')).toEqual([
    -40n,
    -30n,
    -20n,
    -10n,
  ]);
});
