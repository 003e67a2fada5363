import { describe, expect, test } from 'vitest';
import { dataLocations } from '../../src/write/locations.ts';

const stored = { 'write.object-storage.enabled': 'true' };

describe('data locations', () => {
  test.each<[string, string, Record<string, string>, string, string]>([
    ['below the table', 's3://b/db/t', {}, 'p=1', 's3://b/db/t/data/p=1/f.parquet'],
    ['without a partition', '/wh/t/', {}, '', '/wh/t/data/f.parquet'],
    ['elsewhere', '/wh/t', { 'write.data.path': 'file:///fast/' }, 'p=1', 'file:///fast/p=1/f.parquet'],
  ])('%s', (_, table, properties, partition, expected) => {
    expect(dataLocations(table, properties)('f.parquet', partition)).toBe(expected);
  });

  // Names and directories of Iceberg Java's TestLocationProvider.
  test('spread by hash, as Iceberg Java does', () => {
    const locations = dataLocations('s3://b/db/t', stored);
    expect(locations('a', '')).toBe('s3://b/db/t/data/0101/0110/1001/10110010/a');
    expect(locations('b', '')).toBe('s3://b/db/t/data/1110/0111/1110/00000011/b');
    expect(locations('c', '')).toBe('s3://b/db/t/data/0010/1101/0110/01011111/c');
    expect(locations('d', '')).toBe('s3://b/db/t/data/1001/0001/0100/01110011/d');
  });

  test('outside the table, its name is part of the path; partitions may be left out', () => {
    const elsewhere = dataLocations('s3://b/db/t', { ...stored, 'write.data.path': 's3://fast/x' });
    expect(elsewhere('a', '')).toBe('s3://fast/x/0101/0110/1001/10110010/db/t/a');
    const flat = dataLocations('s3://b/db/t', { ...stored, 'write.object-storage.partitioned-paths': 'false' });
    expect(flat('a', 'p=1')).toBe('s3://b/db/t/data/0101/0110/1001/10110010-a');
    expect(dataLocations('s3://b/db/t', stored)('a', 'p=1')).toMatch(
      /^s3:\/\/b\/db\/t\/data\/[01]{4}\/[01]{4}\/[01]{4}\/[01]{8}\/p=1\/a$/,
    );
  });
});
