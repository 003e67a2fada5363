import { expect, test } from 'vitest';
import { commitReport } from '../../src/transaction/commit-report.ts';
import type { Snapshot } from '../../src/spec/snapshot.ts';

/** Names in a snapshot's summary (spec: "Optional Snapshot Summary Fields"), and what Iceberg Java's reports call them. */
const NAMES: readonly (readonly [summary: string, metric: string])[] = [
  ['added-data-files', 'added-data-files'],
  ['deleted-data-files', 'removed-data-files'],
  ['total-data-files', 'total-data-files'],
  ['added-delete-files', 'added-delete-files'],
  ['added-equality-delete-files', 'added-equality-delete-files'],
  ['removed-equality-delete-files', 'removed-equality-delete-files'],
  ['added-position-delete-files', 'added-positional-delete-files'],
  ['removed-position-delete-files', 'removed-positional-delete-files'],
  ['added-dvs', 'added-dvs'],
  ['removed-dvs', 'removed-dvs'],
  ['removed-delete-files', 'removed-delete-files'],
  ['total-delete-files', 'total-delete-files'],
  ['added-records', 'added-records'],
  ['deleted-records', 'removed-records'],
  ['total-records', 'total-records'],
  ['added-files-size', 'added-files-size-bytes'],
  ['removed-files-size', 'removed-files-size-bytes'],
  ['total-files-size', 'total-files-size-bytes'],
  ['added-position-deletes', 'added-positional-deletes'],
  ['removed-position-deletes', 'removed-positional-deletes'],
  ['total-position-deletes', 'total-positional-deletes'],
  ['added-equality-deletes', 'added-equality-deletes'],
  ['removed-equality-deletes', 'removed-equality-deletes'],
  ['total-equality-deletes', 'total-equality-deletes'],
  ['manifests-created', 'manifests-created'],
  ['manifests-kept', 'manifests-kept'],
  ['manifests-replaced', 'manifests-replaced'],
  ['entries-processed', 'manifest-entries-processed'],
];

test('a summary is reported under the names of Iceberg Java', () => {
  const snapshot: Snapshot = {
    snapshotId: 7n,
    parentSnapshotId: null,
    sequenceNumber: 1n,
    timestampMs: 0,
    manifestList: 'm',
    manifests: null,
    operation: 'overwrite',
    summary: {
      ...Object.fromEntries(NAMES.map(([summary], i) => [summary, String(i)])),
      toString: '1',
      'changed-partition-count': '3',
    },
    schemaId: 0,
    firstRowId: null,
    addedRows: null,
    keyId: null,
    unknownFields: {},
  };
  const { metrics } = commitReport('t', snapshot, 2, 1);
  expect(metrics).toEqual({
    ...Object.fromEntries(
      NAMES.map(([, metric], value) => [metric, { unit: metric.endsWith('-bytes') ? 'bytes' : 'count', value }]),
    ),
    attempts: { unit: 'count', value: 2 },
    'total-duration': { 'time-unit': 'nanoseconds', count: 1, 'total-duration': 1_000_000 },
  });
});
