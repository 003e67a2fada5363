import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { orphans } from '../table/support.ts';
import { ChangeModel, round } from './change-model.ts';
import { ChangeTable } from './change-support.ts';

test.each([1, 2, 3] as const)('a table is what its changes made of it (format version %i)', async (formatVersion) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 3, maxLength: 14 }),
      fc.integer({ min: 2, max: 4 }),
      fc.boolean(),
      async (rounds, minCount, partitioned) => {
        const properties = { 'commit.manifest.min-count-to-merge': String(minCount) };
        const run = new ChangeModel(await ChangeTable.create({ formatVersion, partitioned, properties }));
        for (const { steps, meanwhile } of rounds) await run.commit(steps, meanwhile);
        const { table } = run.table;
        await table.refresh();
        expect(await orphans(table, run.table.io)).toEqual([]);
      },
    ),
    { numRuns: runs(15) },
  );
});
