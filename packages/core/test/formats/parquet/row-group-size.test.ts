import { expect, test } from 'vitest';
import { COLUMN, CHUNK, FILE, GROUP, TRAILER_SIZE, structs } from '../../../src/formats/parquet/footer.ts';
import { writeTrailer } from '../../../src/formats/parquet/excerpt.ts';
import {
  THRIFT,
  fieldOf,
  i64,
  readThrift,
  structField,
  structList,
  withFields,
  writeThrift,
} from '../../../src/formats/parquet/thrift.ts';
import type { ThriftStruct } from '../../../src/formats/parquet/thrift.ts';
import { readTaskColumns } from '../../../src/read/read-task.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { taskOfBytes } from '../../read/avro-support.ts';
import { expectError } from '../../table/support.ts';
import { batchOf, read, rowsOf, stream, taskOf, write } from '../../write/support.ts';
import type { Row } from '../../write/support.ts';

test('wide rows come in small batches from the first one on', async () => {
  const shape = schema({ id: t.long(), text: t.string() });
  const rows = Array.from({ length: 600 }, (_, i): Row => [BigInt(i), `${i} `.padEnd(128 * 1024, 'x')]);
  const { io, files } = await write(shape, stream(batchOf(shape, rows)));
  const lengths: number[] = [];
  const ids: unknown[] = [];
  for await (const batch of readTaskColumns(io, taskOf(files[0]!, shape), { projection: shape })) {
    lengths.push(batch.length);
    ids.push(...rowsOf(shape, batch).map(([id]) => id));
  }
  expect(ids).toEqual(rows.map(([id]) => id));
  expect(Math.max(...lengths)).toBeLessThanOrEqual(256);
});

/** The file with every column of a row group where `change` says. */
function withPlaces(
  file: Uint8Array,
  change: (dataEnd: number) => { readonly offset: number; readonly size: number },
): Uint8Array {
  const footerLength = new DataView(file.buffer, file.byteOffset + file.length - TRAILER_SIZE, 4).getUint32(0, true);
  const dataEnd = file.length - TRAILER_SIZE - footerLength;
  const { offset, size } = change(dataEnd);
  const footer = readThrift(file.subarray(dataEnd, file.length - TRAILER_SIZE)).struct;
  const moved = (chunk: ThriftStruct): ThriftStruct => {
    const metadata = fieldOf(chunk, CHUNK.metadata, THRIFT.struct) as ThriftStruct;
    const places = [i64(COLUMN.dataPageOffset, offset), i64(COLUMN.compressedSize, size)];
    return withFields(chunk, [structField(CHUNK.metadata, withFields(metadata, places))]);
  };
  const groups = structs(fieldOf(footer, FILE.rowGroups, THRIFT.list)!).map((group) => {
    const columns = structs(fieldOf(group, GROUP.columns, THRIFT.list)!);
    return withFields(group, [structList(GROUP.columns, columns.map(moved))]);
  });
  const bytes = writeThrift(withFields(footer, [structList(FILE.rowGroups, groups)]));
  const changed = new Uint8Array(dataEnd + bytes.length + TRAILER_SIZE);
  changed.set(file.subarray(0, dataEnd));
  writeTrailer(changed, dataEnd, bytes);
  return changed;
}

test('columns lie in the data, and not on top of each other', async () => {
  const shape = schema({ a: t.long(), b: t.long(), c: t.long() });
  const { io, files } = await write(shape, stream(batchOf(shape, [[1n, 2n, 3n]])));
  const good = await io.read(files[0]!.path);
  const readChanged = async (change: Parameters<typeof withPlaces>[1]): Promise<readonly Row[]> => {
    const file = await taskOfBytes(withPlaces(good, change), 'parquet', shape);
    return read(file.io, file.task);
  };
  await expectError(
    readChanged((end) => ({ offset: 0, size: end - 4 })),
    'INVALID_DATA',
    /would lie at 0/,
  );
  await expectError(
    readChanged((end) => ({ offset: 5, size: end - 4 })),
    'INVALID_DATA',
    /outside of its data/,
  );
  await expectError(
    readChanged((end) => ({ offset: 4, size: end - 4 })),
    'INVALID_DATA',
    /more than it has/,
  );
});
