import { invalidArgument, invalidData } from '../errors.ts';
import type { IcebergType, ListType, MapType, NestedField, StructType } from './types.ts';

/** A field at any depth, with how to get to it. */
export interface IndexedField {
  readonly field: NestedField;
  /** Names from the root; a list's element is 'element', a map's key and value are 'key' and 'value'. */
  readonly path: readonly string[];
  /** The struct, list or map field that holds this one; null at the top level. */
  readonly parentId: number | null;
  /** False when neither the field nor anything on the way to it can be null. */
  readonly nullable: boolean;
}

interface NameIndex {
  readonly exact: ReadonlyMap<string, IndexedField>;
  /** By lower-case name; null where several names differ in case only. */
  readonly folded: ReadonlyMap<string, IndexedField | null>;
}

const idIndexes = new WeakMap<StructType, ReadonlyMap<number, IndexedField>>();
const nameIndexes = new WeakMap<StructType, NameIndex>();

export function findField(schema: StructType, id: number): NestedField | undefined {
  return indexById(schema).get(id)?.field;
}

/**
 * Finds a column by its full name: 'a.b' for a struct's field, 'tags.element', 'props.key', 'props.value'. For structs
 * inside lists and maps the shorter 'points.x' works too, as in Java, where nothing else has that name.
 */
export function findFieldByName(
  schema: StructType,
  name: string,
  caseSensitive = true,
): { readonly field: NestedField; readonly path: string[] } | undefined {
  const index = nameIndex(schema);
  const found = caseSensitive ? index.exact.get(name) : (index.exact.get(name) ?? index.folded.get(name.toLowerCase()));
  if (found === null) {
    throw invalidArgument(`Several columns are called '${name}' when case is ignored; use the exact name of one.`);
  }
  return found && { field: found.field, path: [...found.path] };
}

export function fieldPath(schema: StructType, id: number): readonly string[] | undefined {
  return indexById(schema).get(id)?.path;
}

/** Every field at every depth, by id. Kept for as long as the schema object lives. */
export function indexById(schema: StructType): ReadonlyMap<number, IndexedField> {
  let index = idIndexes.get(schema);
  if (!index) {
    index = buildIdIndex(schema);
    idIndexes.set(schema, index);
  }
  return index;
}

/** The largest field id anywhere in the type; 0 if there are no fields. */
export function highestFieldId(type: IcebergType): number {
  return childFields(type).reduce((highest, field) => Math.max(highest, field.id, highestFieldId(field.type)), 0);
}

/** The fields directly inside a type: a struct's fields, a list's element, a map's key and value. */
export function childFields(type: IcebergType): readonly NestedField[] {
  if (type.kind === 'struct') return type.fields;
  if (type.kind === 'list') return [elementField(type)];
  if (type.kind === 'map') return [keyField(type), valueField(type)];
  return [];
}

export function elementField(type: ListType): NestedField {
  return { id: type.elementId, name: 'element', required: type.elementRequired, type: type.element };
}

export function keyField(type: MapType): NestedField {
  return { id: type.keyId, name: 'key', required: true, type: type.key };
}

export function valueField(type: MapType): NestedField {
  return { id: type.valueId, name: 'value', required: type.valueRequired, type: type.value };
}

function buildIdIndex(schema: StructType): ReadonlyMap<number, IndexedField> {
  const index = new Map<number, IndexedField>();
  const visit = (type: IcebergType, path: readonly string[], parentId: number | null, nullable: boolean): void => {
    for (const field of childFields(type)) {
      const other = index.get(field.id);
      const entry = { field, path: [...path, field.name], parentId, nullable: nullable || !field.required };
      if (other) {
        throw invalidData(
          `The schema uses the field id ${field.id} for both '${other.path.join('.')}' and '${entry.path.join('.')}'.`,
        );
      }
      index.set(field.id, entry);
      // What a list or map holds may be absent altogether: an empty one has no element.
      visit(
        field.type,
        entry.path,
        field.id,
        entry.nullable || field.type.kind === 'list' || field.type.kind === 'map',
      );
    }
  };
  visit(schema, [], null, false);
  return index;
}

function nameIndex(schema: StructType): NameIndex {
  let index = nameIndexes.get(schema);
  if (!index) {
    index = buildNameIndex(schema);
    nameIndexes.set(schema, index);
  }
  return index;
}

function buildNameIndex(schema: StructType): NameIndex {
  const exact = new Map<string, IndexedField>();
  const short = new Map<string, IndexedField>();
  const byId = indexById(schema);
  for (const entry of byId.values()) {
    const name = entry.path.join('.');
    const other = exact.get(name);
    if (other)
      throw invalidData(`The schema has two columns called '${name}' (ids ${other.field.id} and ${entry.field.id}).`);
    exact.set(name, entry);
    const shortName = shortPath(byId, entry);
    if (shortName !== null && !short.has(shortName)) short.set(shortName, entry);
  }
  for (const [name, entry] of short) if (!exact.has(name)) exact.set(name, entry);

  const folded = new Map<string, IndexedField | null>();
  for (const [name, entry] of exact) {
    const lower = name.toLowerCase();
    const other = folded.get(lower);
    folded.set(lower, other === undefined || other === entry ? entry : null);
  }
  return { exact, folded };
}

/** The path without 'element' and 'value' where these are structs; null if that leaves nothing out. */
function shortPath(byId: ReadonlyMap<number, IndexedField>, entry: IndexedField): string | null {
  const names: string[] = [];
  let at: IndexedField | undefined = entry;
  while (at) {
    const parent: IndexedField | undefined = at.parentId === null ? undefined : byId.get(at.parentId);
    const parentKind = parent?.field.type.kind;
    const skipped =
      at !== entry &&
      at.field.type.kind === 'struct' &&
      (parentKind === 'list' || (parentKind === 'map' && at.field.name === 'value'));
    if (!skipped) names.push(at.field.name);
    at = parent;
  }
  return names.length < entry.path.length ? names.toReversed().join('.') : null;
}
