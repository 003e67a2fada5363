import { MemoryCatalog, MemoryFileIO, Table, isLakehouseError } from '@lh/core';
import { Lakehouse } from '@lh/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Guard } from '../support/guard.ts';
import { canonicalRows } from './canonical.ts';
import { corruptCases, corruptFixture, expectedRows, expectedTable, loadFixture } from './fixtures.ts';
import type { CorruptCase } from './fixtures.ts';
import { sqlRows } from './reads.ts';

// Tables with something broken in them end in the outcome that their line states, and soon: no bare TypeError, no
// endless loop, no memory without bounds, no wrong rows.

const LIMIT_MS = 20_000;
const LIMIT_BYTES = 256 * 2 ** 20;

let lake: Lakehouse;
const guard = new Guard();
beforeAll(async () => {
  lake = await Lakehouse.open({ catalog: new MemoryCatalog({ io: new MemoryFileIO() }) });
  await lake.sql('SELECT 1');
});
afterAll(async () => {
  await lake?.close();
  await guard.close();
});

const READERS: Readonly<Record<string, (table: Table) => Promise<string[]>>> = {
  core: async (table) => canonicalRows(table.schema, await table.scan().toRows()),
  sql: (table) => sqlRows(lake, table, 'SELECT * FROM t', table.schema),
};

describe.for(corruptCases().map((one) => [`${one.case}: ${one.broken}`, one] as const))('%s', ([, one]) => {
  test.for(Object.entries(READERS))('%s', async ([name, read], { task }) => {
    const { location, io } = corruptFixture(one);
    await baseReads(one.base, name, read);
    const { result, peakBytes } = await guard.run(`${one.case} (${one.broken})`, LIMIT_MS, () =>
      outcomeOf(async () => read(await Table.load(location, { io }))),
    );
    task.meta.peakBytes = peakBytes;
    checkOutcome(one, result);
    expect(peakBytes, 'bytes of memory').toBeLessThan(LIMIT_BYTES);
  });
});

const good = new Map<string, Promise<void>>();

/** The table as it was before something was broken in it, without which an error would prove nothing. */
function baseReads(base: string, reader: string, read: (table: Table) => Promise<string[]>): Promise<void> {
  const key = `${base} ${reader}`;
  let reads = good.get(key);
  if (!reads) {
    reads = loadFixture(expectedTable(base)).then(async (table) =>
      expect(await read(table), `the unbroken ${base}`).toEqual(expectedRows(`expected/${base}/current.jsonl`)),
    );
    good.set(key, reads);
  }
  return reads;
}

type Outcome = { readonly rows: readonly string[] } | { readonly error: unknown };

async function outcomeOf(read: () => Promise<readonly string[]>): Promise<Outcome> {
  try {
    return { rows: await read() };
  } catch (error) {
    return { error };
  }
}

function checkOutcome(one: CorruptCase, outcome: Outcome): void {
  const mayFail = /typed (?:unsupported )?error/.test(one.expect);
  const mayRead = /(?<!wrong )rows/.test(one.expect);
  expect(mayFail || mayRead, `nobody knows what '${one.expect}' asks for`).toBe(true);
  if ('rows' in outcome) {
    if (!mayRead) throw new Error(`${outcome.rows.length} rows where only this is right: ${one.expect}`);
    expect(outcome.rows).toEqual(expectedRows(one.rowsFile ?? `expected/${one.base}/current.jsonl`));
    return;
  }
  const { error } = outcome;
  if (!mayFail || !isLakehouseError(error)) throw error;
  expect(error.message.length, 'a sentence').toBeGreaterThan(20);
}
