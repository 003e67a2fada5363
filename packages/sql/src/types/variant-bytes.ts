import type { IcebergType, NestedField, StructType } from '@lh/core';

/**
 * Variants go through DuckDB in one of two forms. Its own, VARIANT, is for expressions that look into them; it takes a
 * variant that holds null for NULL, and cuts nanoseconds. The other is a struct of the exact bytes, for queries that
 * only hand variants on: these are the names of its fields.
 */
export const VARIANT_BYTES: readonly [metadata: string, value: string] = [
  '__lh_variant_metadata',
  '__lh_variant_value',
];

const BYTES_STRUCT: StructType = {
  kind: 'struct',
  fields: VARIANT_BYTES.map((name, i) => ({ id: -1 - i, name, required: true, type: { kind: 'binary' } })),
};

export function holdsVariant(type: IcebergType): boolean {
  switch (type.kind) {
    case 'variant':
      return true;
    case 'struct':
      return type.fields.some((field) => holdsVariant(field.type));
    case 'list':
      return holdsVariant(type.element);
    case 'map':
      return holdsVariant(type.key) || holdsVariant(type.value);
    default:
      return false;
  }
}

/** Fields with structs of bytes in the place of variants. Their columns have core's layout of variants. */
export function withVariantBytes(fields: readonly NestedField[]): readonly NestedField[] {
  return fields.map((field) => ({ ...field, type: bytesType(field.type) }));
}

function bytesType(type: IcebergType): IcebergType {
  switch (type.kind) {
    case 'variant':
      return BYTES_STRUCT;
    case 'struct':
      return { ...type, fields: withVariantBytes(type.fields) };
    case 'list':
      return { ...type, element: bytesType(type.element) };
    case 'map':
      return { ...type, key: bytesType(type.key), value: bytesType(type.value) };
    default:
      return type;
  }
}
