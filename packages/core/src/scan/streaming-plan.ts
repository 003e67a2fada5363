import type { FileScanTask, ScanMetrics } from './file-scan-task.ts';
import type { ScanCounters } from './scan-counters.ts';

/** The tasks of a scan as they are found. May be iterated once, by tasks or by batches of them. */
export interface StreamingScanPlan {
  readonly tasks: AsyncIterable<FileScanTask>;
  /** A step of an asynchronous generator costs more than finding a task: this takes fewer. */
  readonly batches: AsyncIterable<readonly FileScanTask[]>;
  /** Counts so far; complete when the tasks have been read to the end. */
  metrics(): ScanMetrics;
}

/** Counts tasks as they are taken, and ends when those so far surely have `limit` rows that match. */
export function streamingPlan(
  found: AsyncIterable<readonly FileScanTask[]>,
  counters: ScanCounters,
  limit: number | undefined,
): StreamingScanPlan {
  const wanted = upToLimit(found, counters, limit ?? Infinity);
  return { tasks: oneByOne(wanted, counters), batches: allOf(wanted, counters), metrics: () => counters.metrics() };
}

async function* oneByOne(
  batches: AsyncIterable<readonly FileScanTask[]>,
  counters: ScanCounters,
): AsyncGenerator<FileScanTask, void, undefined> {
  for await (const batch of batches) {
    for (const task of batch) {
      counters.addTask(task);
      yield task;
    }
  }
}

async function* allOf(
  batches: AsyncIterable<readonly FileScanTask[]>,
  counters: ScanCounters,
): AsyncGenerator<readonly FileScanTask[], void, undefined> {
  for await (const batch of batches) {
    for (const task of batch) counters.addTask(task);
    yield batch;
  }
}

/** Rows are sure where nothing is left of the filter, and nothing deletes from them. */
async function* upToLimit(
  found: AsyncIterable<readonly FileScanTask[]>,
  counters: ScanCounters,
  limit: number,
): AsyncGenerator<readonly FileScanTask[], void, undefined> {
  let certainRows = 0;
  try {
    if (limit <= 0) return;
    for await (const batch of found) {
      const last = batch.findIndex(({ residual, deletes, file }) => {
        if (residual.op === 'true' && deletes.length === 0) certainRows += file.recordCount;
        return certainRows >= limit;
      });
      yield last < 0 ? batch : batch.slice(0, last + 1);
      if (last >= 0) return;
    }
  } finally {
    counters.finish();
  }
}
