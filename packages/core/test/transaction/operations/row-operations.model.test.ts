import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeletionVector } from '../../../src/manifest/content-problem.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { snapshotForRef } from '../../../src/spec/metadata-accessors.ts';
import { FORMAT_VERSIONS, newTable, orphans } from '../../table/support.ts';
import type { ModelRow, TrackedRow } from './model.ts';
import * as steps from './steps.ts';
import type { ModelTable, Step } from './steps.ts';

const SHAPE = schema({ id: t.long().required(), k: t.int(), city: t.string(), x: t.double() }, { identifier: ['id'] });

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: steps.append },
  { weight: 3, arbitrary: steps.remove },
  { weight: 3, arbitrary: steps.update },
  { weight: 3, arbitrary: steps.upsert },
  { weight: 3, arbitrary: steps.merge },
  { weight: 1, arbitrary: steps.overwrite },
  { weight: 1, arbitrary: steps.overwritePartitions },
  { weight: 2, arbitrary: steps.equalityDeletes },
  { weight: 2, arbitrary: steps.positionDeletes },
  { weight: 2, arbitrary: steps.transaction },
  { weight: 2, arbitrary: steps.respec },
  { weight: 1, arbitrary: steps.upgrade },
  { weight: 1, arbitrary: steps.addColumn },
);

/** Prints by its name. */
const step = anyStep.map((one) => ({ ...one, [fc.toStringMethod]: () => one.name }));

const properties = fc.record({
  'write.delete.granularity': fc.constantFrom('file', 'partition'),
  'write.delete.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'write.update.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'write.merge.mode': fc.constantFrom('copy-on-write', 'merge-on-read'),
  'commit.manifest.min-count-to-merge': fc.constantFrom('2', '100'),
});

interface Lineage {
  readonly rowId: bigint | null;
  readonly sequenceNumber: bigint | null;
}

interface Found {
  readonly rows: readonly ModelRow[];
  readonly lineage: ReadonlyMap<bigint, Lineage>;
}

async function readAll(table: ModelTable, ref: string): Promise<Found> {
  const select = ['id', 'k', 'city', 'x', '_row_id', '_last_updated_sequence_number'] as const;
  const found = await table.scan({ ref, select }).toRows();
  const lineage = new Map(
    found.map((row): [bigint, Lineage] => [
      row.id,
      { rowId: row._row_id, sequenceNumber: row._last_updated_sequence_number },
    ]),
  );
  return { rows: found.map(({ id, k, city, x }) => ({ id, k, city, x })), lineage };
}

function sorted(rows: readonly ModelRow[]): readonly ModelRow[] {
  return rows.toSorted((a, b) => Number(a.id - b.id));
}

/** Spec: "Row Lineage". Rows from before the upgrade to v3 have none until the first commit after it. */
function checkLineage(
  rows: readonly TrackedRow[],
  before: Found,
  after: Found,
  table: ModelTable,
  nextRowId: bigint,
): void {
  const sequenceNumber = table.metadata.lastSequenceNumber;
  expect(new Set([...after.lineage.values()].map(({ rowId }) => rowId)).size).toBe(rows.length);
  for (const { row, fate } of rows) {
    const [was, is] = [before.lineage.get(row.id), after.lineage.get(row.id)!];
    if (was === undefined || was.rowId === null) {
      expect(is.rowId).toBeGreaterThanOrEqual(was === undefined ? nextRowId : 0n);
      if (fate === 'new') expect(is.sequenceNumber).toBeGreaterThan(0n);
    } else if (fate === 'kept') expect(is, `row ${row.id}`).toEqual(was);
    else if (fate === 'updated') expect(is, `row ${row.id}`).toEqual({ rowId: was.rowId, sequenceNumber });
  }
}

/** Every delete file fits the format version, and no data file has two deletion vectors (planning would fail). */
async function checkDeleteFiles(table: ModelTable, ref: string): Promise<void> {
  for (const { deletes } of (await table.scan({ ref }).plan()).tasks) {
    const positions = deletes.filter(({ file }) => file.content === 'position-deletes');
    if (table.formatVersion === 1) expect(deletes).toEqual([]);
    if (positions.some(({ file }) => isDeletionVector(file))) expect(positions.length).toBe(1);
  }
}

test('any sequence of operations leaves the rows that a model has, in every mode, version, spec and schema', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 10 }),
      fc.constantFrom(...FORMAT_VERSIONS),
      properties,
      fc.constantFrom(undefined, 'audit'),
      async (sequence, formatVersion, tableProperties, branch) => {
        const table: ModelTable = await newTable<ModelRow>({
          schema: SHAPE,
          formatVersion,
          properties: tableProperties,
        });
        const ref = branch ?? 'main';
        let nextId = 0n;
        const newId = (): bigint => nextId++;
        let rows: readonly ModelRow[] = [{ id: newId(), k: 1, city: 'Seoul', x: 1 }];
        await table.append(rows);
        if (branch !== undefined) await table.createBranch(branch);
        let before = await readAll(table, ref);
        for (const { run } of sequence) {
          const { nextRowId } = table.metadata;
          const { formatVersion: version, metadataLocation } = {
            ...table.metadata,
            metadataLocation: table.metadataLocation,
          };
          const result = await run({ table, rows, branch, newId });
          if (result === null) continue;
          const after = await readAll(table, ref);
          rows = result.rows.map(({ row }) => row);
          expect(sorted(after.rows)).toEqual(sorted(rows));
          expect(result.commit.changed).toBe(result.changes);
          if (!result.changes) expect(table.metadataLocation).toBe(metadataLocation);
          if (version === 3 && result.changes) checkLineage(result.rows, before, after, table, nextRowId);
          await checkDeleteFiles(table, ref);
          before = after;
        }
        expect(await orphans(table, table.io)).toEqual([]);
        const summary = snapshotForRef(table.metadata, ref)!.summary;
        const { tasks } = await table.scan({ ref }).plan();
        expect(summary['total-data-files']).toBe(String(tasks.length));
        expect(summary['total-records']).toBe(String(tasks.reduce((sum, { file }) => sum + file.recordCount, 0)));
      },
    ),
    { numRuns: 25 },
  );
});
