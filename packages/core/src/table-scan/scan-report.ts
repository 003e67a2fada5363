import type { Expression } from '../expr/expression.ts';
import { byteCounter, counter, timer } from '../reporter.ts';
import type { Metrics, ScanReport } from '../reporter.ts';
import type { ScanMetrics } from '../scan/file-scan-task.ts';
import type { Schema } from '../spec/schema.ts';

export interface ScanReportInput {
  readonly tableName: string;
  readonly filter: Expression;
  readonly schemaId: number;
  readonly projection: Schema;
  readonly metrics: ScanMetrics;
}

/** A plan's counts under the REST specification's names. */
export function scanReport({ tableName, filter, schemaId, projection, metrics }: ScanReportInput): ScanReport {
  return {
    reportType: 'scan-report',
    tableName,
    snapshotId: metrics.snapshotId,
    filter,
    schemaId,
    projectedFieldIds: projection.fields.map((field) => field.id),
    projectedFieldNames: projection.fields.map((field) => field.name),
    metrics: toMetrics(metrics),
  };
}

function toMetrics(metrics: ScanMetrics): Metrics {
  return {
    'total-planning-duration': timer(metrics.durationMs),
    'result-data-files': counter(metrics.filesScanned),
    'result-delete-files': counter(metrics.deleteFilesApplied),
    'total-data-manifests': counter(metrics.manifestsTotal),
    'total-delete-manifests': counter(metrics.deleteManifestsTotal),
    'scanned-data-manifests': counter(metrics.manifestsScanned),
    'scanned-delete-manifests': counter(metrics.deleteManifestsScanned),
    'skipped-data-manifests': counter(metrics.manifestsSkipped),
    'skipped-delete-manifests': counter(metrics.deleteManifestsTotal - metrics.deleteManifestsScanned),
    'skipped-data-files': counter(metrics.filesSkipped),
    'total-file-size-in-bytes': byteCounter(metrics.bytesScanned),
  };
}
