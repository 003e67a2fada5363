import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchBytes } from '../../src/columns/column.ts';
import { concatBatches } from '../../src/columns/concat.ts';
import { sliceBatch } from '../../src/columns/slice.ts';
import { takeBatch } from '../../src/columns/take.ts';
import { batchOf, rowsOf, schemaAndRows } from '../write/support.ts';

const cuts = fc.array(fc.nat(20), { maxLength: 3 });

test('rows taken from a batch are those rows, and -1 is a row of nulls', () => {
  fc.assert(
    fc.property(
      schemaAndRows,
      fc.array(fc.integer({ min: -1, max: 19 }), { maxLength: 30 }),
      ({ shape, rows }, picks) => {
        const indexes = picks.map((i) => (i < 0 ? i : i % rows.length));
        const taken = takeBatch(batchOf(shape, rows), Int32Array.from(indexes));
        expect(rowsOf(shape, taken)).toEqual(indexes.map((i) => (i < 0 ? shape.fields.map(() => null) : rows[i])));
      },
    ),
    { numRuns: 100 },
  );
});

test('slices are runs of rows, and joined again they are the whole', () => {
  fc.assert(
    fc.property(schemaAndRows, cuts, ({ shape, rows }, at) => {
      const batch = batchOf(shape, rows);
      const edges = [0, ...at.map((i) => i % (rows.length + 1)), rows.length].toSorted((a, b) => a - b);
      const slices = edges.slice(1).map((end, i) => sliceBatch(batch, edges[i]!, end));
      slices.forEach((slice, i) => expect(rowsOf(shape, slice)).toEqual(rows.slice(edges[i], edges[i + 1])));
      const joined = concatBatches(slices);
      expect(rowsOf(shape, joined)).toEqual(rows);
      // Slices of slices, joined to something else, start where they should.
      const middle = sliceBatch(joined, rows.length >> 1, rows.length);
      expect(rowsOf(shape, concatBatches([middle, batch]))).toEqual([...rows.slice(rows.length >> 1), ...rows]);
      expect(batchBytes(middle)).toBeLessThanOrEqual(batchBytes(joined));
    }),
    { numRuns: 100 },
  );
});
