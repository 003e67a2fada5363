import type { RecordBatch } from 'apache-arrow';

import { arrowSchema } from '../../src/columns/arrow-schema.ts';
import { toRecordBatch } from '../../src/columns/to-arrow.ts';
import type { FileIO } from '../../src/io/file-io.ts';
import { readTaskColumns, taskSchema } from '../../src/read/read-task.ts';
import type { ReadTaskOptions } from '../../src/read/read-task.ts';
import type { FileScanTask } from '../../src/scan/file-scan-task.ts';

/** The rows of a task as a scan gives them. */
export async function* readTask(io: FileIO, task: FileScanTask, options: ReadTaskOptions): AsyncGenerator<RecordBatch> {
  const schema = arrowSchema(taskSchema(options));
  for await (const batch of readTaskColumns(io, task, options)) yield toRecordBatch(schema, batch);
}
