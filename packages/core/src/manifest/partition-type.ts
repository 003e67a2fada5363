import { invalidData } from '../errors.ts';
import type { PartitionField, PartitionSpec } from '../spec/partition-spec.ts';
import { findField } from '../spec/schema-fields.ts';
import type { Schema } from '../spec/schema.ts';
import type { IcebergType, NestedField, PrimitiveType, StructType } from '../spec/types.ts';
import { canTransform, transformResultType } from '../transforms/transforms.ts';

/**
 * The type of a partition field's values; null if it can't be told: the transform is unknown, or its source column is
 * in none of the schemas. The first schema that has the column decides.
 */
export function partitionFieldType(field: PartitionField, schemas: readonly Schema[]): PrimitiveType | null {
  const source = sourceType(field, schemas);
  if (field.transform.kind === 'unknown' || source === null || !canTransform(field.transform, source)) return null;
  return transformResultType(field.transform, source);
}

/**
 * The struct of a spec's partition tuples, as manifests store it: field ids are those of the partition fields, and
 * every field may be null (spec: "Data File Fields"). INVALID_DATA if a field's type can't be told.
 */
export function partitionType(spec: PartitionSpec, schemas: readonly Schema[]): StructType {
  return { kind: 'struct', fields: spec.fields.map((field) => partitionStructField(field, schemas)) };
}

function partitionStructField(field: PartitionField, schemas: readonly Schema[]): NestedField {
  const type = partitionFieldType(field, schemas) ?? fallbackType(field);
  if (type === null) {
    throw invalidData(
      `The partition field '${field.name}' has no known type: its source column ${field.sourceIds.join(', ')} is in no schema of the table, or its transform is unknown.`,
    );
  }
  return { id: field.fieldId, name: field.name, required: false, type };
}

/** A `void` field is null whatever its source was; `int` is the type that the spec lets it have then. */
function fallbackType(field: PartitionField): PrimitiveType | null {
  return field.transform.kind === 'void' ? { kind: 'int' } : null;
}

function sourceType(field: PartitionField, schemas: readonly Schema[]): IcebergType | null {
  const sourceId = field.sourceIds[0];
  if (sourceId === undefined) return null;
  for (const schema of schemas) {
    const source = findField(schema, sourceId);
    if (source) return source.type;
  }
  return null;
}
