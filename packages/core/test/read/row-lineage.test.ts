import { describe, expect, test } from 'vitest';
import { METADATA_COLUMNS } from '../../src/read/metadata-columns.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import { batchOf, read, stream, taskOf, write } from '../write/support.ts';
import type { Row } from '../write/support.ts';

const shape = schema({ id: t.int() });
/** A file that rows were moved to: they bring their ids, and the number of the last change unless this was one. */
const moved = {
  ...shape,
  fields: [...shape.fields, METADATA_COLUMNS['_row_id'], METADATA_COLUMNS['_last_updated_sequence_number']],
};
const stored: readonly Row[] = [
  [0, 70n, 3n],
  [1, 71n, null],
  [2, null, null],
  [3, null, 4n],
];
const lineage = { projection: shape, metadataColumns: ['_row_id', '_last_updated_sequence_number'] as const };

describe('row lineage', () => {
  test('is what the file stores, and inherited where it stores nothing', async () => {
    const { io, files } = await write(moved, stream(batchOf(moved, stored)));
    const task = taskOf({ ...files[0]!, firstRowId: 100n }, shape, { sequenceNumber: 9n });
    expect(await read(io, task, lineage)).toEqual([
      [0, 70n, 3n],
      [1, 71n, 9n],
      [2, 102n, 9n],
      [3, 103n, 4n],
    ]);
    const filtered = { ...task, residual: { op: 'false' } as const };
    expect(await read(io, filtered, lineage)).toEqual([]);
  });

  test('is unknown in files without row ids, whatever they store', async () => {
    const { io, files } = await write(moved, stream(batchOf(moved, stored)));
    expect(await read(io, taskOf(files[0]!, shape, { sequenceNumber: 9n }), lineage)).toEqual(
      stored.map(([id]) => [id, null, null]),
    );
  });
});
