import { describe, expect, it } from 'vitest';
import {
  bloomFilterColumns,
  checkTableProperties,
  checkWriteProperties,
  columnMetricsMode,
  commitRetryPolicy,
  manifestMergePolicy,
  summaryPartitionLimit,
  tableProperty,
} from '../../src/spec/table-properties.ts';

describe('table properties', () => {
  it('have the defaults of the reference implementation', () => {
    expect(commitRetryPolicy({})).toEqual({ retries: 4, minWaitMs: 100, maxWaitMs: 60_000, totalTimeoutMs: 1_800_000 });
    expect(manifestMergePolicy({})).toEqual({ enabled: true, minCountToMerge: 100, targetSizeBytes: 8_388_608 });
    expect(summaryPartitionLimit({})).toBe(0);
    expect(tableProperty({}, 'write.target-file-size-bytes')).toBe(536_870_912);
    expect(tableProperty({}, 'write.data.path')).toBeNull();
    expect(tableProperty({}, 'write.metadata.metrics.default')).toBeNull();
  });

  it('are read as what they are', () => {
    expect(tableProperty({ 'commit.manifest-merge.enabled': 'FALSE' }, 'commit.manifest-merge.enabled')).toBe(false);
    expect(tableProperty({ 'write.delete.mode': 'Merge-On-Read' }, 'write.delete.mode')).toBe('merge-on-read');
    expect(
      tableProperty({ 'write.metadata.metrics.default': 'truncate(8)' }, 'write.metadata.metrics.default'),
    ).toEqual({ mode: 'truncate', length: 8 });
    expect(columnMetricsMode({ 'write.metadata.metrics.column.a.b': 'none' }, 'a.b')).toEqual({ mode: 'none' });
    expect(columnMetricsMode({}, 'constructor')).toBeNull();
  });

  it.each([
    ['commit.retry.num-retries', 'many'],
    ['commit.retry.num-retries', '-1'],
    ['commit.retry.num-retries', '1.5'],
    ['write.target-file-size-bytes', '0'],
    ['write.format.default', 'csv'],
    ['commit.manifest-merge.enabled', 'yes'],
    ['write.metadata.metrics.default', 'truncate(0)'],
    ['write.metadata.metrics.column.x', 'some'],
    ['write.metadata.previous-versions-max', '-1'],
    ['read.split.target-size', 'big'],
    ['write.data.path', ''],
    ['write.parquet.bloom-filter-enabled.column.x', 'perhaps'],
    ['write.parquet.bloom-filter-fpp.column.x', '1'],
  ])('refuse %s = %j by name', (key, value) => {
    expect(() => checkTableProperties({ [key]: value })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(key) }),
    );
  });

  it('never make a table unreadable', () => {
    expect(tableProperty({ 'read.split.target-size': 'big' }, 'read.split.target-size')).toBe(134_217_728);
  });

  it('of others are none of our business', () => {
    expect(() =>
      checkTableProperties({ 'engine.x': '', 'write.spark.fanout.enabled': '?', constructor: 'x' }),
    ).not.toThrow();
  });

  it('fail writes with any bad value that guides them, and with no other', () => {
    for (const key of ['write.merge.mode', 'commit.retry.num-retries', 'write.parquet.bloom-filter-enabled.column.a']) {
      expect(() => checkWriteProperties({ [key]: '?' })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(key) }),
      );
    }
    expect(() =>
      checkWriteProperties({ 'read.split.target-size': '?', 'write.other': '?', 'gc.enabled': '?' }),
    ).not.toThrow();
  });

  it('name the columns with bloom filters', () => {
    const prefix = 'write.parquet.bloom-filter-';
    expect(
      bloomFilterColumns({
        [`${prefix}enabled.column.a.b`]: 'true',
        [`${prefix}fpp.column.a.b`]: '0.05',
        [`${prefix}enabled.column.c`]: 'TRUE',
        [`${prefix}enabled.column.d`]: 'false',
      }),
    ).toEqual([
      { column: 'a.b', falsePositiveRatio: 0.05 },
      { column: 'c', falsePositiveRatio: null },
    ]);
  });
});
