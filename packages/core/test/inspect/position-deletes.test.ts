import { expect, test } from 'vitest';

import { bindExpression } from '../../src/expr/bind.ts';
import { parseExpression } from '../../src/expr/parse.ts';
import { openMetadataTable } from '../../src/inspect/open-metadata-table.ts';
import { FILE_PATH, POS } from '../../src/spec/position-delete-fields.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { NestedField } from '../../src/spec/types.ts';
import type { Value } from '../../src/spec/values.ts';
import { SNAPSHOT_ID } from '../manifest/arbitraries.ts';
import { BY_CITY, SCHEMA, added } from '../manifest/support.ts';
import { batchOf, stream, write } from '../write/support.ts';
import { inspect, tableOf } from './support.ts';
import type { WrittenTable } from './support.ts';

const ROW: NestedField = {
  id: 2147483544,
  name: 'row',
  required: false,
  // `city` was called `town` when the file was written, and there was no `amount`.
  type: { kind: 'struct', fields: [SCHEMA.fields[0]!, { ...SCHEMA.fields[1]!, name: 'town' }] },
};

async function deleteFile(rows: readonly (readonly Value[])[], fields: readonly NestedField[]): Promise<DataFile> {
  const shape: Schema = { kind: 'struct', schemaId: 0, identifierFieldIds: [], fields };
  const { io, files } = await write(shape, stream(batchOf(shape, rows)));
  const file = files[0]!;
  BYTES.set(file.path, await io.read(file.path));
  return { ...file, content: 'position-deletes', specId: BY_CITY.specId, partition: ['Seoul'] };
}

/** What the files hold that `deleteFile` made. */
const BYTES = new Map<string, Uint8Array>();

/** A table with these delete files; of those that are missing only the manifest knows. */
async function tableWith(files: readonly DataFile[], missing: readonly DataFile[] = []): Promise<WrittenTable> {
  const entries = [...files, ...missing].map((file) => added(file, SNAPSHOT_ID));
  const written = await tableOf(2, [{ content: 'deletes', entries }], { schema: SCHEMA, spec: BY_CITY });
  const { io } = written.table;
  for (const { path } of files) await io.write(path, BYTES.get(path)!);
  return written;
}

test('rows that the writer kept come in the shape that the table has now', async () => {
  const rows = [
    ['a.parquet', 3n, [7n, 'Seoul']],
    ['b.parquet', 0n, null],
  ];
  const file = await deleteFile(rows, [FILE_PATH, POS, ROW]);
  const { table } = await tableWith([file]);
  expect(openMetadataTable(table, 'position_deletes').schema.fields.map(({ name }) => name)).toEqual([
    'file_path',
    'pos',
    'row',
    'partition',
    'spec_id',
    'delete_file_path',
  ]);
  expect(await inspect(table, 'position_deletes')).toEqual([
    ['a.parquet', 3n, [7n, 'Seoul', null], ['Seoul'], 1, file.path],
    ['b.parquet', 0n, null, ['Seoul'], 1, file.path],
  ]);
});

test('delete files that a filter leaves out are not read', async () => {
  const here = { ...(await deleteFile([['a.parquet', 3n]], [FILE_PATH, POS])), path: 's3://b/t/here.parquet' };
  BYTES.set(here.path, [...BYTES.values()].at(-1)!);
  const gone: DataFile = { ...here, path: 's3://b/t/gone.parquet', partition: ['Busan'] };
  const { table } = await tableWith([here], [gone]);
  const { schema } = openMetadataTable(table, 'position_deletes');
  for (const text of ["partition.city = 'Seoul'", `delete_file_path = '${here.path}'`, "partition.city != 'Busan'"]) {
    const filter = bindExpression(schema, parseExpression(text));
    expect(await inspect(table, 'position_deletes', { filter })).toHaveLength(1);
  }
  await expect(inspect(table, 'position_deletes')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
