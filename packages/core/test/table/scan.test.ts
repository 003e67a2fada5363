import { tableToIPC, tableFromIPC } from 'apache-arrow';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { expr } from '../../src/expr/expr.ts';
import { MemoryFileIO } from '../../src/io/memory-file-io.ts';
import { LIBRARY_VERSION } from '../../src/reporter.ts';
import type { MetricsReport } from '../../src/reporter.ts';
import { partitionBy } from '../../src/spec/partition-by.ts';
import { schema, t } from '../../src/spec/schema-builder.ts';
import type { InferRow } from '../../src/spec/schema.ts';
import type { SelectedRow } from '../../src/table-scan/selected-row.ts';
import { FaultInjectingFileIO } from '../../src/testing/fault-injecting-file-io.ts';
import { expectError, newTable } from './support.ts';

const shape = schema({
  id: t.long().required(),
  city: t.string(),
  geo: t.struct({ lat: t.double(), lon: t.double() }),
  tags: t.list(t.string()),
});
const row = (id: number, city: string | null): InferRow<typeof shape> => ({
  id: BigInt(id),
  city,
  geo: city === null ? null : { lat: id / 2, lon: -id },
  tags: city === null ? null : [city, 'x'],
});

async function citiesTable() {
  const io = new MemoryFileIO();
  const reports: MetricsReport[] = [];
  const counting = new FaultInjectingFileIO(io);
  const table = await newTable(
    { schema: shape, partitionBy: [partitionBy.identity('city')] },
    { io: counting, reporter: (report) => reports.push(report) },
  );
  await table.append([row(1, 'Oslo'), row(2, 'Seoul'), row(3, null)]);
  await table.append([row(4, 'Oslo'), row(5, 'Oslo')]);
  const parquetReads = (): number =>
    counting.calls.filter((call) => call.operation === 'read' && call.location.endsWith('.parquet')).length;
  return { table, reports, parquetReads };
}

const sorted = <T extends { readonly id?: unknown }>(rows: readonly T[]): readonly T[] =>
  rows.toSorted((a, b) => Number((a.id as bigint) - (b.id as bigint)));

describe('select', () => {
  test('names columns, parts of them, and metadata columns, in the order given', async () => {
    const { table } = await citiesTable();
    const scan = table.scan({ select: ['geo.lon', 'id', '_file', '_pos'], filter: 'id >= 2 AND id <= 3' });
    expect(scan.schema.fields.map((field) => field.name)).toEqual(['geo', 'id']);
    const rows = sorted(await scan.toRows());
    expect(rows).toEqual([
      { id: 2n, geo: { lon: -2 }, _file: expect.stringMatching(/\.parquet$/), _pos: 0n },
      { id: 3n, geo: null, _file: expect.stringMatching(/\.parquet$/), _pos: 0n },
    ]);
    const arrow = await scan.toArrow();
    expect(arrow.schema.fields.map((field) => field.name)).toEqual(['geo', 'id', '_file', '_pos']);
  });

  test('follows case only where asked to', async () => {
    const { table } = await citiesTable();
    const scan = table.scan({ select: ['ID'], filter: "CITY = 'Seoul'", caseSensitive: false });
    expect(await scan.toRows()).toEqual([{ id: 2n }]);
    expect(() => table.scan({ select: ['ID'] })).toThrow(/no column 'ID'/);
    expect(() => table.scan({ filter: "CITY = 'Seoul'" })).toThrow(/CITY/);
  });

  test('refuses what is not there before anything is read', async () => {
    const { table } = await citiesTable();
    expect(() => table.scan({ select: ['id', 'nope'] })).toThrow(/no column 'nope'.*id, city, geo, tags/);
    expect(() => table.scan({ select: [] })).toThrow(/names no column/);
    expect(() => table.scan({ limit: -1 })).toThrow(/limit/);
    expect(() => table.scan({ filter: 'id =' })).toThrow();
    expect(() => table.scan({ filter: expr.eq('nope', 1) })).toThrow(/nope/);
  });
});

