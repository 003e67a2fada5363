import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { batchFilter } from '../../src/read/filter-batch.ts';
import type { StructType } from '../../src/spec/types.ts';
import { columnTerm, combined, matches, predicateOn } from '../expr/expressions.ts';
import { orderedType, valueOf } from '../spec/arbitraries.ts';
import { batchOf, read, stream, taskOf, write } from '../write/support.ts';

/** Columns of ordered types, rows of few distinct values, and an expression with the same values as literals. */
const cases = fc
  .array(
    orderedType.chain((type) =>
      fc.array(valueOf(type), { minLength: 1, maxLength: 4 }).map((pool) => ({ type, pool })),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .chain((columns) => {
    const predicate = fc.oneof(
      ...columns.map(({ type, pool }, i) => predicateOn(columnTerm(type, i + 1), fc.constantFrom(...pool))),
    );
    const row = fc.tuple(...columns.map(({ pool }) => fc.option(fc.constantFrom(...pool), { nil: null })));
    const schema = {
      kind: 'struct' as const,
      schemaId: 0,
      identifierFieldIds: [],
      fields: columns.map(({ type }, i) => columnTerm(type, i + 1).field),
    };
    return fc.record({
      schema: fc.constant(schema),
      rows: fc.array(row, { minLength: 1, maxLength: 20 }),
      filter: combined(predicate),
    });
  });

test('columns at a time, an expression selects the rows that it selects one by one', () => {
  fc.assert(
    fc.property(cases, ({ schema, rows, filter }) => {
      const selected = batchFilter(filter, schema as StructType)(batchOf(schema, rows)) ?? rows.map((_, i) => i);
      const expected = rows.flatMap((row, i) =>
        matches(filter, new Map(row.map((value, c) => [c + 1, value]))) ? [i] : [],
      );
      expect([...selected]).toEqual(expected);
    }),
    { numRuns: runs(150) },
  );
});

test('skipping row groups never loses a matching row', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ schema, rows, filter }) => {
      const { io, files } = await write(schema, stream(...rows.map((row) => batchOf(schema, [row]))), {
        properties: { 'write.parquet.row-group-size-bytes': '1' },
      });
      expect(files[0]!.splitOffsets).toHaveLength(rows.length);
      const expected = rows.filter((row) => matches(filter, new Map(row.map((value, c) => [c + 1, value]))));
      expect(await read(io, taskOf(files[0]!, schema, { residual: filter }))).toEqual(expected);
    }),
    { numRuns: runs(25) },
  );
});
