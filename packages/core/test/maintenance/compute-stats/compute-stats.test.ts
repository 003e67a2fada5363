import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBlob, readPuffinFooter } from '../../../src/formats/puffin/read-puffin.ts';
import { MemoryFileIO } from '../../../src/io/memory-file-io.ts';
import { columnsToRows } from '../../../src/read/batch-rows.ts';
import { openFile } from '../../../src/read/read-file.ts';
import { NO_METRICS } from '../../../src/spec/data-file.ts';
import { partitionBy } from '../../../src/spec/partition-by.ts';
import { schema, t } from '../../../src/spec/schema-builder.ts';
import { Table } from '../../../src/table.ts';
import { FaultInjectingFileIO } from '../../../src/testing/fault-injecting-file-io.ts';
import { FORMAT_VERSIONS, expectError, newTable } from '../../table/support.ts';

const shape = schema({
  id: t.long().required(),
  city: t.string(),
  amount: t.decimal(20, 2),
  score: t.double(),
  at: t.struct({ day: t.date() }),
  tags: t.list(t.string()),
});

const orphans = async (table: Table): Promise<readonly string[]> =>
  (await table.removeOrphanFiles({ olderThan: '2100-01-01', dryRun: true })).orphanFiles;

const ndvOf = async (table: Table): Promise<Record<string, bigint>> =>
  Object.fromEntries((await table.computeStats({ dryRun: true })).columns.map(({ name, ndv }) => [name, ndv]));

