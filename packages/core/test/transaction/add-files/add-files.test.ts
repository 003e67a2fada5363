import { expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { Table } from '../../../src/table.ts';
import { FORMAT_VERSIONS, expectError, newTable } from '../../table/support.ts';
import { filesOf, writeFile } from './support.ts';

const columns = { id: t.long(), city: t.string() };
const shape = schema(columns);
const rows = [
  { id: 1n, city: 'Seoul' },
  { id: 2n, city: null },
];

test.each(FORMAT_VERSIONS)('files are added where they are, and read by name (v%i)', async (formatVersion) => {
  const io = new MemoryFileIO();
  const table = (await newTable({ schema: shape, formatVersion }, { io })) as Table;
  await table.append([{ id: 0n, city: 'Busan' }]);
  const file = await writeFile(io, 'memory:/old/a.parquet', columns, rows);
  const size = (await io.stat(file))!.size;

  const commit = await table.addFiles([file]);
  expect(commit.summary).toMatchObject({ 'added-data-files': '1', 'added-records': '2', 'total-records': '3' });
  expect(await table.scan({ filter: 'id > 0' }).toRows()).toEqual(rows);
  expect(table.properties['schema.name-mapping.default']).toContain('city');
  const added = (await filesOf(table as Table)).find(({ path }) => path === file);
  expect(added).toMatchObject({ recordCount: 2, fileSizeInBytes: size, partition: [], splitOffsets: [4] });
  expect(Object.fromEntries(added!.valueCounts!)).toEqual({ 1: 2, 2: 2 });
  expect(Object.fromEntries(added!.nullValueCounts!)).toEqual({ 1: 0, 2: 1 });
  expect(added!.lowerBounds!.get(2)).toEqual(new TextEncoder().encode('Seoul'));
  if (formatVersion === 3) {
    const ids = await table.scan({ select: ['id', '_row_id'] }).toRows();
    expect(new Set(ids.map((row) => `${row['id']} ${row['_row_id']}`))).toEqual(new Set(['0 0', '1 1', '2 2']));
  }
  // The file is the user's: whatever else happens to the table, it was not staged.
  expect((await io.stat(file))!.size).toBe(size);
});

test('files with the field ids of the table need no names', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  await table.updateSchema((s) => s.renameColumn('city', 'town'));
  const file = await writeFile(io, 'memory:/old/a.parquet', columns, rows, { fieldIds: true });
  await table.addFiles([file]);
  expect(await table.scan().toRows()).toEqual([
    { id: 1n, town: 'Seoul' },
    { id: 2n, town: null },
  ]);
  expect(table.properties).not.toHaveProperty('schema.name-mapping.default');
});

test('files with the field ids of another table are refused', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const swapped = await writeFile(io, 'memory:/old/a.parquet', { city: t.long(), id: t.string() }, [{ city: 1n }], {
    fieldIds: true,
  });
  await expectError(table.addFiles([swapped]), 'INVALID_ARGUMENT', /a\.parquet.*another table.*'city' has the id 1/);
  const more = await writeFile(io, 'memory:/old/b.parquet', { ...columns, more: t.int() }, rows, { fieldIds: true });
  await expectError(table.addFiles([more]), 'INVALID_ARGUMENT', /'more' has the id 3/);
});

test('a table may have a name mapping of its own', async () => {
  const io = new MemoryFileIO();
  const mapping = JSON.stringify([
    { 'field-id': 1, names: ['id', 'nr'] },
    { 'field-id': 2, names: ['ort'] },
  ]);
  const table = await newTable({ schema: shape, properties: { 'schema.name-mapping.default': mapping } }, { io });
  const file = await writeFile(io, 'memory:/old/a.parquet', { nr: t.int(), ort: t.string() }, [{ nr: 7, ort: 'Ulm' }]);
  await table.addFiles([file]);
  expect(table.properties['schema.name-mapping.default']).toBe(mapping);
  expect(await table.scan().toRows()).toEqual([{ id: 7n, city: 'Ulm' }]);
  expect(await table.scan({ filter: 'id = 7' }).count()).toBe(1);
  expect(await table.scan({ filter: 'id = 8' }).count()).toBe(0);
});

