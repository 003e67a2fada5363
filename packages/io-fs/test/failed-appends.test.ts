import { readdir } from 'node:fs/promises';
import { FileSystemCatalog, partitionBy, schema, t, type FileData, type FileStat, type WriteOptions } from '@lh/core';
import { expect, test } from 'vitest';
import { LocalFileIO } from '../src/index.ts';
import { temporaryDirectories } from './directories.ts';

const directory = temporaryDirectories();

/** Fails the write of the n-th data file once all of its bytes were taken. */
class FailingIO extends LocalFileIO {
  #left: number;

  constructor(failAt: number) {
    super();
    this.#left = failAt;
  }

  override async write(location: string, data: FileData, options?: WriteOptions): Promise<FileStat> {
    if (!location.endsWith('.parquet') || --this.#left !== 0) return super.write(location, data, options);
    if (!(data instanceof Uint8Array)) for await (const chunk of data) void chunk;
    throw new Error('the disk is gone');
  }
}

test.each([1, 2, 5, 20, 50])('a failed write of data file %i leaves no file, finished or not', async (failAt) => {
  const warehouse = await directory();
  const catalog = await FileSystemCatalog.open({ io: new FailingIO(failAt), warehouse });
  const table = await catalog.createTable('p.t', {
    schema: schema({ id: t.int(), s: t.string() }),
    partitionBy: [partitionBy.identity('id')],
    properties: { 'write.target-file-size-bytes': '20000', 'write.parquet.row-group-size-bytes': '10000' },
  });
  const rows = function* () {
    for (let i = 0; i < 20_000; i++) yield { id: i % 60, s: `${'x'.repeat(50)}${i * 7919}` };
  };
  await expect(table.append(rows())).rejects.toThrow('the disk is gone');
  const left = (await readdir(warehouse, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  expect(left.map((file) => file.name).toSorted()).toEqual(['v1.metadata.json', 'version-hint.text']);
  expect(table.currentSnapshot()).toBeNull();
});
