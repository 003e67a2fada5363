import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { partitionBy, bindPartitionSpec } from '../../../src/spec/partition-by.ts';
import { valuesEqual } from '../../../src/spec/compare-values.ts';
import type { PrimitiveType } from '../../../src/spec/types.ts';
import {
  directoryText,
  directoryValueCandidates,
  directoryValues,
} from '../../../src/transaction/add-files/path-values.ts';
import { partitionPath } from '../../../src/transforms/partition-path.ts';
import { orderedType, text, valueOf } from '../../spec/arbitraries.ts';

test('names and values come back as they were encoded', () => {
  const name = text.filter((one) => one !== '');
  fc.assert(
    fc.property(name, text, (key, value) => {
      const path = `memory:/in/${encodeURIComponent(key)}=${encodeURIComponent(value)}/f.parquet`;
      const raw = directoryValues(path).get(key)!;
      expect(directoryText(raw)).toBe(value);
      expect(directoryValueCandidates(raw, { kind: 'string' })[0]).toBe(value);
    }),
  );
});

test("every value is among those that Iceberg's own directory for it may stand for", () => {
  // Bytes have no text that all agree on, and nanoseconds are cut in some texts.
  const type = orderedType.filter(({ kind }) => !['binary', 'fixed'].includes(kind));
  const typeAndValue = type.chain((one) => fc.tuple(fc.constant(one), fc.option(valueOf(one))));
  fc.assert(
    fc.property(typeAndValue, ([one, value]) => {
      const schema = { kind: 'struct', fields: [{ id: 1, name: 'x', required: false, type: one }] } as const;
      const spec = bindPartitionSpec(schema, [partitionBy.identity('x')], { specId: 0, lastPartitionId: 999 });
      const raw = directoryValues(`${partitionPath(spec, schema, [value])}/f.parquet`).get('x')!;
      const candidates = directoryValueCandidates(raw, one as PrimitiveType);
      expect(candidates.some((candidate) => valuesEqual(one, candidate, value))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('the innermost directory counts, and files are no directories', () => {
  expect([...directoryValues('/a=1/b/a=2/c=x=y/=z/d=/e=5')]).toEqual([
    ['a', '2'],
    ['c', 'x=y'],
    ['d', ''],
  ]);
});
