import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../tests/support/runs.ts';
import { arrowSchema } from '../../src/columns/arrow-schema.ts';
import { toRecordBatch } from '../../src/columns/to-arrow.ts';
import { readTask } from '../read/read-batches.ts';
import { batchToRows } from '../../src/read/batch-rows.ts';
import { fromValue } from '../../src/spec/user-values.ts';
import type { Schema } from '../../src/spec/schema.ts';
import { toBatches } from '../../src/write/input.ts';
import { batchOf, read, schemaAndRows, taskOf, write } from './support.ts';
import type { Row } from './support.ts';

function userRows(shape: Schema, rows: readonly Row[]): Record<string, unknown>[] {
  return rows.map((row) =>
    Object.fromEntries(shape.fields.map((field, i) => [field.name, fromValue(field.type, row[i]!)])),
  );
}

test('Arrow to Parquet and back gives every value of every type', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, async ({ shape, rows }) => {
      const record = toRecordBatch(arrowSchema(shape), batchOf(shape, rows));
      const { io, files } = await write(shape, toBatches(record, shape));
      expect(files).toHaveLength(1);
      expect(files[0]!.recordCount).toBe(rows.length);
      expect(await read(io, taskOf(files[0]!, shape))).toEqual(rows);
    }),
    { numRuns: runs(25) },
  );
});

test('rows as users give them come back as they were given', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, async ({ shape, rows }) => {
      const given = userRows(shape, rows);
      const { io, files } = await write(shape, toBatches(given, shape));
      const got: unknown[] = [];
      for await (const batch of readTask(io, taskOf(files[0]!, shape), { projection: shape })) {
        got.push(...batchToRows(batch, shape));
      }
      expect(got).toEqual(given);
    }),
    { numRuns: runs(25) },
  );
});

test('many row groups and batches make one file', async () => {
  await fc.assert(
    fc.asyncProperty(schemaAndRows, fc.integer({ min: 1, max: 7 }), async ({ shape, rows }, batchSize) => {
      const batches = rows.map((row) => batchOf(shape, [row]));
      const { io, files } = await write(
        shape,
        (async function* () {
          yield* batches;
        })(),
        { properties: { 'write.parquet.row-group-size-bytes': '60' } },
      );
      expect(files).toHaveLength(1);
      expect(await read(io, taskOf(files[0]!, shape), { batchSize })).toEqual(rows);
    }),
    { numRuns: runs(25) },
  );
});
