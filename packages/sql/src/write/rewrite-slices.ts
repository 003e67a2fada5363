import type { FileScanTask } from '@lh/core';
import { tableProperty } from '@lh/core/engine';
import type { DataFileOptions, DataFileRewrite } from '@lh/core/engine';
import { evenRuns } from './even-runs.ts';

/** Files that are brought to the local disk and rewritten together. */
export interface RewriteSlice {
  readonly tasks: readonly FileScanTask[];
  /** Of the data files. */
  readonly bytes: number;
  readonly options: DataFileOptions;
}

/** A slice makes about so many files, or what makes it worth the while if they are small. */
const SLICE_FILES = 4;
const LEAST_SLICE_BYTES = 64 * 2 ** 20;

/**
 * A rewrite of files that are not on the local disk, in parts that need less room there. The rows must be those of one
 * partition and come in any order: else all are needed at once.
 */
export function rewriteSlices(rewrite: DataFileRewrite, options: DataFileOptions): readonly RewriteSlice[] {
  const { tasks, partition, zOrder } = rewrite;
  const sizes = tasks.map(({ file }) => file.fileSizeInBytes);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const isArranged = zOrder.length > 0 || options.sortOrder.fields.length > 0;
  const target = tableProperty(options.properties, 'write.target-file-size-bytes');
  const count = Math.ceil(bytes / Math.max(SLICE_FILES * target, LEAST_SLICE_BYTES));
  if (isArranged || partition === null || count <= 1) return [{ tasks, bytes, options }];
  return evenRuns(sizes, count).map((run) => {
    const sliceBytes = run.reduce((sum, i) => sum + sizes[i]!, 0);
    return {
      tasks: run.map((i) => tasks[i]!),
      bytes: sliceBytes,
      options: withFileSize(options, sliceBytes / Math.max(1, Math.round(sliceBytes / target))),
    };
  });
}

/** So that a slice doesn't end in a small file. */
function withFileSize(options: DataFileOptions, bytes: number): DataFileOptions {
  const properties = { ...options.properties, 'write.target-file-size-bytes': String(Math.ceil(bytes)) };
  return { ...options, properties };
}
