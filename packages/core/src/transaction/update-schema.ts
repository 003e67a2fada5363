import { invalidArgument } from '../errors.ts';
import { assignTypeIds } from '../spec/assign-ids.ts';
import { checkNewSchema } from '../spec/check-schema.ts';
import { valuesEqual } from '../spec/compare-values.ts';
import { currentSchema, currentSortOrder, currentSpec } from '../spec/metadata-accessors.ts';
import { columnToField, defaultOf, type ColumnType } from '../spec/schema-builder.ts';
import { findFieldByName, indexById, type IndexedField } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import { typeToText } from '../spec/type-text.ts';
import type { IcebergType, NestedField, StructType } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { editField, editFields } from './schema-tree.ts';
import { promotionOf, survivesPromotion } from './type-promotion.ts';
import { unionFields, type UnionTarget } from './union-by-name.ts';

/** A column's full name: 'a.b' for a field of a struct, or its parts when a part holds a dot. */
export type ColumnName = string | readonly string[];

export interface AddColumnOptions {
  readonly doc?: string;
  readonly required?: boolean;
  /** v3: the value, as in a row, that rows written before have, and that writers use when they give none. */
  readonly default?: unknown;
}

/**
 * Changes a table's schema step by step; every step sees what the ones before it did. Ids of columns never change, and
 * none is used twice, so that files written before stay readable (spec: "Schema Evolution"). Every method throws
 * INVALID_ARGUMENT for a change that the spec forbids.
 */
export class SchemaUpdate {
  readonly #base: TableMetadata;
  #schema: Schema;
  #lastColumnId: number;
  #allowIncompatible = false;

  constructor(metadata: TableMetadata) {
    this.#base = metadata;
    this.#schema = currentSchema(metadata);
    this.#lastColumnId = metadata.lastColumnId;
  }

  /** The schema after the steps so far. */
  get schema(): Schema {
    return this.#schema;
  }

  /** Lets optional columns become required, and required ones come without a default: the caller vouches for the rows. */
  allowIncompatibleChanges(): this {
    this.#allowIncompatible = true;
    return this;
  }

  /** Adds a column, or a field to a struct: `addColumn('geo.lon', t.double())`. It comes last. */
  addColumn(name: ColumnName, type: ColumnType | IcebergType, options: AddColumnOptions = {}): this {
    const parts = typeof name === 'string' ? splitName(name) : name;
    const ownName = parts.at(-1) ?? '';
    if (ownName === '') throw invalidArgument('A column needs a name that is not empty.');
    const parentName = parts.slice(0, -1).join('.');
    const parent = parentName === '' ? null : this.#structAt(parentName);
    const field = 'kind' in type ? { id: 0, name: ownName, required: false, type } : columnToField(ownName, type);
    this.#addField(parent, withOptions(field, options));
    return this;
  }

  /** Old files keep the column's data; nothing reads it any more. */
  deleteColumn(name: ColumnName): this {
    const entry = this.#structField(name, 'delete');
    this.#checkUnused(entry);
    this.#schema = editField(this.#schema, entry.field.id, () => null);
    return this;
  }