test('types grow as the specification lets them', async () => {
  const io = new MemoryFileIO();
  const wide = schema({ n: t.long(), d: t.double(), m: t.decimal(18, 2), s: t.struct({ x: t.long() }) });
  const table = await newTable({ schema: wide }, { io });
  const narrow = { n: t.int(), d: t.float(), m: t.decimal(9, 2), s: t.struct({ x: t.int() }) };
  const file = await writeFile(io, 'memory:/a.parquet', narrow, [{ n: -1, d: 0.5, m: '1.25', s: { x: 3 } }]);
  await table.addFiles([file]);
  expect(await table.scan().toRows()).toEqual([{ n: -1n, d: 0.5, m: '1.25', s: { x: 3n } }]);
  for (const [filter, count] of [
    ['n = -1', 1],
    ['n > -1', 0],
    ['d = 0.5', 1],
    ['m = 1.25', 1],
    ['s.x < 3', 0],
  ] as const) {
    expect([filter, await table.scan({ filter }).count()]).toEqual([filter, count]);
  }
});

test.each([
  [{ id: t.string() }, { id: 'a' }, /'id' is long in the table, but string in the file/],
  [{ id: t.double() }, { id: 1 }, /'id' is long in the table, but double/],
  [{ id: t.long(), city: t.struct({ a: t.int() }) }, { id: 1n }, /'city' is string in the table, but a struct/],
  [{ id: t.list(t.long()) }, { id: [] }, /'id' is long in the table, but a list/],
  [{ nr: t.long() }, { nr: 1n }, /none of the table's columns, but 'nr'/],
] as const)('columns that do not fit are named: %#', async (given, row, message) => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const file = await writeFile(io, 'memory:/bad.parquet', given, [row]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', message);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /memory:\/bad\.parquet/);
  expect(table.snapshots()).toEqual([]);
});

test('required columns must be there and without nulls', async () => {
  const io = new MemoryFileIO();
  const strict = schema({ id: t.long().required(), s: t.struct({ a: t.int().required() }) });
  const table = await newTable({ schema: strict }, { io });
  const good = await writeFile(io, 'memory:/good.parquet', { id: t.long() }, [{ id: 1n }]);
  await table.addFiles([good]);
  const nulls = await writeFile(io, 'memory:/nulls.parquet', { id: t.long() }, [{ id: 1n }, { id: null }]);
  await expectError(
    table.addFiles([nulls]),
    'INVALID_ARGUMENT',
    /nulls\.parquet.*'id' is required, but may have nulls/,
  );
  const without = await writeFile(io, 'memory:/without.parquet', { s: t.struct({ a: t.int() }) }, [{ s: { a: 1 } }]);
  await expectError(table.addFiles([without]), 'INVALID_ARGUMENT', /'id' is required, but the file does not have it/);
  const inside = { id: t.long(), s: t.struct({ b: t.int() }) };
  const file = await writeFile(io, 'memory:/inside.parquet', inside, [{ id: 1n, s: { b: 1 } }]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /'s\.a' is required/);
  expect(await table.scan().toRows()).toEqual([{ id: 1n, s: null }]);
});

test('columns that the table lacks are not read, or refused', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: schema({ id: t.long(), s: t.struct({ a: t.int() }) }) }, { io });
  const given = { id: t.long(), s: t.struct({ a: t.int(), b: t.int() }) };
  const file = await writeFile(io, 'memory:/more.parquet', given, [{ id: 1n, s: { a: 1, b: 2 } }]);
  await expectError(table.addFiles([file], { extraColumns: 'refuse' }), 'INVALID_ARGUMENT', /no column for its 's\.b'/);
  await table.addFiles([file]);
  expect(await table.scan().toRows()).toEqual([{ id: 1n, s: { a: 1 } }]);
});

