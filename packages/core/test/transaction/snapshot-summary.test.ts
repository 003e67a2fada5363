import { describe, expect, test } from 'vitest';
import { NO_METRICS } from '../../src/spec/data-file.ts';
import type { DataFile } from '../../src/spec/data-file.ts';
import { SnapshotSummary, checkSnapshotProperties, totalsAfter } from '../../src/transaction/snapshot-summary.ts';

function file(recordCount: number, fileSizeInBytes: number): DataFile {
  return {
    content: 'data',
    path: `/t/data/${recordCount}.parquet`,
    format: 'parquet',
    specId: 0,
    partition: [],
    recordCount,
    fileSizeInBytes,
    ...NO_METRICS,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    firstRowId: null,
    referencedDataFile: null,
    contentOffset: null,
    contentSizeInBytes: null,
  };
}

describe('a summary', () => {
  test('counts files, records, bytes and partitions under the names of Iceberg Java', () => {
    const summary = new SnapshotSummary();
    summary.addedFile(file(3, 100), 'day=2024-01-01');
    summary.addedFile(file(4, 200), 'day=2024-01-02');
    summary.addedFile(file(5, 300), 'day=2024-01-02');
    expect(summary.build(0)).toEqual({
      'added-data-files': '3',
      'added-records': '12',
      'added-files-size': '600',
      'changed-partition-count': '2',
    });
  });

  test('counts delete files by their kind, and what leaves', () => {
    const summary = new SnapshotSummary();
    const positions: DataFile = { ...file(2, 50), content: 'position-deletes' };
    // Several deletion vectors lie in one file of 400 bytes.
    const vector: DataFile = { ...file(3, 400), content: 'position-deletes', format: 'puffin', contentSizeInBytes: 40 };
    const keys: DataFile = { ...file(5, 60), content: 'equality-deletes' };
    for (const one of [file(7, 100), vector, keys]) summary.addedFile(one, '');
    for (const one of [file(4, 200), positions, vector, keys]) summary.removedFile(one, '');
    expect(summary.build(10)).toEqual({
      'added-data-files': '1',
      'deleted-data-files': '1',
      'added-equality-delete-files': '1',
      'removed-equality-delete-files': '1',
      'removed-position-delete-files': '1',
      'added-delete-files': '2',
      'removed-delete-files': '3',
      'added-dvs': '1',
      'removed-dvs': '1',
      'added-records': '7',
      'deleted-records': '4',
      'added-files-size': '200',
      'removed-files-size': '350',
      'added-position-deletes': '3',
      'removed-position-deletes': '5',
      'added-equality-deletes': '5',
      'removed-equality-deletes': '5',
      'changed-partition-count': '1',
      'partition-summaries-included': 'true',
    });
  });

  test('describes partitions one by one up to the limit', () => {
    const summary = new SnapshotSummary();
    summary.addedFile(file(3, 100), 'day=2024-01-01');
    summary.addedFile(file(4, 200), 'day=2024-01-02');
    expect(summary.build(1)).not.toHaveProperty('partition-summaries-included');
    expect(summary.build(2)).toMatchObject({
      'partition-summaries-included': 'true',
      'partitions.day=2024-01-01': 'added-data-files=1,added-records=3,added-files-size=100',
      'partitions.day=2024-01-02': 'added-data-files=1,added-records=4,added-files-size=200',
    });
  });
});

describe('totals', () => {
  const added = { 'added-data-files': '2', 'added-records': '10', 'added-files-size': '500' };

  test('start at zero', () => {
    expect(totalsAfter(null, added)).toEqual({
      'total-records': '10',
      'total-files-size': '500',
      'total-data-files': '2',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    });
  });

  test('go on from the parent, beyond 2^53', () => {
    const parent = { 'total-records': '9007199254740993', 'total-data-files': '1' };
    expect(totalsAfter(parent, added)).toEqual({ 'total-records': '9007199254741003', 'total-data-files': '3' });
  });

  test('are unknown where the parent does not tell, or tells nonsense', () => {
    expect(totalsAfter({}, added)).toEqual({});
    expect(totalsAfter({ 'total-records': 'many' }, added)).toEqual({});
    expect(totalsAfter({ 'total-records': '1' }, { 'deleted-records': '2' })).toEqual({});
  });
});

test('properties of the user may not replace what is computed', () => {
  checkSnapshotProperties({ 'wap.id': 'x', job: '7' });
  for (const key of ['operation', 'added-records', 'total-data-files', 'partitions.x']) {
    expect(() => checkSnapshotProperties({ [key]: '1' })).toThrowError(/is computed/);
  }
});
