import type { TableOperations } from '../catalog/catalog.ts';

const tails = new WeakMap<TableOperations, Promise<unknown>>();

/**
 * Runs one commit after the other for all who share a table handle, so that they don't lose races against each other.
 * Writers with handles or processes of their own meet in the catalog.
 */
export function inCommitQueue<T>(operations: TableOperations, commit: () => Promise<T>): Promise<T> {
  const before = tails.get(operations) ?? Promise.resolve();
  const result = before.then(commit, commit);
  tails.set(
    operations,
    result.catch(() => undefined),
  );
  return result;
}
