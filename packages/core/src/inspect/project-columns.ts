import type { Column, ColumnBatch, ListColumn, StructColumn } from '../columns/column.ts';
import { itemType } from '../columns/child-types.ts';
import type { IcebergType, StructType } from '../spec/types.ts';

/** The columns of `to`, a part of `from` in any order, found by field id at every level. */
export function projectBatch(batch: ColumnBatch, from: StructType, to: StructType): ColumnBatch {
  return from === to ? batch : { length: batch.length, columns: projectFields(batch.columns, from, to) };
}

function projectFields(columns: readonly Column[], from: StructType, to: StructType): readonly Column[] {
  return to.fields.map(({ id, type }) => {
    const i = from.fields.findIndex((field) => field.id === id);
    return projectColumn(columns[i]!, from.fields[i]!.type, type);
  });
}

/** A column of a type as one of the same type with fewer fields in it. */
export function projectColumn(column: Column, from: IcebergType, to: IcebergType): Column {
  if (from === to) return column;
  if (from.kind === 'struct' && to.kind === 'struct') {
    const struct = column as StructColumn;
    return { ...struct, children: projectFields(struct.children, from, to) };
  }
  if ((from.kind === 'list' && to.kind === 'list') || (from.kind === 'map' && to.kind === 'map')) {
    const list = column as ListColumn;
    return { ...list, items: projectColumn(list.items, itemType(from), itemType(to)) };
  }
  return column;
}