test('a file is not added twice, by however many commits', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const file = await writeFile(io, 'memory:/a.parquet', columns, rows);
  await expectError(table.addFiles([file, file]), 'INVALID_ARGUMENT', /given twice/);
  await table.addFiles([file]);
  await expectError(table.addFiles([file]), 'INVALID_ARGUMENT', /a\.parquet is a file of .* already/);
  await expectError(
    table.transaction(async (tx) => {
      await tx.delete('id = 1', { mode: 'merge-on-read' });
      await tx.addFiles([file]);
    }),
    'INVALID_ARGUMENT',
    /already/,
  );
  await table.addFiles([file], { checkDuplicates: false });
  expect(await table.scan().count()).toBe(4);
  await table.delete('true');
  await table.addFiles([file]);
  expect(await table.scan().count()).toBe(2);
});

test('a transaction that fails leaves the files alone; branches and keys are as for any write', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const file = await writeFile(io, 'memory:/wh/db/t/data/a.parquet', columns, rows);
  const failing = table.transaction(async (tx) => {
    await tx.addFiles([file]);
    await tx.append([{ id: 9n }]);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await io.stat(file)).not.toBeNull();
  expect(table.snapshots()).toEqual([]);

  await table.append([{ id: 0n }]);
  await table.createBranch('audit');
  const once = { branch: 'audit', idempotencyKey: 'load-1', snapshotProperties: { job: 'x' } };
  expect((await table.addFiles([file], once)).summary).toMatchObject({ job: 'x' });
  expect(await table.addFiles([file], once)).toMatchObject({ changed: false });
  expect(await table.scan().count()).toBe(1);
  expect(await table.scan({ ref: 'audit' }).count()).toBe(3);
  await table.transaction(async (tx) => {
    await tx.addFiles([file]);
    await tx.update('id = 2', { city: 'Jeju' });
  });
  expect((await table.scan({ filter: 'id > 0' }).toRows()).map((row) => row.city).toSorted()).toEqual([
    'Jeju',
    'Seoul',
  ]);
  // Rewriting removed it from main; the branch has it still.
  expect(await io.stat(file)).not.toBeNull();
});

test('other formats, broken files and missing ones are told apart', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  await io.write('memory:/a.orc', new Uint8Array(20));
  await io.write('memory:/a.csv', new TextEncoder().encode('id,city\n1,Seoul\n'));
  const file = await writeFile(io, 'memory:/a.parquet', columns, rows);
  const encrypted = (await io.read(file)).slice();
  encrypted.set(new TextEncoder().encode('PARE'), encrypted.length - 4);
  await io.write('memory:/encrypted.parquet', encrypted);
  await expectError(table.addFiles(['memory:/a.orc']), 'UNSUPPORTED', /a\.orc.*only Parquet/);
  await expectError(table.addFiles(['memory:/a.csv']), 'INVALID_DATA', /a\.csv/);
  await expectError(table.addFiles(['memory:/encrypted.parquet']), 'UNSUPPORTED', /encrypted/);
  await expectError(table.addFiles([file, 'memory:/none.parquet']), 'NOT_FOUND', /none\.parquet/);
  await expectError(table.addFiles(['a.parquet']), 'INVALID_ARGUMENT', /absolute/);
  for (const nothing of [{}, undefined, null, 5]) {
    await expectError(table.addFiles(nothing as never), 'INVALID_ARGUMENT', /directory, pattern/);
  }
  expect(await table.addFiles([])).toMatchObject({ changed: false });
  await expectError(table.addFiles([file], { signal: AbortSignal.abort() }), 'ABORTED');
  expect(table.snapshots()).toEqual([]);
});

