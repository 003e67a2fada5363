import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ManifestFile } from '../../src/spec/manifest.ts';
import type { ManifestMergePolicy } from '../../src/spec/table-properties.ts';
import { isSameManifest, planMerges } from '../../src/transaction/manifest-merge.ts';

function manifest(path: string, length: number, partitionSpecId = 0): ManifestFile {
  return {
    path,
    length,
    partitionSpecId,
    content: 'data',
    sequenceNumber: 1n,
    minSequenceNumber: 1n,
    addedSnapshotId: 1n,
    addedFilesCount: 1,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: 1,
    existingRowsCount: 0,
    deletedRowsCount: 0,
    partitions: [],
    keyMetadata: null,
    firstRowId: null,
  };
}

const policy = (options: Partial<ManifestMergePolicy> = {}): ManifestMergePolicy => ({
  enabled: true,
  minCountToMerge: 100,
  targetSizeBytes: 1000,
  ...options,
});

const paths = (manifests: readonly ManifestFile[]): string[] => manifests.map((one) => one.path);

describe('planMerges', () => {
  test('nothing is merged below the minimum count, everything at it', () => {
    const parent = [manifest('b', 10), manifest('a', 10)];
    expect(planMerges([manifest('new', 10)], parent, policy({ minCountToMerge: 4 }))).toEqual([]);
    expect(planMerges([manifest('new', 10)], parent, policy({ minCountToMerge: 3 }))).toEqual([
      { withNew: true, inputs: parent },
    ]);
  });

  test('bins are filled from the oldest manifest, so that the newest one grows', () => {
    const parent = ['d', 'c', 'b', 'a'].map((path) => manifest(path, 400));
    const groups = planMerges([manifest('new', 400)], parent, policy({ minCountToMerge: 3 }));
    expect(groups.map((group) => [group.withNew, ...paths(group.inputs)])).toEqual([
      [false, 'd', 'c'],
      [false, 'b', 'a'],
    ]);
  });

  test('a manifest above the target size stays alone', () => {
    const parent = [manifest('b', 10), manifest('large', 5000), manifest('a', 10)];
    expect(planMerges([manifest('new', 10)], parent, policy({ minCountToMerge: 2 }))).toEqual([
      { withNew: true, inputs: [parent[0]] },
    ]);
  });

  test('manifests of other specs rest, and nothing is merged when it is turned off', () => {
    const parent = [manifest('b', 10, 1), manifest('a', 10, 1)];
    expect(planMerges([manifest('new', 10, 0)], parent, policy({ minCountToMerge: 2 }))).toEqual([]);
    expect(planMerges([manifest('new', 10, 1)], parent, policy({ minCountToMerge: 2, enabled: false }))).toEqual([]);
  });

  test('every manifest is merged at most once, in order, into bins of at most the target size', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 30 });
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 10 }),
        (old, length, minCount) => {
          const parent = old.map((one, i) => manifest(`m${i}`, one));
          const groups = planMerges([manifest('new', length)], parent, policy({ minCountToMerge: minCount }));
          const merged = groups.flatMap((group) => group.inputs.map((one) => parent.indexOf(one)));
          expect(merged).toEqual([...new Set(merged)].toSorted((a, b) => a - b));
          for (const { withNew, inputs } of groups) {
            const size = inputs.reduce((sum, one) => sum + one.length, withNew ? length : 0);
            expect(size).toBeLessThanOrEqual(1000);
            expect(inputs.length + (withNew ? 1 : 0)).toBeGreaterThanOrEqual(withNew ? Math.max(2, minCount) : 2);
          }
          // One append after the other keeps the number of manifests bounded by the minimum count and full bins.
          expect(groups.filter((group) => group.withNew).length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

test('a manifest whose row ids or sequence number were assigned since is not the one that was merged', () => {
  const before = manifest('a', 10);
  expect(isSameManifest(before, { ...before })).toBe(true);
  expect(isSameManifest(before, { ...before, firstRowId: 0n })).toBe(false);
  expect(isSameManifest(before, { ...before, sequenceNumber: 2n })).toBe(false);
});
