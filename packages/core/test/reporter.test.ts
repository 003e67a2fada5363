import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expr } from '../src/expr/expr.ts';
import { LIBRARY_VERSION, counter, reportMetadata, reportToJson, timer } from '../src/reporter.ts';
import type { CommitReport, MetricsReport, ScanReport } from '../src/reporter.ts';
import { parseJson } from '../src/spec/json.ts';
import { schema, t } from '../src/spec/schema-builder.ts';
import { newTable } from './table/support.ts';

const SCAN: ScanReport = {
  reportType: 'scan-report',
  tableName: 'web.events',
  snapshotId: 9007199254740993n,
  filter: expr.eq('id', 1n),
  schemaId: 3,
  projectedFieldIds: [1],
  projectedFieldNames: ['id'],
  metrics: { 'total-planning-duration': timer(1.5), 'result-data-files': counter(2) },
  metadata: reportMetadata({ 'engine-name': 'duckdb' }),
};

test('a report as the REST specification has it', () => {
  expect(reportToJson(SCAN)).toBe(
    '{"report-type":"scan-report","table-name":"web.events","snapshot-id":9007199254740993,' +
      '"filter":{"type":"eq","term":"id","value":1},"schema-id":3,"projected-field-ids":[1],"projected-field-names":["id"],' +
      '"metrics":{"total-planning-duration":{"time-unit":"nanoseconds","count":1,"total-duration":1500000},' +
      '"result-data-files":{"unit":"count","value":2}},' +
      `"metadata":{"engine-name":"duckdb","lakehouse-version":"${LIBRARY_VERSION}"}}`,
  );
  expect(parseJson(reportToJson({ ...SCAN, snapshotId: null }))).toMatchObject({ 'snapshot-id': -1 });
  const commit: CommitReport = {
    reportType: 'commit-report',
    tableName: 't',
    snapshotId: 1n,
    sequenceNumber: 2n ** 62n,
    operation: 'append',
    metrics: {},
    metadata: {},
  };
  expect(reportToJson(commit)).toBe(
    '{"report-type":"commit-report","table-name":"t","snapshot-id":1,"sequence-number":4611686018427387904,' +
      '"operation":"append","metrics":{},"metadata":{}}',
  );
});

test('the version is that of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(LIBRARY_VERSION).toBe(manifest.version);
});

/** Names that Iceberg Java reports (`ScanMetrics`, `CommitMetricsResult`). */
const SCAN_METRICS = [
  'total-planning-duration',
  'result-data-files',
  'result-delete-files',
  'total-data-manifests',
  'total-delete-manifests',
  'scanned-data-manifests',
  'scanned-delete-manifests',
  'skipped-data-manifests',
  'skipped-delete-manifests',
  'skipped-data-files',
  'skipped-delete-files',
  'total-file-size-in-bytes',
  'total-delete-file-size-in-bytes',
  'indexed-delete-files',
  'equality-delete-files',
  'positional-delete-files',
  'dvs',
];

test('reports of a table have the names of Iceberg Java', async () => {
  const reports: MetricsReport[] = [];
  const shape = schema({ id: t.long(), geo: t.struct({ lat: t.double(), lon: t.double() }), tags: t.list(t.string()) });
  const table = await newTable({ schema: shape }, { reporter: (report) => reports.push(report) });
  await table.append([{ id: 1n, geo: { lat: 1, lon: 2 }, tags: ['a'] }], {
    snapshotProperties: { constructor: 'x', 'my-key': 'no number' },
  });
  await table.scan({ select: ['tags', 'geo.lon'], reportMetadata: { 'query-id': 'q1' } }).toRows();
  const [commit, scan] = reports as [CommitReport, ScanReport];
  expect(Object.keys(scan.metrics).toSorted()).toEqual(SCAN_METRICS.toSorted());
  expect(scan.projectedFieldNames).toEqual(['tags', 'tags.element', 'geo', 'geo.lon']);
  expect(scan.metadata).toEqual({ 'query-id': 'q1', 'lakehouse-version': LIBRARY_VERSION });
  expect(Object.keys(commit.metrics).toSorted()).toEqual([
    'added-data-files',
    'added-files-size-bytes',
    'added-records',
    'attempts',
    'manifests-created',
    'manifests-kept',
    'manifests-replaced',
    'total-data-files',
    'total-delete-files',
    'total-duration',
    'total-equality-deletes',
    'total-files-size-bytes',
    'total-positional-deletes',
    'total-records',
  ]);
  expect(commit.metadata).toEqual({ 'lakehouse-version': LIBRARY_VERSION });
});

test('every snapshot of a transaction is reported', async () => {
  const reports: MetricsReport[] = [];
  const table = await newTable({ schema: schema({ id: t.long() }) }, { reporter: (report) => reports.push(report) });
  await table.transaction(async (tx) => {
    await tx.append([{ id: 1n }]);
    tx.setProperties({ a: 'b' });
    await tx.append([{ id: 2n }, { id: 3n }]);
  });
  expect(reports).toMatchObject(
    table.snapshots().map(({ snapshotId, summary }) => ({
      reportType: 'commit-report',
      snapshotId,
      metrics: { 'added-records': { unit: 'count', value: Number(summary['added-records']) } },
    })),
  );
  expect(reports.map(({ metrics }) => metrics['added-records'])).toEqual([
    { unit: 'count', value: 1 },
    { unit: 'count', value: 2 },
  ]);
});

test('deletes are reported by their kind, when they are written and when they are read', async () => {
  for (const [formatVersion, written, read] of [
    [2, { 'added-positional-delete-files': 1, 'added-positional-deletes': 1 }, 'positional-delete-files'],
    [3, { 'added-dvs': 1, 'added-positional-deletes': 1 }, 'dvs'],
  ] as const) {
    const reports: MetricsReport[] = [];
    const shape = schema({ id: t.long() });
    const table = await newTable({ schema: shape, formatVersion }, { reporter: (report) => reports.push(report) });
    await table.append([{ id: 1n }, { id: 2n }]);
    await table.delete('id = 1', { mode: 'merge-on-read' });
    const counts = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, { unit: 'count', value }]));
    expect(reports.at(-1)).toMatchObject({
      reportType: 'commit-report',
      metrics: {
        ...counts,
        'added-delete-files': { unit: 'count', value: 1 },
        'total-delete-files': { unit: 'count', value: 1 },
        'total-positional-deletes': { unit: 'count', value: 1 },
      },
    });
    expect(await table.scan().count()).toBe(1);
    expect(reports.at(-1)).toMatchObject({
      reportType: 'scan-report',
      metrics: {
        'result-delete-files': { unit: 'count', value: 1 },
        'indexed-delete-files': { unit: 'count', value: 1 },
        [read]: { unit: 'count', value: 1 },
        'total-delete-file-size-in-bytes': { unit: 'bytes', value: expect.any(Number) as number },
      },
    });
    await table.delete('id = 2', { mode: 'copy-on-write' });
    expect(reports.at(-1)).toMatchObject({
      operation: expect.stringMatching(/overwrite|delete/) as string,
      metrics: {
        'removed-data-files': { unit: 'count', value: 1 },
        'removed-records': { unit: 'count', value: 2 },
        'removed-delete-files': { unit: 'count', value: 1 },
        [`removed-${read}`]: { unit: 'count', value: 1 },
      },
    });
  }
});
