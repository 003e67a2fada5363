import type { ColumnBatch } from '../columns/column.ts';
import type { FileIO } from '../io/file-io.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { StructType } from '../spec/types.ts';

/**
 * Reads a file's columns by field id. Delete files are read just as data files are, so that every format and every
 * evolution of a schema that one can have the other can, too: the reader, a layer above, hands itself down.
 */
export type ReadRows = (
  io: FileIO,
  task: FileScanTask,
  options: { readonly projection: StructType; readonly nameMapping?: NameMapping; readonly signal?: AbortSignal },
) => AsyncIterable<ColumnBatch>;
