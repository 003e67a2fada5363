import { describe, expect, expectTypeOf, test } from 'vitest';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { InferRow } from '../../src/spec/schema.ts';
import { Table } from '../../src/table.ts';
import { SeededRuntime } from '../../src/testing/seeded-runtime.ts';
import { expectError, newTable, openCatalog } from './support.ts';

const shape = schema({ id: t.long().required(), city: t.string() });
const LOCATION = 'memory:/wh/db/t';

describe('Table.load', () => {
  test('opens the root of a table that a file-system catalog made, to read and write', async () => {
    const io = new MemoryFileIO();
    const made = await newTable({ schema: shape }, { io });
    await made.append([{ id: 1n, city: 'Oslo' }]);
    for (const location of [LOCATION, `${LOCATION}/`]) {
      const table = await Table.load(location, { io, runtime: new SeededRuntime(2) });
      expect(table.readOnly).toBeNull();
      expect(table.uuid).toBe(made.uuid);
      await table.append([{ id: 2n }]);
    }
    expect(await (await made.refresh()).scan().count()).toBe(3);
  });

  test('opens a metadata file as it is, read-only', async () => {
    const io = new MemoryFileIO();
    const made = await newTable({ schema: shape }, { io });
    await made.append([{ id: 1n }]);
    const { metadataLocation } = made;
    await made.append([{ id: 2n }]);
    const table = await Table.load(metadataLocation, { io });
    expect(await table.scan().toRows()).toEqual([{ id: 1n, city: null }]);
    expect(await (await table.refresh()).scan().count()).toBe(1);
    await expectError(table.append([{ id: 3n }]), 'UNSUPPORTED', /metadata file/);
  });

  test('says what is not there', async () => {
    const io = new MemoryFileIO();
    await expectError(Table.load(LOCATION, { io }), 'NOT_FOUND', /no table metadata/);
    await expectError(Table.load(`${LOCATION}/metadata/v1.metadata.json`, { io }), 'NOT_FOUND');
  });

  test('says what is broken', async () => {
    const io = new MemoryFileIO();
    const made = await newTable({ schema: shape }, { io });
    const bytes = await io.read(made.metadataLocation);
    await io.write(made.metadataLocation, bytes.subarray(0, bytes.length / 2));
    await expectError(Table.load(LOCATION, { io }), 'INVALID_DATA');
  });
});

test('a table has what its metadata says', async () => {
  const table = await newTable({
    schema: shape,
    sortBy: ['city'],
    formatVersion: 3,
    properties: { owner: 'me' },
  });
  expect(table.name).toBe('db.t');
  expect(table.location).toBe(LOCATION);
  expect(table.formatVersion).toBe(3);
  expect(table.properties['owner']).toBe('me');
  expect(table.schema.fields.map((field) => field.name)).toEqual(['id', 'city']);
  expect(table.spec.fields).toEqual([]);
  expect(table.sortOrder.fields).toHaveLength(1);
  expect(table.snapshots()).toEqual([]);
  expect(table.currentSnapshot()).toBeNull();
  expect(table.history()).toEqual([]);
  expect(table.refs()).toEqual({});
});

test('rows have the type of the schema that the table was created with', async () => {
  const catalog = await openCatalog('memory');
  const table = await catalog.createTable('db.typed', { schema: shape });
  expectTypeOf(table).toEqualTypeOf<Table<InferRow<typeof shape>>>();
  await table.append([{ id: 1n, city: 'Oslo' }]);
  const rows = await table.scan({ select: ['city', '_pos'] }).toRows();
  expectTypeOf(rows).toEqualTypeOf<{ city: string | null; _pos: bigint }[]>();
  expect(rows).toEqual([{ city: 'Oslo', _pos: 0n }]);
  const loaded = await catalog.loadTable('db.typed');
  expectTypeOf(await loaded.scan().toRows()).toEqualTypeOf<Record<string, unknown>[]>();
});
