import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { Table } from '../../src/table.ts';
import { newTable } from './support.ts';

interface Lineage {
  readonly rowId: bigint;
  readonly sequenceNumber: bigint;
}

async function lineageOf(table: Table, ref: string): Promise<ReadonlyMap<bigint, Lineage>> {
  const select = ['id', '_row_id', '_last_updated_sequence_number'];
  const rows = await table.scan({ ref, select }).toRows();
  return new Map(
    rows.map((row) => [
      row['id'] as bigint,
      { rowId: row['_row_id'] as bigint, sequenceNumber: row['_last_updated_sequence_number'] as bigint },
    ]),
  );
}

test('a row keeps its id and sequence number whatever is appended and merged, on every branch', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constantFrom('append', 'append-on-branch'), rows: fc.integer({ min: 1, max: 3 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constantFrom('upgrade', 'transaction', 'respec'),
        rows: fc.integer({ min: 1, max: 3 }),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 12 }),
      fc.integer({ min: 2, max: 4 }),
      fc.constantFrom(1 as const, 2 as const, 3 as const),
      async (steps, minCount, formatVersion) => {
        const table = await newTable({
          schema: schema({ id: t.long().required() }),
          formatVersion,
          properties: { 'commit.manifest.min-count-to-merge': String(minCount) },
        });
        let next = 0n;
        const newRows = (count: number): { id: bigint }[] => Array.from({ length: count }, () => ({ id: next++ }));
        await table.append(newRows(1));
        await table.createBranch('branch');
        const known: Record<string, ReadonlyMap<bigint, Lineage>> = {};
        for (const { op, rows } of steps) {
          if (op === 'append') await table.append(newRows(rows));
          if (op === 'append-on-branch') await table.append(newRows(rows), { branch: 'branch' });
          if (op === 'upgrade' && table.formatVersion < 3)
            await table.upgradeFormatVersion(table.formatVersion === 1 ? 2 : 3);
          if (op === 'respec' && table.spec.fields.length === 0)
            await table.updateSpec((p) => p.add(partitionBy.bucket(2, 'id')));
          if (op === 'transaction') {
            await table.transaction(async (tx) => {
              for (let i = 0; i < rows; i++) await tx.append(newRows(2));
            });
          }
          if (table.formatVersion < 3) continue;
          for (const ref of ['main', 'branch']) {
            const lineage = await lineageOf(table, ref);
            // Rows from before the upgrade get their ids with the first commit to each branch after it.
            const assigned = new Map([...lineage].filter(([, { rowId }]) => rowId !== null));
            const rowIds = new Set([...assigned.values()].map(({ rowId }) => rowId));
            expect(rowIds.size).toBe(assigned.size);
            for (const rowId of rowIds) expect(rowId).toBeLessThan(table.metadata.nextRowId);
            for (const [id, before] of known[ref] ?? []) expect(lineage.get(id)).toEqual(before);
            known[ref] = assigned;
          }
        }
        expect(await table.scan().count()).toBe((await table.scan().toRows()).length);
      },
    ),
    { numRuns: runs(15) },
  );
});
