import { describe, expect, test } from 'vitest';

import { expectedTables, loadFixture } from './fixtures.ts';
import { expectedHistory, historyOf } from './history.ts';
import { liveEntries } from './live-entries.ts';
import { once } from './once.ts';
import { checkPlan, planName } from './plans.ts';
import { checkTarget, readWithCore, rowsToExpect } from './reads.ts';

// Every table, as core alone reads, plans and lists it.

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  const load = once(() => loadFixture(expected));

  test.for(expected.reads.map((read) => [read.name, read] as const))('rows: %s', async ([, read], { task }) => {
    const table = await load();
    checkTarget(table, expected, read);
    const { rows, leftOut } = rowsToExpect(expected, read);
    if (leftOut > 0) task.meta.rowsLeftOut = leftOut;
    expect(await readWithCore(table, expected, read)).toEqual(rows);
  });

  test.for(expected.plans.map((plan) => [planName(plan), plan] as const))('plan: %s', async ([, plan], { task }) => {
    task.meta.plan = await checkPlan(await load(), expected, plan);
  });

  test('history', async () => {
    expect(historyOf(await load())).toEqual(expectedHistory(expected));
  });

  test('live entries', async () => {
    const { found, expected: wanted } = await liveEntries(await load(), expected);
    expect(found).toEqual(wanted);
  });
});
