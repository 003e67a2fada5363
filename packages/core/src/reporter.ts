import type { Expression } from './expr/expression.ts';
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
  readonly filter: Expression;
  readonly schemaId: number;
  readonly projectedFieldIds: readonly number[];
  readonly projectedFieldNames: readonly string[];
  readonly metrics: Metrics;
}

export interface CommitReport {
  readonly reportType: 'commit-report';
  readonly tableName: string;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly operation: Operation;
  readonly metrics: Metrics;
}

/** By name, as in `'result-data-files': { unit: 'count', value: 3 }`. */
export type Metrics = Readonly<Record<string, Metric>>;

export type Metric =
  | { readonly unit: 'count' | 'bytes'; readonly value: number }
  | { readonly 'time-unit': 'nanoseconds'; readonly count: number; readonly 'total-duration': number };

/** A function, or an object with `report`. */
export type Reporter = ((report: MetricsReport) => void) | { report(report: MetricsReport): void };

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