describe('computeStats', () => {
  test('counts the distinct values of live rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            id: fc.bigInt({ min: 0n, max: 20n }),
            city: fc.option(fc.constantFrom('Seoul', 'Busan', 'Daegu')),
            amount: fc.option(
              fc.constantFrom('0.00', '-0.01', '1.27', '1.28', '-1.28', '-1.29', '123456789012345678.90'),
            ),
            score: fc.option(fc.constantFrom(0, -0, Number.NaN, 1.5)),
          }),
          { minLength: 1 },
        ),
        fc.bigInt({ min: 0n, max: 20n }),
        fc.constantFrom('copy-on-write' as const, 'merge-on-read' as const),
        async (rows, gone, mode) => {
          const table = (await newTable({ schema: shape, formatVersion: 2 })) as unknown as Table;
          await table.append(rows);
          await table.delete(`id = ${gone}`, { mode });
          const live = rows.filter(({ id }) => id !== gone);
          const distinct = (values: readonly unknown[]): bigint =>
            BigInt(
              new Set(values.filter((value) => value !== null).map((one) => (Object.is(one, -0) ? '-0' : one))).size,
            );
          expect(await ndvOf(table)).toEqual({
            id: distinct(live.map(({ id }) => id)),
            city: distinct(live.map(({ city }) => city)),
            amount: distinct(live.map(({ amount }) => amount)),
            score: distinct(live.map(({ score }) => score)),
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each(FORMAT_VERSIONS)('writes files that the metadata names (format version %i)', async (formatVersion) => {
    const io = new MemoryFileIO();
    const table = await newTable({ schema: shape, formatVersion, partitionBy: [partitionBy.identity('city')] }, { io });
    await table.append([
      { id: 1n, city: 'Seoul', at: { day: '2024-01-01' } },
      { id: 2n, city: 'Seoul', at: { day: '2024-01-01' } },
      { id: 3n, city: null, at: null },
    ]);
    const snapshotId = table.currentSnapshot()!.snapshotId;
    const report = await table.computeStats({ columns: ['id', 'at.day'] });
    expect(report.columns).toMatchObject([
      { name: 'id', ndv: 3n },
      { name: 'at.day', ndv: 1n },
    ]);
    expect(table.currentSnapshot()!.snapshotId).toBe(snapshotId);

    const { statistics, partitionStatistics } = table.metadata;
    expect(statistics.map((file) => file.statisticsPath)).toEqual([report.statisticsFile]);
    const [file] = statistics;
    const footer = await readPuffinFooter(io, file!.statisticsPath, file!.fileSizeInBytes);
    expect(footer.blobs).toMatchObject(file!.blobMetadata);
    expect(file!.blobMetadata.map(({ fields, properties }) => [fields, properties])).toEqual([
      [[1], { ndv: '3' }],
      [[report.columns[1]!.fieldId], { ndv: '1' }],
    ]);
    expect((await readBlob(io, file!.statisticsPath, footer.blobs[0]!)).subarray(0, 3)).toEqual(Uint8Array.of(2, 3, 3));
    expect((await io.stat(file!.statisticsPath))!.size).toBe(file!.fileSizeInBytes);

    const commit = { last_updated_snapshot_id: snapshotId, total_record_count: 1n, data_file_count: 1, spec_id: 0 };
    expect(partitionStatistics.map((one) => one.statisticsPath)).toEqual([report.partitionStatisticsFile]);
    expect(await partitionRows(io, report.partitionStatisticsFile!, formatVersion)).toMatchObject([
      { ...commit, partition: { city: null }, data_record_count: 1n },
      { ...commit, partition: { city: 'Seoul' }, data_record_count: 2n, total_record_count: 2n },
    ]);
    expect(await orphans(table as unknown as Table)).toEqual([]);
  });

  test('counts deletes by their kind', async () => {
    const io = new MemoryFileIO();
    const table = (await newTable(
      { schema: shape, formatVersion: 2, partitionBy: [partitionBy.identity('city')] },
      { io },
    )) as unknown as Table;
    const row = (id: bigint, city: string) => ({ id, city });
    await table.append([row(1n, 'a'), row(2n, 'a'), row(3n, 'b'), row(4n, 'b'), row(5n, 'c'), row(6n, 'c')]);
    await table.delete('id = 1', { mode: 'merge-on-read' });
    await table.rowDelta({ equalityDeletes: { fields: ['id', 'city'], rows: [row(3n, 'b')] } });
    await table.upgradeFormatVersion(3);
    await table.delete('id = 5', { mode: 'merge-on-read' });
    const { partitionStatisticsFile } = await table.computeStats({ columns: [] });
    expect(await partitionRows(io, partitionStatisticsFile!, 3)).toMatchObject([
      {
        partition: { city: 'a' },
        position_delete_record_count: 1n,
        position_delete_file_count: 1,
        dv_count: 0,
        total_record_count: null,
      },
      {
        partition: { city: 'b' },
        equality_delete_record_count: 1n,
        equality_delete_file_count: 1,
        total_record_count: null,
      },
      {
        partition: { city: 'c' },
        position_delete_record_count: 1n,
        position_delete_file_count: 0,
        dv_count: 1,
        total_record_count: 1n,
      },
    ]);
  });

  test('of a table without rows, and of one without partitions', async () => {
    const table = (await newTable({ schema: shape })) as unknown as Table;
    const nothing = { columns: [], statisticsFile: null, partitionStatisticsFile: null };
    expect(await table.computeStats()).toEqual({ ...nothing, snapshotId: null, dryRun: false });
    await table.append([{ id: 1n }]);
    await table.delete('id = 1');
    expect(await ndvOf(table)).toEqual({ id: 0n, city: 0n, amount: 0n, score: 0n });
    expect((await table.computeStats()).partitionStatisticsFile).toBeNull();
  });

  test('replaces what the snapshot had, and leaves nothing behind when it fails', async () => {
    const io = new MemoryFileIO();
    const faulty = new FaultInjectingFileIO(io, {
      rules: [
        {
          fault: 'fail-before',
          operations: ['write'],
          when: ({ location }) => location.includes('partition-stats') && fails,
        },
      ],
    });
    let fails = false;
    const made = await newTable({ schema: shape, partitionBy: [partitionBy.identity('city')] }, { io });
    const table = await Table.load(made.location, { io: faulty });
    await table.append([{ id: 1n, city: 'a' }]);
    const first = await table.computeStats();
    const second = await table.computeStats({ columns: ['id'] });
    expect(second.statisticsFile).not.toBe(first.statisticsFile);
    expect(table.metadata.statistics.map(({ statisticsPath }) => statisticsPath)).toEqual([second.statisticsFile]);
    expect(table.metadata.partitionStatistics).toHaveLength(1);
    const before = await orphans(table);
    fails = true;
    await expectError(table.computeStats(), 'UNAVAILABLE');
    expect(await orphans(table)).toEqual(before);
  });

  test('refuses what it can not count', async () => {
    const table = (await newTable({ schema: shape })) as unknown as Table;
    await table.append([{ id: 1n }]);
    await expectError(table.computeStats({ columns: ['nothing'] }), 'INVALID_ARGUMENT', /nothing/);
    await expectError(table.computeStats({ columns: ['tags'] }), 'INVALID_ARGUMENT', /primitive/);
    await expectError(table.computeStats({ columns: ['tags.element'] }), 'INVALID_ARGUMENT', /primitive/);
    await expectError(table.computeStats({ snapshotId: 5n }), 'NOT_FOUND');
    const signal = AbortSignal.abort();
    await expectError(table.computeStats({ signal }), 'ABORTED');
  });
});

/** A partition statistics file, read by the field ids of the specification. */
async function partitionRows(
  io: MemoryFileIO,
  location: string,
  formatVersion: number,
): Promise<readonly Record<string, unknown>[]> {
  const wanted = schema({ partition: t.struct({ city: t.string() }), spec_id: t.int() });
  const names: Readonly<Record<string, number>> = {
    data_record_count: 3,
    total_data_file_size_in_bytes: 5,
    position_delete_record_count: 6,
    equality_delete_record_count: 8,
    total_record_count: 10,
    last_updated_at: 11,
    last_updated_snapshot_id: 12,
  };
  const ints: Readonly<Record<string, number>> = {
    data_file_count: 4,
    position_delete_file_count: 7,
    equality_delete_file_count: 9,
    ...(formatVersion >= 3 && { dv_count: 13 }),
  };
  const optional = (kind: 'int' | 'long') => (entry: readonly [string, number]) => ({
    id: entry[1],
    name: entry[0],
    required: false,
    type: { kind },
  });
  const [partition, specId] = wanted.fields;
  const fields = [
    {
      ...partition!,
      type: {
        kind: 'struct' as const,
        fields: [{ id: 1000, name: 'city', required: false, type: { kind: 'string' as const } }],
      },
    },
    { ...specId!, id: 2 },
    ...Object.entries(names).map(optional('long')),
    ...Object.entries(ints).map(optional('int')),
  ];
  const { size } = (await io.stat(location))!;
  const file = await openFile(io, {
    ...NO_METRICS,
    content: 'data',
    path: location,
    format: 'parquet',
    specId: 0,
    partition: [],
    recordCount: 0,
    fileSizeInBytes: size,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
  });
  const rows: Record<string, unknown>[] = [];
  for await (const batch of file.read({ kind: 'struct', fields })) rows.push(...columnsToRows(batch, fields));
  return rows;
}
