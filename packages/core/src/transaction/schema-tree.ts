import { invalidArgument } from '../errors.ts';
import { elementField, valueField } from '../spec/schema-fields.ts';
import type { IcebergType, NestedField, StructType } from '../spec/types.ts';

/** Changes a field into another, or takes it away. */
export type FieldEdit = (field: NestedField) => NestedField | null;

/** The struct with one field edited, at whatever depth it is. Everything beside it stays the same object. */
export function editField<T extends StructType>(struct: T, id: number, edit: FieldEdit): T {
  return editType(struct, id, edit) as T;
}

/** The struct with the list of fields changed of the struct in field `parentId`, or of the struct itself for null. */
export function editFields<T extends StructType>(
  struct: T,
  parentId: number | null,
  edit: (fields: readonly NestedField[]) => readonly NestedField[],
): T {
  if (parentId === null) return { ...struct, fields: edit(struct.fields) };
  return editField(struct, parentId, (field) => {
    if (field.type.kind !== 'struct') throw invalidArgument(`'${field.name}' is not a struct.`);
    return { ...field, type: { ...field.type, fields: edit(field.type.fields) } };
  });
}

function editType(type: IcebergType, id: number, edit: FieldEdit): IcebergType {
  switch (type.kind) {
    case 'struct': {
      const fields = type.fields.flatMap((field) => {
        if (field.id === id) return edit(field) ?? [];
        const inner = editType(field.type, id, edit);
        return inner === field.type ? field : { ...field, type: inner };
      });
      const isSame = fields.length === type.fields.length && fields.every((field, i) => field === type.fields[i]);
      return isSame ? type : { ...type, fields };
    }
    case 'list': {
      const element = editInner(elementField(type), id, edit);
      return element ? { ...type, elementRequired: element.required, element: element.type } : type;
    }
    case 'map': {
      // Keys are what finds a value: they never change (spec: "Schema Evolution" names struct fields only).
      const value = editInner(valueField(type), id, edit);
      return value ? { ...type, valueRequired: value.required, value: value.type } : type;
    }
    default:
      return type;
  }
}

/** The edited element or value; undefined if nothing in it changes. */
function editInner(field: NestedField, id: number, edit: FieldEdit): NestedField | undefined {
  if (field.id === id) return edit(field) ?? undefined;
  const type = editType(field.type, id, edit);
  return type === field.type ? undefined : { ...field, type };
}
