import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { isLakehouseError } from '../../src/errors.ts';
import { openCatalog } from './support.ts';

const shape = schema({ id: t.long().required() });

test('whatever the interleaving of writers, every acknowledged commit is in the table, once', async () => {
  const scenario = fc.record({
    seed: fc.integer(),
    writers: fc.integer({ min: 2, max: 3 }),
    commits: fc.integer({ min: 1, max: 3 }),
    latencyMs: fc.integer({ min: 1, max: 400 }),
    minCountToMerge: fc.integer({ min: 2, max: 6 }),
    formatVersion: fc.constantFrom(1 as const, 2 as const, 3 as const),
    retries: fc.integer({ min: 0, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(
      scenario,
      async ({ seed, writers, commits, latencyMs, minCountToMerge, formatVersion, retries }) => {
        const memory = new MemoryFileIO();
        const runtime = new SeededRuntime(seed);
        const setup = await openCatalog('file-system', { io: memory, runtime });
        const properties = {
          'commit.retry.num-retries': String(retries),
          'commit.manifest.min-count-to-merge': String(minCountToMerge),
        };
        const created = await setup.createTable('db.t', { schema: shape, formatVersion, properties });
        const acknowledged: bigint[] = [];
        const io = new FaultInjectingFileIO(memory, { runtime, latencyMs });
        const write = async (writer: number): Promise<void> => {
          const catalog = await openCatalog('file-system', { io, runtime });
          const table = await catalog.loadTable('db.t');
          for (let i = 0; i < commits; i++) {
            const id = BigInt(writer * 100 + i);
            try {
              await table.append([{ id }]);
              acknowledged.push(id);
            } catch (error) {
              if (!isLakehouseError(error, 'COMMIT_CONFLICT')) throw error;
            }
          }
        };
        const results = await runtime.run(Array.from({ length: writers }, (_, writer) => () => write(writer)));
        for (const result of results) if (result.status === 'rejected') throw result.reason as Error;

        const table = await created.refresh();
        const ids = (await table.scan().toRows()).map((row) => row['id'] as bigint);
        const sorted = (list: readonly bigint[]): readonly bigint[] => list.toSorted((a, b) => (a < b ? -1 : 1));
        expect(sorted(ids)).toEqual(sorted(acknowledged));
        expect(table.snapshots()).toHaveLength(acknowledged.length);
        expect(await table.scan().count()).toBe(acknowledged.length);
        expect(table.currentSnapshot()?.summary['total-records'] ?? '0').toBe(String(acknowledged.length));
        if (formatVersion === 3) expect(table.metadata.nextRowId).toBeGreaterThanOrEqual(BigInt(acknowledged.length));
      },
    ),
    { numRuns: 15 },
  );
});
