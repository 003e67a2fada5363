import { invalidArgument } from '../errors.ts';
import { isMetadataColumn } from '../read/metadata-columns.ts';
import type { MetadataColumn } from '../read/metadata-columns.ts';
import { findFieldByName } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { IcebergType, NestedField } from '../spec/types.ts';

export interface Selection {
  /** The selected columns in the order given; of nested ones only the parts that were asked for. */
  readonly projection: Schema;
  readonly metadataColumns: readonly MetadataColumn[];
}

/** Resolves `select`: names of columns, of their parts ('a.b'), and of metadata columns ('_file', '_pos'). */
export function selectColumns(schema: Schema, names: readonly string[] | undefined, caseSensitive: boolean): Selection {
  if (names === undefined) return { projection: schema, metadataColumns: [] };
  if (names.length === 0) throw invalidArgument('select names no column; leave it out to get all of them.');
  const metadataColumns = new Set<MetadataColumn>();
  const wanted = new Set<number>();
  const order = new Set<string>();
  for (const name of names) {
    const found = findFieldByName(schema, name, caseSensitive);
    if (found) {
      wanted.add(found.field.id);
      order.add(found.path[0]!);
    } else if (isMetadataColumn(name)) metadataColumns.add(name);
    else throw unknownColumn(schema, name);
  }
  const kept = new Map(schema.fields.flatMap((field) => keepWanted(field, wanted)).map((field) => [field.name, field]));
  const fields = [...order].map((name) => kept.get(name)!);
  const ids = new Set(fields.map((field) => field.id));
  const identifierFieldIds = schema.identifierFieldIds.filter((id) => ids.has(id));
  return { projection: { ...schema, fields, identifierFieldIds }, metadataColumns: [...metadataColumns] };
}

function unknownColumn(schema: Schema, name: string): Error {
  const names = schema.fields.map((field) => field.name).join(', ');
  return invalidArgument(`There is no column '${name}' to select; the table has ${names}.`, { column: name });
}

function keepWanted(field: NestedField, wanted: ReadonlySet<number>): readonly NestedField[] {
  if (wanted.has(field.id)) return [field];
  const type = keepInType(field.type, wanted);
  return type === null ? [] : [{ ...field, type }];
}

/** The type with the wanted parts only; null if it has none. A map's keys stay: values are nothing without them. */
function keepInType(type: IcebergType, wanted: ReadonlySet<number>): IcebergType | null {
  if (type.kind === 'struct') {
    const fields = type.fields.flatMap((field) => keepWanted(field, wanted));
    return fields.length === 0 ? null : { ...type, fields };
  }
  if (type.kind === 'list') {
    const element = wanted.has(type.elementId) ? type.element : keepInType(type.element, wanted);
    return element === null ? null : { ...type, element };
  }
  if (type.kind === 'map') {
    const value = wanted.has(type.valueId) ? type.value : keepInType(type.value, wanted);
    if (value !== null) return { ...type, value };
    return wanted.has(type.keyId) || keepInType(type.key, wanted) !== null ? type : null;
  }
  return null;
}
