import type { Expression } from '../expr/expression.ts';
import { byteCounter, counter, reportMetadata, timer } from '../reporter.ts';
import type { Metrics, ReportMetadata, ScanReport } from '../reporter.ts';
import type { ScanMetrics } from '../scan/file-scan-task.ts';
import { indexById } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';

export interface ScanReportInput {
  readonly tableName: string;
  readonly filter: Expression;
  readonly schemaId: number;
  readonly projection: Schema;
  readonly metrics: ScanMetrics;
  readonly metadata: ReportMetadata | undefined;
}

/** A plan's counts under the REST specification's names. */
export function scanReport(input: ScanReportInput): ScanReport {
  const { tableName, filter, schemaId, projection, metrics, metadata } = input;
  const projected = [...indexById(projection)];
  return {
    reportType: 'scan-report',
    tableName,
    snapshotId: metrics.snapshotId,
    filter,
    schemaId,
    projectedFieldIds: projected.map(([id]) => id),
    projectedFieldNames: projected.map(([, { path }]) => path.join('.')),
    metrics: toMetrics(metrics),
    metadata: reportMetadata(metadata),
  };
}

/** The names, and what each counts, are those of Iceberg Java: the specification leaves both open. */
function toMetrics(metrics: ScanMetrics): Metrics {
  const { filesSkippedBy, deleteFilesIndexed, deleteReferences } = metrics;
  return {
    'total-planning-duration': timer(metrics.durationMs),
    'result-data-files': counter(metrics.filesScanned),
    'result-delete-files': counter(deleteReferences.files),
    'total-data-manifests': counter(metrics.manifestsTotal),
    'total-delete-manifests': counter(metrics.deleteManifestsTotal),
    'scanned-data-manifests': counter(metrics.manifestsScanned),
    'scanned-delete-manifests': counter(metrics.deleteManifestsScanned),
    'skipped-data-manifests': counter(metrics.manifestsSkipped),
    'skipped-delete-manifests': counter(metrics.deleteManifestsTotal - metrics.deleteManifestsScanned),
    // Files of manifests that were skipped are not among them.
    'skipped-data-files': counter(filesSkippedBy.partition + filesSkippedBy.metrics),
    'skipped-delete-files': counter(metrics.deleteFilesSkipped),
    'total-file-size-in-bytes': byteCounter(metrics.bytesScanned),
    'total-delete-file-size-in-bytes': byteCounter(deleteReferences.bytes),
    'indexed-delete-files': counter(
      deleteFilesIndexed.equality + deleteFilesIndexed.position + deleteFilesIndexed.deletionVector,
    ),
    'equality-delete-files': counter(deleteFilesIndexed.equality),
    'positional-delete-files': counter(deleteFilesIndexed.position),
    dvs: counter(deleteFilesIndexed.deletionVector),
  };
}
