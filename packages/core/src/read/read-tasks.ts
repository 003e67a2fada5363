import type { ColumnBatch } from '../columns/column.ts';
import type { FileIO } from '../io/file-io.ts';
import { requestsAtOnce } from '../io/requests-at-once.ts';
import type { Runtime } from '../runtime.ts';
import type { FileScanTask } from '../scan/file-scan-task.ts';
import { readAhead } from './read-ahead.ts';
import { deleteLoader, openTask } from './read-task.ts';
import type { ReadTaskOptions } from './read-task.ts';

export interface ReadTasksOptions extends ReadTaskOptions {
  readonly runtime: Runtime;
}

/** Files that are opened ahead have no more bytes than this, all of each counted, but for one of them. */
const MAX_AHEAD_BYTES = 64 * 1024 * 1024;

/**
 * The rows of tasks, one after the other as `readTaskColumns` gives them. While those of one are read, the next ones are
 * opened, their deletes loaded and their first bytes fetched: as many as the store answers side by side, and memory
 * allows. What is under way is aborted when the consumer stops.
 */
export async function* readTasks(
  io: FileIO,
  tasks: AsyncIterable<FileScanTask>,
  options: ReadTasksOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const { runtime, signal, deletes = deleteLoader(io) } = options;
  const stopping = new AbortController();
  const both = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const open = (task: FileScanTask): Promise<AsyncIterable<ColumnBatch>> =>
    openTask(io, task, { ...options, deletes, signal: both });
  const limits = {
    items: requestsAtOnce(io, runtime),
    bytes: MAX_AHEAD_BYTES,
    bytesOf: ({ file }: FileScanTask): number => file.fileSizeInBytes,
  };
  try {
    for await (const batches of readAhead(tasks, open, limits)) yield* batches;
  } finally {
    stopping.abort();
  }
}
