import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import type { FormatVersion } from '../../src/spec/table-metadata.ts';
import { rowText } from '../changes/multiset.ts';
import type { RandomTable } from '../changes/random-table.ts';
import { listFiles } from '../table/support.ts';
import { naiveRetention, reachableFiles } from './expiry-model.ts';
import { moreHistory, randomHistory } from './random-history.ts';

const HOUR_MS = 60 * 60 * 1000;

const histories = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
  formatVersion: fc.constantFrom<FormatVersion>(1, 2, 2, 3, 3),
  partitioned: fc.boolean(),
  sharedDeletes: fc.boolean(),
});

const wishes = fc.record(
  {
    ageHours: fc.integer({ min: 0, max: 60 }),
    retainLast: fc.integer({ min: 1, max: 5 }),
    byId: fc.integer({ min: 0, max: 100 }),
    cleanExpiredMetadata: fc.boolean(),
  },
  { requiredKeys: ['cleanExpiredMetadata'] },
);

/** Rows of each snapshot that may be read. */
async function rowsBySnapshot({ table }: RandomTable): Promise<ReadonlyMap<bigint, readonly string[]>> {
  const rows = new Map<bigint, readonly string[]>();
  for (const { snapshotId } of table.snapshots()) {
    const found = await table.scan({ snapshotId }).toRows();
    rows.set(snapshotId, found.map(rowText).toSorted());
  }
  return rows;
}

/** Data, manifests and lists: all but versions of the metadata. */
async function filesOf({ io }: RandomTable): Promise<readonly string[]> {
  return (await listFiles(io, 'memory:/wh/')).filter((file) => !file.endsWith('.metadata.json'));
}

async function expireAndCheck(random: RandomTable, wish: Parameters<typeof optionsOf>[1]): Promise<void> {
  const { io, runtime, table } = random;
  const options = optionsOf(random, wish);
  const before = table.metadata;
  const nowMs = runtime.now();
  const { snapshotIds, olderThan: olderThanMs, retainLast } = options;
  const kept = naiveRetention(before, {
    nowMs,
    snapshotIds,
    ...(olderThanMs !== undefined && { olderThanMs }),
    ...(retainLast !== undefined && { retainLast }),
  });
  const rows = await rowsBySnapshot(random);
  const reached = await reachableFiles(io, before);
  const filesBefore = await filesOf(random);

  const planned = await table.expireSnapshots({ ...options, dryRun: true });
  expect(await filesOf(random)).toEqual(filesBefore);
  const report = await table.expireSnapshots(options);
  expect({ ...report, dryRun: true }).toEqual(planned);

  const after = table.metadata;
  expect(new Set(after.snapshots.map(({ snapshotId }) => snapshotId))).toEqual(kept.snapshots);
  expect(new Set(Object.keys(after.refs))).toEqual(kept.refs);
  expect(report.snapshotIds).toHaveLength(before.snapshots.length - after.snapshots.length);
  const rowsAfter = await rowsBySnapshot(random);
  for (const [snapshotId, found] of rowsAfter) expect(found).toEqual(rows.get(snapshotId));

  const needed = await reachableFiles(io, after);
  const expected = filesBefore.filter((file) => !reached.has(file) || needed.has(file));
  expect(await filesOf(random)).toEqual(expected);
  for (const file of needed) expect(expected).toContain(file);
  const counts = Object.entries(report).flatMap(([name, value]) => (name.startsWith('deleted') ? [Number(value)] : []));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(filesBefore.length - expected.length);
  expect(report.failed).toEqual([]);
}

function optionsOf(
  { table, runtime }: RandomTable,
  wish: {
    readonly ageHours?: number;
    readonly retainLast?: number;
    readonly byId?: number;
    readonly cleanExpiredMetadata: boolean;
  },
) {
  const { ageHours, retainLast, byId, cleanExpiredMetadata } = wish;
  const atRefs = new Set(Object.values(table.refs()).map(({ snapshotId }) => snapshotId));
  const free = table.snapshots().filter(({ snapshotId }) => !atRefs.has(snapshotId));
  const chosen = byId === undefined ? undefined : free[byId];
  return {
    cleanExpiredMetadata,
    snapshotIds: chosen === undefined ? [] : [chosen.snapshotId],
    ...(retainLast !== undefined && { retainLast }),
    ...(ageHours !== undefined && { olderThan: runtime.now() - ageHours * HOUR_MS }),
  };
}

test('what stays reads as before, and nothing else stays', { timeout: 200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, wishes, wishes, async (options, first, second) => {
      const random = await randomHistory(options, 14);
      await expireAndCheck(random, first);
      await moreHistory(random, 5);
      await expireAndCheck(random, second);
    }),
    { numRuns: runs(12), endOnFailure: true },
  );
});
