import { schema, t } from '@lh/core';
import { beforeAll, expect, test } from 'vitest';
import { openWarehouse, rejection } from '../support.ts';

const { lake, catalog } = await openWarehouse();

async function rows(sql: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]> {
  return (await lake.sql(sql, parameters)).rows();
}

beforeAll(async () => {
  const events = await catalog.createTable('ns.events', { schema: schema({ id: t.long().required(), s: t.string() }) });
  for (const id of [1n, 2n, 3n]) await events.append([{ id, s: `s${id}` }]);
});

test('statements that were prepared run with arguments, and are pruned by them', async () => {
  await lake.sql('PREPARE find AS SELECT s FROM ns.events WHERE id = $1 OR s = $2');
  const result = await lake.sql("EXECUTE FIND(1 + 1, 'none')");
  expect(await result.rows()).toEqual([{ s: 's2' }]);
  await lake.sql('PREPARE one(BIGINT) AS SELECT id FROM ns.events WHERE id = ?');
  const one = await lake.sql('EXECUTE one(?)', [3]);
  expect(await one.rows()).toEqual([{ id: 3n }]);
  expect(one.scans[0]).toMatchObject({ filesTotal: 3, filesScanned: 1 });
  await lake.sql('PREPARE named AS SELECT $a || $b AS x');
  expect(await rows("EXECUTE named(b := 'it''s', a := (SELECT 'so: '))")).toEqual([{ x: "so: it's" }]);
});

test('they read and change what is there when they run', async () => {
  await lake.sql(
    "PREPARE add AS INSERT INTO ns.events VALUES ($1, 'new'); PREPARE n AS SELECT count(*)::INT AS n FROM ns.events",
  );
  expect(await rows('EXECUTE n')).toEqual([{ n: 3 }]);
  expect((await lake.sql('EXECUTE add(9)')).rowCount).toBe(1);
  expect(await rows('EXECUTE n')).toEqual([{ n: 4 }]);
});

test('names', async () => {
  await lake.sql('PREPARE p AS SELECT 1 AS x; DEALLOCATE p');
  expect((await rejection(rows('EXECUTE p'))).message).toMatch(/no prepared statement 'p'/);
  expect((await rejection(rows('DEALLOCATE PREPARE p'))).code).toBe('NOT_FOUND');
  expect((await rejection(rows('PREPARE p'))).code).toBe('INVALID_ARGUMENT');
  await lake.sql('PREPARE p AS SELECT nope FROM ns.events WHERE id = $1');
  expect((await rejection(rows('EXECUTE p(1)'))).message).toMatch(/"nope"[^]*LINE 1: PREPARE p AS SELECT nope FROM/);
  expect((await rejection(rows('EXECUTE p()'))).message).toMatch(/parameter \$1/);
});
