import { expressionToJson } from './expr/expression-json.ts';
import type { Expression } from './expr/expression.ts';
import { stringifyJson } from './spec/json.ts';
import type { Operation } from './spec/snapshot.ts';

/**
 * What a table tells about its scans and commits, with the metric names of the REST specification ("ScanReport",
 * "CommitReport"). Give a reporter where a table or catalog is opened.
 */
export type MetricsReport = ScanReport | CommitReport;

export interface ScanReport {
  readonly reportType: 'scan-report';
  readonly tableName: string;
  /** Null when the table has no snapshot. */
  readonly snapshotId: bigint | null;
  /** As it was given, with the values that it compares with. */
  readonly filter: Expression;
  readonly schemaId: number;
  /** Fields at every depth, as in Iceberg Java. */
  readonly projectedFieldIds: readonly number[];
  /** Their full names ('geo.lat'), in the same order. */
  readonly projectedFieldNames: readonly string[];
  readonly metrics: Metrics;
  readonly metadata: ReportMetadata;
}

export interface CommitReport {
  readonly reportType: 'commit-report';
  readonly tableName: string;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly operation: Operation;
  readonly metrics: Metrics;
  readonly metadata: ReportMetadata;
}

/** What made the report: `lakehouse-version`; `engine-name` and `engine-version` if an engine runs on top of core. */
export type ReportMetadata = Readonly<Record<string, string>>;

/** By name, as in `'result-data-files': { unit: 'count', value: 3 }`. */
export type Metrics = Readonly<Record<string, Metric>>;

export type Metric =
  | { readonly unit: 'count' | 'bytes'; readonly value: number }
  | { readonly 'time-unit': 'nanoseconds'; readonly count: number; readonly 'total-duration': number };

/** A function, or an object with `report`. */
export type Reporter = ((report: MetricsReport) => void) | { report(report: MetricsReport): void };

/** The version of this library; a test holds it to the package's. */
export const LIBRARY_VERSION = '0.1.0';

export function reportMetadata(more: ReportMetadata = {}): ReportMetadata {
  return { ...more, 'lakehouse-version': LIBRARY_VERSION };
}

/**
 * A report as one line of JSON in the form of the REST specification ("ReportMetricsRequest"): 64-bit ids keep all their
 * digits, so read it with a parser that does, too. The snapshot id of a table
 * without snapshots is -1, as metadata files have it.
 */
export function reportToJson(report: MetricsReport): string {
  return stringifyJson(reportFields(report));
}

/** The same as an object. */
export function reportFields(report: MetricsReport): object {
  return {
    'report-type': report.reportType,
    'table-name': report.tableName,
    'snapshot-id': report.snapshotId ?? -1,
    ...(report.reportType === 'scan-report' ? scanFields(report) : commitFields(report)),
    metrics: report.metrics,
    metadata: report.metadata,
  };
}

function scanFields({ filter, schemaId, projectedFieldIds, projectedFieldNames }: ScanReport): object {
  return {
    filter: expressionToJson(filter),
    'schema-id': schemaId,
    'projected-field-ids': projectedFieldIds,
    'projected-field-names': projectedFieldNames,
  };
}

function commitFields({ sequenceNumber, operation }: CommitReport): object {
  return { 'sequence-number': sequenceNumber, operation };
}

/** Hands a report over. A reporter that throws can't fail the scan or commit that it is told about. */
export function sendReport(reporter: Reporter | undefined, report: MetricsReport): void {
  if (reporter === undefined) return;
  try {
    if (typeof reporter === 'function') reporter(report);
    else reporter.report(report);
  } catch {
    // The work that is reported is done.
  }
}

export function counter(value: number): Metric {
  return { unit: 'count', value };
}

export function byteCounter(value: number): Metric {
  return { unit: 'bytes', value };
}

export function timer(milliseconds: number): Metric {
  return { 'time-unit': 'nanoseconds', count: 1, 'total-duration': Math.round(milliseconds * 1e6) };
}
