import { describe, expect, test } from 'vitest';

import { schemaForSnapshot } from '../../packages/core/src/spec/metadata-accessors.ts';
import { ancestorPairs, applied, changedRows, rowsOfChanges, stateReader } from './changes.ts';
import type { ChangedRow } from './changes.ts';
import { expectedTables, loadFixture } from './fixtures.ts';

// The changes from any snapshot to any later one are the difference of what is read at the one and at the other.

const counts = { 'pairs of snapshots': 0, 'changed rows': 0, 'tables followed': 0 };

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  test('changes are the difference of two reads', { timeout: 300_000 }, async () => {
    const table = await loadFixture(expected);
    const read = stateReader(table);
    for (const pair of ancestorPairs(table)) {
      const schema = schemaForSnapshot(table.metadata, pair.to);
      const changes = await changedRows(table, pair, schema);
      expect(applied(await read(pair.from, schema), changes)).toEqual(await read(pair.to, schema));
      checkOrder(changes);
      counts['pairs of snapshots']++;
      counts['changed rows'] += changes.length;
    }
  });

  test('followed from nothing, it is what is read', async () => {
    const table = await loadFixture(expected);
    const head = table.currentSnapshot();
    const changes: Omit<ChangedRow, 'ordinal' | 'snapshotId'>[] = [];
    for await (const step of head === null ? [] : table.follow({ after: null, intervalMs: 0 })) {
      changes.push(...(await rowsOfChanges(step.changes, table.schema)));
      if (step.position.snapshotId === String(head!.snapshotId)) break;
    }
    expect(applied(new Map(), changes)).toEqual(await stateReader(table)(head, table.schema));
    counts['tables followed']++;
  });
});

test('all of them', ({ task }) => {
  task.meta.outcomes = counts;
  expect(counts['pairs of snapshots']).toBeGreaterThan(0);
});

/** Snapshots follow each other; of each the deleted rows come first, and none of them is inserted again. */
function checkOrder(changes: readonly ChangedRow[]): void {
  const deleted = new Set<string>();
  for (const [i, { type, ordinal, snapshotId, text }] of changes.entries()) {
    const before = changes[i - 1];
    if (before?.snapshotId === snapshotId) {
      expect(ordinal).toBe(before.ordinal);
      if (before.type === 'insert') expect(type).toBe('insert');
    } else {
      expect(ordinal).toBeGreaterThan(before?.ordinal ?? -1);
      deleted.clear();
    }
    if (type === 'delete') deleted.add(text);
    else expect(deleted.has(text), text).toBe(false);
  }
}