  /** `newName` is the last part only: `renameColumn('geo.lat', 'latitude')`. */
  renameColumn(name: ColumnName, newName: string): this {
    const { field, parentId } = this.#structField(name, 'rename');
    if (newName === '' || newName.includes('.')) {
      throw invalidArgument(`'${newName}' can't be a column's new name: give the last part of its name, without dots.`);
    }
    checkNameIsFree(this.#fieldsOf(parentId), newName, field.id);
    this.#change(field.id, { name: newName });
    return this;
  }

  /** Widens a column's type. The doc and default that come with `t.…()` are set too. */
  updateColumn(name: ColumnName, type: ColumnType | IcebergType): this {
    const entry = this.#find(name, 'change');
    this.#changeType(entry.field.id, 'kind' in type ? type : type.type);
    if ('kind' in type) return this;
    if (type.docText !== null) this.updateColumnDoc(name, type.docText);
    if (type.defaultValue !== null) this.#changeWriteDefault(entry.field.id, type.defaultValue);
    return type.isRequired ? this.requireColumn(name) : this;
  }

  /** Null takes the doc away. */
  updateColumnDoc(name: ColumnName, doc: string | null): this {
    const { field } = this.#structField(name, 'document');
    this.#changeDoc(field.id, doc);
    return this;
  }

  /** v3: what writers use when they give no value; rows that exist keep theirs. Null takes the default away. */
  updateColumnDefault(name: ColumnName, value: unknown): this {
    const { field } = this.#structField(name, 'give a default to');
    this.#changeWriteDefault(field.id, defaultOf(field.type, value));
    return this;
  }

  makeOptional(name: ColumnName): this {
    this.#changeRequired(this.#find(name, 'change').field.id, false);
    return this;
  }

  /** Allowed for columns that this update has added with a default, and after `allowIncompatibleChanges()`. */
  requireColumn(name: ColumnName): this {
    const { field, path } = this.#find(name, 'change');
    const isNewWithDefault = field.id > this.#base.lastColumnId && (field.initialDefault ?? null) !== null;
    if (!field.required && !isNewWithDefault && !this.#allowIncompatible) {
      throw invalidArgument(`'${path.join('.')}' can't become required: rows that exist may have nulls in it.`);
    }
    this.#changeRequired(field.id, true);
    return this;
  }

  moveFirst(name: ColumnName): this {
    return this.#move(name, null, (fields, moved) => [moved, ...fields]);
  }

  moveBefore(name: ColumnName, reference: ColumnName): this {
    return this.#move(name, reference, (fields, moved, at) => fields.toSpliced(at, 0, moved));
  }

  moveAfter(name: ColumnName, reference: ColumnName): this {
    return this.#move(name, reference, (fields, moved, at) => fields.toSpliced(at + 1, 0, moved));
  }

  /**
   * Adds what the other schema has beyond this one, by name and at every depth, as optional columns; widens types,
   * drops "required", and takes docs and write defaults over. Narrower types on the other side are fine.
   */
  unionByName(other: StructType): this {
    const target: UnionTarget = {
      addField: (parentId, field) => this.#addField(parentId, field),
      changeType: (id, type) => this.#changeType(id, type),
      changeRequired: (id, required) => this.#changeRequired(id, required),
      changeDoc: (id, doc) => this.#changeDoc(id, doc),
      changeWriteDefault: (id, value) => this.#changeWriteDefault(id, value),
    };
    unionFields(target, null, this.#schema.fields, other.fields, this.#base.formatVersion);
    return this;
  }

  /** The columns that together identify a row; none for an empty list. */
  setIdentifierFields(names: readonly ColumnName[]): this {
    const identifierFieldIds = names.map((name) => this.#find(name, 'identify rows by').field.id);
    this.#schema = { ...this.#schema, identifierFieldIds: [...new Set(identifierFieldIds)] };
    return this;
  }

  /** The schema after all steps, checked as a whole. Its id is settled when it is added to the table. */
  apply(): { readonly schema: Schema; readonly lastColumnId: number } {
    const schema = {
      ...this.#schema,
      schemaId: this.#base.schemas.reduce((next, { schemaId }) => Math.max(next, schemaId + 1), 0),
    };
    if (schema.fields.length === 0) throw invalidArgument('A table needs at least one column.');
    const before = indexById(currentSchema(this.#base));
    for (const { field, path } of indexById(schema).values()) {
      const isEmpty = field.type.kind === 'struct' && field.type.fields.length === 0;
      if (isEmpty && before.has(field.id))
        throw invalidArgument(`The struct '${path.join('.')}' would be left without fields; delete it instead.`);
    }
    checkNewSchema(schema, this.#base.formatVersion);
    return { schema, lastColumnId: this.#lastColumnId };
  }

  /** Adds a field with fresh ids to the struct in field `parentId`, or to the table for null. */
  #addField(parentId: number | null, field: NestedField): void {
    checkNameIsFree(this.#fieldsOf(parentId), field.name, null);
    if (field.required && (field.initialDefault ?? null) === null && !this.#allowIncompatible) {
      throw invalidArgument(
        `The column '${field.name}' can't be added as required without a default: rows that exist have no value for it.`,
      );
    }
    checkStructDefault(field);
    const id = this.#newId();
    const added = { ...field, id, type: assignTypeIds(field.type, () => this.#newId()) };
    this.#edit(parentId, (fields) => [...fields, added]);
  }

  /** Widens the type of a field, if that is legal. */
  #changeType(id: number, type: IcebergType): void {
    const { field, path } = indexById(this.#schema).get(id)!;
    const name = path.join('.');
    if (typeToText(field.type) === typeToText(type)) return;
    this.#checkNoKey(id, 'change');
    const promote = promotionOf(field.type, type, this.#base.formatVersion);
    if (!promote) {
      throw invalidArgument(
        `'${name}' can't change from ${typeToText(field.type)} to ${typeToText(type)}: ${PROMOTION_RULE}.`,
      );
    }
    for (const spec of this.#base.partitionSpecs) {
      const partition = spec.fields.find(({ sourceIds }) => sourceIds.includes(id));
      if (partition && !survivesPromotion(partition, field.type)) {
        throw invalidArgument(
          `'${name}' can't become a column of type ${typeToText(type)}: the table is or was partitioned by '${partition.name}', whose values would change.`,
        );
      }
    }
    this.#change(id, { ...promotedDefaults(field, promote), type: assignTypeIds(type, () => this.#newId()) });
  }

  #changeRequired(id: number, required: boolean): void {
    if (indexById(this.#schema).get(id)!.field.required === required) return;
    this.#checkNoKey(id, 'change');
    this.#change(id, { required });
  }

  #changeDoc(id: number, doc: string | null): void {
    this.#schema = editField(this.#schema, id, (field) => {
      const { doc: _, ...rest } = field;
      return doc === null ? rest : { ...rest, doc };
    });
  }

  #changeWriteDefault(id: number, value: Value): void {
    const { field, path } = indexById(this.#schema).get(id)!;
    if (valuesEqual(field.type, field.writeDefault ?? null, value)) return;
    if (value === null && field.required && (field.initialDefault ?? null) !== null) {
      // A required field that was added later has both defaults, not null (spec: "Default values").
      throw invalidArgument(`The default of '${path.join('.')}' can't be taken away: the column is required.`);
    }
    this.#schema = editField(this.#schema, id, (current) => {
      const { writeDefault: _, ...rest } = current;
      return value === null ? rest : { ...rest, writeDefault: value };
    });
  }

  #newId(): number {
    this.#lastColumnId += 1;
    return this.#lastColumnId;
  }

  #edit(parentId: number | null, edit: (fields: readonly NestedField[]) => readonly NestedField[]): void {
    this.#schema = editFields(this.#schema, parentId, edit);
  }

  #change(id: number, change: Partial<NestedField>): void {
    this.#schema = editField(this.#schema, id, (field) => ({ ...field, ...change }));
  }

  #fieldsOf(parentId: number | null): readonly NestedField[] {
    if (parentId === null) return this.#schema.fields;
    const { type } = indexById(this.#schema).get(parentId)!.field;
    return type.kind === 'struct' ? type.fields : [];
  }

  /** `purpose` completes "there is no column … to". */
  #find(name: ColumnName, purpose: string): IndexedField {
    const text = typeof name === 'string' ? name : name.join('.');
    const found = findFieldByName(this.#schema, text);
    if (!found) throw invalidArgument(`There is no column '${text}' to ${purpose}.`);
    return indexById(this.#schema).get(found.field.id)!;
  }

  /** A column or a struct's field, but no element, key or value. */
  #structField(name: ColumnName, purpose: string): IndexedField {
    const entry = this.#find(name, purpose);
    const parent = entry.parentId === null ? null : indexById(this.#schema).get(entry.parentId)!.field;
    if (parent && parent.type.kind !== 'struct') {
      throw invalidArgument(
        `Can't ${purpose} '${entry.path.join('.')}': it is a part of the ${parent.type.kind} '${parent.name}'.`,
      );
    }
    this.#checkNoKey(entry.field.id, purpose);
    return entry;
  }

  /** The struct that a field is added to: the column itself, its list's elements or its map's values. */
  #structAt(name: string): number {
    let { field } = this.#find(name, 'add a field to');
    const { type } = field;
    if (type.kind === 'list') field = indexById(this.#schema).get(type.elementId)!.field;
    if (type.kind === 'map') field = indexById(this.#schema).get(type.valueId)!.field;
    if (field.type.kind !== 'struct')
      throw invalidArgument(`Can't add a field to '${name}': it is of type ${typeToText(type)}, no struct.`);
    this.#checkNoKey(field.id, 'add a field to');
    return field.id;
  }

  /** Rows find each other by map keys, so what a key is never changes. */
  #checkNoKey(id: number, purpose: string): void {
    const index = indexById(this.#schema);
    for (let at = index.get(id); at && at.parentId !== null; at = index.get(at.parentId)) {
      const { type } = index.get(at.parentId)!.field;
      if (type.kind === 'map' && type.keyId === at.field.id) {
        throw invalidArgument(`Can't ${purpose} '${index.get(id)!.path.join('.')}': it belongs to the key of a map.`);
      }
    }
  }

  #checkUnused({ field, path }: IndexedField): void {
    const isInside = (id: number): boolean => {
      const index = indexById(this.#schema);
      for (let at = index.get(id); at; at = at.parentId === null ? undefined : index.get(at.parentId)) {
        if (at.field.id === field.id) return true;
      }
      return false;
    };
    const refuse = (use: string): Error => invalidArgument(`'${path.join('.')}' can't be deleted: ${use}.`);
    const partition = currentSpec(this.#base).fields.find(
      ({ sourceIds, transform }) => transform.kind !== 'void' && sourceIds.some(isInside),
    );
    if (partition)
      throw refuse(`the table is partitioned by '${partition.name}'; remove that from the partition spec first`);
    if (currentSortOrder(this.#base).fields.some(({ sourceIds }) => sourceIds.some(isInside))) {
      throw refuse("the table's sort order uses it; change that first");
    }
    if (this.#schema.identifierFieldIds.some(isInside))
      throw refuse('it is an identifier field; call setIdentifierFields without it first');
  }

  #move(
    name: ColumnName,
    reference: ColumnName | null,
    place: (fields: readonly NestedField[], moved: NestedField, at: number) => readonly NestedField[],
  ): this {
    const { field, parentId, path } = this.#structField(name, 'move');
    const anchor = reference === null ? null : this.#structField(reference, 'move next to');
    if (anchor?.field.id === field.id) throw invalidArgument(`'${path.join('.')}' can't be moved next to itself.`);
    if (anchor && anchor.parentId !== parentId) {
      throw invalidArgument(
        `'${path.join('.')}' can't be moved next to '${anchor.path.join('.')}': it would leave its struct.`,
      );
    }
    this.#edit(parentId, (fields) => {
      const others = fields.filter(({ id }) => id !== field.id);
      return place(
        others,
        field,
        others.findIndex(({ id }) => id === anchor?.field.id),
      );
    });
    return this;
  }
}

const PROMOTION_RULE =
  'a column can only go from int to long, from float to double, to a decimal of more digits and the same scale, and in format version 3 from date to timestamp or from unknown to any type';

function splitName(name: string): readonly string[] {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function withOptions(field: NestedField, options: AddColumnOptions): NestedField {
  const value = options.default === undefined ? null : defaultOf(field.type, options.default);
  return {
    ...field,
    required: options.required ?? field.required,
    ...(options.doc !== undefined && { doc: options.doc }),
    ...(value !== null && { initialDefault: value, writeDefault: value }),
  };
}

function promotedDefaults(
  { initialDefault, writeDefault }: NestedField,
  promote: (value: Value) => Value,
): Partial<NestedField> {
  return {
    ...(initialDefault !== undefined && { initialDefault: initialDefault === null ? null : promote(initialDefault) }),
    ...(writeDefault !== undefined && { writeDefault: writeDefault === null ? null : promote(writeDefault) }),
  };
}

/** A struct's default of `{}` takes its fields' defaults, so those that are required need one (spec: "Default values"). */
function checkStructDefault({ type, name, initialDefault }: NestedField): void {
  if (type.kind !== 'struct' || (initialDefault ?? null) === null) return;
  for (const field of type.fields) {
    if (field.required && (field.initialDefault ?? null) === null) {
      throw invalidArgument(
        `The default of the struct '${name}' needs a default of its required field '${field.name}'.`,
      );
    }
    checkStructDefault(field);
  }
}

/** Names that differ only in case can't be told apart by SQL engines, so none are made. */
function checkNameIsFree(siblings: readonly NestedField[], name: string, ownId: number | null): void {
  const taken = siblings.find((field) => field.id !== ownId && field.name.toLowerCase() === name.toLowerCase());
  if (!taken) return;
  const difference = taken.name === name ? '' : ', which differs only in case';
  throw invalidArgument(`The name '${name}' is taken by the column '${taken.name}'${difference}.`);
}
