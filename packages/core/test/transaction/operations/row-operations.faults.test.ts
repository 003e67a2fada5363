import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { isLakehouseError } from '../../../src/errors.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import type { FileIOCall } from '../../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { openCatalog, orphans } from '../../table/support.ts';
import { content } from './model.ts';
import type { ModelRow } from './model.ts';
import * as steps from './steps.ts';
import type { ModelTable } from './steps.ts';

const SHAPE = schema({ id: t.long().required(), k: t.int(), city: t.string(), x: t.double() });

const step = fc.oneof(
  steps.remove,
  steps.update,
  steps.upsert,
  steps.merge,
  steps.overwrite,
  steps.overwritePartitions,
  steps.equalityDeletes,
  steps.transaction,
);

const byId = (a: ModelRow, b: ModelRow): number => Number(a.id - b.id);

async function rowsOf(table: ModelTable): Promise<readonly ModelRow[]> {
  return (await table.scan({ select: ['id', 'k', 'city', 'x'] }).toRows()).toSorted(byId);
}

test('an operation that a store fails is as if it had not been, and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { minLength: 1, maxLength: 8 }),
      step,
      fc.constantFrom(2 as const, 3 as const),
      fc.constantFrom('read', 'write'),
      fc.nat(12),
      async (initial, one, formatVersion, operation, countdown) => {
        const inner = new MemoryFileIO();
        const catalog = await openCatalog('file-system', { io: inner });
        let nextId = 0n;
        const rows = initial.map((row): ModelRow => ({ id: nextId++, ...row }));
        const created = await catalog.createTable<ModelRow>('db.t', { schema: SHAPE, formatVersion });
        await created.append(rows.slice(0, 4));
        await created.append(rows.slice(4));
        const reader = (await catalog.loadTable('db.t')) as unknown as ModelTable;
        let left = countdown;
        // The catalog's own files are another test's.
        const when = ({ location }: FileIOCall): boolean =>
          !/v\d+\.metadata\.json|version-hint|probe-/.test(location) && left-- === 0;
        const rule = { fault: 'fail-before', operations: [operation], when, times: 1 } as const;
        const io = new FaultInjectingFileIO(inner, { rules: [rule], runtime: new SeededRuntime(3) });
        const faulty = await openCatalog('file-system', { io, runtime: new SeededRuntime(4) });
        const table = (await faulty.loadTable('db.t')) as unknown as ModelTable;
        const result = await one
          .run({ table, rows, branch: undefined, history: new Map(), newId: () => nextId++ })
          .catch((error: unknown) => {
            if (isLakehouseError(error, 'UNAVAILABLE')) return null;
            throw error;
          });
        await reader.refresh();
        const expected = result === null ? rows : result.rows.map(({ row }) => row);
        expect(await rowsOf(reader)).toEqual(expected.toSorted(byId));
        expect(await orphans(reader, inner)).toEqual([]);
      },
    ),
    { numRuns: runs(25) },
  );
});
