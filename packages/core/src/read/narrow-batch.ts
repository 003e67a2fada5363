import type { Column, ColumnBatch } from '../columns/column.ts';
import type { StructType } from '../spec/types.ts';

/** Leaves out the fields that were added by a merge: `from` is `mergeFields(to, …)`. */
export function narrowBatch(batch: ColumnBatch, from: StructType, to: StructType): ColumnBatch {
  return from === to ? batch : { length: batch.length, columns: narrowColumns(batch.columns, from, to) };
}

function narrowColumns(columns: readonly Column[], from: StructType, to: StructType): readonly Column[] {
  // Added fields come after those of `to`, at every level.
  return to.fields.map((field, i) => {
    const [column, fromType] = [columns[i]!, from.fields[i]!.type];
    if (
      field.type === fromType ||
      column.layout !== 'struct' ||
      field.type.kind !== 'struct' ||
      fromType.kind !== 'struct'
    )
      return column;
    return { ...column, children: narrowColumns(column.children, fromType, field.type) };
  });
}
