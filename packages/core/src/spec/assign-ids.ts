import { childFields } from './schema-fields.ts';
import type { IcebergType, NestedField, StructType } from './types.ts';

/**
 * Gives new ids to every field, in the order of the reference implementation: all fields of a struct first, then what
 * is inside each of them. `newId` also learns the old id, so that a caller can keep ids of fields that exist already.
 */
export function assignIds(struct: StructType, newId: (oldId: number) => number): StructType {
  const ids = struct.fields.map((field) => newId(field.id));
  return {
    ...struct,
    fields: struct.fields.map((field, i): NestedField => ({
      ...field,
      id: ids[i]!,
      type: assignTypeIds(field.type, newId),
    })),
  };
}

/** The same for one type, such as that of a column to be added. */
export function assignTypeIds(type: IcebergType, newId: (oldId: number) => number): IcebergType {
  switch (type.kind) {
    case 'struct':
      return assignIds(type, newId);
    case 'list': {
      const elementId = newId(type.elementId);
      return { ...type, elementId, element: assignTypeIds(type.element, newId) };
    }
    case 'map': {
      const keyId = newId(type.keyId);
      const valueId = newId(type.valueId);
      return { ...type, keyId, valueId, key: assignTypeIds(type.key, newId), value: assignTypeIds(type.value, newId) };
    }
    default:
      return type;
  }
}

/** Numbers from `first` on; also tells what it gave to which old id. */
export function freshIds(first: number): { readonly newId: (oldId: number) => number; readonly last: () => number } {
  let last = first - 1;
  return { newId: () => ++last, last: () => last };
}

/** Every field at every depth, parents before children. */
export function allFields(type: IcebergType): readonly NestedField[] {
  return childFields(type).flatMap((field) => [field, ...allFields(field.type)]);
}
