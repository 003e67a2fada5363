import type { NestedField } from '../spec/types.ts';
import type { Value } from '../spec/values.ts';

/**
 * The value of a field that isn't there, null if it has no default. A struct's default of `{}` takes those of its fields
 * (spec: "Default values").
 */
export function defaultValue(field: NestedField, kind: 'initialDefault' | 'writeDefault'): Value {
  const value = field[kind] ?? null;
  const { type } = field;
  if (value === null || type.kind !== 'struct') return value;
  return type.fields.map((child, i) => (value as readonly Value[])[i] ?? defaultValue(child, kind));
}
