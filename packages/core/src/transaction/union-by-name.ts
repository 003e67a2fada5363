import { invalidArgument } from '../errors.ts';
import { elementField, valueField } from '../spec/schema-fields.ts';
import type { FormatVersion } from '../spec/table-metadata.ts';
import { typeToText } from '../spec/type-text.ts';
import type { IcebergType, NestedField } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';
import { promotionOf } from './type-promotion.ts';

/** What the union does to a schema; fields are named by id, structs by the id of their field, the table by null. */
export interface UnionTarget {
  addField(parentId: number | null, field: NestedField): void;
  changeType(id: number, type: IcebergType): void;
  changeRequired(id: number, required: boolean): void;
  changeDoc(id: number, doc: string | null): void;
  changeWriteDefault(id: number, value: Value): void;
}

/** Makes `target` take what `others` have beyond `fields`, by name. */
export function unionFields(
  target: UnionTarget,
  parentId: number | null,
  fields: readonly NestedField[],
  others: readonly NestedField[],
  version: FormatVersion,
): void {
  for (const other of others) {
    const field = fields.find(({ name }) => name === other.name);
    // Rows that exist have no value for it, whatever the other schema promises.
    if (!field) target.addField(parentId, { ...other, required: false });
    else unionField(target, field, other, version);
  }
}

function unionField(target: UnionTarget, field: NestedField, other: NestedField, version: FormatVersion): void {
  unionType(target, field, other, version);
  if (field.required && !other.required) target.changeRequired(field.id, false);
  if (other.doc !== undefined && other.doc !== field.doc) target.changeDoc(field.id, other.doc);
  if ((other.writeDefault ?? null) !== null) target.changeWriteDefault(field.id, other.writeDefault!);
}

function unionType(target: UnionTarget, field: NestedField, other: NestedField, version: FormatVersion): void {
  const [mine, theirs] = [field.type, other.type];
  if (mine.kind === 'struct' && theirs.kind === 'struct') {
    unionFields(target, field.id, mine.fields, theirs.fields, version);
  } else if (mine.kind === 'list' && theirs.kind === 'list') {
    unionField(target, elementField(mine), elementField(theirs), version);
  } else if (mine.kind === 'map' && theirs.kind === 'map') {
    checkKeys(field, mine.key, theirs.key, version);
    unionField(target, valueField(mine), valueField(theirs), version);
  } else if (promotionOf(theirs, mine, version) === undefined) {
    target.changeType(field.id, theirs);
  }
}

/** Keys can't change, so the other side's must fit as they are. */
function checkKeys(field: NestedField, mine: IcebergType, theirs: IcebergType, version: FormatVersion): void {
  if (typeToText(mine) !== typeToText(theirs) && promotionOf(theirs, mine, version) === undefined) {
    throw invalidArgument(
      `The keys of the map '${field.name}' can't change from ${typeToText(mine)} to ${typeToText(theirs)}.`,
    );
  }
}
