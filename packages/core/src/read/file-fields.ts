import { invalidData } from '../errors.ts';
import { fieldsInside } from '../formats/data-file.ts';
import type { FileField } from '../formats/data-file.ts';
import { mappedField } from '../spec/name-mapping.ts';
import type { NameMapping } from '../spec/name-mapping.ts';
import type { IcebergType, StructType } from '../spec/types.ts';

/** Which element of a file's schema stores which field. */
export type FileFields = ReadonlyMap<number, FileField>;

/**
 * Field ids as the file has them; those of a file without any come from the table's name mapping (spec: "Column
 * Projection"). INVALID_DATA if there is neither: columns are never matched by name or position alone.
 */
export function fileFields(
  columns: readonly FileField[],
  nameMapping: NameMapping | null,
  location: string,
): FileFields {
  const fields = new Map<number, FileField>();
  const add = (id: number, field: FileField): void => {
    if (fields.has(id))
      throw invalidData(`The data file ${location} uses the field id ${id} twice.`, { path: location });
    fields.set(id, field);
  };
  addIds(columns, add);
  if (fields.size > 0 || columns.length === 0) return fields;
  if (nameMapping === null) {
    throw invalidData(
      `The data file ${location} has no field ids and its table has no name mapping, so its columns can't be told apart. ` +
        "Set the table property 'schema.name-mapping.default'.",
      { path: location },
    );
  }
  addMapped(columns, nameMapping, add);
  return fields;
}

type Add = (id: number, field: FileField) => void;

function addIds(fields: readonly FileField[], add: Add): void {
  for (const field of fields) {
    if (field.fieldId !== null) add(field.fieldId, field);
    addIds(fieldsInside(field), add);
  }
}

/** Parts of lists and maps are mapped by the names 'element', 'key' and 'value' (spec: "Name Mapping Serialization"). */
function addMapped(fields: readonly FileField[], mapping: NameMapping, add: Add): void {
  for (const field of fields) {
    const mapped = mappedField(mapping, field.name);
    if (mapped === undefined) continue;
    if (mapped.fieldId !== null) add(mapped.fieldId, field);
    addMapped(namedParts(field), mapped.fields, add);
  }
}

function namedParts(field: FileField): readonly FileField[] {
  const { shape } = field;
  switch (shape.kind) {
    case 'leaf':
      return [];
    case 'struct':
      return shape.fields;
    case 'list':
      return [{ ...shape.element, name: 'element' }];
    case 'map':
      return [
        { ...shape.key, name: 'key' },
        { ...shape.value, name: 'value' },
      ];
  }
}

/** What of a file's schema is to be decoded for a struct's fields, by `FileField.index`. Fields that it lacks need nothing. */
export function wantedFields(struct: StructType, fields: FileFields): ReadonlySet<number> {
  const wanted = new Set<number>();
  for (const { id, type } of struct.fields) addWanted(type, fields.get(id), fields, wanted);
  return wanted;
}

function addWanted(type: IcebergType, field: FileField | undefined, fields: FileFields, wanted: Set<number>): void {
  if (field === undefined) return;
  wanted.add(field.index);
  const { shape } = field;
  if (type.kind === 'struct' && shape.kind === 'struct') {
    const inside = new Set(shape.fields.map(({ index }) => index));
    for (const child of type.fields) {
      const found = fields.get(child.id);
      if (found && inside.has(found.index)) addWanted(child.type, found, fields, wanted);
    }
  } else if (type.kind === 'list' && shape.kind === 'list') {
    addWanted(type.element, shape.element, fields, wanted);
  } else if (type.kind === 'map' && shape.kind === 'map') {
    addWanted(type.key, shape.key, fields, wanted);
    addWanted(type.value, shape.value, fields, wanted);
  } else {
    // A variant is all that is stored of it. Where the types don't fit, the cast says so.
    addAll(field, wanted);
  }
}

function addAll(field: FileField, wanted: Set<number>): void {
  wanted.add(field.index);
  for (const child of fieldsInside(field)) addAll(child, wanted);
}