test('directories are listed without what is hidden', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  for (const name of ['b', 'x/a', '_tmp/c', '.d', 'x/.hidden/e']) {
    await writeFile(io, `memory:/in/${name}.parquet`, columns, rows);
  }
  await io.write('memory:/in/_SUCCESS', new Uint8Array(0));
  await io.write('memory:/in/empty', new Uint8Array(0));
  const seen: number[] = [];
  await table.addFiles('memory:/in', { onProgress: ({ files }) => seen.push(files) });
  expect((await filesOf(table as Table)).map(({ path }) => path)).toEqual([
    'memory:/in/b.parquet',
    'memory:/in/x/a.parquet',
  ]);
  expect(seen).toEqual([1, 2]);

  const elsewhere = await newTable({ schema: shape }, { io: new MemoryFileIO() });
  await expectError(elsewhere.addFiles('memory:/in'), 'NOT_FOUND', /no files in memory:\/in/);
  await table.delete('true');
  await table.addFiles({ directory: 'memory:/in/', pattern: 'x/*.parquet' });
  expect(await table.scan().count()).toBe(2);
  await expectError(table.addFiles({ directory: 'memory:/in', pattern: '*.orc' }), 'NOT_FOUND', /'\*\.orc'/);
  await io.write('memory:/in/_delta_log/0.json', new Uint8Array(1));
  await expectError(table.addFiles('memory:/in'), 'UNSUPPORTED', /b\.parquet is in the directory of a Delta Lake/);
  await expectError(table.addFiles({ directory: 'memory:/in', pattern: 'x/*' }), 'UNSUPPORTED', /Delta Lake/);
  await io.delete(['memory:/in/_delta_log/0.json']);
  await io.write('memory:/in/y/metadata/v1.metadata.json', new Uint8Array(1));
  const other = { directory: 'memory:/in', pattern: '[!v]*' };
  await table.delete('true');
  await table.addFiles(other);
  expect(await table.scan().count()).toBe(4);
  await writeFile(io, 'memory:/in/y/data/f.parquet', columns, rows);
  await expectError(
    table.addFiles(other),
    'UNSUPPORTED',
    /y\/data\/f\.parquet is in the directory of an Iceberg table/,
  );
});

test('files without rows are left out', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape, partitionBy: [partitionBy.identity('city')] }, { io });
  const file = await writeFile(io, 'memory:/a.parquet', columns, []);
  expect(await table.addFiles([file])).toMatchObject({ changed: false });
});

test('others may change schema, spec and name mapping before the commit', async () => {
  const io = new MemoryFileIO();
  const table = await newTable({ schema: shape }, { io });
  const file = await writeFile(io, 'memory:/a.parquet', { ...columns, late: t.int() }, [
    { id: 1n, city: 'Seoul', late: 5 },
  ]);
  const other = await newestHandle(table as Table, io);
  await table.transaction(async (tx) => {
    await tx.addFiles([file]);
    await other.updateSchema((s) => s.addColumn('late', t.int()));
    await other.updateSpec((p) => p.add(partitionBy.identity('city')));
  });
  expect(await table.scan().toRows()).toEqual([{ id: 1n, city: 'Seoul', late: 5 }]);
  const [added] = await filesOf(table as Table);
  expect(added).toMatchObject({ specId: 1, partition: ['Seoul'] });

  // A file that was added by another one meanwhile is found when the commit is made.
  const second = await writeFile(io, 'memory:/b.parquet', columns, [{ id: 2n, city: 'Busan' }]);
  await other.refresh();
  const racing = table.transaction(async (tx) => {
    await tx.addFiles([second]);
    await other.addFiles([second]);
  });
  await expectError(racing, 'INVALID_ARGUMENT', /b\.parquet.*already/);
  expect(await (await table.refresh()).scan().count()).toBe(2);
});

async function newestHandle(table: Table, io: MemoryFileIO): Promise<Table> {
  return Table.load(table.location, { io });
}
