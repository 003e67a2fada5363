import type { Column, ColumnBatch } from '../columns/column.ts';
import { childFields } from '../spec/schema-fields.ts';
import type { IcebergType, NestedField, StructType } from '../spec/types.ts';

/** Keeps some fields of a struct, and of nested ones some parts, in the order given; and the last columns, as they are. */
export function projector(from: StructType, to: StructType, last: number): (batch: ColumnBatch) => ColumnBatch {
  const pick = picker(from.fields, to.fields);
  return ({ length, columns }) => ({
    length,
    columns: [...pick(columns), ...(last === 0 ? [] : columns.slice(-last))],
  });
}

type Picker = (columns: readonly Column[]) => readonly Column[];

function picker(from: readonly NestedField[], to: readonly NestedField[]): Picker {
  const picks = to.map((field) => {
    const index = from.findIndex(({ id }) => id === field.id);
    return { index, narrow: narrower(from[index]!.type, field.type) };
  });
  return (columns) => picks.map(({ index, narrow }) => narrow(columns[index]!));
}

function narrower(from: IcebergType, to: IcebergType): (column: Column) => Column {
  if (from === to || childFields(from).length === 0) return (column) => column;
  const pick = picker(childFields(from), childFields(to));
  return (column) => {
    if (column.layout === 'struct') return { ...column, children: pick(column.children) };
    if (column.layout !== 'list') return column;
    const { items } = column;
    // A list's items are its elements, a map's are structs of key and value.
    if (from.kind === 'map' && items.layout === 'struct') {
      return { ...column, items: { ...items, children: pick(items.children) } };
    }
    return { ...column, items: pick([items])[0]! };
  };
}
