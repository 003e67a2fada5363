import type { ColumnBatch } from '../columns/column.ts';
import type { MetadataColumn } from '../read/metadata-columns.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import type { DataFile } from '../spec/data-file.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { PartitionTuple } from '../spec/partition-spec.ts';
import type { Schema } from '../spec/schema.ts';
import { writeDataFiles } from './data-writer.ts';
import type { WriteOptions } from './data-writer.ts';
import { inputBatches } from './input.ts';
import type { AppendData } from './input.ts';

/** What makes data files of rows: core itself, or an engine that is plugged in (`TableOptions.writer`). */
export interface DataFileWriter {
  /**
   * Writes batches of `options.schema`'s columns, which may have columns behind the table's own (row lineage), as data
   * files: one per partition and target size, at the places that `options.locationFor` gives. What the table's
   * properties ask for and the writer can't do goes to `options.onWarning`. If it fails or is aborted, the files written
   * so far are deleted as far as possible and none is returned.
   */
  writeDataFiles(input: BatchInput, options: WriteOptions): Promise<readonly DataFile[]>;
  /**
   * Writes the live rows of data files anew, which it reads by itself: in the order of `options.sortOrder` over all of
   * them, if that is one. Null if it can't do this exactly: core then reads the rows. As `writeDataFiles` otherwise.
   */
  rewriteDataFiles?(rewrite: DataFileRewrite, options: WriteOptions): Promise<readonly DataFile[] | null>;
}

/** Data files to be written anew. */
export interface DataFileRewrite {
  /** With all deletes; residuals are none of a rewrite's. */
  readonly tasks: readonly FileScanTask[];
  readonly tableUuid: string;
  /** The table's schema; that of the options has the lineage behind it. */
  readonly schema: Schema;
  readonly lineage: readonly MetadataColumn[];
  readonly nameMapping: NameMapping | null;
  /** The partition that all rows are in; null if they have to be told apart. */
  readonly partition: PartitionTuple | null;
  /** Field ids of the columns by whose values, bits interleaved, rows are brought together; none if they aren't. */
  readonly zOrder: readonly number[];
}

/** Batches as they come, or, where no one has to wait for them, as they are asked for. */
export type BatchInput = AsyncIterable<ColumnBatch> | Iterable<ColumnBatch>;

export const coreWriter: DataFileWriter = { writeDataFiles };

/**
 * Rows that an engine makes and writes by itself, like those of a query. Whoever needs the rows and not files of them
 * iterates over them.
 */
export interface SelfWritingRows extends AsyncIterable<object> {
  /** As `DataFileWriter.writeDataFiles`, which checks the rows against `options.schema`, too. */
  writeDataFiles(options: WriteOptions): Promise<readonly DataFile[]>;
}

/** Writes what a user gives to append as data files: by itself if it can, else with the writer. */
export function writeInput(
  data: AppendData,
  writer: DataFileWriter,
  options: WriteOptions,
): Promise<readonly DataFile[]> {
  if (isSelfWriting(data)) return data.writeDataFiles(options);
  const { schema, signal } = options;
  return writer.writeDataFiles(inputBatches(data, schema, signal ? { signal } : {}), options);
}

function isSelfWriting(data: AppendData): data is SelfWritingRows {
  return typeof (data as Partial<SelfWritingRows> | null)?.writeDataFiles === 'function';
}
