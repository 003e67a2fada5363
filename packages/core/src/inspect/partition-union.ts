import { invalidData, unsupported } from '../errors.ts';
import { partitionFieldType } from '../manifest/partition-type.ts';
import { currentSchema } from '../spec/metadata-accessors.ts';
import type { PartitionField } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import type { TableMetadata } from '../spec/table-metadata.ts';
import type { PrimitiveType, StructType } from '../spec/types.ts';
import { transformToText } from '../spec/transform-text.ts';
import { optional, struct } from './field-builders.ts';

/**
 * One struct for the partitions of all specs: the fields of any of them whose source column the table still has, in the
 * order of their ids, under their newest names. A file has null in the fields that its own spec lacks. UNSUPPORTED if a
 * transform is unknown, and with it the type of its values.
 */
export function unifiedPartitionType(metadata: TableMetadata): StructType {
  const schema = currentSchema(metadata);
  const unified = new Map<number, UnifiedField>();
  for (const spec of metadata.partitionSpecs.toSorted((a, b) => b.specId - a.specId)) {
    for (const field of spec.fields) {
      if (!field.sourceIds.every((id) => findField(schema, id))) continue;
      const type = partitionFieldType(field, [schema]);
      if (type === null) throw unknownType(field);
      const newer = unified.get(field.fieldId);
      unified.set(field.fieldId, newer ? merged(newer, field, type) : { field, type });
    }
  }
  const byId = [...unified.values()].toSorted((a, b) => a.field.fieldId - b.field.fieldId);
  return struct(byId.map(({ field: { fieldId, name }, type }) => optional(fieldId, name, type)));
}

interface UnifiedField {
  readonly field: PartitionField;
  readonly type: PrimitiveType;
}

/** v1 tables keep dropped fields as `void`: what they were before tells the type of the values that there are. */
function merged(newer: UnifiedField, older: PartitionField, type: PrimitiveType): UnifiedField {
  const { field } = newer;
  const sameSource = field.sourceIds.join() === older.sourceIds.join();
  const isVoid = field.transform.kind === 'void';
  const compatible =
    isVoid || older.transform.kind === 'void' || transformToText(field.transform) === transformToText(older.transform);
  if (!sameSource || !compatible) {
    throw invalidData(
      `The partition specs use the field id ${field.fieldId} for both '${field.name}' and '${older.name}', so files of different specs can't be shown in one table.`,
    );
  }
  return isVoid && older.transform.kind !== 'void' ? { field: { ...older, name: field.name }, type } : newer;
}

function unknownType({ name, transform }: PartitionField): Error {
  return unsupported(
    `The partition field '${name}' has the transform '${transformToText(transform)}', which is not known, so the type of its values isn't either.`,
  );
}
