import { describe, expect, test } from 'vitest';
import { FileSystemCatalog } from '../../../src/catalog/file-system-catalog.ts';
import { MemoryCatalog } from '../../../src/catalog/memory-catalog.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { exportTable } from '../../../src/maintenance/backup/export-table.ts';
import { importTable } from '../../../src/maintenance/backup/import-table.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { expectError, listFiles, newTable } from '../../table/support.ts';

const shape = schema({ id: t.long().required() });

async function table(io: MemoryFileIO): Promise<Table> {
  const made = (await newTable({ schema: shape, formatVersion: 2 }, { io })) as unknown as Table;
  await made.append([{ id: 1n }, { id: 2n }]);
  await made.createTag('first');
  await made.append([{ id: 3n }, { id: 4n }]);
  await made.delete('id IN (2, 3)', { mode: 'merge-on-read' });
  return made;
}

const ids = async (one: Table, ref = 'main'): Promise<readonly bigint[]> =>
  (await one.scan({ ref }).toRows()).map((row) => (row as { id: bigint }).id).toSorted();

describe('exports', () => {
  test('are tables that can be read, and become tables again', async () => {
    const io = new MemoryFileIO();
    const source = await table(io);
    const elsewhere = (await newTable({ schema: shape }, { io: new MemoryFileIO() })) as unknown as Table;
    await elsewhere.append([{ id: 9n }]);
    const outside = (await elsewhere.scan().plan()).tasks[0]!.file.path;
    await io.write('memory:/elsewhere/9.parquet', await elsewhere.io.read(outside));
    await source.addFiles(['memory:/elsewhere/9.parquet']);

    const store = new MemoryFileIO();
    const progress: number[] = [];
    const report = await exportTable(source, {
      to: 'memory:/backup/t',
      io: store,
      onProgress: ({ filesDone }) => progress.push(filesDone),
    });
    expect(progress).toEqual(Array.from({ length: report.files }, (_, i) => i + 1));
    const exported = await Table.load(report.metadataLocation, { io: store });
    expect(await ids(exported)).toEqual([1n, 4n, 9n]);
    expect(await ids(exported, 'first')).toEqual([1n, 2n]);

    const imported = await importTable({
      from: 'memory:/backup/t',
      io: store,
      targetIo: io,
      location: 'memory:/wh/db/u',
    });
    expect(imported.files).toBe(report.files);
    await io.delete(await listFiles(io, `${source.location}/`));
    await io.delete(['memory:/elsewhere/9.parquet']);
    const again = await (await FileSystemCatalog.open({ io, warehouse: 'memory:/wh' })).loadTable('db.u');
    expect(await ids(again)).toEqual([1n, 4n, 9n]);
    expect(await ids(again, 'first')).toEqual([1n, 2n]);
    await again.append([{ id: 10n }]);
    expect(await ids(again)).toEqual([1n, 4n, 9n, 10n].toSorted());
  });

  test('may be moved, and registered with a catalog', async () => {
    const io = new MemoryFileIO();
    const source = await table(io);
    await exportTable(source, { to: 'memory:/backup/t' });
    for (const file of await listFiles(io, 'memory:/backup/t/')) {
      await io.write(file.replace('memory:/backup/t', 'memory:/far/away'), await io.read(file));
      await io.delete([file]);
    }
    const catalog = new MemoryCatalog({ io, warehouse: 'memory:/other' });
    await catalog.createNamespace('db');
    await importTable({ from: 'memory:/far/away', io, location: 'memory:/other/place', catalog, name: 'db.t' });
    const again = await catalog.loadTable('db.t');
    expect(await ids(again)).toEqual([1n, 4n]);
    expect(again.location).toBe('memory:/other/place');
  });

  test('go into empty directories only', async () => {
    const io = new MemoryFileIO();
    const source = await table(io);
    await exportTable(source, { to: 'memory:/backup' });
    await expectError(exportTable(source, { to: 'memory:/backup' }), 'ALREADY_EXISTS', /empty directory/);
    await expectError(importTable({ from: 'memory:/backup', io, location: source.location }), 'ALREADY_EXISTS');
  });

  test('that were damaged are found out, and nothing is left of the attempt', async () => {
    const io = new MemoryFileIO();
    await exportTable(await table(io), { to: 'memory:/backup' });
    const files = await listFiles(io, 'memory:/backup/');
    const read = { from: 'memory:/backup', io, location: 'memory:/new' };
    for (const file of files) {
      const bytes = await io.read(file);
      const broken = bytes.slice();
      broken[bytes.length >> 1]! ^= 1;
      await io.write(file, broken);
      await expect(importTable(read), file).rejects.toMatchObject({ code: 'INVALID_DATA' });
      await io.delete([file]);
      await expectError(importTable(read), 'NOT_FOUND');
      expect(await listFiles(io, 'memory:/new/')).toEqual([]);
      await io.write(file, bytes);
    }
    expect((await importTable(read)).files).toBe(files.length - 2);
  });

  test('that fail leave nothing behind', async () => {
    const io = new MemoryFileIO();
    const source = await table(io);
    for (let index = 0; index < 12; index++) {
      const target = new MemoryFileIO();
      const failing = new FaultInjectingFileIO(target, {
        rules: [{ fault: 'fail-before', operations: ['write'], when: (call) => call.index === index }],
      });
      await expectError(exportTable(source, { to: 'memory:/backup', io: failing }), 'UNAVAILABLE');
      expect(await listFiles(target, 'memory:/')).toEqual([]);
    }
  });

  test('can be counted before they are made, and checked without being imported', async () => {
    const io = new MemoryFileIO();
    const source = await table(io);
    const target = new MemoryFileIO();
    const planned = await exportTable(source, { to: 'memory:/backup', io: target, dryRun: true });
    expect(await listFiles(target, 'memory:/')).toEqual([]);
    const made = await exportTable(source, { to: 'memory:/backup', io: target });
    expect({ ...planned, dryRun: false }).toEqual(made);

    const check = { from: 'memory:/backup', io: target, location: 'memory:/restored', dryRun: true };
    expect(await importTable(check)).toMatchObject({ files: made.files, metadataLocation: null, dryRun: true });
    expect(await listFiles(target, 'memory:/restored')).toEqual([]);
    const file = (await listFiles(target, 'memory:/backup')).find((one) => one.endsWith('-00001.parquet'))!;
    await target.write(file, new Uint8Array(7));
    await expectError(importTable(check), 'INVALID_DATA', /is not what was exported/);
  });

  test('and imports have no options but their own', async () => {
    const source = await table(new MemoryFileIO());
    const misspelt = { to: 'memory:/backup', dryrun: true } as { to: string };
    await expectError(exportTable(source, misspelt), 'INVALID_ARGUMENT', /exportTable has no option 'dryrun'/);
    const nowhere = { io: source.io, from: 'memory:/backup' } as never;
    await expectError(importTable(nowhere), 'INVALID_ARGUMENT', /location must be a text/);
  });
});
