/**
 * Maps items in order, with up to `concurrency` of them under way: while the consumer is busy with one result, the next
 * ones are being fetched, and no more than these are ever held.
 */
export async function* lookAhead<T, R>(
  items: Iterable<T>,
  concurrency: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const pending: Promise<R>[] = [];
  for (const item of items) {
    const result = map(item);
    // A failure is reported when its turn comes; if that never comes, it is nobody's concern.
    result.catch(() => undefined);
    pending.push(result);
    if (pending.length >= concurrency) yield pending.shift()!;
  }
  for (const result of pending) yield result;
}
