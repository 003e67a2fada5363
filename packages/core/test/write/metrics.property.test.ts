import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { compareValues } from '../../src/spec/compare-values.ts';
import { bytesToValue } from '../../src/spec/single-value.ts';
import type { PrimitiveType, StructType } from '../../src/spec/types.ts';
import { isPrimitive } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { batchOf, schemaAndRows, stream, write } from './support.ts';
import type { Row } from './support.ts';

/** The values of every leaf that is reached through structs alone, null where a struct is. */
function leafValues(shape: StructType, rows: readonly Row[]): { id: number; type: PrimitiveType; values: Value[] }[] {
  return shape.fields.flatMap(({ id, type }, i) => {
    const values = rows.map((row) => row[i] ?? null);
    if (type.kind === 'struct') {
      return leafValues(
        type,
        values.map((value) => (value === null ? [] : (value as readonly Value[]))),
      );
    }
    return isPrimitive(type) && type.kind !== 'unknown' ? [{ id, type, values }] : [];
  });
}

const WITHOUT_BOUNDS = new Set(['geometry', 'geography', 'variant']);
const modes = fc.constantFrom('none', 'counts', 'truncate(1)', 'truncate(4)', 'truncate(16)', 'full');
const rowGroupSize = fc.constantFrom('40', '100000');

test('counts are exact, and bounds are outer bounds of everything but NaN', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, modes, rowGroupSize, async ({ shape, rows }, mode, size) => {
      const { files } = await write(shape, stream(...rows.map((row) => batchOf(shape, [row]))), {
        properties: { 'write.metadata.metrics.default': mode, 'write.parquet.row-group-size-bytes': size },
      });
      const [file] = files;
      for (const { id, type, values } of leafValues(shape, rows)) {
        const present = values.filter((value) => value !== null);
        const floating = type.kind === 'float' || type.kind === 'double';
        const ordered = present.filter((value) => !Number.isNaN(value));
        if (mode === 'none') {
          for (const map of [file!.columnSizes, file!.valueCounts, file!.nullValueCounts, file!.lowerBounds])
            expect(map!.has(id)).toBe(false);
          continue;
        }
        expect(file!.columnSizes!.get(id)).toBeGreaterThan(0);
        expect(file!.valueCounts!.get(id)).toBe(rows.length);
        expect(file!.nullValueCounts!.get(id)).toBe(rows.length - present.length);
        expect(file!.nanValueCounts!.get(id)).toBe(floating ? present.length - ordered.length : undefined);
        const [lower, upper] = [file!.lowerBounds!.get(id), file!.upperBounds!.get(id)];
        if (mode === 'counts' || ordered.length === 0 || WITHOUT_BOUNDS.has(type.kind)) {
          expect([lower, upper]).toEqual([undefined, undefined]);
          continue;
        }
        expect(lower).toBeDefined();
        const compare = compareValues(type);
        for (const value of ordered) {
          expect(compare(bytesToValue(type, lower!), value)).toBeLessThanOrEqual(0);
          if (upper !== undefined) expect(compare(bytesToValue(type, upper), value)).toBeGreaterThanOrEqual(0);
        }
        const cut = (type.kind === 'string' || type.kind === 'binary') && mode !== 'full';
        if (!cut) {
          // Nothing was cut: the bounds are the smallest and the largest value.
          const sorted = ordered.toSorted(compare);
          expect([bytesToValue(type, lower!), bytesToValue(type, upper!)]).toEqual([sorted[0], sorted.at(-1)]);
        } else if (mode.startsWith('truncate')) {
          const limit = Number(mode.slice(9, -1));
          for (const bound of [lower!, ...(upper ? [upper] : [])]) {
            const cutSize = type.kind === 'string' ? [...(bytesToValue(type, bound) as string)].length : bound.length;
            expect(cutSize).toBeLessThanOrEqual(limit);
          }
        }
      }
    }),
    { numRuns: runs(40) },
  );
});