describe('results', () => {
  test('are the same as rows, streamed rows, batches and an Arrow table', async () => {
    const { table } = await citiesTable();
    const all = [row(1, 'Oslo'), row(2, 'Seoul'), row(3, null), row(4, 'Oslo'), row(5, 'Oslo')];
    const scan = table.scan();
    expect(sorted(await scan.toRows())).toEqual(all);
    const streamed: { id?: unknown }[] = [];
    for await (const one of scan.rows()) streamed.push(one);
    expect(sorted(streamed)).toEqual(all);
    const arrow = await scan.toArrow();
    expect(arrow.numRows).toBe(5);
    expect(tableFromIPC(tableToIPC(arrow)).numRows).toBe(5);
    let batched = 0;
    for await (const batch of scan.batches()) batched += batch.numRows;
    expect(batched).toBe(5);
  });

  test('of an empty table have its columns', async () => {
    const table = await newTable({ schema: shape });
    expect(await table.scan().toRows()).toEqual([]);
    expect(await table.scan().count()).toBe(0);
    const arrow = await table.scan({ select: ['id', '_file'] }).toArrow();
    expect(arrow.schema.fields.map((field) => field.name)).toEqual(['id', '_file']);
    expect((await table.scan().plan()).metrics).toMatchObject({ snapshotId: null, filesTotal: 0 });
  });

  test('stop at the limit', async () => {
    const { table, parquetReads } = await citiesTable();
    expect(await table.scan({ limit: 2 }).toRows()).toHaveLength(2);
    expect(await table.scan({ limit: 0 }).toRows()).toEqual([]);
    expect(await table.scan({ limit: 100 }).toRows()).toHaveLength(5);
    expect(await table.scan({ limit: 4 }).count()).toBe(4);
    const before = parquetReads();
    expect((await table.scan({ limit: 1 }).toArrow()).numRows).toBe(1);
    expect(parquetReads() - before).toBeLessThanOrEqual(3);
  });
});

describe('counting', () => {
  test('needs no data file where files match as a whole', async () => {
    const { table, parquetReads } = await citiesTable();
    expect(await table.scan().count()).toBe(5);
    expect(await table.scan({ filter: "city = 'Oslo'" }).count()).toBe(3);
    expect(await table.scan({ filter: 'city IS NULL' }).count()).toBe(1);
    expect(parquetReads()).toBe(0);
    expect(await table.scan({ filter: 'geo.lon < -3' }).count()).toBe(2);
  });
});

describe('planning', () => {
  test('tells what was skipped, and reports it', async () => {
    const { table, reports } = await citiesTable();
    reports.length = 0;
    const { tasks, metrics } = await table.scan({ filter: "city = 'Seoul'" }).plan();
    expect(tasks.map((task) => task.file.recordCount)).toEqual([1]);
    expect(tasks[0]!.residual).toEqual({ op: 'true' });
    expect(metrics).toMatchObject({ filesTotal: 4, filesScanned: 1, filesSkipped: 3 });
    expect(reports).toEqual([
      {
        reportType: 'scan-report',
        tableName: 'db.t',
        snapshotId: table.currentSnapshot()!.snapshotId,
        filter: { op: 'eq', term: { column: 'city' }, value: 'Seoul' },
        schemaId: 0,
        projectedFieldIds: [1, 2, 3, 5, 6, 4, 7],
        projectedFieldNames: ['id', 'city', 'geo', 'geo.lat', 'geo.lon', 'tags', 'tags.element'],
        metrics: expect.objectContaining({
          'result-data-files': { unit: 'count', value: 1 },
          'total-planning-duration': { 'time-unit': 'nanoseconds', count: 1, 'total-duration': expect.any(Number) },
        }),
        metadata: { 'lakehouse-version': LIBRARY_VERSION },
      },
    ]);
  });

  test('commits are reported as well, and reporters that throw do no harm', async () => {
    const { table, reports } = await citiesTable();
    expect(reports[1]).toMatchObject({
      reportType: 'commit-report',
      tableName: 'db.t',
      snapshotId: table.currentSnapshot()!.snapshotId,
      sequenceNumber: 2n,
      operation: 'append',
      metrics: {
        attempts: { unit: 'count', value: 1 },
        'added-data-files': { unit: 'count', value: 1 },
        'total-records': { unit: 'count', value: 5 },
        'added-files-size-bytes': { unit: 'bytes', value: expect.any(Number) },
      },
    });
    const reporter = {
      report(): void {
        throw new Error('no');
      },
    };
    const other = await newTable({ schema: shape }, { reporter });
    await other.append([row(1, 'Oslo')]);
    expect(await other.scan().toRows()).toHaveLength(1);
  });

  test('streams, and stops when its signal is aborted', async () => {
    const { table } = await citiesTable();
    const paths: string[] = [];
    for await (const task of table.scan().planFiles()) paths.push(task.file.path);
    expect(paths).toHaveLength(4);
    await expectError(table.scan({ signal: AbortSignal.abort() }).toRows(), 'ABORTED');
  });
});

test('the types of rows follow the schema and what is selected', () => {
  type Row = InferRow<typeof shape>;
  expectTypeOf<SelectedRow<Row, readonly never[]>>().toEqualTypeOf<Row>();
  expectTypeOf<SelectedRow<Row, readonly ['id', 'geo.lat', '_pos']>>().toEqualTypeOf<{
    id: bigint;
    geo: Row['geo'];
    _pos: bigint;
  }>();
  expectTypeOf<SelectedRow<Row, readonly string[]>>().toEqualTypeOf<Record<string, unknown>>();
});
