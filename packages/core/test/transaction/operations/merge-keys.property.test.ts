import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import type { PartitionFieldInput } from '../../../src/spec/inputs.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { valuesEqual } from '../../../src/spec/compare-values.ts';
import type { Schema } from '../../../src/spec/schema.ts';
import type { PrimitiveType } from '../../../src/spec/types.ts';
import { fromValue, toValue } from '../../../src/spec/user-values.ts';
import type { Value } from '../../../src/spec/values.ts';
import { isLakehouseError } from '../../../src/errors.ts';
import { orderedType, valueOf } from '../../spec/arbitraries.ts';
import { newTable } from '../../table/support.ts';

/** Types that rows can be told apart by. */
const keyType = orderedType.filter(({ kind }) => kind !== 'float' && kind !== 'double');

interface Case {
  readonly type: PrimitiveType;
  /** The keys of each file. */
  readonly files: readonly (readonly Value[])[];
  readonly source: readonly Value[];
  readonly field: PartitionFieldInput | null;
}

const fields = fc.constantFrom(
  null,
  partitionBy.identity('k'),
  partitionBy.bucket(3, 'k'),
  partitionBy.truncate(2, 'k'),
  partitionBy.day('k'),
);

const cases: fc.Arbitrary<Case> = keyType.chain((type) =>
  fc.array(valueOf(type), { minLength: 1, maxLength: 8 }).chain((pool) => {
    const key = fc.constantFrom<Value>(null, ...pool);
    return fc.record({
      type: fc.constant(type),
      files: fc.array(fc.array(key, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
      source: fc.uniqueArray(key, { maxLength: 4, comparator: (a, b) => a !== null && valuesEqual(type, a, b) }),
      field: fields,
    });
  }),
);

test('an upsert finds the rows of its keys, whatever their type is and how files are left out', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ type, files, source, field }) => {
      const shape: Schema = {
        kind: 'struct',
        schemaId: 0,
        identifierFieldIds: [],
        fields: [
          { id: 1, name: 'k', required: false, type },
          { id: 2, name: 'v', required: true, type: { kind: 'string' } },
        ],
      };
      const create = { schema: shape, formatVersion: 3, ...(field && { partitionBy: [field] }) } as const;
      // Not every transform takes every type.
      const table = await newTable(create).catch((error: unknown) => {
        if (isLakehouseError(error, 'INVALID_ARGUMENT')) return null;
        throw error;
      });
      fc.pre(table !== null);
      const rowOf = (key: Value, v: string): object => ({ k: fromValue(type, key), v });
      for (const keys of files) await table!.append(keys.map((key) => rowOf(key, 'old')));
      const same = (a: Value, b: Value): boolean => a !== null && b !== null && valuesEqual(type, a, b);
      const old = files.flat();
      const expected = [
        ...old.map((key) => [key, source.some((one) => same(one, key)) ? 'new' : 'old'] as const),
        ...source.filter((key) => !old.some((one) => same(one, key))).map((key) => [key, 'new'] as const),
      ];
      await table!.upsert(
        source.map((key) => rowOf(key, 'new')),
        { on: 'k' },
      );
      const found = (await table!.scan().toRows()).map((row) => [toValue(type, row['k'], 'k'), row['v']] as const);
      const text = (rows: readonly (readonly [Value, unknown])[]): readonly string[] =>
        rows.map(([key, v]) => `${String(fromValue(type, key))} ${String(v)}`).toSorted();
      expect(text(found)).toEqual(text(expected));
    }),
    { numRuns: runs(60) },
  );
});
