import type { FileScanTask, NestedField, Value } from '@lh/core';
import { RangeColumn } from '@lh/core/engine';
import type { ScanOrder } from './plan-scans.ts';

interface Ranged {
  readonly task: FileScanTask;
  /** The value that sorts first of the file, and the one that sorts last; null if they aren't known. */
  readonly ends: { readonly first: Value; readonly last: Value } | null;
  /** It may have rows that sort before all values, or whose values aren't known. */
  readonly mayBeFirst: boolean;
  /** Rows that surely pass the filter and have a value. */
  readonly certain: number;
}

/**
 * The files that the first rows of an order may be in (ORDER BY … LIMIT). Once files that surely have enough rows end
 * at some value, a file whose least value sorts behind it has none of the first. `field` is the column that is sorted
 * by first: rows that are equal in it may come in any order.
 */
export function filesOfFirstRows(
  tasks: readonly FileScanTask[],
  field: NestedField,
  { descending, nullsFirst }: ScanOrder,
  rows: number,
): readonly FileScanTask[] {
  const column = new RangeColumn(field);
  const { compare } = column;
  if (!compare) return tasks;
  const order = (a: Value, b: Value): number => (descending ? compare(b, a) : compare(a, b));
  const ranged = tasks.map((task): Ranged => {
    const { bounds, mayHoldNull, holdsOnlyNull } = column.rangeIn(task.file);
    const nulls = field.required ? 0 : (task.file.nullValueCounts?.get(field.id) ?? task.file.recordCount);
    const isCertain = task.residual.op === 'true' && task.deletes.length === 0;
    const ends = bounds && { first: bounds.lower, last: bounds.upper };
    return {
      task,
      ends: ends && descending ? { first: ends.last, last: ends.first } : ends,
      mayBeFirst: nullsFirst ? mayHoldNull || !ends : !ends && !holdsOnlyNull,
      certain: isCertain && ends ? task.file.recordCount - nulls : 0,
    };
  });
  const last = lastNeeded(ranged, order, rows);
  if (last === undefined) return tasks;
  return ranged.flatMap(({ task, ends, mayBeFirst }) =>
    mayBeFirst || (ends !== null && order(ends.first, last) <= 0) ? [task] : [],
  );
}

/** Rows up to this value are enough; undefined if there are too few of them. */
function lastNeeded(ranged: readonly Ranged[], order: (a: Value, b: Value) => number, rows: number): Value | undefined {
  const certain = ranged.filter(({ certain: count }) => count > 0);
  let found = 0;
  for (const { ends, certain: count } of certain.toSorted((a, b) => order(a.ends!.last, b.ends!.last))) {
    found += count;
    if (found >= rows) return ends!.last;
  }
  return undefined;
}
