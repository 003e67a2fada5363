import { readFile, readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { typeToText } from '../../../src/spec/type-text.ts';
import { Table } from '../../../src/table.ts';
import { SeededRuntime } from '../../../src/testing/seeded-runtime.ts';
import { withoutFieldIds } from '../../read/without-ids.ts';
import { expectError, newTable } from '../../table/support.ts';
import { filesOf } from './support.ts';

const files = new URL('../../read/files/', import.meta.url);

/** A file of pyarrow's (see ../../read/files), without the field ids that it was given. */
async function ioWith(name: string): Promise<MemoryFileIO> {
  const io = new MemoryFileIO();
  await io.write('memory:/in/f.parquet', withoutFieldIds(new Uint8Array(await readFile(new URL(name, files)))));
  return io;
}

const runtime = new SeededRuntime(1);

test("pyarrow's types become Iceberg's, with bounds where they can be trusted", async () => {
  const io = await ioWith('pyarrow.parquet');
  const table = await Table.migrate({ io, source: 'memory:/in', location: 'memory:/t', runtime });
  expect(Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, typeToText(type)]))).toMatchObject({
    int96: 'timestamptz',
    large: 'string',
    dict: 'string',
    u8: 'int',
    u32: 'long',
    ms: 'time',
    dec: 'decimal(22, 2)',
    list: 'list<int>',
    view: 'binary',
  });
  const [file] = await filesOf(table);
  const bounded = table.schema.fields.filter(({ id }) => file!.lowerBounds!.has(id)).map(({ name }) => name);
  expect(bounded.toSorted()).toEqual(['dec', 'dict', 'large', 'ms', 'view']);
  expect(await table.scan({ filter: "int96 > '2000-01-01T00:00:00Z'" }).count()).toBe(1);
  expect(await table.scan({ filter: 'u32 = 4294967295' }).count()).toBe(1);
  expect(await table.scan({ filter: 'dec < 0' }).count()).toBe(1);
  expect(file!.splitOffsets).toHaveLength(2);
});

test('INT96 may be local times or instants; unsigned numbers need room', async () => {
  const io = await ioWith('pyarrow.parquet');
  const table = await newTable({ schema: schema({ int96: t.timestamp(), u32: t.long() }) }, { io });
  await table.addFiles('memory:/in');
  expect(await table.scan({ filter: "int96 > '2000-01-01T00:00:00'" }).count()).toBe(1);
  const narrow = await newTable({ schema: schema({ u32: t.int() }) }, { io: await ioWith('pyarrow.parquet') });
  await expectError(
    narrow.addFiles('memory:/in'),
    'INVALID_ARGUMENT',
    /'u32' is int in the table, but long in the file/,
  );
});

test('row groups without rows are passed over', async () => {
  const io = await ioWith('pyarrow-empty.parquet');
  const table = await Table.migrate({ io, source: 'memory:/in', location: 'memory:/t', runtime });
  expect(table.schema.fields.map(({ name }) => name)).toEqual(['id', 'name']);
  expect(table.snapshots()).toEqual([]);
});

test('every value is found by a filter, whatever codec and encoding', async () => {
  const names = (await readdir(new URL('parquet/', files))).filter((name) => name.endsWith('.parquet'));
  expect(names.length).toBeGreaterThan(2);
  for (const name of names) {
    const io = await ioWith(`parquet/${name}`);
    const table = await Table.migrate({ io, source: 'memory:/in', location: 'memory:/t', runtime, formatVersion: 3 });
    const rows = await table.scan().toRows();
    expect(rows.length).toBeGreaterThan(0);
    for (const { name: column, type } of table.schema.fields) {
      if (!['int', 'long', 'string', 'double'].includes(type.kind)) continue;
      const values = rows.map((row) => row[column]).filter((value) => value !== null && !Number.isNaN(value));
      const [value] = values;
      if (value === undefined) continue;
      const literal = typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
      const found = await table.scan({ filter: `${column} = ${literal}` }).count();
      expect([name, column, found]).toEqual([name, column, values.filter((one) => one === value).length]);
    }
  }
});
