import { expect, test } from 'vitest';
import { batchOf, read, stream, taskOf, write } from '../write/support.ts';
import type { Schema } from '../../src/spec/schema.ts';

const SHAPE: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [{ id: 1, name: 'n', required: true, type: { kind: 'int' } }],
};

test('row ids are counted exactly, past 32 bits and past 53', async () => {
  const rows = Array.from({ length: 6 }, (_, n) => [n]);
  const { io, files } = await write(SHAPE, stream(batchOf(SHAPE, rows)));
  for (const firstRowId of [0n, 2n ** 31n - 3n, 2n ** 32n - 3n, 2n ** 53n - 3n, 2n ** 62n - 3n]) {
    const task = taskOf({ ...files[0]!, firstRowId }, SHAPE);
    const found = await read(io, task, { metadataColumns: ['_pos', '_row_id'] });
    expect(found).toEqual(rows.map(([n]) => [n, BigInt(n!), firstRowId + BigInt(n!)]));
  }
});
