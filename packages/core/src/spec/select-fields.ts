import type { IcebergType, NestedField, StructType } from './types.ts';

/** The part of a schema that the given fields need, at any depth and in the schema's order, with all that is below them. */
export function selectFields(struct: StructType, ids: ReadonlySet<number>): StructType {
  const fields = struct.fields.flatMap((field): NestedField[] => {
    const type = selectType(field, ids);
    return type === null ? [] : [type === field.type ? field : { ...field, type }];
  });
  return { kind: 'struct', fields };
}

function selectType(field: NestedField, ids: ReadonlySet<number>): IcebergType | null {
  if (ids.has(field.id)) return field.type;
  if (field.type.kind === 'struct') {
    const selected = selectFields(field.type, ids);
    return selected.fields.length === 0 ? null : selected;
  }
  // Lists and maps are read as a whole: filters can't reach into them.
  return null;
}

/** All fields of the first struct, and those of the second that it lacks: structs are merged, everything else kept. */
export function mergeFields(first: StructType, second: StructType): StructType {
  const byId = new Map(second.fields.map((field) => [field.id, field]));
  const merged = first.fields.map((field) => {
    const other = byId.get(field.id);
    byId.delete(field.id);
    if (field.type.kind !== 'struct' || other?.type.kind !== 'struct') return field;
    const type = mergeFields(field.type, other.type);
    return type === field.type ? field : { ...field, type };
  });
  const added = [...byId.values()];
  if (added.length === 0 && merged.every((field, i) => field === first.fields[i])) return first;
  return { kind: 'struct', fields: [...merged, ...added] };
}
