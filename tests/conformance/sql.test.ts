import { MemoryCatalog, MemoryFileIO } from '@lh/core';
import { Lakehouse } from '@lh/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { expectedTables, loadFixture } from './fixtures.ts';
import { once } from './once.ts';
import { countWithSql, matchingRows, planName, planScan } from './plans.ts';
import { readWithSql, rowsToExpect } from './reads.ts';

// Every table, as SQL reads it: the same rows, and of each plan's filter as many as SQL's answer has.

let lake: Lakehouse;
beforeAll(async () => {
  lake = await Lakehouse.open({ catalog: new MemoryCatalog({ io: new MemoryFileIO() }) });
});
afterAll(() => lake?.close());

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  const load = once(() => loadFixture(expected));

  test.for(expected.reads.map((read) => [read.name, read] as const))('rows: %s', async ([, read]) => {
    const { rows } = rowsToExpect(expected, read);
    expect(await readWithSql(lake, await load(), expected, read)).toEqual(rows);
  });

  test.for(expected.plans.map((plan) => [planName(plan), plan] as const))('count: %s', async ([, plan], { skip }) => {
    const table = await load();
    const wanted = matchingRows(expected, plan, planScan(table, plan).schema);
    if (wanted === null) skip('no read tells the rows of this snapshot');
    expect(await countWithSql(lake, table, plan)).toBe(wanted);
  });
});
