import { childFields } from '../spec/schema-fields.ts';
import type { IcebergType } from '../spec/types.ts';

const BINARY: IcebergType = { kind: 'binary' };

/** The types of a struct column's children; a variant's are its two binaries. */
export function structChildren(type: IcebergType): readonly IcebergType[] {
  return type.kind === 'variant' ? [BINARY, BINARY] : childFields(type).map((field) => field.type);
}

/** The type of a list column's items: a list's elements, or a map's entries as structs of key and value. */
export function itemType(type: IcebergType): IcebergType {
  if (type.kind === 'list') return type.element;
  return { kind: 'struct', fields: childFields(type) };
}
