import { describe, expect, test } from 'vitest';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import type { FormatVersion } from '../../../src/spec/table-metadata.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { FORMAT_VERSIONS, expectError, listFiles, newTable } from '../../table/support.ts';

const shape = schema({ id: t.long().required(), city: t.string() });

/** A table with every kind of file that its format version has. */
async function fullTable(io: MemoryFileIO, formatVersion: FormatVersion): Promise<Table> {
  const table = (await newTable(
    { schema: shape, formatVersion, partitionBy: [partitionBy.identity('city')] },
    { io },
  )) as unknown as Table;
  const rows = (from: number) => Array.from({ length: 9 }, (_, i) => ({ id: BigInt(from + i), city: 'abc'[i % 3]! }));
  await table.append(rows(0));
  await table.createTag('first');
  await table.append(rows(100));
  if (formatVersion > 1) {
    await table.delete('id IN (1, 2, 100)', { mode: 'merge-on-read' });
    await table.rowDelta({ equalityDeletes: { fields: ['id', 'city'], rows: [{ id: 3n, city: 'a' }] } });
    await table.delete('id IN (4, 101)', { mode: 'merge-on-read' });
  }
  await table.delete('id = 5', { mode: 'copy-on-write' });
  await table.computeStats();
  return table;
}

/** What is live, and what was at each snapshot. */
async function contents(table: Table): Promise<unknown> {
  const states = [...table.snapshots().map(({ snapshotId }) => ({ snapshotId })), { ref: 'first' }];
  return Promise.all(
    states.map(async (state) => {
      const rows = await table
        .scan({ ...state, select: ['id', 'city', ...(table.formatVersion > 2 ? ['_row_id'] : [])] })
        .toRows();
      return [state, rows.toSorted((a, b) => Number((a as { id: bigint }).id - (b as { id: bigint }).id))];
    }),
  );
}

async function copyList(io: MemoryFileIO, list: string): Promise<readonly string[]> {
  const lines = new TextDecoder()
    .decode(await io.read(list))
    .trimEnd()
    .split('\n');
  for (const line of lines) {
    const [source, target] = line.split(',');
    await io.write(target!, await io.read(source!));
  }
  return lines;
}

describe('rewriteTablePath', () => {
  test.each(FORMAT_VERSIONS)('makes a table that needs nothing of the old one (format version %i)', async (version) => {
    const io = new MemoryFileIO();
    const table = await fullTable(io, version);
    const expected = await contents(table);
    const report = await table.rewriteTablePath({ sourcePrefix: table.location, targetPrefix: 's3://other/copy/' });
    const lines = await copyList(io, report.fileListLocation!);
    expect(lines).toHaveLength(report.filesCount);
    expect(new Set(lines).size).toBe(lines.length);
    expect(report.latestVersion).toBe(table.metadataLocation.slice(table.metadataLocation.lastIndexOf('/') + 1));
    expect(report.rewrittenMetadataFilesCount).toBe(table.metadata.metadataLog.length + 1);
    expect(report.rewrittenDeleteFilePathsCount > 0).toBe(version > 1);
    await io.delete(await listFiles(io, `${table.location}/`));

    const copy = await Table.load('s3://other/copy', { io });
    expect(copy.location).toBe('s3://other/copy');
    expect(await contents(copy)).toEqual(expected);
    for (const file of await copy.metadataTable('all_files').toRows()) {
      expect((await io.stat(file['file_path'] as string))!.size).toBe(Number(file['file_size_in_bytes']));
    }
    for (const manifest of await copy.metadataTable('all_manifests').toRows()) {
      expect((await io.stat(manifest['path'] as string))!.size).toBe(Number(manifest['length']));
    }
    await copy.append([{ id: 1000n, city: 'a' }]);
    expect(await copy.removeOrphanFiles({ olderThan: '2100-01-01', dryRun: true })).toMatchObject({ orphanFiles: [] });
  });

  test('tells only what came since a version that was copied', async () => {
    const io = new MemoryFileIO();
    const table = await fullTable(io, 2);
    const prefixes = { sourcePrefix: table.location, targetPrefix: 'memory:/copy' };
    const first = await table.rewriteTablePath(prefixes);
    await copyList(io, first.fileListLocation!);
    await table.append([{ id: 500n, city: 'b' }]);
    await table.delete('id = 102', { mode: 'merge-on-read' });
    const expected = await contents(table);
    const second = await table.rewriteTablePath({ ...prefixes, startVersion: first.latestVersion });
    const lines = await copyList(io, second.fileListLocation!);
    expect(lines.filter((line) => line.includes('.parquet'))).toHaveLength(2);
    expect(second.rewrittenMetadataFilesCount).toBe(2);
    await io.delete(await listFiles(io, `${table.location}/`));
    expect(await contents(await Table.load('memory:/copy', { io }))).toEqual(expected);
  });

  test('ends with an older version', async () => {
    const io = new MemoryFileIO();
    const table = await fullTable(io, 2);
    const version = table.metadataLocation.slice(table.metadataLocation.lastIndexOf('/') + 1);
    const expected = await contents(table);
    await table.append([{ id: 500n, city: 'b' }]);
    const report = await table.rewriteTablePath({
      sourcePrefix: table.location,
      targetPrefix: 'memory:/copy',
      endVersion: version,
    });
    await copyList(io, report.fileListLocation!);
    expect(await contents(await Table.load('memory:/copy', { io }))).toEqual(expected);
  });

  test('refuses files elsewhere and unknown versions, and leaves nothing behind', async () => {
    const io = new MemoryFileIO();
    const table = await fullTable(io, 2);
    const before = await listFiles(io, 'memory:/');
    const prefixes = { sourcePrefix: table.location, targetPrefix: 'memory:/copy' };
    await expectError(
      table.rewriteTablePath({ ...prefixes, sourcePrefix: 'memory:/wh/d' }),
      'INVALID_ARGUMENT',
      /below/,
    );
    await expectError(table.rewriteTablePath({ ...prefixes, startVersion: 'v99.metadata.json' }), 'NOT_FOUND');
    const backwards = { startVersion: 'v5.metadata.json', endVersion: 'v3.metadata.json' };
    await expectError(table.rewriteTablePath({ ...prefixes, ...backwards }), 'INVALID_ARGUMENT', /before endVersion/);
    const same = { sourcePrefix: table.location, targetPrefix: `${table.location}/` };
    await expectError(table.rewriteTablePath(same), 'INVALID_ARGUMENT', /no path would change/);
    const dry = await table.rewriteTablePath({ ...prefixes, dryRun: true });
    expect(dry).toMatchObject({ fileListLocation: null, dryRun: true });
    expect(dry.filesCount).toBeGreaterThan(10);
    const unlisted = await table.rewriteTablePath({ ...prefixes, stagingLocation: 'memory:/s', createFileList: false });
    expect(unlisted).toMatchObject({ fileListLocation: null, filesCount: dry.filesCount });
    const staged = await listFiles(io, 'memory:/s/');
    expect(staged.filter((location) => location.endsWith('.csv'))).toEqual([]);
    await io.delete(staged);
    expect(await listFiles(io, 'memory:/')).toEqual(before);

    const failing = new FaultInjectingFileIO(io, {
      rules: [{ fault: 'fail-before', operations: ['write'], when: ({ index }) => index === 5 }],
    });
    await expectError((await Table.load(table.location, { io: failing })).rewriteTablePath(prefixes), 'UNAVAILABLE');
    expect(await listFiles(io, 'memory:/')).toEqual(before);
  });
});
