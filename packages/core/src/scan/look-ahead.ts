/** What results take in memory, where that is known before. */
export interface HeldBytes<T> {
  readonly of: (item: T) => number;
  /** No more is under way than this, but for a single item. */
  readonly most: number;
}

/**
 * Maps items in order, with up to `concurrency` of them under way: while the consumer is busy with one result, the next
 * ones are being fetched, and no more than these are ever held.
 */
export async function* lookAhead<T, R>(
  items: Iterable<T>,
  concurrency: number,
  map: (item: T) => Promise<R>,
  { of: bytesOf, most }: HeldBytes<T> = { of: () => 0, most: 0 },
): AsyncGenerator<R, void, undefined> {
  const pending: { readonly result: Promise<R>; readonly bytes: number }[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    while (pending.length > 0 && bytes + size > most) {
      const first = pending.shift()!;
      yield first.result;
      bytes -= first.bytes;
    }
    const result = map(item);
    // A failure is reported when its turn comes; if that never comes, it is nobody's concern.
    result.catch(() => undefined);
    pending.push({ result, bytes: size });
    bytes += size;
    if (pending.length < concurrency) continue;
    const first = pending.shift()!;
    yield first.result;
    bytes -= first.bytes;
  }
  for (const { result } of pending) yield result;
}
