import fc from 'fast-check';
import { expect, test } from 'vitest';

import { findSnapshot, snapshotIndex, withSnapshot } from '../../src/spec/snapshot-index.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';

const snapshot = fc
  .record({ snapshotId: fc.bigInt(0n, 5n), sequenceNumber: fc.bigInt(0n, 9n) })
  .map((ids) => ids as Snapshot);

test('in lists that grow out of each other, each finds its own snapshots', () => {
  const growth = fc.array(fc.record({ from: fc.nat(), added: snapshot }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(snapshot, { maxLength: 3 }), growth, (first, steps) => {
      const lists: (readonly Snapshot[])[] = [first];
      for (const { from, added } of steps) lists.push(withSnapshot(lists[from % lists.length]!, added));
      for (const list of lists) {
        const ids = list.map((one) => one.snapshotId);
        const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
        for (let id = 0n; id <= 5n; id++) {
          if (!twice.includes(id)) expect(findSnapshot(list, id)).toBe(list.find((one) => one.snapshotId === id));
        }
        const { twice: found, highestSequenceNumber } = snapshotIndex(list);
        expect(found === null ? [] : [found]).toEqual(twice.slice(0, 1));
        expect(highestSequenceNumber).toBe(
          list.reduce((most, one) => (one.sequenceNumber > most ? one.sequenceNumber : most), -1n),
        );
      }
    }),
    { numRuns: 300 },
  );
});
