import type { ColumnBatch } from '../columns/column.ts';
import { isLakehouseError } from '../errors.ts';
import { PositionBitmap } from '../formats/puffin/position-bitmap.ts';
import type { FileIO } from '../io/file-io.ts';
import { isDeletionVector } from '../manifest/content-problem.ts';
import { readTaskColumns } from '../read/read-task.ts';
import type { ReadTaskOptions } from '../read/read-task.ts';
import type { DeleteFile } from '../scan/file-scan-task.ts';
import { goneWithSnapshot } from './gone-with-snapshot.ts';
import type { ChangedRows } from './plan-changes.ts';

export type ReadChangedOptions = Pick<ReadTaskOptions, 'projection' | 'metadataColumns' | 'nameMapping' | 'signal'>;

/** Reads candidates. NOT_FOUND, with what it means here, if their file has been deleted with an expired snapshot. */
export async function* readChangedRows(
  io: FileIO,
  { task, deletes, deletedBy }: ChangedRows,
  options: ReadChangedOptions,
): AsyncGenerator<ColumnBatch, void, undefined> {
  const rows = { task, deletes, deletedBy };
  try {
    if (await holdsNone(rows, options)) return;
    yield* readTaskColumns(io, task, { ...options, deletes, deletedBy: deletedBy ?? undefined });
  } catch (error) {
    throw isLakehouseError(error, 'NOT_FOUND') ? goneWithSnapshot(error) : error;
  }
}

/**
 * Whether positions alone show that none of the file's rows is among the candidates: a delete file may be about other
 * files of its partition, and a deletion vector has the positions of the one that it replaces.
 */
async function holdsNone({ task, deletes, deletedBy }: ChangedRows, options: ReadChangedOptions): Promise<boolean> {
  if (deletedBy === null || !deletedBy.files.every(({ file }) => file.content === 'position-deletes')) return false;
  if (isLargerVector(deletedBy.files, task.deletes)) return false;
  const signal = options.signal ? { signal: options.signal } : {};
  const positions = await deletedBy.loader.positions({ ...task, deletes: deletedBy.files }, signal);
  if (positions === null) return true;
  const deleted = await deletes.positions(task, signal);
  return deleted !== null && isWithin(positions, deleted);
}

/** Then it has positions that the one before lacks: nothing need be read to see it. */
function isLargerVector(changed: readonly DeleteFile[], others: readonly DeleteFile[]): boolean {
  const vector = changed.find(({ file }) => isDeletionVector(file))?.file;
  if (vector === undefined) return false;
  const known = others.filter(({ file }) => file.content === 'position-deletes');
  return known.reduce((sum, { file }) => sum + file.recordCount, 0) < vector.recordCount;
}

function isWithin(positions: PositionBitmap, others: PositionBitmap): boolean {
  const union = new PositionBitmap();
  union.addAll(others);
  union.addAll(positions);
  return union.size === others.size;
}
