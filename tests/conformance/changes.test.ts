import { describe, expect, test } from 'vitest';

import { schemaForSnapshot } from '../../packages/core/src/spec/metadata-accessors.ts';
import { ancestorPairs, difference, readChanges, stateReader } from './changes.ts';
import type { Multiset } from './changes.ts';
import { expectedTables, loadFixture } from './fixtures.ts';

// The changes from any snapshot to any later one are the difference of what is read at the one and at the other.

const counts = { 'pairs of snapshots': 0, 'changed rows': 0, 'tables followed': 0 };

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  test('changes are the difference of two reads', { timeout: 300_000 }, async () => {
    const table = await loadFixture(expected);
    const read = stateReader(table);
    for (const { from, to } of ancestorPairs(table)) {
      const schema = schemaForSnapshot(table.metadata, to);
      const changes = table.changes({ from: from?.snapshotId ?? null, to: to.snapshotId });
      const { sum, rows } = await readChanges(changes, schema);
      expectSame(sum, difference(await read(from, schema), await read(to, schema)));
      counts['pairs of snapshots']++;
      counts['changed rows'] += rows;
    }
  });

  test('followed from nothing, it is what is read', { timeout: 300_000 }, async () => {
    const table = await loadFixture(expected);
    const read = stateReader(table);
    const head = table.currentSnapshot();
    const rows = new Map<string, number>();
    for await (const step of head === null ? [] : table.follow({ after: null, intervalMs: 0 })) {
      await readChanges(step.changes, table.schema, rows);
      if (step.position.snapshotId === String(head!.snapshotId)) break;
    }
    expectSame(rows, await read(head, table.schema));
    counts['tables followed']++;
  });
});

test('all of them', ({ task }) => {
  task.meta.outcomes = counts;
  expect(counts['pairs of snapshots']).toBeGreaterThan(0);
});

/** Says what differs, not all that there is. */
function expectSame(found: Multiset, expected: Multiset): void {
  expect([...difference(expected, found)].slice(0, 10)).toEqual([]);
}
