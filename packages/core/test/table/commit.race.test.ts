import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { isLakehouseError } from '../../src/errors.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import type { Fault, FaultRule } from '../../src/testing/fault-injecting-file-io.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { newTable, openCatalog, orphans } from './support.ts';

const shape = schema({ id: t.long().required() });

// The codec is loaded from disk once, which the seeded clock knows nothing of.
beforeAll(async () => {
  const table = await newTable({ schema: shape });
  await table.append([{ id: 1n }]);
  await table.scan().toRows();
});

const scenarios = fc.record({
  seed: fc.integer(),
  writers: fc.integer({ min: 2, max: 3 }),
  commits: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.integer({ min: 1, max: 400 }),
  minCountToMerge: fc.integer({ min: 2, max: 6 }),
  formatVersion: fc.constantFrom(1 as const, 2 as const, 3 as const),
  retries: fc.integer({ min: 0, max: 2 }),
});
type Scenario = typeof scenarios extends fc.Arbitrary<infer T> ? T : never;

/** Writers with catalogs of their own append row by row to one table; the same seed gives the same interleaving. */
async function race(scenario: Scenario, rules: readonly FaultRule[]) {
  const { seed, writers, commits, latencyMs, formatVersion } = scenario;
  const memory = new MemoryFileIO();
  const runtime = new SeededRuntime(seed);
  const setup = await openCatalog('file-system', { io: memory, runtime });
  const properties = {
    'commit.retry.num-retries': String(scenario.retries),
    'commit.manifest.min-count-to-merge': String(scenario.minCountToMerge),
  };
  const table = await setup.createTable('db.t', { schema: shape, formatVersion, properties });
  const [acknowledged, failed]: [bigint[], { id: bigint; error: unknown }[]] = [[], []];
  const io = new FaultInjectingFileIO(memory, { runtime, latencyMs, rules });
  const write = async (writer: number): Promise<void> => {
    // A handle of its own for each row, as its load may fail, too.
    for (let i = 0; i < commits; i++) {
      const id = BigInt(writer * 100 + i);
      try {
        const own = await (await openCatalog('file-system', { io, runtime })).loadTable('db.t');
        await own.append([{ id }]);
        acknowledged.push(id);
      } catch (error) {
        failed.push({ id, error });
      }
    }
  };
  const results = await runtime.run(Array.from({ length: writers }, (_, writer) => () => write(writer)));
  for (const result of results) if (result.status === 'rejected') throw result.reason as Error;
  await table.refresh();
  const ids = (await table.scan().toRows()).map((row) => row.id);
  return { table, memory, acknowledged, failed, ids };
}

const sorted = (list: readonly bigint[]): readonly bigint[] => list.toSorted((a, b) => (a < b ? -1 : 1));

test('whatever the interleaving of writers, every acknowledged commit is in the table, once', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      const { table, memory, acknowledged, failed, ids } = await race(scenario, []);
      for (const { error } of failed) if (!isLakehouseError(error, 'COMMIT_CONFLICT')) throw error;
      expect(sorted(ids)).toEqual(sorted(acknowledged));
      expect(table.snapshots()).toHaveLength(acknowledged.length);
      expect(await table.scan().count()).toBe(acknowledged.length);
      expect(table.currentSnapshot()?.summary['total-records'] ?? '0').toBe(String(acknowledged.length));
      expect(await orphans(table, memory)).toEqual([]);
      if (table.formatVersion < 3) return;
      const rows = await table.scan({ select: ['_row_id'] }).toRows();
      expect(new Set(rows.map((row) => row['_row_id'])).size).toBe(acknowledged.length);
    }),
    { numRuns: runs(15) },
  );
});

test('a store that fails loses no acknowledged commit, and what failed for sure is not there', async () => {
  const faults = fc.array(
    fc.record({
      fault: fc.constantFrom<Fault>('fail-before', 'fail-after', 'fail-late', 'delay', 'partial'),
      operation: fc.constantFrom('read', 'write', 'list', 'stat', 'delete'),
      percent: fc.integer({ min: 1, max: 25 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  let [acknowledgedRows, failedRows] = [0, 0];
  await fc.assert(
    fc.asyncProperty(scenarios, faults, async (scenario, picked) => {
      const rules = picked.map(({ fault, operation, percent }) => ({
        fault,
        operations: [operation],
        probability: percent / 100,
        delayMs: 2000,
      }));
      const { ids, acknowledged, failed } = await race(scenario, rules);
      acknowledgedRows += acknowledged.length;
      failedRows += failed.length;
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining([...acknowledged]));
      for (const { id, error } of failed) {
        if (!isLakehouseError(error)) throw error;
        if (error.code !== 'COMMIT_STATE_UNKNOWN') expect(ids, error.message).not.toContain(id);
      }
    }),
    { numRuns: runs(25) },
  );
  // The faults must not be so many, or so few, that nothing is shown.
  expect(acknowledgedRows).toBeGreaterThan(0);
  expect(failedRows).toBeGreaterThan(0);
});
