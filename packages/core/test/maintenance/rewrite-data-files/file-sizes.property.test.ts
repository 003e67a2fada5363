import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../../../../tests/support/runs.ts';
import { expectedFileSize, expectedFiles } from '../../../src/maintenance/rewrite-data-files/file-sizes.ts';

const MB = 1024 * 1024;
const sizes = { target: 128 * MB, min: 96 * MB, max: 230 * MB };
const largest = 179 * MB;

test.each([
  ['less than the target', 100, 1],
  ['exactly the target', 128, 1],
  ['a remainder that the others take', 130, 1],
  ['a remainder that makes files too large', 200, 2],
  ['a remainder that is a file', 128 + 100, 2],
  ['ten files and a small rest', 1290, 10],
])('%s', (_, megabytes, files) => {
  expect(expectedFiles(megabytes * MB, sizes, largest)).toBe(files);
});

test('files of the expected size are as many as expected, and no larger than they may be', () => {
  const given = fc.record({ target: fc.integer({ min: 4, max: 1e9 }), bytes: fc.integer({ min: 1, max: 1e12 }) });
  fc.assert(
    fc.property(given, ({ target, bytes }) => {
      const some = { target, min: Math.trunc(target * 0.75), max: Math.trunc(target * 1.8) };
      const most = Math.trunc(target + (some.max - target) / 2);
      const size = expectedFileSize(bytes, some);
      const files = expectedFiles(bytes, some, most);
      expect(size).toBeLessThanOrEqual(most);
      expect(size).toBeGreaterThanOrEqual(target);
      expect(Math.ceil(bytes / size)).toBeLessThanOrEqual(files);
      if (files > 1) expect(bytes / files).toBeGreaterThan(target / 2);
    }),
    { numRuns: runs(500) },
  );
});
