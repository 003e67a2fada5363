import fc from 'fast-check';
import { expect, test } from 'vitest';

import { columnBuilder } from '../../src/columns/builder.ts';
import { columnReader } from '../../src/columns/column-reader.ts';
import type { VariableColumn } from '../../src/columns/column.ts';
import { boundColumn } from '../../src/inspect/bound-column.ts';
import { valueToBytes } from '../../src/spec/single-value.ts';
import type { PrimitiveType } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { orderedType, valueOf } from '../spec/arbitraries.ts';

function boundsOf(bytes: readonly Uint8Array[]): VariableColumn {
  const builder = columnBuilder({ kind: 'binary' });
  for (const one of bytes) builder.append(one);
  return builder.finish() as VariableColumn;
}

function values(type: PrimitiveType, bytes: readonly Uint8Array[], rows: readonly number[]): readonly Value[] {
  const read = columnReader(type, boundColumn(type, boundsOf(bytes), Int32Array.from(rows)));
  return rows.map((_, row) => read(row));
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

test('bounds of every type are the values that they were made of, in any order, null where there are none', () => {
  const cases = orderedType.chain((type) =>
    fc.array(valueOf(type), { minLength: 1, maxLength: 5 }).chain((bounds) =>
      fc.record({
        type: fc.constant(type),
        bounds: fc.constant(bounds),
        rows: fc.array(fc.integer({ min: -1, max: bounds.length - 1 }), { maxLength: 8 }),
      }),
    ),
  );
  fc.assert(
    fc.property(cases, ({ type, bounds, rows }) => {
      const bytes = bounds.map((value) => valueToBytes(type, value));
      expect(values(type, bytes, rows)).toEqual(rows.map((row) => (row < 0 ? null : bounds[row])));
    }),
    { numRuns: 200 },
  );
});

test.for<[string, PrimitiveType, readonly string[], readonly Value[]]>([
  ['from before an int was a long', { kind: 'long' }, ['05000000', '0600000000000000'], [5n, 6n]],
  ['of a wrong length', { kind: 'int' }, ['05', '06000000'], [null, 6]],
  ['text that was cut within a character', { kind: 'string' }, ['61e282', '62'], ['a\ufffd', 'b']],
  ['of another width', { kind: 'fixed', length: 2 }, ['0102', '01'], [hex('0102'), null]],
  ['of too many digits', { kind: 'decimal', precision: 2, scale: 1 }, ['63', '64'], [99n, null]],
  ['no boolean', { kind: 'boolean' }, ['00', ''], [false, null]],
])('%s', ([, type, bytes, expected]) => {
  expect(values(type, bytes.map(hex), [0, 1])).toEqual(expected);
});

test('bounds of geometries are points, with as many coordinates as they have', () => {
  const doubles = (...numbers: number[]): Uint8Array => new Uint8Array(Float64Array.from(numbers).buffer);
  const wkb = (type: number, ...numbers: number[]): Uint8Array =>
    Uint8Array.from([1, ...new Uint8Array(Uint32Array.of(type).buffer), ...doubles(...numbers)]);
  const bounds = [doubles(1, 2), doubles(1, 2, 3), doubles(1, 2, 3, 4), doubles(1, 2, NaN, 4), doubles(1)];
  const points = [wkb(1, 1, 2), wkb(1001, 1, 2, 3), wkb(3001, 1, 2, 3, 4), wkb(2001, 1, 2, 4), null];
  expect(values({ kind: 'geometry', crs: null }, bounds, [0, 1, 2, 3, 4])).toEqual(points);
});
