import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinReads } from '../src/joined-reads.ts';

const MB = 1024 * 1024;
const read = fc.record({ offset: fc.nat(3 * MB), length: fc.integer({ min: 1, max: MB }) });
const close = fc.record({ offset: fc.nat(40_000), length: fc.integer({ min: 1, max: 3_000 }) });

test('groups hold each read once, are no longer than a request may be, and waste little', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(read), fc.array(close)), (reads) => {
      const groups = joinReads(reads);
      expect(groups.flat().toSorted(byOffset)).toEqual(reads.toSorted(byOffset));
      for (const group of groups) {
        const start = group[0]!.offset;
        const end = Math.max(...group.map(({ offset, length }) => offset + length));
        expect(group.every(({ offset }) => offset >= start)).toBe(true);
        expect(group.length === 1 || end - start <= 4 * MB).toBe(true);
        expect(end - start).toBeLessThanOrEqual(covered(group) * 1.125 + 4096 * group.length);
      }
    }),
    { numRuns: 300 },
  );
});

function byOffset(a: { offset: number; length: number }, b: { offset: number; length: number }): number {
  return a.offset - b.offset || a.length - b.length;
}

/** How many bytes are wanted by any of the reads. */
function covered(group: readonly { offset: number; length: number }[]): number {
  let [sum, end] = [0, 0];
  for (const { offset, length } of group) {
    sum += Math.max(0, offset + length - Math.max(offset, end));
    end = Math.max(end, offset + length);
  }
  return sum;
}
