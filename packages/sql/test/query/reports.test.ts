import { FileSystemCatalog, partitionBy, reportToJson, schema, t } from '@lh/core';
import type { MetricsReport, ScanReport } from '@lh/core';
import { LocalFileIO } from '@lh/io-fs';
import { version } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { openWarehouse } from '../support.ts';

test('scans of SQL are reported with the columns and the filter that reach them', async () => {
  const { path } = await openWarehouse();
  const reports: MetricsReport[] = [];
  const catalog = await FileSystemCatalog.open({
    io: new LocalFileIO(),
    warehouse: path,
    reporter: (report) => reports.push(report),
  });
  const { lake } = await openWarehouse({ catalog });
  const table = await catalog.createTable('ns.cities', {
    schema: schema({ id: t.long(), city: t.string(), size: t.int() }),
    partitionBy: [partitionBy.identity('city')],
  });
  await table.append(['Seoul', 'Busan', 'Jeju'].map((city, i) => ({ id: BigInt(i), city, size: i })));
  const report = async (sql: string): Promise<ScanReport> => {
    reports.length = 0;
    await (await lake.sql(sql)).rows();
    expect(reports).toHaveLength(1);
    return reports[0] as ScanReport;
  };

  const filtered = await report("SELECT id FROM ns.cities WHERE city = 'Seoul' AND size < 5");
  expect(filtered).toMatchObject({
    reportType: 'scan-report',
    tableName: 'ns.cities',
    projectedFieldNames: ['id', 'city', 'size'],
    metrics: { 'result-data-files': { unit: 'count', value: 1 }, 'skipped-data-files': { unit: 'count', value: 2 } },
    metadata: { 'engine-name': 'duckdb', 'engine-version': version() },
  });
  expect(reportToJson(filtered)).toContain('"Seoul"');
  expect((await report('SELECT count(*) FROM ns.cities')).projectedFieldNames).toEqual([]);
  expect((await report('SELECT * FROM ns.cities')).projectedFieldNames).toEqual(['id', 'city', 'size']);
});
