import fc from 'fast-check';
import { expect, test } from 'vitest';

import { runs } from '../../../../../tests/support/runs.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { newTable } from '../../table/support.ts';

const SHAPE = schema({ id: t.int().required(), city: t.string(), x: t.double(), n: t.long() });
type Row = { id: number; city: string | null; x: number | null; n: bigint | null };

const values = fc.record({
  city: fc.constantFrom(null, 'a', 'b'),
  x: fc.constantFrom(null, 0, -0, Number.NaN),
  n: fc.constantFrom(null, 1n, 2n),
});
const rows: fc.Arbitrary<readonly Row[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 8 })
  .chain((ids) => fc.tuple(...ids.map((id) => values.map((rest) => ({ id, ...rest })))));

function same(a: Row, b: Row): boolean {
  return (Object.keys(a) as (keyof Row)[]).every((name) => Object.is(a[name], b[name]));
}

function byId(all: readonly Row[]): readonly Row[] {
  return all.toSorted((a, b) => a.id - b.id);
}

test('an upsert by delete files writes the rows that differ, whichever column tells, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(2, 3), rows, fc.nat(), rows, async (formatVersion, before, deleted, upserted) => {
      const table = await newTable<Row>({ schema: SHAPE, formatVersion }, {});
      for (const half of [before.slice(0, 4), before.slice(4)]) if (half.length > 0) await table.append(half);
      await table.delete(`id = ${deleted % 16}`, { mode: 'merge-on-read' });
      const left = before.filter(({ id }) => id !== deleted % 16);
      const changes = upserted.filter((row) => !left.some((one) => same(one, row)));
      const commit = await table.upsert(upserted, { on: 'id', mode: 'merge-on-read' });
      expect(commit.changed).toBe(changes.length > 0);
      if (commit.changed) expect(commit.summary['added-records']).toBe(String(changes.length));
      const kept = left.filter(({ id }) => !upserted.some((row) => row.id === id));
      expect(byId(await table.scan().toRows())).toEqual(byId([...kept, ...upserted]));
    }),
    { numRuns: runs(40) },
  );
});

test('columns are compared where all but keys are alike, and where there are none but keys', async () => {
  const keys = await newTable<{ id: number }>({ schema: schema({ id: t.int().required() }), formatVersion: 2 }, {});
  await keys.append([{ id: 1 }]);
  expect((await keys.upsert([{ id: 1 }], { on: 'id', mode: 'merge-on-read' })).changed).toBe(false);
  const texts = await newTable<{ id: number; city: string | null }>(
    { schema: schema({ id: t.int().required(), city: t.string() }), formatVersion: 3 },
    {},
  );
  await texts.append([
    { id: 1, city: 'a' },
    { id: 2, city: null },
  ]);
  const commit = await texts.upsert(
    [
      { id: 1, city: 'a' },
      { id: 2, city: 'b' },
    ],
    { on: 'id', mode: 'merge-on-read' },
  );
  expect(commit.summary['added-records']).toBe('1');
});
