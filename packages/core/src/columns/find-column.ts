import type { IcebergType, NestedField, StructType } from '../spec/types.ts';
import { intersectValidity } from './column.ts';
import type { Column, ColumnBatch } from './column.ts';

/** Gives a batch's column of one field, null wherever a struct around it is. */
export type ColumnFinder = (batch: ColumnBatch) => Column;

export interface FoundColumn {
  readonly field: NestedField;
  readonly find: ColumnFinder;
}

/** Finds a field of a schema, at the top or inside structs; undefined if there is none. */
export function findColumn(schema: StructType, id: number): FoundColumn | undefined {
  const path = pathTo(schema, id);
  if (path === undefined) return undefined;
  const [first, ...rest] = path.indexes;
  return {
    field: path.field,
    find: (batch) => {
      let column = batch.columns[first!]!;
      for (const i of rest) {
        const child = (column as Extract<Column, { layout: 'struct' }>).children[i]!;
        column =
          child.layout === 'nothing'
            ? child
            : { ...child, validity: intersectValidity(column.validity, child.validity, batch.length) };
      }
      return column;
    },
  };
}

function pathTo(
  struct: StructType,
  id: number,
): { readonly field: NestedField; readonly indexes: readonly number[] } | undefined {
  for (const [i, field] of struct.fields.entries()) {
    if (field.id === id) return { field, indexes: [i] };
    const type: IcebergType = field.type;
    const inside = type.kind === 'struct' ? pathTo(type, id) : undefined;
    if (inside) return { field: inside.field, indexes: [i, ...inside.indexes] };
  }
  return undefined;
}
