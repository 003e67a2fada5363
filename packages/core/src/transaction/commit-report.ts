import { byteCounter, counter, reportMetadata, timer } from '../reporter.ts';
import type { CommitReport, Metric } from '../reporter.ts';
import type { Snapshot } from '../spec/snapshot.ts';

/** Names of the REST specification by the summary's: mostly the same, but not quite. */
const COUNTERS: Readonly<Record<string, string>> = {
  'added-data-files': 'added-data-files',
  'deleted-data-files': 'removed-data-files',
  'total-data-files': 'total-data-files',
  'added-delete-files': 'added-delete-files',
  'removed-delete-files': 'removed-delete-files',
  'total-delete-files': 'total-delete-files',
  'added-equality-delete-files': 'added-equality-delete-files',
  'removed-equality-delete-files': 'removed-equality-delete-files',
  'added-position-delete-files': 'added-positional-delete-files',
  'removed-position-delete-files': 'removed-positional-delete-files',
  'added-dvs': 'added-dvs',
  'removed-dvs': 'removed-dvs',
  'added-records': 'added-records',
  'deleted-records': 'removed-records',
  'total-records': 'total-records',
  'added-position-deletes': 'added-positional-deletes',
  'removed-position-deletes': 'removed-positional-deletes',
  'total-position-deletes': 'total-positional-deletes',
  'added-equality-deletes': 'added-equality-deletes',
  'removed-equality-deletes': 'removed-equality-deletes',
  'total-equality-deletes': 'total-equality-deletes',
  'manifests-created': 'manifests-created',
  'manifests-kept': 'manifests-kept',
  'manifests-replaced': 'manifests-replaced',
  'entries-processed': 'manifest-entries-processed',
};

const BYTE_COUNTERS: Readonly<Record<string, string>> = {
  'added-files-size': 'added-files-size-bytes',
  'removed-files-size': 'removed-files-size-bytes',
  'total-files-size': 'total-files-size-bytes',
};

/** What a commit did and took, under the REST specification's names. */
export function commitReport(
  tableName: string,
  snapshot: Snapshot,
  attempts: number,
  durationMs: number,
): CommitReport {
  const metrics: Record<string, Metric> = {
    'total-duration': timer(durationMs),
    attempts: counter(attempts),
  };
  for (const [key, text] of Object.entries(snapshot.summary)) {
    // Other keys are the user's, and may be anything.
    if (Object.hasOwn(COUNTERS, key)) metrics[COUNTERS[key]!] = counter(Number(text));
    else if (Object.hasOwn(BYTE_COUNTERS, key)) metrics[BYTE_COUNTERS[key]!] = byteCounter(Number(text));
  }
  return {
    reportType: 'commit-report',
    tableName,
    snapshotId: snapshot.snapshotId,
    sequenceNumber: snapshot.sequenceNumber,
    operation: snapshot.operation ?? 'append',
    metrics,
    metadata: reportMetadata(),
  };
}
