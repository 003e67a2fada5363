import { throwIfAborted } from '../errors.ts';
import { withCache } from './caching-file-io.ts';
import type { DeleteResult, FileIO, IOOptions } from './file-io.ts';

/** Deletes files as they come, as many at a time as the store takes: what became of each batch. */
export async function* deleteInBatches(
  io: FileIO,
  locations: Iterable<string> | AsyncIterable<string>,
  options: IOOptions = {},
): AsyncGenerator<DeleteResult, void, undefined> {
  const cached = withCache(io);
  let batch: string[] = [];
  for await (const location of locations) {
    batch.push(location);
    if (batch.length < io.capabilities.maxDeleteBatch) continue;
    throwIfAborted(options.signal);
    yield await cached.delete(batch, options);
    batch = [];
  }
  if (batch.length === 0) return;
  throwIfAborted(options.signal);
  yield await cached.delete(batch, options);
}
