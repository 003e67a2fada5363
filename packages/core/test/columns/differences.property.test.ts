import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { markDifferences } from '../../src/columns/differences.ts';
import { valuesEqual } from '../../src/spec/compare-values.ts';
import { schema as anySchema, valueOf } from '../spec/arbitraries.ts';
import { batchOf } from '../write/support.ts';

test('rows differ where a comparison of their values says so, for every type', () => {
  const cases = anySchema.chain((shape) => {
    const pools = shape.fields.map(({ type }) => fc.array(valueOf(type), { minLength: 1, maxLength: 2 }));
    return fc.tuple(...pools).chain((values) => {
      const row = fc.tuple(...values.map((pool) => fc.constantFrom(null, ...pool)));
      return fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 12 }).map((pairs) => ({ shape, pairs }));
    });
  });
  fc.assert(
    fc.property(cases, ({ shape, pairs }) => {
      const [a, b] = [0, 1].map(
        (side) =>
          batchOf(
            shape,
            pairs.map((pair) => pair[side]!),
          ).columns,
      );
      shape.fields.forEach(({ type }, i) => {
        const flags = new Uint8Array(pairs.length);
        markDifferences(a![i]!, b![i]!, flags);
        const expected = pairs.map(([left, right]) => (valuesEqual(type, left[i]!, right[i]!) ? 0 : 1));
        expect([...flags]).toEqual(expected);
      });
    }),
    { numRuns: 150 },
  );
});
