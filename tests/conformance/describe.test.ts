import { describe, expect, test } from 'vitest';

import { expectedTables, loadFixture } from './fixtures.ts';
import type { ExpectedFile } from './fixtures.ts';

// What a description counts is what Iceberg Java finds in the manifests, whichever way it is counted.

describe.for(expectedTables().map((expected) => [expected.table, expected] as const))('%s', ([, expected]) => {
  test('description', async () => {
    const table = await loadFixture(expected);
    const data = expected.liveFiles.filter(({ content }) => content === 0);
    const deletes = expected.liveFiles.filter(({ content }) => content !== 0);
    const counts = {
      dataFiles: data.length,
      rows: sum(data, ({ recordCount }) => recordCount),
      deleteFiles: deletes.length,
      deletes: sum(deletes, ({ recordCount }) => recordCount),
    };
    expect((await table.describe()).contents).toMatchObject(counts);
    const { contents, health } = await table.describe({ files: true });
    expect(contents).toMatchObject(counts);
    if (!contents.files) return expect(table.currentSnapshot()).toBeNull();
    expect(contents.files).toMatchObject({
      dataBytes: sum(data, ({ fileSizeInBytes }) => fileSizeInBytes),
      smallFiles: data.filter(({ fileSizeInBytes }) => fileSizeInBytes < 0.75 * health.targetFileBytes).length,
      equalityDeleteFiles: deletes.filter(({ content }) => content === 2).length,
      deletionVectors: deletes.filter(({ contentOffset }) => contentOffset !== undefined).length,
    });
  });
});

function sum(files: readonly ExpectedFile[], of: (file: ExpectedFile) => number): number {
  return files.reduce((total, file) => total + of(file), 0);
}
