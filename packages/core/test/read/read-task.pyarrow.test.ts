import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import type { Schema } from '../../src/spec/schema.ts';
import type { IcebergType, NestedField } from '../../src/spec/types.ts';
import { columnTerm } from '../expr/expressions.ts';
import { read, taskOf } from '../write/support.ts';
import { taskOfBytes } from './avro-support.ts';

/**
 * Written by pyarrow 26 with the Arrow types in brackets, in row groups of three rows: what its Arrow schema says of
 * them (large, dictionary, view) must not show.
 */
const file = new URL('files/pyarrow.parquet', import.meta.url);

const field = (id: number, name: string, type: IcebergType): NestedField => ({ id, name, required: false, type });
const shape: Schema = {
  kind: 'struct',
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    field(1, 'int96', { kind: 'timestamptz' }), // timestamp(us) as INT96
    field(2, 'large', { kind: 'string' }), // large_string
    field(3, 'dict', { kind: 'string' }), // dictionary
    field(4, 'u8', { kind: 'int' }), // uint8
    field(5, 'u32', { kind: 'long' }), // uint32
    field(6, 'ms', { kind: 'time' }), // time32(ms)
    field(7, 'tsms', { kind: 'timestamptz' }), // timestamp(ms)
    field(8, 'dec', { kind: 'decimal', precision: 22, scale: 2 }),
    field(9, 'list', { kind: 'list', elementId: 10, elementRequired: false, element: { kind: 'int' } }), // large_list, 'item'
    field(11, 'view', { kind: 'binary' }), // binary_view
  ],
};

async function pyarrowFile(): Promise<{ readonly io: MemoryFileIO; readonly task: ReturnType<typeof taskOf> }> {
  const bytes = new Uint8Array(await readFile(file));
  const io = new MemoryFileIO();
  await io.write('memory:/pyarrow.parquet', bytes);
  const data = {
    path: 'memory:/pyarrow.parquet',
    fileSizeInBytes: bytes.length,
    format: 'parquet',
    keyMetadata: null,
    partition: [],
  };
  return { io, task: taskOf(data as unknown as DataFile, shape) };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const rows = [
  [0n, 'a', 'x', 255, 2n ** 32n - 1n, 1_000_000n, 1_500_000n, 110n, [1, null], bytes('ab')],
  // Years that nanoseconds since 1970 can't hold.
  [-62_135_596_800_000_000n, 'ü', 'y', 0, 0n, 2000n, -1000n, null, [], bytes('cd')],
  [253_402_300_799_999_999n, null, 'x', null, null, null, null, -9_999_999_999_999_999_999_999n, null, null],
  [null, 'c', null, 1, 1n, 3000n, 0n, null, [3], bytes('')],
];

test('types of other writers are read as the column is', async () => {
  const { io, task } = await pyarrowFile();
  expect(await read(io, task)).toEqual(rows);
});

test.each<[string, number, IcebergType['kind'], bigint, number[]]>([
  ['unsigned numbers', 5, 'long', 2n ** 32n - 2n, [0]],
  ['times in milliseconds', 6, 'time', 1_999_999n, []],
  ['timestamps in milliseconds', 7, 'timestamptz', -1001n, [0, 1, 3]],
  ['INT96', 1, 'timestamptz', 1n, [2]],
])('filters on %s find their rows', async (_, id, kind, value, expected) => {
  const { io, task } = await pyarrowFile();
  const term = columnTerm({ kind } as never, id, shape.fields.find((one) => one.id === id)!.name);
  expect(await read(io, { ...task, residual: { op: 'gt', term, value } })).toEqual(expected.map((i) => rows[i]));
});

test('a row group without rows, whose columns lie nowhere', async () => {
  const empty = new Uint8Array(await readFile(new URL('files/pyarrow-empty.parquet', import.meta.url)));
  const fields = [field(1, 'id', { kind: 'long' }), field(2, 'name', { kind: 'string' })];
  const { io, task } = await taskOfBytes(empty, 'parquet', { ...shape, fields });
  expect(await read(io, task)).toEqual([]);
  expect(await read(io, task, { projection: { ...shape, fields: [] } })).toEqual([]);
});
