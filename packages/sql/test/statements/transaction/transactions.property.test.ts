import { schema, t } from '@lh/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { Lakehouse } from '../../../src/index.ts';
import { openWarehouse } from '../../support.ts';

// Whatever statements come in whatever order: a session sees what it has done, others what was committed, and DuckDB's own
// tables go along.

type Step =
  | { readonly kind: 'begin' | 'commit' | 'rollback' | 'fail' }
  | { readonly kind: 'change'; readonly sql: string; readonly apply: (ids: readonly number[]) => readonly number[] };

const small = fc.integer({ min: 0, max: 9 });

const change: fc.Arbitrary<Step> = fc.oneof(
  fc.array(small, { minLength: 1, maxLength: 4 }).map((added) => ({
    kind: 'change' as const,
    sql: `INSERT INTO %t VALUES ${added.map((id) => `(${id})`).join(', ')}`,
    apply: (before: readonly number[]) => [...before, ...added],
  })),
  small.map((n) => ({
    kind: 'change' as const,
    sql: `INSERT INTO %t SELECT id + 10 FROM %t WHERE id < ${n}`,
    apply: (before: readonly number[]) => [...before, ...before.filter((id) => id < n).map((id) => id + 10)],
  })),
  small.map((n) => ({
    kind: 'change' as const,
    sql: `DELETE FROM %t WHERE id % 3 = ${n % 3}`,
    apply: (before: readonly number[]) => before.filter((id) => id % 3 !== n % 3),
  })),
  small.map((n) => ({
    kind: 'change' as const,
    sql: `UPDATE %t SET id = id + 1 WHERE id > ${n}`,
    apply: (before: readonly number[]) => before.map((id) => (id > n ? id + 1 : id)),
  })),
  fc.constant({ kind: 'change' as const, sql: 'TRUNCATE TABLE %t', apply: () => [] }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: change },
  ...(['begin', 'commit', 'rollback', 'fail'] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.constant<Step>({ kind }),
  })),
);

const { lake, catalog } = await openWarehouse();
let tables = 0;

/** What the model knows: the rows that are committed, and those of the open transaction. */
interface Model {
  committed: readonly number[];
  open: readonly number[] | null;
  hasFailed: boolean;
}

async function ids(by: Lakehouse, table: string): Promise<readonly number[]> {
  const rows = await (await by.sql(`SELECT id FROM ${table} ORDER BY id`)).rows();
  return rows.map(({ id }) => Number(id));
}

/** Runs a step; false if the statement failed. */
async function take(one: Step, table: string): Promise<boolean> {
  const statements =
    one.kind === 'change' ? [table, 'own'].map((name) => one.sql.replaceAll('%t', name)) : [CONTROL[one.kind]];
  try {
    for (const sql of statements) await lake.sql(sql);
    return true;
  } catch {
    return false;
  }
}

const CONTROL = { begin: 'BEGIN', commit: 'COMMIT', rollback: 'ROLLBACK', fail: "SELECT CAST('x' AS INTEGER)" };

/** Takes the step in the model, and tells whether it must succeed. */
function expected(one: Step, model: Model): boolean {
  switch (one.kind) {
    case 'begin':
      if (model.open !== null) return false;
      model.open = model.committed;
      model.hasFailed = false;
      return true;
    case 'commit':
    case 'rollback': {
      const { open, hasFailed } = model;
      if (open !== null && one.kind === 'commit' && !hasFailed) model.committed = open;
      model.open = null;
      return open !== null && (one.kind === 'rollback' || !hasFailed);
    }
    case 'fail':
      model.hasFailed = model.open !== null;
      return false;
    case 'change':
      if (model.open !== null && model.hasFailed) return false;
      if (model.open === null) model.committed = one.apply(model.committed);
      else model.open = one.apply(model.open);
      return true;
  }
}

const sorted = (list: readonly number[]): readonly number[] => list.toSorted((a, b) => a - b);

test('sessions see their transactions, and others what was committed', async () => {
  const other = await Lakehouse.open({ catalog });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 12 }),
      fc.constantFrom(2, 3),
      async (steps, formatVersion) => {
        const table = `ns.p${tables++}`;
        await catalog.createTable(table, { schema: schema({ id: t.long() }), formatVersion: formatVersion as 2 | 3 });
        await lake.sql('CREATE OR REPLACE TEMP TABLE own (id BIGINT)');
        const model: Model = { committed: [], open: null, hasFailed: false };
        for (const one of steps) {
          const mustSucceed = expected(one, model);
          // A BEGIN inside of a transaction that has failed is refused as every other statement.
          expect([one, await take(one, table)]).toEqual([one, mustSucceed]);
          if (model.open !== null && model.hasFailed) continue;
          const seen = sorted(model.open ?? model.committed);
          expect(await ids(lake, table)).toEqual(seen);
          expect(await ids(lake, 'own')).toEqual(seen);
          expect(await ids(other, table)).toEqual(sorted(model.committed));
        }
        if (model.open !== null) await lake.sql('ROLLBACK');
        expect(await ids(lake, table)).toEqual(sorted(model.committed));
        expect(await ids(lake, 'own')).toEqual(sorted(model.committed));
        const report = await (
          await catalog.loadTable(table)
        ).removeOrphanFiles({
          olderThan: new Date(Date.now() + 60_000),
          dryRun: true,
        });
        expect(report.orphanFiles).toEqual([]);
      },
    ),
    { numRuns: runs(8) },
  );
  await other.close();
}, 600_000);
