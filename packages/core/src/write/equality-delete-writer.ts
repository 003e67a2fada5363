import type { DataFile } from '../spec/data-file.ts';
import type { BatchInput } from './data-file-writer.ts';
import { writeDataFiles } from './data-writer.ts';
import type { WriteOptions } from './data-writer.ts';
import { deleteFileName, deleteFileProperties } from './delete-file.ts';

/**
 * Writes equality delete files (spec: "Equality Delete Files"): rows of `options.schema` that say which rows to delete,
 * by the columns `equalityIds`; other columns only tell the partition. As `writeDataFiles` otherwise.
 */
export async function writeEqualityDeletes(
  input: BatchInput,
  equalityIds: readonly number[],
  options: WriteOptions,
): Promise<readonly DataFile[]> {
  const { locationFor, properties } = options;
  const files = await writeDataFiles(input, {
    ...options,
    properties: deleteFileProperties(properties),
    locationFor: (fileName, partition) => locationFor(deleteFileName(fileName, 'parquet'), partition),
  });
  return files.map((file) => ({ ...file, content: 'equality-deletes', equalityIds }));
}
